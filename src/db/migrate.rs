//! Schema changes: two trees of the same names, embedded, run at start.

use anyhow::{anyhow, bail};
use diesel::connection::SimpleConnection;
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::conn::{AnyConnection, DatabaseUrl, Purpose};

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// The advisory lock that servers starting together queue for ("rialto" in ASCII).
const MIGRATION_LOCK: i64 = 0x7269_616c_746f;

/// Brings the database to this program's schema. Returns the names of what was run.
pub fn migrate(url: &DatabaseUrl) -> anyhow::Result<Vec<String>> {
    locked(url, |conn| match conn {
        AnyConnection::Postgres(conn) => names(conn.run_pending_migrations(POSTGRES)),
        AnyConnection::Sqlite(conn) => {
            let pending = conn.has_pending_migration(SQLITE).map_err(|error| anyhow!(error))?;
            if !pending && !unchecked(conn)? {
                return Ok(Vec::new());
            }
            rebuilding(conn, |conn| names(conn.run_pending_migrations(SQLITE)))
        }
    })
}

/// SQLite changes a constraint by building the table anew, which references to it must not see;
/// they are checked together afterwards. That reads every row there is, so a start with nothing to
/// do passes it by; a mark in the file has it made up for after a crash or a failure.
fn rebuilding(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> anyhow::Result<Vec<String>>,
) -> anyhow::Result<Vec<String>> {
    conn.batch_execute("PRAGMA foreign_keys = OFF; PRAGMA user_version = 1")?;
    let done = work(conn)?;
    let check = "SELECT COUNT(*) AS count FROM pragma_foreign_key_check";
    let broken: Count = sql_query(check).get_result(conn)?;
    if broken.count > 0 {
        bail!("{} rows name another row that is not there", broken.count);
    }
    conn.batch_execute("PRAGMA user_version = 0; PRAGMA foreign_keys = ON")?;
    Ok(done)
}

/// Whether tables were rebuilt without being checked afterwards.
fn unchecked(conn: &mut SqliteConnection) -> anyhow::Result<bool> {
    let mark = "SELECT user_version AS count FROM pragma_user_version";
    Ok(sql_query(mark).get_result::<Count>(conn)?.count != 0)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

/// Undoes every migration. For tests: it deletes all data.
pub fn revert_all(url: &DatabaseUrl) -> anyhow::Result<Vec<String>> {
    locked(url, |conn| match conn {
        AnyConnection::Postgres(conn) => names(conn.revert_all_migrations(POSTGRES)),
        AnyConnection::Sqlite(conn) => {
            rebuilding(conn, |conn| names(conn.revert_all_migrations(SQLITE)))
        }
    })
}

/// Opens a connection that waits for others that migrate, and lets them wait for it.
fn locked<T>(
    url: &DatabaseUrl,
    work: impl FnOnce(&mut AnyConnection) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut conn = url.connect(Purpose::Migrate)?;
    if let AnyConnection::Postgres(conn) = &mut conn {
        // Held until the connection closes.
        conn.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})"))?;
    }
    work(&mut conn)
}

/// Runs something under the migration lock.
pub(crate) fn under_lock<T>(
    url: &DatabaseUrl,
    work: impl FnOnce(&mut AnyConnection) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    locked(url, work)
}

fn names<V: std::fmt::Display>(
    ran: Result<Vec<V>, Box<dyn std::error::Error + Send + Sync>>,
) -> anyhow::Result<Vec<String>> {
    ran.map(|versions| versions.iter().map(ToString::to_string).collect())
        .map_err(|error| anyhow!("migration failed: {error}"))
}
