//! One connection type for both databases.
//!
//! `MultiConnection` carries plain diesel to either database. What it cannot express (upserts and
//! batch inserts) goes through [`on_each!`], whose body is written once and compiled for both.

use std::path::PathBuf;

use anyhow::{Context, bail};
use diesel::connection::{
    AnsiTransactionManager, Connection, SimpleConnection, TransactionManager,
};
use diesel::r2d2::R2D2Connection;
use diesel::{PgConnection, SqliteConnection, sql_query};

use crate::kernel::fail_point::{self, Step};

/// Oldest SQLite without the write-ahead log's reset race (<https://sqlite.org/wal.html>).
pub const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// A statement on a PostgreSQL write connection may run so long.
const STATEMENT_TIMEOUT_MS: u32 = 2000;
/// A statement on a PostgreSQL write connection waits so long for a lock.
const LOCK_TIMEOUT_MS: u32 = 200;

mod any {
    // The derive makes public items without documentation.
    #![allow(missing_docs)]

    use diesel::{PgConnection, SqliteConnection};

    /// A connection to either database.
    #[derive(diesel::MultiConnection)]
    pub enum AnyConnection {
        /// PostgreSQL.
        Postgres(PgConnection),
        /// Embedded SQLite.
        Sqlite(SqliteConnection),
    }
}

pub use any::{AnyConnection, MultiBackend, MultiRawValue};

/// Runs one statement on whichever database is behind the connection. The body is written once.
///
/// For statements the multi-backend type cannot express (upserts, batch inserts), and for those
/// that are asked most: through the multi-backend type diesel writes out a statement's text at
/// every use, to find the one it has prepared.
#[macro_export]
macro_rules! on_each {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::db::AnyConnection::Postgres($c) => $body,
            $crate::db::AnyConnection::Sqlite($c) => $body,
        }
    };
}

/// Which database is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backend {
    /// PostgreSQL.
    Postgres,
    /// Embedded SQLite.
    Sqlite,
}

/// Where the database is.
#[derive(Clone, Debug)]
pub enum DatabaseUrl {
    /// A `postgres://` address.
    Postgres(String),
    /// A file.
    Sqlite(PathBuf),
}

/// What a connection will be used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Operations; short waits, so that a blocked one is run again.
    Write,
    /// Queries.
    Read,
    /// Schema changes; waits as long as they take.
    Migrate,
}

impl DatabaseUrl {
    /// Reads an address: `postgres://...` or `sqlite:path`. Everything else is refused, because
    /// SQLite would take any mistyped text for a new file.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            _ => bail!("DATABASE_URL must begin with postgres://, postgresql:// or sqlite:"),
        }
    }

    /// Which database this is.
    pub fn backend(&self) -> Backend {
        match self {
            Self::Postgres(_) => Backend::Postgres,
            Self::Sqlite(_) => Backend::Sqlite,
        }
    }

    /// Opens a connection, sets what it must obey, and reads it back.
    pub fn connect(&self, purpose: Purpose) -> anyhow::Result<AnyConnection> {
        match self {
            Self::Postgres(url) => {
                let mut conn = PgConnection::establish(url).context("cannot reach PostgreSQL")?;
                prepare_postgres(&mut conn, purpose)?;
                Ok(AnyConnection::Postgres(conn))
            }
            Self::Sqlite(path) => {
                let path = path.to_str().context("the database path is not UTF-8")?;
                let mut conn = SqliteConnection::establish(path)
                    .with_context(|| format!("cannot open the database file {path}"))?;
                prepare_sqlite(&mut conn, purpose)?;
                Ok(AnyConnection::Sqlite(conn))
            }
        }
    }
}

impl AnyConnection {
    /// Which database this is.
    pub fn backend(&self) -> Backend {
        match self {
            Self::Postgres(_) => Backend::Postgres,
            Self::Sqlite(_) => Backend::Sqlite,
        }
    }

    /// Begins a transaction that writes. SQLite takes its write lock at once: a reader that turns
    /// writer is refused without waiting when somebody else has committed meanwhile.
    pub(super) fn begin_write(&mut self) -> diesel::QueryResult<()> {
        match self {
            Self::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN"),
            Self::Sqlite(conn) => {
                AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
            }
        }
    }

    /// Runs a query that sees the database as of one instant. On SQLite one transaction for all of
    /// its statements also costs less than one for each; on PostgreSQL it would cost two round
    /// trips, and each statement sees what is committed.
    pub(super) fn snapshot<T, E: From<diesel::result::Error>>(
        &mut self,
        query: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        if let Self::Sqlite(conn) = self {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN")?;
        }
        let found = query(self);
        if self.depth() == Some(1) {
            self.roll_back()?;
        }
        found
    }

    /// Ends a transaction well: the one place where anything becomes durable.
    pub(super) fn commit(&mut self, step: Step) -> diesel::QueryResult<()> {
        fail_point::around(step, || {
            <Self as Connection>::TransactionManager::commit_transaction(self)
        })
    }

    /// A savepoint inside the open transaction.
    pub(super) fn savepoint(&mut self) -> diesel::QueryResult<()> {
        <Self as Connection>::TransactionManager::begin_transaction(self)
    }

    /// Keeps what was done since the last savepoint.
    pub(super) fn release(&mut self) -> diesel::QueryResult<()> {
        <Self as Connection>::TransactionManager::commit_transaction(self)
    }

    /// Undoes what was done since the last savepoint or, without one, the whole transaction.
    pub(super) fn roll_back(&mut self) -> diesel::QueryResult<()> {
        <Self as Connection>::TransactionManager::rollback_transaction(self)
    }

    /// How many transactions and savepoints are open; `None` when diesel has lost track.
    pub(super) fn depth(&mut self) -> Option<u32> {
        let status = match self {
            Self::Postgres(conn) => AnsiTransactionManager::transaction_manager_status_mut(conn),
            Self::Sqlite(conn) => AnsiTransactionManager::transaction_manager_status_mut(conn),
        };
        status.transaction_depth().ok().map(|depth| depth.map_or(0, |depth| depth.get()))
    }
}

#[derive(diesel::QueryableByName)]
struct Setting {
    #[diesel(sql_type = diesel::sql_types::Text)]
    value: String,
}

/// Every statement finds its rows by an index. Left to choose, PostgreSQL reads a table whole while
/// it is small, and keeps the plan while it grows.
const BY_INDEX: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; \
     SET enable_mergejoin = off; SET jit = off";

fn prepare_postgres(conn: &mut PgConnection, purpose: Purpose) -> anyhow::Result<()> {
    let (statement, lock) = match purpose {
        Purpose::Write => (STATEMENT_TIMEOUT_MS, LOCK_TIMEOUT_MS),
        Purpose::Read => (STATEMENT_TIMEOUT_MS, 0),
        Purpose::Migrate => (0, 0),
    };
    conn.batch_execute(&format!(
        "SET client_min_messages = warning; SET timezone = 'UTC'; \
         SET statement_timeout = {statement}; SET lock_timeout = {lock}; \
         SET idle_in_transaction_session_timeout = 10000; \
         SET default_transaction_isolation = 'read committed'",
    ))?;
    if purpose != Purpose::Migrate {
        conn.batch_execute(BY_INDEX)?;
    }
    if purpose == Purpose::Read {
        conn.batch_execute("SET default_transaction_read_only = on")?;
    }
    // A commit that is acknowledged before it is flushed can be lost: refuse such a server.
    for (setting, refused) in [("fsync", "off"), ("synchronous_commit", "off")] {
        let value = pg_setting(conn, setting)?;
        if value == refused {
            bail!("PostgreSQL runs with {setting} = {value}; an acknowledged sale could be lost");
        }
    }
    if pg_setting(conn, "server_encoding")? != "UTF8" {
        bail!("the PostgreSQL database must be encoded in UTF8");
    }
    if purpose == Purpose::Write && pg_setting(conn, "transaction_isolation")? != "read committed" {
        bail!("PostgreSQL did not accept READ COMMITTED");
    }
    Ok(())
}

fn pg_setting(conn: &mut PgConnection, name: &str) -> anyhow::Result<String> {
    use diesel::RunQueryDsl;
    let query = format!("SELECT current_setting('{name}') AS value");
    Ok(sql_query(query).get_result::<Setting>(conn)?.value)
}

/// Pragmas of every SQLite connection, and how each reads back.
const SQLITE_PRAGMAS: [(&str, &str, &str); 7] = [
    ("busy_timeout", "5000", "5000"),
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", "2"),
    ("foreign_keys", "ON", "1"),
    ("trusted_schema", "OFF", "0"),
    ("temp_store", "MEMORY", "2"),
    ("journal_size_limit", "67108864", "67108864"),
];

/// Pages in the log before it is moved into the file: a page that many sales touch is then moved
/// once for all of them.
pub(super) const SQLITE_CHECKPOINT_PAGES: u32 = 8192;
/// Pages in the log before the writer moves them itself: more than the thread that does it leaves.
const SQLITE_WRITER_CHECKPOINT_PAGES: u32 = 2 * SQLITE_CHECKPOINT_PAGES;
/// Memory for the pages of the writer.
const SQLITE_WRITER_CACHE_KIB: u32 = 32 * 1024;
/// Memory for the pages of each reader; what it lacks is most often in the system's cache.
const SQLITE_READER_CACHE_KIB: u32 = 4 * 1024;

fn prepare_sqlite(conn: &mut SqliteConnection, purpose: Purpose) -> anyhow::Result<()> {
    let version = libsqlite3_version();
    if version < SQLITE_VERSION_MIN {
        bail!("SQLite {version} is older than {SQLITE_VERSION_MIN} and can corrupt its log");
    }
    for (pragma, value, _) in SQLITE_PRAGMAS {
        conn.batch_execute(&format!("PRAGMA {pragma} = {value}"))?;
    }
    for (pragma, _, expected) in SQLITE_PRAGMAS {
        let found = sqlite_pragma(conn, pragma)?;
        if found != expected {
            bail!("SQLite runs with {pragma} = {found}, not {expected}");
        }
    }
    let log = match purpose {
        Purpose::Write => SQLITE_WRITER_CHECKPOINT_PAGES,
        Purpose::Migrate | Purpose::Read => SQLITE_CHECKPOINT_PAGES,
    };
    conn.batch_execute(&format!("PRAGMA wal_autocheckpoint = {log}"))?;
    let cache = match purpose {
        Purpose::Write | Purpose::Migrate => SQLITE_WRITER_CACHE_KIB,
        Purpose::Read => SQLITE_READER_CACHE_KIB,
    };
    conn.batch_execute(&format!("PRAGMA cache_size = -{cache}"))?;
    if purpose == Purpose::Read {
        conn.batch_execute("PRAGMA query_only = ON")?;
    }
    Ok(())
}

fn sqlite_pragma(conn: &mut SqliteConnection, name: &str) -> anyhow::Result<String> {
    use diesel::RunQueryDsl;
    // The table-valued form names its column after the pragma, except for busy_timeout.
    let column = if name == "busy_timeout" { "timeout" } else { name };
    let query = format!("SELECT CAST({column} AS TEXT) AS value FROM pragma_{name}");
    Ok(sql_query(query).get_result::<Setting>(conn)?.value)
}

/// The version of the SQLite inside this program, as 3051003.
pub fn libsqlite3_version() -> i32 {
    libsqlite3_sys::SQLITE_VERSION_NUMBER
}

/// Makes connections for a pool.
#[derive(Clone, Debug)]
pub struct Manager {
    pub(super) url: DatabaseUrl,
    pub(super) purpose: Purpose,
}

/// Why a pooled connection is not usable.
#[derive(Debug)]
pub struct PoolFault(anyhow::Error);

impl std::fmt::Display for PoolFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl std::error::Error for PoolFault {}

impl r2d2::ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = PoolFault;

    fn connect(&self) -> Result<AnyConnection, PoolFault> {
        self.url.connect(self.purpose).map_err(PoolFault)
    }

    fn is_valid(&self, conn: &mut AnyConnection) -> Result<(), PoolFault> {
        conn.ping().map_err(|error| PoolFault(error.into()))
    }

    fn has_broken(&self, conn: &mut AnyConnection) -> bool {
        conn.is_broken() || conn.depth() != Some(0)
    }
}
