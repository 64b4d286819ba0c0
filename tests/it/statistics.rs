//! PostgreSQL's first statistics come from the server.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Float;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rialto::db::{DatabaseUrl, statistics};

use crate::support::{Backend, run};

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Float)]
    rows: f32,
}

/// How many rows PostgreSQL thinks a table has; below zero, it has not looked.
fn known(conn: &mut PgConnection, table: &str) -> f32 {
    let known = format!("SELECT reltuples AS rows FROM pg_class WHERE relname = '{table}'");
    sql_query(known).get_result::<Known>(conn).unwrap().rows
}

#[test]
fn a_table_that_has_grown_unseen_is_looked_at_and_waited_for_by_nobody() {
    run(Backend::Postgres, Default::default(), |app| {
        Box::pin(async move {
            let DatabaseUrl::Postgres(url) = app.config.database_url().unwrap() else {
                unreachable!()
            };
            let mut conn = PgConnection::establish(&url).unwrap();
            let mut other = PgConnection::establish(&url).unwrap();
            conn.batch_execute(
                "CREATE TABLE small (n BIGINT); INSERT INTO small SELECT generate_series(1, 10); \
                 CREATE TABLE \"Large\" (n BIGINT); CREATE TABLE locked (n BIGINT); \
                 INSERT INTO locked SELECT generate_series(1, 2000); \
                 INSERT INTO \"Large\" SELECT generate_series(1, 2000)",
            )
            .unwrap();
            other.batch_execute("BEGIN; LOCK TABLE locked IN SHARE UPDATE EXCLUSIVE MODE").unwrap();
            let mut tried = BTreeSet::new();
            statistics::look(app.db(), &mut tried).await.unwrap();
            assert_eq!(known(&mut conn, "Large"), 2000.0);
            assert!(known(&mut conn, "small") < 0.0);
            assert!(known(&mut conn, "locked") < 0.0);
            other.batch_execute("COMMIT").unwrap();
            statistics::look(app.db(), &mut BTreeSet::new()).await.unwrap();
            assert_eq!(known(&mut conn, "locked"), 2000.0);
        })
    });
}
