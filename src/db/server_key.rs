//! The key every server over one database shares: configured, or made once.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, bail};
use diesel::prelude::*;
use secrecy::{ExposeSecret, SecretString};

use super::conn::{AnyConnection, DatabaseUrl};
use super::migrate::under_lock;
use super::schema::server_settings as settings;
use crate::kernel::secret::ServerKey;

const SETTING: &str = "server_key";
const FILE: &str = "server.key";

/// The configured key; else the one in the data directory (SQLite) or in the database
/// (PostgreSQL), which is made by whoever comes first.
pub fn server_key(
    configured: Option<&SecretString>,
    url: &DatabaseUrl,
    data_dir: &Path,
) -> anyhow::Result<ServerKey> {
    let hex = match (configured, url) {
        (Some(key), _) => key.expose_secret().to_owned(),
        (None, DatabaseUrl::Sqlite(_)) => in_file(&data_dir.join(FILE))?,
        (None, DatabaseUrl::Postgres(_)) => under_lock(url, in_database)?,
    };
    ServerKey::from_hex(&hex).context("the server key must have at least 64 hexadecimal digits")
}

fn in_file(path: &Path) -> anyhow::Result<String> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => {
            let key = ServerKey::generate_hex();
            file.write_all(key.as_bytes())?;
            file.sync_all()?;
            Ok(key)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let mut key = String::new();
            std::fs::File::open(path)?.read_to_string(&mut key)?;
            Ok(key)
        }
        Err(error) => Err(error).with_context(|| format!("cannot make {}", path.display())),
    }
}

fn in_database(conn: &mut AnyConnection) -> anyhow::Result<String> {
    let known = settings::table.find(SETTING).select(settings::value);
    if let Some(key) = known.first::<String>(conn).optional()? {
        return Ok(key);
    }
    let key = ServerKey::generate_hex();
    let row = (settings::name.eq(SETTING), settings::value.eq(&key));
    if diesel::insert_into(settings::table).values(row).execute(conn)? != 1 {
        bail!("the server key could not be kept");
    }
    Ok(key)
}
