//! The write path under failures: each operation whole or not at all, nobody harmed by others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use futures_util::future::join_all;
use rialto::db::{AnyConnection, Db, Outcome, QUEUE_MAX, Scope, Tx};
use rialto::kernel::{Error, Kind, Result};

use crate::on_both;
use crate::support::{Backend, TestApp};

fn scope() -> Scope {
    Scope::platform("tests")
}

fn sql(tx: &mut Tx<'_>, query: &str) -> Result<usize> {
    Ok(match tx.conn()? {
        AnyConnection::Postgres(conn) => sql_query(query).execute(conn)?,
        AnyConnection::Sqlite(conn) => sql_query(query).execute(conn)?,
    })
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

async fn setup(app: &TestApp) {
    write(app.db(), |tx| {
        sql(tx, "CREATE TABLE probe (id BIGINT NOT NULL PRIMARY KEY)")?;
        sql(
            tx,
            "CREATE TABLE child (id BIGINT NOT NULL REFERENCES probe (id) \
            DEFERRABLE INITIALLY DEFERRED)",
        )?;
        Ok(Outcome::Done(()))
    })
    .await
    .unwrap();
}

async fn write<T: Send + 'static>(
    db: &Db,
    run: impl Fn(&mut Tx<'_>) -> Result<Outcome<T>> + Send + 'static,
) -> Result<T> {
    db.write(&scope(), run).await.map(Outcome::into_inner)
}

fn insert(tx: &mut Tx<'_>, id: i64) -> Result<Outcome<()>> {
    sql(tx, &format!("INSERT INTO probe VALUES ({id})"))?;
    Ok(Outcome::Done(()))
}

async fn rows(app: &TestApp) -> i64 {
    let read = |tx: &mut Tx<'_>| {
        let query = sql_query("SELECT COUNT(*) AS count FROM probe");
        Ok(query.get_result::<Count>(tx.conn()?)?.count)
    };
    app.db().read(&scope(), read).await.unwrap()
}

on_both! {
    async fn an_error_undoes_its_operation_and_no_other(app: &TestApp) {
        setup(app).await;
        let all = (0..100).map(|id| write(app.db(), move |tx| {
            insert(tx, id)?;
            if id % 3 == 0 {
                return Err(Error::conflict("wrong_status", "no"));
            }
            Ok(Outcome::Done(()))
        }));
        let ended = join_all(all).await;
        assert_eq!(ended.iter().filter(|result| result.is_ok()).count(), 66);
        assert_eq!(rows(app).await, 66);
    }

    async fn a_panic_harms_nobody_else(app: &TestApp) {
        setup(app).await;
        let all = (0..40).map(|id| write(app.db(), move |tx| {
            insert(tx, id)?;
            assert!(id != 20, "an operation panics");
            Ok(Outcome::Done(()))
        }));
        let ended = join_all(all).await;
        let failed: Vec<_> = ended.iter().filter_map(|result| result.as_ref().err()).collect();
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].kind(), Kind::Internal);
        assert_eq!(rows(app).await, 39);
        write(app.db(), |tx| insert(tx, 100)).await.unwrap();
    }

    async fn a_transaction_left_open_is_not_acknowledged(app: &TestApp) {
        setup(app).await;
        let all = (0..20).map(|id| write(app.db(), move |tx| {
            insert(tx, id)?;
            if id == 10 {
                use diesel::connection::TransactionManager;
                AnyConnection::begin_transaction(tx.conn()?)?;
            }
            Ok(Outcome::Done(()))
        }));
        let ended = join_all(all).await;
        assert_eq!(ended.iter().filter(|result| result.is_err()).count(), 1);
        assert_eq!(rows(app).await, 19, "what was acknowledged is there, the rest is not");
    }

    async fn a_swallowed_nested_rollback_loses_nothing_acknowledged(app: &TestApp) {
        setup(app).await;
        let all = (0..20).map(|id| write(app.db(), move |tx| {
            insert(tx, id)?;
            if id == 10 {
                use diesel::connection::TransactionManager;
                // Rolls back the operation's own transaction behind the executor's back.
                let _swallowed = AnyConnection::rollback_transaction(tx.conn()?);
            }
            Ok(Outcome::Done(()))
        }));
        let ended = join_all(all).await;
        let acknowledged = ended.iter().filter(|result| result.is_ok()).count();
        assert_eq!(acknowledged, 19);
        assert_eq!(rows(app).await, 19);
    }

    async fn a_failed_statement_cannot_be_swallowed_into_a_commit(app: &TestApp) {
        setup(app).await;
        write(app.db(), |tx| insert(tx, 1)).await.unwrap();
        let all = (0..20).map(|id| write(app.db(), move |tx| {
            sql(tx, &format!("INSERT INTO probe VALUES ({})", 100 + id))?;
            if id == 10 {
                let _swallowed = sql(tx, "INSERT INTO probe VALUES (1)");
            }
            Ok(Outcome::Done(()))
        }));
        let acknowledged = join_all(all).await.iter().filter(|result| result.is_ok()).count();
        // SQLite undoes the one statement alone; PostgreSQL the whole operation, which then
        // cannot be acknowledged. Either way what was acknowledged is there.
        let expected = if app.backend == Backend::Sqlite { 20 } else { 19 };
        assert_eq!(acknowledged, expected);
        assert_eq!(rows(app).await, 1 + expected as i64);
    }

    async fn a_failed_statement_is_run_again_alone(app: &TestApp) {
        setup(app).await;
        let runs = Arc::new(AtomicUsize::new(0));
        let all = (0..20).map(|id| {
            let runs = runs.clone();
            write(app.db(), move |tx| {
                insert(tx, id)?;
                if id == 10 && runs.fetch_add(1, Ordering::SeqCst) < 3 {
                    // A key that a check had found free is taken meanwhile.
                    insert(tx, id)?;
                }
                Ok(Outcome::Done(()))
            })
        });
        join_all(all).await.into_iter().for_each(Result::unwrap);
        assert_eq!(runs.load(Ordering::SeqCst), 4);
        assert_eq!(rows(app).await, 20);
    }

    async fn what_fails_every_time_ends_in_503(app: &TestApp) {
        setup(app).await;
        write(app.db(), |tx| insert(tx, 1)).await.unwrap();
        let error = write(app.db(), |tx| insert(tx, 1)).await.unwrap_err();
        assert_eq!(error.kind().status(), 503);
        assert!(error.retryable());
    }

    async fn a_refused_commit_is_not_acknowledged(app: &TestApp) {
        setup(app).await;
        let all = (0..10).map(|id| write(app.db(), move |tx| {
            insert(tx, id)?;
            if id == 5 {
                // Its parent is looked for at COMMIT.
                sql(tx, "INSERT INTO child VALUES (999)")?;
            }
            Ok(Outcome::Done(()))
        }));
        let ended = join_all(all).await;
        let acknowledged = ended.iter().filter(|result| result.is_ok()).count();
        assert_eq!(rows(app).await, acknowledged as i64, "acknowledged is what is there");
        assert!(ended[5].as_ref().is_err_and(|error| error.kind().status() == 503));
        // The writer works on.
        write(app.db(), |tx| insert(tx, 100)).await.unwrap();
    }

    async fn a_full_queue_answers_503_at_once(app: &TestApp) {
        setup(app).await;
        let count = QUEUE_MAX as i64 + 400;
        let all = (0..count).map(|id| write(app.db(), move |tx| {
            if id < 20 {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            insert(tx, id)
        }));
        let ended = join_all(all).await;
        let refused: Vec<_> = ended.iter().filter_map(|result| result.as_ref().err()).collect();
        assert!(!refused.is_empty(), "{count} at once are more than the queue takes");
        assert!(refused.iter().all(|error| error.kind().status() == 503), "{refused:?}");
        assert_eq!(rows(app).await, count - refused.len() as i64);
    }

    async fn buffered_rows_go_with_their_operation(app: &TestApp) {
        use rialto::parties::ops;
        let all = (0..30).map(|index| write(app.db(), move |tx| {
            let (name, slug) = ("Buffered".to_owned(), format!("buffered-{index}"));
            ops::create_channel(tx, &ops::NewChannel { name, slug, confirmed: true })?;
            if index % 2 == 0 {
                return Err(Error::conflict("wrong_status", "no"));
            }
            Ok(Outcome::Done(()))
        }));
        assert_eq!(join_all(all).await.iter().filter(|result| result.is_ok()).count(), 15);
        for index in 0..30 {
            let read = move |tx: &mut Tx<'_>| ops::channel_by_slug(tx, &format!("buffered-{index}"));
            let found = app.db().read(&scope(), read).await;
            assert_eq!(found.is_ok(), index % 2 == 1);
        }
    }
}

/// PostgreSQL only: a server that closes connections costs a 503, not a lost or doubled write.
#[test]
fn lost_connections_are_replaced() {
    crate::support::run(Backend::Postgres, Default::default(), |app| {
        Box::pin(async move {
            setup(app).await;
            let all = (0..60).map(|id| {
                write(app.db(), move |tx| {
                    insert(tx, id)?;
                    if id == 30 {
                        let _ = sql(tx, "SELECT pg_terminate_backend(pg_backend_pid())");
                        sql(tx, "SELECT 1")?;
                    }
                    Ok(Outcome::Done(()))
                })
            });
            let ended = join_all(all).await;
            let acknowledged = ended.iter().filter(|result| result.is_ok()).count();
            assert_eq!(acknowledged, 59);
            assert_eq!(ended[30].as_ref().unwrap_err().kind().status(), 503);
            assert_eq!(rows(app).await, 59);
            // Every idle connection goes away at once; the next writes replace them.
            let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
            write(app.db(), move |tx| Ok(Outcome::Done(sql(tx, others)?))).await.unwrap();
            // They end when they notice.
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            let again = (100..120).map(|id| write(app.db(), move |tx| insert(tx, id)));
            let written = join_all(again).await.iter().filter(|result| result.is_ok()).count();
            assert!(written > 0);
            // Readers too: dead ones are replaced without anybody noticing.
            let platform = scope();
            let count = |tx: &mut Tx<'_>| {
                let query = sql_query("SELECT COUNT(*) AS count FROM probe");
                Ok(query.get_result::<Count>(tx.conn()?)?.count)
            };
            let reads = (0..16).map(|_| app.db().read(&platform, count));
            let counted: Vec<_> = join_all(reads).await.into_iter().map(Result::ok).collect();
            assert_eq!(counted, vec![Some(59 + written as i64); 16]);
        })
    });
}
