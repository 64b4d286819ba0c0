//! Which database, and how many connections.

use clap::Args;
use secrecy::SecretString;

/// Database settings.
#[derive(Args, Clone, Debug)]
pub struct DatabaseSettings {
    /// `postgres://...` for many servers, `sqlite:path` for a file; unset: embedded SQLite in the
    /// data directory.
    #[arg(
        id = "database_url",
        long = "database-url",
        env = "DATABASE_URL",
        hide_env_values = true
    )]
    pub url: Option<SecretString>,
    /// Connections for queries.
    #[arg(long = "db-readers", env = "RIALTO_DB_READERS", default_value_t = 8,
        value_parser = clap::value_parser!(u32).range(1..=200))]
    pub readers: u32,
    /// Connections for operations (PostgreSQL only; SQLite has one writer).
    #[arg(long = "db-writers", env = "RIALTO_DB_WRITERS", default_value_t = 16,
        value_parser = clap::value_parser!(u32).range(1..=200))]
    pub writers: u32,
    /// The server key, 64 hexadecimal digits; unset: made once and kept beside or in the database.
    #[arg(long, env = "RIALTO_SECRET_KEY", hide_env_values = true)]
    pub secret_key: Option<SecretString>,
}
