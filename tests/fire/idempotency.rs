//! R4: a key has one effect, whoever races under it, on whichever server, before or after a
//! restart.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use rialto::db::AnyConnection;
use serde_json::{Value, json};

use crate::play::{play_servers, scaled};
use crate::support::seed::{GOOD_CARD, card};
use crate::support::{Backend, Options, Reply, TestApp};

const RACERS: usize = 20;
/// Keys that are raced for at the same time.
const KEYS_AT_ONCE: usize = 8;

/// Races under one key over all servers. Everybody gets the same answer in the end.
async fn race(
    servers: &[&TestApp],
    key: &str,
    path: &str,
    body: &Value,
    held_off: &Cell<usize>,
) -> Reply {
    let racers = (0..RACERS).map(|racer| async move {
        let app = servers[racer % servers.len()];
        loop {
            let reply = app.post_once(&app.seed.channel, key, path, body.clone()).await;
            if !reply.status.to_string().starts_with('2') {
                reply.refused(409, "in_flight");
                held_off.set(held_off.get() + 1);
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
            return reply;
        }
    });
    let mut replies = join_all(racers).await;
    let first = replies.pop().unwrap();
    let fresh = |reply: &Reply| !reply.headers.contains_key("idempotent-replayed");
    let effects = replies.iter().chain([&first]).filter(|reply| fresh(reply)).count();
    assert_eq!(effects, 1, "{key}: one effect, the others are replays");
    for reply in &replies {
        assert_eq!((reply.status, &reply.text), (first.status, &first.text), "{key}");
    }
    first
}

async fn count(app: &TestApp, table: &str) -> i64 {
    use diesel::sql_types::BigInt;
    use diesel::{RunQueryDsl, sql_query};
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let query = format!("SELECT COUNT(*) AS count FROM {table}");
    let scope = rialto::db::Scope::platform("tests");
    let count = app.db().read(&scope, move |tx| {
        let counted: Count = match tx.conn()? {
            AnyConnection::Postgres(conn) => sql_query(&query).get_result(conn)?,
            AnyConnection::Sqlite(conn) => sql_query(&query).get_result(conn)?,
        };
        Ok(counted.count)
    });
    count.await.unwrap()
}

async fn keys_have_one_effect(backend: Backend) {
    let options = || Options { worker: true, ..Options::default() };
    let first = TestApp::spawn(backend, options()).await;
    let (ground, seed) = (first.ground(), first.seed.clone());
    let second = match backend {
        Backend::Postgres => {
            Some(TestApp::open(ground.clone(), Some(seed.clone()), options()).await)
        }
        Backend::Sqlite => None,
    };
    let servers: Vec<&TestApp> = [Some(&first), second.as_ref()].into_iter().flatten().collect();
    let (_, rate) = first.on_sale(json!({})).await;
    let keys = scaled(100, 1000);
    let bodies: Vec<Value> = (0..keys)
        .map(|number| {
            json!({"rate_id": rate, "quantity": 1 + number % 3,
            "send_resources": false, "metadata": {"number": number}})
        })
        .collect();
    let held_off = Cell::new(0);
    let mut answers: Vec<(String, String, Value, Reply)> = Vec::new();
    for chunk in bodies.chunks(KEYS_AT_ONCE) {
        let (servers, held_off) = (&servers, &held_off);
        let races = chunk.iter().map(|body| async move {
            let key = format!("key-{}", body["metadata"]["number"]);
            let made = race(servers, &key, "/v1/payments", body, held_off).await;
            let path = format!("/v1/payments/{}/pay", made.data(201)["_id"].as_str().unwrap());
            let pay_key = format!("pay-{key}");
            let paid = race(servers, &pay_key, &path, &card(GOOD_CARD), held_off).await;
            [
                (key, "/v1/payments".to_owned(), body.clone(), made),
                (pay_key, path, card(GOOD_CARD), paid),
            ]
        });
        answers.extend(join_all(races).await.into_iter().flatten());
    }
    assert!(held_off.get() > 0, "nobody ever met a twin that was still running");
    let total = i64::try_from(keys).unwrap();
    assert_eq!(count(&first, "payments").await, total);
    assert_eq!(count(&first, "payment_attempts").await, total);
    assert_eq!(count(&first, "sandbox_charges").await, total);
    let sold = (0..total).map(|number| 1 + number % 3).sum::<i64>();
    assert_eq!(first.availability(&rate).await["sold"], sold);
    first.finish().await;
    if let Some(second) = second {
        second.finish().await;
    }

    // After a restart.
    let third = TestApp::open(ground, Some(seed), options()).await;
    for (key, path, body, before) in &answers {
        let again = third.post_once(&third.seed.channel, key, path, body.clone()).await;
        assert_eq!((again.status, &again.text), (before.status, &before.text), "{key}");
        assert_eq!(again.headers["idempotent-replayed"], "true");
        let mut other = body.clone();
        other["quantity"] = json!(9);
        if path == "/v1/payments" {
            let other = third.post_once(&third.seed.channel, key, path, other).await;
            other.refused(422, "key_reused");
        }
    }
    // Another tenant's key of the same name is his own.
    let mut theirs = BTreeSet::new();
    for (key, path, body, before) in answers.iter().filter(|answer| answer.1 == "/v1/payments") {
        let made = third.post_once(&third.seed.collecting, key, path, body.clone()).await;
        assert!(!made.headers.contains_key("idempotent-replayed"));
        assert_ne!(made.data(201)["_id"], before.body["data"]["_id"]);
        theirs.insert(made.data(201)["_id"].to_string());
    }
    assert_eq!(theirs.len(), keys);
    third.finish().await;
}

#[test]
fn sqlite() {
    play_servers(Backend::Sqlite, || keys_have_one_effect(Backend::Sqlite));
}

#[test]
fn postgres() {
    play_servers(Backend::Postgres, || keys_have_one_effect(Backend::Postgres));
}
