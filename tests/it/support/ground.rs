//! A database of a test's own, with the configuration that leads to it. It is removed at the end.

use std::path::PathBuf;
use std::sync::OnceLock;

use rialto::config::Config;
use rialto::db::{Backend, DatabaseUrl, migrate};

use super::cluster::{Cluster, cluster};

/// What servers of a test stand on, one after the other or beside each other.
pub struct Ground {
    pub backend: Backend,
    pub config: Config,
    database: Option<(&'static Cluster, String)>,
    data: tempfile::TempDir,
}

/// A migrated SQLite file to copy.
fn sqlite_template() -> &'static PathBuf {
    static TEMPLATE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, file) = TEMPLATE.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("template.sqlite3");
        migrate(&DatabaseUrl::Sqlite(file.clone())).unwrap();
        (directory, file)
    });
    file
}

impl Ground {
    /// A migrated database with nothing in it.
    pub fn new(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::on(None),
            Backend::Postgres => Self::on(Some(cluster().unwrap())),
        }
    }

    /// The same in a given PostgreSQL.
    pub fn on(cluster: Option<&'static Cluster>) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut config = rialto::commands::default_config().unwrap();
        config.data_dir = data.path().to_owned();
        config.http.listen = "127.0.0.1:0".parse().unwrap();
        config.http.trusted_proxies = 1;
        config.http.http_threads = Some(2);
        config.http.drain_seconds = 2;
        config.log.log = std::env::var("RIALTO_LOG").unwrap_or("off".to_owned());
        config.log.install().unwrap();
        let Some(cluster) = cluster else {
            std::fs::copy(sqlite_template(), data.path().join("rialto.sqlite3")).unwrap();
            return Self { backend: Backend::Sqlite, config, database: None, data };
        };
        let name = cluster.create();
        config.database.url = Some(cluster.url(&name).into());
        Self { backend: Backend::Postgres, config, database: Some((cluster, name)), data }
    }

    /// Captured mails, in no order.
    pub fn captured(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.data.path().join("mail")).into_iter().flatten();
        let whole = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "eml");
        let files = files.flatten().map(|file| file.path()).filter(whole);
        files.map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // What a failed test leaves behind is worth looking at.
        if let Some((cluster, name)) = &self.database
            && !std::thread::panicking()
        {
            cluster.remove(name);
        }
    }
}
