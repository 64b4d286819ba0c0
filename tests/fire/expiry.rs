//! R3: money at the edge of time. A payment that is confirmed while its hold runs out ends paid or
//! expired, never both and never neither.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};
use rand::RngExt;
use rialto::kernel::Timestamp;
use serde_json::{Value, json};

use crate::on_both_alone;
use crate::play::{dice, scaled, seeds};
use crate::provider::Moody;
use crate::support::seed::{GOOD_CARD, card};
use crate::support::{Options, TestApp};

/// Confirmations come so close to the expiry, before or after.
const EDGE_MILLIS: i64 = 50;
/// From creation to expiry.
const LEAD_MILLIS: i64 = 1000;
/// Payments under way at the same time.
const AT_ONCE: usize = 120;

/// How a payment is confirmed.
#[derive(Clone, Copy, Debug)]
enum Confirm {
    Pay,
    MarkPaid,
    Finalize,
}

impl Confirm {
    const ALL: [Self; 3] = [Self::Pay, Self::MarkPaid, Self::Finalize];

    fn request(self) -> (&'static str, Value) {
        match self {
            Self::Pay => ("pay", card(GOOD_CARD)),
            Self::MarkPaid => ("mark-paid", json!({})),
            Self::Finalize => ("finalize", json!({"accepted_terms_and_conditions": true})),
        }
    }
}

async fn sleep_until(app: &TestApp, at: Timestamp) {
    let left = at.unix_micros() - app.clock.now().unix_micros();
    tokio::time::sleep(Duration::from_micros(u64::try_from(left).unwrap_or(0))).await;
}

/// Creates a payment, confirms it at the edge; what it was told.
async fn at_the_edge(
    app: &TestApp,
    (priced, free): (&str, &str),
    (confirm, offset): (Confirm, i64),
) -> (String, bool) {
    let seed = &app.seed;
    let (key, rate) = match confirm {
        Confirm::Pay => (&seed.channel, priced),
        Confirm::MarkPaid => (&seed.collecting, priced),
        Confirm::Finalize => (&seed.channel, free),
    };
    let expires_at = app.clock.now().plus_millis(LEAD_MILLIS);
    let body = json!({"rate_id": rate, "send_resources": false,
        "expires_at": expires_at.rfc3339()});
    let made = app.post(key, "/v1/payments", body).await;
    let id = made.data(201)["_id"].as_str().unwrap().to_owned();
    sleep_until(app, expires_at.plus_millis(offset)).await;
    let (action, body) = confirm.request();
    let reply = app.post(key, &format!("/v1/payments/{id}/{action}"), body).await;
    let paid = match (reply.status, reply.code()) {
        (200, _) => true,
        (410, "payment_expired") | (409, "wrong_status" | "refund_buyer") => false,
        _ => panic!("{confirm:?}: {}", reply.text),
    };
    (id, paid)
}

/// Every payment's status, as the organization reads it.
async fn statuses(app: &TestApp) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = app.get(&app.seed.org, &format!("/v1/payments?limit=200{cursor}")).await;
        for payment in page.data(200).as_array().unwrap() {
            let text = |name: &str| payment[name].as_str().unwrap().to_owned();
            found.insert(text("_id"), text("status"));
        }
        match page.body["pagination"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

fn with_worker() -> Options {
    Options { worker: true, ..Options::default() }
}

fn with_moods() -> Options {
    Options { worker: true, provider: |db| Arc::new(Moody::new(db)), ..Options::default() }
}

on_both_alone! {
    async fn paid_or_expired(app: &TestApp, with_worker()) {
        let count = scaled(900, 10_000);
        for seed in seeds(1, 1) {
            let mut dice = dice(seed);
            let (event, priced) = app.on_sale(json!({"capacity": count})).await;
            let free = json!({"name": "Free", "capacity": count, "prices": [{"price": 0}]});
            let free = app.rate(&event, free).await;
            let throws: Vec<(Confirm, i64)> = (0..count)
                .map(|_| {
                    let confirm = Confirm::ALL[dice.random_range(0..3)];
                    (confirm, dice.random_range(-EDGE_MILLIS..=EDGE_MILLIS))
                })
                .collect();
            let mut all = throws.into_iter().map(|throw| at_the_edge(app, (&priced, &free), throw));
            let mut running = FuturesUnordered::new();
            let mut told = BTreeMap::new();
            for begun in all.by_ref().take(AT_ONCE) {
                running.push(begun);
                // Spread over the time one of them takes, so that expiries are spread too.
                tokio::time::sleep(Duration::from_millis(8)).await;
            }
            while let Some((id, paid)) = running.next().await {
                told.insert(id, paid);
                running.extend(all.next());
            }
            app.drain().await;
            let statuses = statuses(app).await;
            for (id, paid) in &told {
                assert_eq!(statuses[id], if *paid { "paid" } else { "expired" }, "{id}");
            }
            let paid = told.values().filter(|paid| **paid).count();
            println!("{paid} of {count} were in time");
            assert!(paid > count / 10 && paid < count - count / 10, "{paid}: not at the edge");
            let sum = |name: &'static str, of: &[Value]| -> i64 {
                of.iter().map(|seen| seen[name].as_i64().unwrap()).sum()
            };
            let ends = [app.availability(&priced).await, app.availability(&free).await];
            assert_eq!(sum("sold", &ends), i64::try_from(paid).unwrap());
            assert_eq!(sum("held", &ends), 0);
            let path = format!("/v1/tickets?event_id={event}&limit=200");
            let valid = app.get(&app.seed.org, &path).await;
            for ticket in valid.data(200).as_array().unwrap() {
                let payment = ticket["payment_id"].as_str().unwrap();
                assert_eq!(ticket["status"] == "active", told[payment], "{ticket}");
            }
        }
    }

    /// Nobody sweeps here: whoever needs the stock of overdue holds has it at once.
    async fn stock_is_back_in_time_without_a_sweeper(app: &TestApp, Options::default()) {
        let seats = scaled(300, 1000);
        let (_, rate) = app.on_sale(json!({"capacity": seats, "max": 50})).await;
        let expires_at = app.clock.now().plus_millis(3000);
        let body = |quantity: usize| json!({"rate_id": rate, "quantity": quantity,
            "send_resources": false});
        let holds = (0..seats / 2).map(|_| {
            let mut body = body(2);
            body["expires_at"] = json!(expires_at.rfc3339());
            app.post(&app.seed.channel, "/v1/payments", body)
        });
        for held in join_all(holds).await {
            held.data(201);
        }
        app.post(&app.seed.channel, "/v1/payments", body(1)).await.refused(422, "sold_out");
        sleep_until(app, expires_at).await;
        let wanted = (0..seats / 10).map(|_| async {
            // Somebody else may just be releasing what this one needs.
            app.post(&app.seed.channel, "/v1/payments", body(10)).await.data(201).clone()
        });
        assert_eq!(join_all(wanted).await.len(), seats / 10);
        let took = app.clock.now().unix_micros() - expires_at.unix_micros();
        assert!(took < 5_000_000, "stock came back after {took} us");
        assert_eq!(app.availability(&rate).await["available"], 0);
    }

    /// Answers that come late, twice or never: the worker asks until it knows, and everybody is
    /// told the same.
    async fn the_provider_knows_best(app: &TestApp, with_moods()) {
        let (_, rate) = app.on_sale(json!({})).await;
        let mut made = Vec::new();
        for _ in 0..scaled(40, 200) {
            made.push(app.pending(&rate, 1).await);
        }
        let pays = made.iter().map(|id| {
            let path = format!("/v1/payments/{id}/pay");
            async move {
                app.post_once(&app.seed.channel, &format!("pay-{id}"), &path, card(GOOD_CARD)).await
            }
        });
        let meanwhile = async {
            // The late ones are still waiting when the worker begins to ask.
            tokio::time::sleep(Duration::from_millis(700)).await;
            app.advance(61);
        };
        let (told, ()) = futures_util::future::join(join_all(pays), meanwhile).await;
        for _ in 0..4 {
            // A provider that does not know keeps the others from being asked in this turn only.
            app.drain().await;
            app.advance(1);
        }
        let statuses = statuses(app).await;
        let mut paid = 0;
        for (id, told) in made.iter().zip(&told) {
            let path = format!("/v1/payments/{id}/pay");
            let again = app
                .post_once(&app.seed.channel, &format!("pay-{id}"), &path, card(GOOD_CARD))
                .await;
            match (told.status, statuses[id].as_str()) {
                (200, "paid") => assert_eq!(again.text, told.text, "byte for byte"),
                // The answer was lost; the same key has it now.
                (503, "paid") => assert_eq!(again.data(200)["status"], "paid"),
                // Never heard of: nothing was charged, and paying again is free to succeed or not.
                (503, "pending") => continue,
                (status, end) => panic!("{status} and {end}: {}", told.text),
            }
            assert_eq!(again.headers["idempotent-replayed"], "true");
            paid += 1;
        }
        let completed = app.changes(&app.seed.channel).await.into_iter();
        let completed = completed.filter(|change| change["type"] == "payment.completed");
        let mut each: BTreeMap<String, usize> = BTreeMap::new();
        for change in completed {
            *each.entry(change["data"]["object"]["_id"].to_string()).or_default() += 1;
        }
        assert!(each.values().all(|count| *count == 1), "completed twice: {each:?}");
        assert!(paid > 0 && each.len() >= paid);
        app.advance(120);
    }
}
