//! Giving money back through a provider that does not answer for days.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use rialto::db::Db;
use rialto::kernel::Error;
use rialto::kernel::ids::{AttemptId, RefundId};
use rialto::outbox::jobs::RETRY_SECONDS;
use rialto::payments::providers::{Charge, GiveBack, Provider, Sandbox, Verdict};
use serde_json::json;

use crate::refunds::{refund, told};
use crate::support::{Backend, Options, TestApp, run};

/// Does not answer before it has been asked as often as a job asks.
struct Stubborn {
    books: Sandbox,
    asked: Mutex<HashMap<RefundId, usize>>,
}

impl Provider for Stubborn {
    fn name(&self) -> &'static str {
        "stubborn"
    }

    fn charge(&self, charge: Charge) -> BoxFuture<'_, rialto::kernel::Result<Verdict>> {
        self.books.charge(charge)
    }

    fn verdict(
        &self,
        attempt: AttemptId,
    ) -> BoxFuture<'_, rialto::kernel::Result<Option<Verdict>>> {
        self.books.verdict(attempt)
    }

    fn give_back(&self, order: GiveBack) -> BoxFuture<'_, rialto::kernel::Result<Verdict>> {
        let times = {
            let mut asked = self.asked.lock().unwrap();
            let times = asked.entry(order.refund.clone()).or_default();
            *times += 1;
            *times
        };
        match times > RETRY_SECONDS.len() + 1 {
            true => self.books.give_back(order),
            false => Box::pin(async { Err(Error::unavailable("Not now.")) }),
        }
    }
}

fn stubborn(db: Db) -> Arc<dyn Provider> {
    Arc::new(Stubborn { books: Sandbox::new(db), asked: Mutex::default() })
}

async fn outlast_the_job(app: &TestApp) {
    let (_, rate) = app.on_sale(json!({})).await;
    let paid = app.paid(&rate, 1).await;
    let asked = refund(app, &app.seed.org, paid["_id"].as_str().unwrap(), json!({}))
        .await
        .data(201)
        .clone();
    let path = format!("/v1/refunds/{}", asked["_id"].as_str().unwrap());
    app.drain().await;
    for pause in RETRY_SECONDS {
        app.advance(u32::try_from(pause).unwrap() + 1);
        app.drain().await;
    }
    assert_eq!(app.get(&app.seed.org, &path).await.data(200)["status"], "pending");
    refund(app, &app.seed.org, paid["_id"].as_str().unwrap(), json!({}))
        .await
        .refused(422, "over_refund");
    app.advance(26 * 3600);
    app.drain().await;
    assert_eq!(app.get(&app.seed.org, &path).await.data(200)["status"], "succeeded");
    assert_eq!(told(app, &app.seed.channel, "refund.processed").await, 1);
}

/// Money that is booked as given back gets there, however long the provider is away.
#[test]
fn a_refund_outlasts_its_job() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let options = Options { provider: stubborn, ..Options::default() };
        run(backend, options, |app| Box::pin(outlast_the_job(app)));
    }
}
