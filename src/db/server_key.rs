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

/// Written beside and linked, so that the file is never seen half made; whoever links first wins.
fn in_file(path: &Path) -> anyhow::Result<String> {
    if !path.exists() {
        let beside = path.with_extension(format!("{}.part", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let made = || -> std::io::Result<()> {
            let mut file = options.open(&beside)?;
            file.write_all(ServerKey::generate_hex().as_bytes())?;
            file.sync_all()?;
            match std::fs::hard_link(&beside, path) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
                _ => std::fs::remove_file(&beside),
            }
        };
        made().with_context(|| format!("cannot make {}", path.display()))?;
    }
    let mut key = String::new();
    std::fs::File::open(path)?.read_to_string(&mut key)?;
    Ok(key)
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
