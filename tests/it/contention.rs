//! Databases that ask for an operation to be run again: deadlock, lock timeout, BUSY.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection, sql_query};
use rialto::db::{AnyConnection, DatabaseUrl, Outcome, Scope, Tx};
use rialto::kernel::Result;

use crate::support::{Backend, TestApp, run};

/// Longer than a write connection waits for a lock (200 ms), shorter than its reruns last.
const LOCKED_FOR: Duration = Duration::from_millis(350);

fn sql(tx: &mut Tx<'_>, query: &str) -> Result<usize> {
    Ok(match tx.conn()? {
        AnyConnection::Postgres(conn) => sql_query(query).execute(conn)?,
        AnyConnection::Sqlite(conn) => sql_query(query).execute(conn)?,
    })
}

async fn setup(app: &TestApp) {
    let write = |tx: &mut Tx<'_>| {
        sql(tx, "CREATE TABLE probe (id BIGINT NOT NULL PRIMARY KEY, n BIGINT NOT NULL)")?;
        sql(tx, "INSERT INTO probe VALUES (1, 0), (2, 0)")?;
        Ok(Outcome::Done(()))
    };
    app.db().write(&Scope::platform("tests"), write).await.unwrap();
}

/// Adds one to two rows, in the order given; counts how often it was run.
async fn add(app: &TestApp, order: [i64; 2], runs: Arc<AtomicUsize>) -> Result<()> {
    let write = move |tx: &mut Tx<'_>| {
        let first_run = runs.fetch_add(1, Ordering::SeqCst) < 2;
        sql(tx, "SET LOCAL deadlock_timeout = '20ms'")?;
        sql(tx, &format!("UPDATE probe SET n = n + 1 WHERE id = {}", order[0]))?;
        if first_run {
            // Both have their first row before either asks for its second.
            std::thread::sleep(Duration::from_millis(100));
        }
        sql(tx, &format!("UPDATE probe SET n = n + 1 WHERE id = {}", order[1]))?;
        Ok(Outcome::Done(()))
    };
    app.db().write(&Scope::platform("tests"), write).await.map(|_| ())
}

async fn total(app: &TestApp) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Sum {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        total: i64,
    }
    let read = |tx: &mut Tx<'_>| {
        let query = sql_query("SELECT CAST(SUM(n) AS BIGINT) AS total FROM probe");
        Ok(query.get_result::<Sum>(tx.conn()?)?.total)
    };
    app.db().read(&Scope::platform("tests"), read).await.unwrap()
}

/// 40P01: PostgreSQL kills one of two; it is run again and both succeed, once each.
#[test]
fn a_deadlock_is_run_again() {
    run(Backend::Postgres, Default::default(), |app| {
        Box::pin(async move {
            setup(app).await;
            let runs = Arc::new(AtomicUsize::new(0));
            let (one, other) = futures_util::future::join(
                add(app, [1, 2], runs.clone()),
                add(app, [2, 1], runs.clone()),
            )
            .await;
            one.unwrap();
            other.unwrap();
            assert!(runs.load(Ordering::SeqCst) > 2, "there was a deadlock");
            assert_eq!(total(app).await, 4);
        })
    });
}

/// 55P03: a row that somebody else holds for longer than the lock timeout.
#[test]
fn a_lock_timeout_is_run_again() {
    run(Backend::Postgres, Default::default(), |app| {
        Box::pin(async move {
            setup(app).await;
            let DatabaseUrl::Postgres(url) = app.config.database_url().unwrap() else {
                panic!("this is PostgreSQL");
            };
            let mut holder = PgConnection::establish(&url).unwrap();
            holder.batch_execute("BEGIN; UPDATE probe SET n = n WHERE id = 1").unwrap();
            let release = std::thread::spawn(move || {
                std::thread::sleep(LOCKED_FOR);
                holder.batch_execute("COMMIT").unwrap();
            });
            let runs = Arc::new(AtomicUsize::new(2));
            add(app, [1, 2], runs.clone()).await.unwrap();
            release.join().unwrap();
            assert!(runs.load(Ordering::SeqCst) > 3, "the lock timed out");
            assert_eq!(total(app).await, 2);
        })
    });
}

/// BUSY: another process writes. A short while is waited out; a long one is answered 503, and the
/// lane works on afterwards.
#[test]
fn another_process_that_writes_is_waited_for() {
    run(Backend::Sqlite, Default::default(), |app| {
        Box::pin(async move {
            setup(app).await;
            let file = app.config.data_dir.join("rialto.sqlite3");
            let mut other = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
            let one_more = |tx: &mut Tx<'_>| {
                sql(tx, "UPDATE probe SET n = n + 1 WHERE id = 1").map(Outcome::Done)
            };
            let scope = Scope::platform("tests");
            for (held_for, succeeds) in [(LOCKED_FOR, true), (Duration::from_secs(6), false)] {
                other.batch_execute("BEGIN IMMEDIATE").unwrap();
                let release = std::thread::spawn(move || {
                    std::thread::sleep(held_for);
                    other.batch_execute("COMMIT").unwrap();
                    other
                });
                let begun = Instant::now();
                match app.db().write(&scope, one_more).await {
                    Ok(_) => assert!(succeeds && begun.elapsed() >= held_for),
                    Err(error) => {
                        assert!(!succeeds, "{error:?}");
                        assert_eq!((error.kind().status(), error.retryable()), (503, true));
                    }
                }
                other = release.join().unwrap();
            }
            app.db().write(&scope, one_more).await.unwrap();
            assert_eq!(total(app).await, 2);
        })
    });
}
