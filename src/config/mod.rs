//! Configuration: one struct per concern, from flags, the environment or `.env`, refused at start
//! when wrong. Nothing reads the environment later.

mod database;
mod http;
mod log;
mod mail;
mod sales;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

pub use database::DatabaseSettings;
pub use http::HttpSettings;
pub use log::{LogFormat, LogSettings};
pub use mail::MailSettings;
pub use sales::SalesSettings;

use crate::db::DatabaseUrl;

/// Everything a server can be told. Each setting is a flag and an environment variable.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Where the embedded database, its key and captured mail live.
    #[arg(long, env = "RIALTO_DATA_DIR", default_value = "./rialto-data")]
    pub data_dir: PathBuf,
    /// Run the worker (feed, jobs, expiry) in this server.
    #[arg(long, env = "RIALTO_WORKER", default_value_t = true, action = clap::ArgAction::Set)]
    pub worker: bool,
    /// Database.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// HTTP.
    #[command(flatten)]
    pub http: HttpSettings,
    /// Mail.
    #[command(flatten)]
    pub mail: MailSettings,
    /// Sales.
    #[command(flatten)]
    pub sales: SalesSettings,
    /// Logs.
    #[command(flatten)]
    pub log: LogSettings,
}

impl Config {
    /// Where the database is: `DATABASE_URL`, else a file in the data directory.
    pub fn database_url(&self) -> anyhow::Result<DatabaseUrl> {
        match &self.database.url {
            Some(url) => DatabaseUrl::parse(secrecy::ExposeSecret::expose_secret(url)),
            None => Ok(DatabaseUrl::Sqlite(self.data_dir.join("rialto.sqlite3"))),
        }
    }

    /// Makes the data directory, for this user's eyes only.
    pub fn make_data_dir(&self) -> anyhow::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let made = builder.create(&self.data_dir);
        made.with_context(|| format!("cannot make {}", self.data_dir.display()))
    }

    /// Where captured mail goes.
    pub fn captured_mail_dir(&self) -> PathBuf {
        self.data_dir.join("mail")
    }
}
