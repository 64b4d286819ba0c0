//! Graceful restarts under load: what a server has begun to work on is answered.
//!
//! A connection that the kernel took and the server never did is reset when its door closes; its
//! sender cannot tell. So whoever got no answer asks again after the restart, under the same key,
//! and must be the first to have asked.

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::play::{play_servers, scaled};
use crate::server::Server;
use crate::support::ground::Ground;
use crate::support::{Backend, Options, TestApp};

const CLIENTS: usize = 6;
/// A server is stopped so long after it was ready.
const STOPPED_AFTER: Duration = Duration::from_millis(120);
/// It must have ended by then.
const STOP_MAX: Duration = Duration::from_secs(10);

/// A purchase under a key: its status, and whether it was done before. `None`: no answer.
async fn buy(base: &str, key: &str, rate: &str, once: &str) -> Option<(u16, bool)> {
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let body = json!({"rate_id": rate, "send_resources": false});
    let request = client.post(format!("{base}/v1/payments")).json(&body);
    let request = request.header("X-Api-Key", key).header("Idempotency-Key", once);
    let answer = request.timeout(Duration::from_secs(8)).send().await.ok()?;
    let replayed = answer.headers().contains_key("idempotent-replayed");
    let status = answer.status().as_u16();
    answer.bytes().await.ok()?;
    Some((status, replayed))
}

async fn restarts(backend: Backend, cycles: usize) {
    let ground = std::sync::Arc::new(Ground::new(backend));
    let app = TestApp::open(ground.clone(), None, Options::default()).await;
    let (_, rate) = app.on_sale(json!({"capacity": 1_000_000})).await;
    let (seed, key) = (app.seed.clone(), app.seed.channel.clone());
    app.finish().await;
    let (mut answered, mut unanswered) = (0, Vec::<String>::new());
    for cycle in 0..cycles {
        let mut server = Server::start(&ground, &[]).await;
        let base = format!("http://{}", server.address());
        for once in std::mem::take(&mut unanswered) {
            let (status, replayed) = buy(&base, &key, &rate, &once).await.expect("an answer");
            assert_eq!((status, replayed), (201, false), "{once} was begun and not answered");
        }
        let over = Cell::new(false);
        let clients = (0..CLIENTS).map(|client| {
            let (base, key, rate, over) = (&base, &key, &rate, &over);
            async move {
                let mut told = Vec::new();
                for number in 0.. {
                    if over.get() {
                        break;
                    }
                    let once = format!("{cycle}-{client}-{number}");
                    told.push((buy(base, key, rate, &once).await, once));
                    // Nobody answers any more: this one is over.
                    if told.last().is_some_and(|(answer, _)| answer.is_none()) {
                        break;
                    }
                }
                told
            }
        });
        let stop = async {
            tokio::time::sleep(STOPPED_AFTER).await;
            server.terminate();
            tokio::time::timeout(STOP_MAX, async {
                while server.has_ended().is_none() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
            .await
            .expect("the server does not stop");
            over.set(true);
        };
        let (told, ()) = futures_util::future::join(join_all(clients), stop).await;
        for (answer, once) in told.into_iter().flatten() {
            match answer {
                Some((status, _)) => {
                    assert_eq!(status, 201);
                    answered += 1;
                }
                None => unanswered.push(once),
            }
        }
        assert_eq!(server.has_ended().and_then(|status| status.code()), Some(0));
    }
    println!("{cycles} restarts, {answered} purchases answered");
    assert!(answered > cycles, "there was load");
    TestApp::open(ground, Some(seed), Options::default()).await.finish().await;
}

#[test]
fn graceful_restarts_fail_nothing_that_was_begun_sqlite() {
    play_servers(Backend::Sqlite, || restarts(Backend::Sqlite, scaled(25, 50)));
}

#[test]
fn graceful_restarts_fail_nothing_that_was_begun_postgres() {
    play_servers(Backend::Postgres, || restarts(Backend::Postgres, scaled(25, 50)));
}
