//! R1: nothing is sold twice, and nothing is left unsold that somebody wants.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::follower::Follower;
use crate::on_both_alone;
use crate::play::{dice, happens, long, scaled, seeds};
use crate::support::seed::{GOOD_CARD, card};
use crate::support::{Options, Reply, TestApp};

const SEATS: i64 = 500;
const BUYERS: usize = 2000;
/// No request waits longer.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// Buyers who are at it at the same time. All of them at once is for an optimised build.
fn at_once() -> usize {
    if cfg!(debug_assertions) { 100 } else { BUYERS }
}

/// What a buyer does, thrown beforehand.
struct Buyer {
    number: usize,
    quantity: i64,
    abandons: bool,
    retries: bool,
}

fn buyers(dice: &mut StdRng) -> Vec<Buyer> {
    let buyer = |number| Buyer {
        number,
        quantity: dice.random_range(1..=4),
        abandons: happens(dice, 30),
        retries: happens(dice, 20),
    };
    (0..BUYERS).map(buyer).collect()
}

/// Sends a request again as long as its twin is being worked on.
async fn post(app: &TestApp, once: &str, path: &str, body: &Value) -> Reply {
    let begun = Instant::now();
    loop {
        let reply = app.post_once(&app.seed.channel, once, path, body.clone()).await;
        assert!(reply.status < 500, "{}", reply.text);
        if reply.code() != "in_flight" {
            assert!(begun.elapsed() < WAIT_MAX, "{:?} for {path}", begun.elapsed());
            return reply;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What a buyer got: nothing, a hold, or seats.
async fn buy(app: &TestApp, rate: &str, buyer: &Buyer) -> i64 {
    let key = format!("{rate}-{}", buyer.number);
    let body = json!({"rate_id": rate, "quantity": buyer.quantity, "send_resources": false});
    let first = post(app, &key, "/v1/payments", &body);
    let made = if buyer.retries {
        let again = post(app, &key, "/v1/payments", &body);
        let (first, again) = futures_util::future::join(first, again).await;
        if first.status == 201 && again.status == 201 {
            assert_eq!(first.text, again.text, "a retry has the same answer");
        }
        if first.status == 201 { first } else { again }
    } else {
        first.await
    };
    if made.status != 201 {
        let left = made.refused(422, "sold_out")["left"].as_i64().unwrap();
        assert!(left < buyer.quantity);
        return 0;
    }
    if buyer.abandons {
        return 0;
    }
    let path = format!("/v1/payments/{}/pay", made.body["data"]["_id"].as_str().unwrap());
    post(app, &format!("pay-{key}"), &path, &card(GOOD_CARD)).await.data(200);
    buyer.quantity
}

/// Runs everything with at most so many at once, and adds up.
async fn all<F: Future<Output = i64>>(tasks: impl Iterator<Item = F>, at_once: usize) -> i64 {
    let (mut tasks, mut running, mut sum) = (tasks, FuturesUnordered::new(), 0);
    running.extend(tasks.by_ref().take(at_once));
    while let Some(done) = running.next().await {
        sum += done;
        running.extend(tasks.next());
    }
    sum
}

/// Reads what is left until everybody is done: never above what there is.
async fn watch(app: &TestApp, rate: &str, done: &Cell<bool>) -> usize {
    let mut reads = 0;
    while !done.get() {
        let seen = app.availability(rate).await;
        let count = |name: &str| seen[name].as_i64().unwrap();
        assert!(count("sold") + count("held") <= SEATS && count("available") >= 0, "{seen}");
        reads += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    reads
}

async fn one_evening((org, channel): (&Follower<'_>, &Follower<'_>), app: &TestApp, seed: u64) {
    let mut dice = dice(seed);
    let (_, rate) = app.on_sale(json!({"capacity": SEATS, "max": 4})).await;
    let buyers = buyers(&mut dice);
    let done = Cell::new(false);
    let evening = async {
        let first = all(buyers.iter().map(|buyer| buy(app, &rate, buyer)), at_once()).await;
        // Those who never paid run out of time; whoever wants a single seat now gets one.
        app.advance(901);
        let single = |number| Buyer { number, quantity: 1, abandons: false, retries: false };
        let late: Vec<Buyer> = (BUYERS..BUYERS + 500).map(single).collect();
        let second = all(late.iter().map(|buyer| buy(app, &rate, buyer)), at_once()).await;
        done.set(true);
        org.stop();
        channel.stop();
        (first, second)
    };
    let watching = watch(app, &rate, &done);
    let (sold, reads, (), ()) = tokio::join!(evening, watching, org.follow(), channel.follow());
    assert_eq!(sold.0 + sold.1, SEATS, "{sold:?}");
    assert!(reads > 0);
    let end = json!({"sold": SEATS, "held": 0, "available": 0});
    assert_eq!(app.availability(&rate).await, end);
    let of_org = org.check().await;
    let of_channel = channel.check().await;
    let shared = of_org.iter().filter(|change| !change["channel_id"].is_null()).count();
    assert_eq!(shared, of_channel.len(), "both sides saw the same");
    assert_eq!(app.audit().await, Vec::new());
}

fn with_worker() -> Options {
    Options { worker: true, ..Options::default() }
}

on_both_alone! {
    async fn exactly_what_there_is(app: &TestApp, with_worker()) {
        let org = Follower::new(app, &app.seed.org);
        let channel = Follower::new(app, &app.seed.channel);
        for seed in seeds(1, 20) {
            // A rate of its own each time; the feeds go on.
            one_evening((&org, &channel), app, seed).await;
        }
        org.check_all().await;
        channel.check_all().await;
    }

    /// Several rates under one event's capacity, in baskets of both orders.
    async fn rates_share_their_events_capacity(app: &TestApp, with_worker()) {
        for seed in seeds(1, 5) {
            let mut dice = dice(seed);
            let event = app.draft(json!(300)).await;
            let mut rates = Vec::new();
            for (name, capacity) in [("Floor", 150), ("Balcony", 150), ("Box", 100)] {
                rates.push(app.rate(&event, json!({"name": name, "capacity": capacity})).await);
            }
            let path = format!("/v1/events/{event}/publish");
            app.post(&app.seed.org, &path, json!({})).await.data(200);
            let baskets: Vec<(usize, usize, i64)> = (0..scaled(400, 2000))
                .map(|_| {
                    let first = dice.random_range(0..3);
                    let second = (first + dice.random_range(1..3)) % 3;
                    (first, second, dice.random_range(1..=2))
                })
                .collect();
            let buy = |(number, (first, second, quantity)): (usize, &(usize, usize, i64))| {
                let body = json!({"send_resources": false, "items": [
                    {"rate_id": rates[*first], "quantity": quantity},
                    {"rate_id": rates[*second], "quantity": quantity}]});
                let key = format!("{event}-{number}");
                let quantity = *quantity;
                async move {
                    let made = post(app, &key, "/v1/payments", &body).await;
                    if made.status != 201 {
                        made.refused(422, "sold_out");
                        return 0;
                    }
                    2 * quantity
                }
            };
            let held = all(baskets.iter().enumerate().map(buy), at_once()).await;
            // Single seats fill what baskets left, until nothing is left of the event.
            let mut singles = 0;
            for rate in &rates {
                loop {
                    let body = json!({"rate_id": rate, "send_resources": false});
                    if app.post(&app.seed.channel, "/v1/payments", body).await.status != 201 {
                        break;
                    }
                    singles += 1;
                }
            }
            assert_eq!(held + singles, 300);
            assert!(long() || held > 200, "the baskets hardly met: {held}");
            app.advance(901);
        }
    }
}
