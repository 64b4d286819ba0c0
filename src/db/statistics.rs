//! PostgreSQL's first statistics of a table.
//!
//! Without any it takes every index that names a part of a key for as good as the key's own, and
//! keeps such a plan. Its own look at new tables comes a minute late at best: a first sale would be
//! over. From then on autovacuum does better.

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::{AnyConnection, Db, Outcome, Scope, Tx};
use crate::kernel::Result;

/// Tables that have grown to four pages and were never looked at.
const UNKNOWN: &str = "SELECT quote_ident(c.relname) AS name FROM pg_class c \
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' \
     AND c.relpages = 0 AND pg_relation_size(c.oid) >= 32768";

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

/// Has PostgreSQL look at the tables it knows nothing of; answers how many there were.
pub async fn look_first(db: &Db) -> Result<usize> {
    let scope = Scope::platform("first statistics of tables");
    let tables = db.read(&scope, unknown).await?;
    for Table { name } in &tables {
        // Another server may be at it.
        let look = format!("ANALYZE (SKIP_LOCKED) {name}");
        let look =
            move |tx: &mut Tx<'_>| Ok(Outcome::Done(sql_query(look.as_str()).execute(tx.conn()?)?));
        db.write(&scope, look).await?;
    }
    Ok(tables.len())
}
