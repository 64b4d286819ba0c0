//! What is SQLite's alone: which index it takes, what becomes of its log, and tables built anew.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use rialto::db::{AnyConnection, Outcome, Purpose, Scope, Tx, migrate};
use rialto::kernel::Result;
use serde_json::json;

use crate::support::{Backend, Body, TestApp, run};

fn on_sqlite(body: impl FnOnce(&TestApp) -> Body<'_>) {
    run(Backend::Sqlite, Default::default(), body);
}

fn connection(app: &TestApp) -> AnyConnection {
    app.config.database_url().unwrap().connect(Purpose::Migrate).unwrap()
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Rows by many whole keys, as `db::among` asks for them.
macro_rules! among {
    ($table:literal, $id:literal) => {
        concat!(
            $table,
            " WHERE (organization_id, ",
            $id,
            ") IN (SELECT value ->> 0, value ->> 1 FROM json_each(''))"
        )
    };
}

/// Questions as the stores ask them, and the index that answers each without reading what belongs
/// to others or to other events.
const QUESTIONS: [(&str, &str); 42] = [
    ("payments WHERE organization_id = '' AND id = ''", "sqlite_autoindex_payments_1"),
    (
        "payments WHERE mode = '' AND organization_id = '' ORDER BY id DESC",
        "payments_of_organization",
    ),
    ("payments WHERE mode = '' AND channel_id = '' ORDER BY id DESC", "payments_of_channel"),
    (
        "payments WHERE mode = '' AND organization_id = '' AND event_id = '' ORDER BY id DESC",
        "payments_of_event",
    ),
    (
        "payments WHERE mode = '' AND channel_id = '' AND event_id = '' AND id < '' ORDER BY id DESC",
        "payments_of_event",
    ),
    ("payments WHERE mode = '' AND channel_id = '' AND customer_id = ''", "payments_of_customer"),
    (
        "payments WHERE status = 'pending' AND processing_attempt_id IS NULL AND expires_at <= ''",
        "payments_due",
    ),
    ("payment_items WHERE organization_id = '' AND payment_id = ''", "PRIMARY KEY (payment_id"),
    (
        "payment_attempts WHERE organization_id = '' AND payment_id = '' AND state = ''",
        "payment_attempts_of_payment",
    ),
    ("tickets WHERE organization_id = '' AND code = ''", "sqlite_autoindex_tickets_2"),
    (
        "tickets WHERE mode = '' AND organization_id = '' ORDER BY id DESC",
        "tickets_of_organization",
    ),
    (
        "tickets WHERE mode = '' AND organization_id = '' AND event_id = '' ORDER BY id DESC",
        "tickets_of_event",
    ),
    (
        "tickets WHERE mode = '' AND channel_id = '' AND event_id = '' AND status = 'active'",
        "tickets_of_event",
    ),
    ("tickets WHERE mode = '' AND channel_id = '' AND payment_id = ''", "tickets_of_payment"),
    (
        "tickets WHERE mode = '' AND organization_id = '' AND email = '' ORDER BY id DESC",
        "tickets_of_holder",
    ),
    (
        "tickets WHERE mode = '' AND channel_id = '' AND email = '' ORDER BY id DESC",
        "tickets_of_holder",
    ),
    (
        "tickets WHERE mode = '' AND channel_id = '' AND rate_id = '' AND event_id = \
         (SELECT event_id FROM ticket_rates WHERE id = '') ORDER BY id DESC",
        "tickets_of_event",
    ),
    (
        "payments WHERE mode = '' AND channel_id = '' AND reference = '' ORDER BY id DESC",
        "payments_of_reference",
    ),
    (
        "payments WHERE mode = '' AND organization_id = '' AND reference = '' \
         AND channel_id IS NULL ORDER BY id DESC",
        "payments_of_reference",
    ),
    (
        "refunds WHERE mode = '' AND channel_id = '' AND event_id = '' ORDER BY id DESC",
        "refunds_of_event",
    ),
    (
        "refunds WHERE mode = '' AND organization_id = '' AND payment_id = '' ORDER BY id DESC",
        "refunds_of_payment",
    ),
    (
        "deliveries WHERE mode = '' AND organization_id = '' AND event_id = '' ORDER BY id DESC",
        "deliveries_of_event",
    ),
    (
        "deliveries WHERE mode = '' AND channel_id = '' AND recipient = '' ORDER BY id DESC",
        "deliveries_of_recipient",
    ),
    (
        "deliveries WHERE mode = '' AND channel_id = '' AND payment_id = '' ORDER BY id DESC",
        "deliveries_of_payment",
    ),
    ("changes WHERE organization_id = '' AND object_id IN ('', '')", "changes_of_object"),
    (
        "holds h JOIN hold_lines l ON l.organization_id = h.organization_id AND l.hold_id = h.id \
         WHERE h.organization_id = '' AND h.state = 'held' AND h.expires_at <= ''",
        "holds_due",
    ),
    ("hold_lines WHERE organization_id = '' AND hold_id = ''", "PRIMARY KEY (hold_id"),
    (
        "(SELECT organization_id, id FROM events WHERE mode = '' AND organization_id IN ('', '') \
         AND status <> 'draft' AND visibility = 'public' ORDER BY id DESC LIMIT 11)",
        "COVERING INDEX events_listed",
    ),
    (among!("payment_items", "payment_id"), "PRIMARY KEY (payment_id"),
    (among!("tickets", "payment_id"), "tickets_of_payment"),
    (among!("ticket_rates", "event_id"), "(organization_id=? AND event_id=?)"),
    (among!("rate_prices", "rate_id"), "(organization_id=? AND rate_id=?)"),
    (among!("counters", "id"), "(organization_id=? AND id=?)"),
    (among!("locations", "id"), "(organization_id=? AND id=?)"),
    (among!("ticket_refunds", "refund_id"), "(organization_id=? AND refund_id=?)"),
    (among!("ticket_refunds", "ticket_id"), "(organization_id=? AND ticket_id=?)"),
    (among!("events", "id"), "(organization_id=? AND id=?)"),
    (
        "(SELECT organization_id, id FROM events WHERE mode = '' AND organization_id = '' \
         AND id < '' ORDER BY id DESC LIMIT 11)",
        "COVERING INDEX events_listed",
    ),
    (
        "events WHERE mode = '' AND organization_id = '' AND location_id = '' ORDER BY id DESC",
        "events_of_location",
    ),
    ("events WHERE mode = '' AND organization_id = '' AND number = 1", "events_by_number"),
    ("events WHERE organization_id = '' AND id = ''", "sqlite_autoindex_events_1"),
    ("events WHERE mode = '' AND organization_id = '' AND slug = ''", "sqlite_autoindex_events_2"),
];

#[test]
fn every_question_has_its_index() {
    on_sqlite(|app| {
        async {
            let mut conn = connection(app);
            for (question, index) in QUESTIONS {
                let plan = sql_query(format!("EXPLAIN QUERY PLAN SELECT * FROM {question}"));
                let steps: Vec<Step> = plan.load(&mut conn).unwrap();
                let told: Vec<_> = steps.iter().map(|step| step.detail.as_str()).collect();
                let looks = |step: &&&str| step.starts_with("SEARCH") || step.starts_with("SCAN");
                let first = told.iter().find(looks).unwrap();
                assert!(first.starts_with("SEARCH"), "{question}: {told:?}");
                assert!(first.contains(index), "{question}: {told:?}");
            }
        }
        .boxed_local()
    });
}

#[derive(QueryableByName)]
struct Log {
    #[diesel(sql_type = BigInt)]
    log: i64,
    #[diesel(sql_type = BigInt)]
    checkpointed: i64,
}

/// What the log has that the file has not, in pages.
fn behind(conn: &mut AnyConnection) -> i64 {
    let log: Log = sql_query("PRAGMA wal_checkpoint(NOOP)").get_result(conn).unwrap();
    log.log - log.checkpointed
}

/// More than the log may have before it is moved, less than the writer waits for.
const PAGES: usize = 12_000;

#[test]
fn the_log_is_moved_into_the_file_beside_the_writer() {
    on_sqlite(|app| {
        async {
            let scope = Scope::platform("tests");
            let write = |query: String| {
                let run = move |tx: &mut Tx<'_>| -> Result<Outcome<usize>> {
                    Ok(Outcome::Done(sql_query(query.as_str()).execute(tx.conn()?)?))
                };
                app.db().write(&scope, run)
            };
            write("CREATE TABLE probe (text TEXT)".to_owned()).await.unwrap();
            let megabyte = "INSERT INTO probe VALUES (hex(zeroblob(524288)))";
            for _ in 0..PAGES / 256 {
                write(megabyte.to_owned()).await.unwrap();
            }
            let mut conn = connection(app);
            let mut looks = 0;
            while behind(&mut conn) >= 8192 {
                looks += 1;
                assert!(looks < 100, "{} pages are still in the log only", behind(&mut conn));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        .boxed_local()
    });
}

/// An operation that inserts a row once it may, and counts its runs.
#[derive(Clone, Default)]
struct Gated {
    may: Arc<AtomicBool>,
    runs: Arc<AtomicUsize>,
}

impl Gated {
    async fn insert(&self, app: &TestApp, id: i64, panics: bool) -> Result<()> {
        let Self { may, runs } = self.clone();
        let run = move |tx: &mut Tx<'_>| {
            while !may.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(1));
            }
            sql_query(format!("INSERT INTO probe VALUES ({id})")).execute(tx.conn()?)?;
            let first = runs.fetch_add(1, Ordering::AcqRel) == 0;
            assert!(!(panics && first), "a test's panic");
            Ok(Outcome::Done(()))
        };
        app.db().write(&Scope::platform("tests"), run).await.map(Outcome::into_inner)
    }

    /// Runs until all others are waiting.
    async fn until<T>(&self, app: &TestApp, others: impl Future<Output = T>) -> T {
        let others = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let release = async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                self.may.store(true, Ordering::Release);
            };
            join(others, release).await.0
        };
        let (first, others) = join(self.insert(app, 0, false), others).await;
        first.unwrap();
        others
    }
}

fn probe(app: &TestApp) -> AnyConnection {
    let mut conn = connection(app);
    conn.batch_execute("CREATE TABLE probe (id INTEGER PRIMARY KEY)").unwrap();
    conn
}

/// How many of five that come while one runs succeed, and the commits of all.
async fn five_more(app: &TestApp, panics: Option<i64>) -> (usize, u64) {
    let before = *app.db().commits().borrow();
    let first = Gated::default();
    let more = (1..=5).map(|id| {
        let another = Gated { may: first.may.clone(), ..Gated::default() };
        async move { another.insert(app, id, panics == Some(id)).await }
    });
    let done = first.until(app, join_all(more)).await;
    (done.iter().filter(|done| done.is_ok()).count(), *app.db().commits().borrow() - before)
}

#[test]
fn who_comes_while_a_batch_runs_shares_its_flush() {
    on_sqlite(|app| {
        async {
            let mut conn = probe(app);
            assert_eq!(five_more(app, None).await, (5, 1));
            conn.batch_execute("DELETE FROM probe").unwrap();
            // What is thrown away with one that panics is run again, each in its own transaction.
            assert_eq!(five_more(app, Some(3)).await, (4, 5));
            assert_eq!(rows(&mut conn)["probe"], ["[0]", "[1]", "[2]", "[4]", "[5]"]);
        }
        .boxed_local()
    });
}

#[test]
fn two_that_want_the_same_reference_cost_nobody_else_a_second_run() {
    on_sqlite(|app| {
        async {
            probe(app);
            let (_, rate) = app.on_sale(json!({"capacity": 300})).await;
            let body = json!({"rate_id": rate, "reference": "A-1", "send_resources": false});
            let free = json!({"rate_id": rate, "send_resources": false});
            let bodies = [body.clone(), body.clone(), free];
            let buy = |body| app.post(&app.seed.channel, "/v1/payments", body);
            let first = Gated::default();
            let replies = first.until(app, join_all(bodies.map(buy))).await;
            let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 201, 409]);
            assert_eq!(first.runs.load(Ordering::Acquire), 1);
            // Found taken by a plan that begins later, too.
            let late = app.post(&app.seed.channel, "/v1/payments", body).await;
            late.refused(409, "reference_taken");
        }
        .boxed_local()
    });
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Every row of every table, as text.
fn rows(conn: &mut AnyConnection) -> BTreeMap<String, Vec<String>> {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
        AND name NOT LIKE '\\_\\_%' ESCAPE '\\'";
    let tables: Vec<Name> = sql_query(tables).load(conn).unwrap();
    let mut all = BTreeMap::new();
    for Name { name: table } in tables {
        let columns = format!("SELECT name FROM pragma_table_info('{table}')");
        let columns: Vec<Name> = sql_query(columns).load(conn).unwrap();
        let columns: Vec<_> = columns.into_iter().map(|column| column.name).collect();
        let whole = format!("SELECT json_array({}) AS name FROM {table}", columns.join(", "));
        let mut whole: Vec<_> = sql_query(whole).load::<Name>(conn).unwrap();
        whole.sort_by(|a, b| a.name.cmp(&b.name));
        all.insert(table, whole.into_iter().map(|row| row.name).collect());
    }
    all
}

#[test]
fn tables_that_are_built_anew_keep_their_rows() {
    on_sqlite(|app| {
        async {
            let (_, rate) = app.on_sale(json!({"capacity": 300})).await;
            app.paid(&rate, 2).await;
            app.pending(&rate, 3).await;
            app.drain().await;
            let mut conn = connection(app);
            let before = rows(&mut conn);
            for table in ["changes", "holds", "hold_lines", "payments", "payment_items", "tickets"]
            {
                assert!(!before[table].is_empty(), "{table} is not tried");
            }
            let AnyConnection::Sqlite(sqlite) = &mut conn else { unreachable!() };
            let migrations = FileBasedMigrations::from_path("migrations/sqlite").unwrap();
            let mut undone = Vec::new();
            while undone.last().is_none_or(|last| last != "0018") {
                let last = sqlite.revert_last_migration(migrations.clone()).unwrap();
                undone.push(last.to_string());
            }
            undone.reverse();
            assert_eq!(migrate(&app.config.database_url().unwrap()).unwrap(), undone);
            assert_eq!(rows(&mut conn), before);
            // And it is sold from as before.
            app.paid(&rate, 1).await;
        }
        .boxed_local()
    });
}

#[test]
fn what_was_rebuilt_and_not_checked_is_checked_at_the_next_start() {
    on_sqlite(|app| {
        async {
            let mut conn = connection(app);
            let mut tell = |text: &str| conn.batch_execute(text).unwrap();
            // As a crash between a migration and its check leaves it, with a row that broke.
            tell("PRAGMA user_version = 1; PRAGMA foreign_keys = OFF");
            tell("INSERT INTO hold_lines VALUES ('org', 'nobody', 'counter', 1, 0)");
            let url = app.config.database_url().unwrap();
            for _ in 0..2 {
                let refused = migrate(&url).unwrap_err().to_string();
                assert!(refused.starts_with("1 rows name another"), "{refused}");
            }
            tell("DELETE FROM hold_lines WHERE hold_id = 'nobody'");
            assert!(migrate(&url).unwrap().is_empty());
            let mark = "SELECT CAST(user_version AS TEXT) AS name FROM pragma_user_version";
            assert_eq!(sql_query(mark).get_result::<Name>(&mut conn).unwrap().name, "0");
        }
        .boxed_local()
    });
}
