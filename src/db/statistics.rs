//! PostgreSQL's first statistics of a table.
//!
//! Without any it takes every index that names a part of a key for as good as the key's own, and
//! keeps such a plan. Its own look at new tables comes a minute late at best: a first sale would be
//! over. From then on autovacuum does better.

use std::collections::BTreeSet;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::{AnyConnection, Backend, Db, Outcome, Scope, Tx};
use crate::kernel::Result;

/// A rush fills many pages in this time, and few enough to read them all.
const EVERY: Duration = Duration::from_secs(1);
/// A look at a sample takes milliseconds; of a large table, brought along, seconds.
const LOOK_MAX: &str = "SET LOCAL statement_timeout = '60s'";

/// Tables that have grown to four pages and were never looked at.
const UNKNOWN: &str = "SELECT quote_ident(c.relname) AS name FROM pg_class c \
     JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() \
     WHERE c.relkind = 'r' AND c.relpages = 0 AND pg_relation_size(c.oid) >= 32768";

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
}

fn unknown(tx: &mut Tx<'_>) -> Result<Vec<Table>> {
    match tx.conn()? {
        AnyConnection::Postgres(conn) => Ok(sql_query(UNKNOWN).load(conn)?),
        AnyConnection::Sqlite(_) => Ok(Vec::new()),
    }
}

/// Has PostgreSQL look at tables as they come to be worth it, until it is dropped.
pub async fn look_first(db: Db) {
    let mut tried = BTreeSet::new();
    while db.backend() == Backend::Postgres {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = look(&db, &mut tried).await {
            tracing::warn!(code = error.code(), "there are no statistics of a table yet");
        }
    }
}

/// Has PostgreSQL look at the tables it knows nothing of, each once: another server may be at one,
/// or it belongs to somebody else.
pub async fn look(db: &Db, tried: &mut BTreeSet<String>) -> Result<()> {
    let scope = Scope::platform("first statistics of tables");
    for Table { name } in db.read(&scope, unknown).await? {
        if tried.insert(name.clone()) {
            let look = format!("{LOOK_MAX}; ANALYZE (SKIP_LOCKED) {name}");
            let look = move |tx: &mut Tx<'_>| Ok(Outcome::Done(tx.conn()?.batch_execute(&look)?));
            db.write(&scope, look).await?;
        }
    }
    Ok(())
}
