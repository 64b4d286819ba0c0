//! R5: servers are killed at any moment. What was acknowledged stays, what is asked again is done
//! once, and the next server is ready at once.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rand::RngExt;
use rand::rngs::StdRng;

use crate::ledger::{Intent, Ledger};
use crate::play::{dice, play_servers, scaled, seeds};
use crate::server::Server;
use crate::support::cluster::Cluster;
use crate::support::ground::Ground;
use crate::support::{Backend, Options};

const CLIENTS: usize = 6;
/// A server is killed so many milliseconds after it was ready.
const KILLED_AFTER_MILLIS: std::ops::RangeInclusive<u64> = 20..=180;
/// And the next one is ready within this.
const READY_MAX: Duration = Duration::from_secs(2);
/// After the database is back a server is ready within this: its pools have been trying in vain, and
/// try again a second later at the latest.
const READY_AGAIN_MAX: Duration = Duration::from_secs(4);
/// One in so many payments is given back in part.
const REFUNDED: usize = 3;
/// Acknowledged answers that are asked for again after each kill.
const ASKED_AGAIN: usize = 10;

/// Buys, pays and gives back until something is unknown, or the accident is over unnoticed.
async fn client(ledger: &Ledger, server: &Server, over: &Cell<bool>, name: String) -> Vec<Intent> {
    let mut intents = Vec::new();
    for number in 0.. {
        if over.get() {
            break;
        }
        let mut purchase = ledger.purchase(&format!("{name}-{number}"));
        ledger.send(server, &mut purchase).await;
        let payment = purchase.answer.is_some().then(|| Ledger::payment(&purchase));
        intents.push(purchase);
        let Some(mut payment) = payment else { break };
        ledger.send(server, &mut payment).await;
        let refund = payment.answer.is_some().then(|| Ledger::refund(&payment));
        intents.push(payment);
        let Some(mut refund) = refund else { break };
        if number % REFUNDED == 0 {
            ledger.send(server, &mut refund).await;
            let known = refund.answer.is_some();
            intents.push(refund);
            if !known {
                break;
            }
        }
    }
    intents
}

/// Load, with something that happens in the middle of it.
async fn under_load(
    ledger: &mut Ledger,
    server: &Server,
    cycle: usize,
    accident: impl Future<Output = ()>,
) {
    let over = Cell::new(false);
    let names = (0..CLIENTS).map(|client| format!("{cycle}-{client}"));
    let clients = join_all(names.map(|name| client(ledger, server, &over, name)));
    let accident = async {
        accident.await;
        over.set(true);
    };
    let (intents, ()) = futures_util::future::join(clients, accident).await;
    ledger.intents.extend(intents.into_iter().flatten());
}

/// What is unknown is asked again; some of what is known must be answered the same.
async fn ask_again(ledger: &mut Ledger, server: &Server, dice: &mut StdRng) {
    let mut intents = std::mem::take(&mut ledger.intents);
    for intent in intents.iter_mut().filter(|intent| intent.answer.is_none()) {
        ledger.send(server, intent).await;
    }
    if !intents.is_empty() {
        for _ in 0..ASKED_AGAIN {
            let chosen = dice.random_range(0..intents.len());
            ledger.send(server, &mut intents[chosen]).await;
        }
    }
    ledger.intents = intents;
}

fn check_file(ground: &Ground) {
    use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query, sql_types::Text};
    #[derive(diesel::QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text)]
        integrity_check: String,
    }
    if ground.backend == Backend::Sqlite {
        let file = ground.config.data_dir.join("rialto.sqlite3");
        let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
        let lines: Vec<Line> = sql_query("PRAGMA integrity_check").load(&mut conn).unwrap();
        assert_eq!(lines[0].integrity_check, "ok");
    }
}

async fn killed_servers(backend: Backend) {
    for seed in seeds(1, 1) {
        let mut dice = dice(seed);
        let ground = Arc::new(Ground::new(backend));
        let mut ledger = Ledger::open(&ground).await;
        let mut slowest = Duration::ZERO;
        let cycles = scaled(20, 200);
        for cycle in 0..cycles {
            let server = Server::start(&ground, &[]).await;
            assert!(server.ready_after < READY_MAX, "ready after {:?}", server.ready_after);
            slowest = slowest.max(server.ready_after);
            ask_again(&mut ledger, &server, &mut dice).await;
            let after = Duration::from_millis(dice.random_range(KILLED_AFTER_MILLIS));
            let accident = async {
                tokio::time::sleep(after).await;
                server.kill();
            };
            under_load(&mut ledger, &server, cycle, accident).await;
            drop(server);
            check_file(&ground);
        }
        let unknown = ledger.intents.iter().filter(|intent| intent.answer.is_none()).count();
        let settled = ledger.settle(&ground, Options::default()).await;
        println!("{cycles} kills, {settled}, {unknown} open at the end, ready {slowest:?}");
        assert!(settled.paid > cycles && settled.refunds > 0, "hardly any load: {settled}");
    }
}

#[test]
fn sqlite() {
    play_servers(Backend::Sqlite, || killed_servers(Backend::Sqlite));
}

#[test]
fn postgres() {
    play_servers(Backend::Postgres, || killed_servers(Backend::Postgres));
}

/// The database server is killed under a server that lives on.
async fn killed_database() {
    for seed in seeds(1, 1) {
        let mut dice = dice(seed);
        let cluster = Cluster::with(&[]).unwrap();
        let ground = Arc::new(Ground::on(Some(cluster)));
        let mut ledger = Ledger::open(&ground).await;
        let mut server = Server::start(&ground, &[]).await;
        let cycles = scaled(20, 20);
        for cycle in 0..cycles {
            let after = Duration::from_millis(dice.random_range(KILLED_AFTER_MILLIS));
            let accident = async {
                tokio::time::sleep(after).await;
                tokio::task::spawn_blocking(|| cluster.kill_and_start()).await.unwrap();
            };
            under_load(&mut ledger, &server, cycle, accident).await;
            let ready = server.wait_until_ready(Instant::now()).await;
            assert!(ready < READY_AGAIN_MAX, "ready {ready:?} after the database");
            assert!(server.has_ended().is_none(), "the server lives on");
            ask_again(&mut ledger, &server, &mut dice).await;
        }
        server.kill();
        let settled = ledger.settle(&ground, Options::default()).await;
        println!("{cycles} kills of PostgreSQL, {settled}");
        assert!(settled.paid > cycles && settled.refunds > 0, "hardly any load: {settled}");
    }
}

#[test]
fn postgres_itself() {
    play_servers(Backend::Postgres, killed_database);
}
