//! R5: a server dies before and after every commit and every outside call there is.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rialto::db::{AnyConnection, Db, Outcome, Scope};
use rialto::kernel::fail_point::Step;
use rialto::kernel::ids::AttemptId;
use rialto::kernel::{Error, Result};
use rialto::payments::providers::{Charge, GiveBack, Provider, Sandbox, Verdict};

use crate::ledger::{Intent, Ledger};
use crate::play::{play_servers, scaled};
use crate::server::Server;
use crate::support::ground::Ground;
use crate::support::seed::{GOOD_CARD, card};
use crate::support::{Backend, Options, TestApp};

/// What the worker does after the last answer is done by then.
const AFTERWARDS: Duration = Duration::from_millis(500);

/// Whether a step is ever taken on a database. A new step does not compile until it is said.
fn is_taken_on(step: Step, backend: Backend) -> bool {
    match step {
        Step::SqliteCommit => backend == Backend::Sqlite,
        Step::SalesCommit | Step::PostgresCommit => backend == Backend::Postgres,
        Step::ProviderCharge | Step::ProviderVerdict | Step::ProviderRefund | Step::MailSend => {
            true
        }
    }
}

/// Takes the money and never answers.
struct Mute(Sandbox);

impl Provider for Mute {
    fn name(&self) -> &'static str {
        "mute"
    }

    fn charge(&self, charge: Charge) -> BoxFuture<'_, Result<Verdict>> {
        Box::pin(async move {
            self.0.charge(charge).await?;
            Err(Error::unavailable("The provider did not answer."))
        })
    }

    fn verdict(&self, _: AttemptId) -> BoxFuture<'_, Result<Option<Verdict>>> {
        Box::pin(async { Err(Error::unavailable("The provider did not answer.")) })
    }

    fn give_back(&self, order: GiveBack) -> BoxFuture<'_, Result<Verdict>> {
        self.0.give_back(order)
    }
}

/// A payment whose provider never answered, a long time ago: the worker will ask.
async fn unanswered(ground: &Arc<Ground>, ledger: &mut Ledger) {
    let provider = |db: Db| -> Arc<dyn Provider> { Arc::new(Mute(Sandbox::new(db))) };
    let options = Options { provider, ..Options::default() };
    let app = TestApp::open(ground.clone(), Some(ledger.seed.clone()), options).await;
    let mut purchase = ledger.purchase("unanswered");
    let Intent { key, path, body, .. } = &purchase;
    let made = app.post_once(&app.seed.channel, key, path, body.clone()).await;
    Ledger::note(&mut purchase, Some((made.status, made.text)));
    let payment = Ledger::payment(&purchase);
    let paid = app.post_once(&app.seed.channel, &payment.key, &payment.path, card(GOOD_CARD)).await;
    assert_eq!(paid.status, 503, "{}", paid.text);
    let age = |tx: &mut rialto::db::Tx<'_>| {
        use diesel::{RunQueryDsl, sql_query};
        let query = "UPDATE payment_attempts SET created_at = '2026-01-01T00:00:00.000000Z'";
        let aged = match tx.conn()? {
            AnyConnection::Postgres(conn) => sql_query(query).execute(conn)?,
            AnyConnection::Sqlite(conn) => sql_query(query).execute(conn)?,
        };
        Ok(Outcome::Done(aged))
    };
    let aged = app.db().write(&Scope::platform("tests"), age).await.unwrap();
    assert_eq!(aged.into_inner(), 1);
    ledger.intents.extend([purchase, payment]);
    app.finish().await;
}

/// The main job by one client: two purchases, one of them paid, mailed and partly given back.
async fn main_job(ledger: &mut Ledger, server: &mut Server, visit: usize) {
    for number in 0..2 {
        let mut purchase = ledger.purchase(&format!("{visit}-{number}"));
        ledger.send(server, &mut purchase).await;
        let payment =
            (number == 0 && purchase.answer.is_some()).then(|| Ledger::payment(&purchase));
        ledger.intents.push(purchase);
        if let Some(mut payment) = payment {
            ledger.send(server, &mut payment).await;
            let refund = payment.answer.is_some().then(|| Ledger::refund(&payment));
            ledger.intents.push(payment);
            if let Some(mut refund) = refund {
                ledger.send(server, &mut refund).await;
                ledger.intents.push(refund);
            }
        }
    }
    let waiting = tokio::time::Instant::now();
    while server.has_ended().is_none() && waiting.elapsed() < AFTERWARDS {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Dies at the first visit of a point, then at the second, until it is not visited so often.
async fn die_at(backend: Backend, edge: &str, step: Step) -> usize {
    let ground = Arc::new(Ground::new(backend));
    let mut ledger = Ledger::open(&ground).await;
    if step == Step::ProviderVerdict {
        unanswered(&ground, &mut ledger).await;
    }
    let most = scaled(6, 50);
    let mut deaths = 0;
    for visit in 1..=most {
        let point = format!("{edge}:{}:{visit}", step.as_str());
        let mut server = Server::start(&ground, &[("RIALTO_FAIL_POINT", &point)]).await;
        main_job(&mut ledger, &mut server, visit).await;
        let Some(status) = server.has_ended() else { break };
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        assert_eq!(signal, Some(6), "{point}: it ended with {status}, not by the point");
        deaths += 1;
    }
    let settled = ledger.settle(&ground, Options::default()).await;
    println!("{edge} {}: {deaths} deaths, {settled}", step.as_str());
    assert!(settled.purchases >= 2 * deaths, "{settled}");
    deaths
}

async fn die_everywhere(backend: Backend) {
    for step in Step::ALL.iter().filter(|step| is_taken_on(**step, backend)) {
        for edge in ["before", "after"] {
            let deaths = die_at(backend, edge, *step).await;
            assert!(deaths > 0, "{edge} {} was never visited", step.as_str());
        }
    }
}

#[test]
fn sqlite() {
    play_servers(Backend::Sqlite, || die_everywhere(Backend::Sqlite));
}

#[test]
fn postgres() {
    play_servers(Backend::Postgres, || die_everywhere(Backend::Postgres));
}
