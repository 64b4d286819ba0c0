//! Crashes between the three steps of paying: the worker asks the provider until it knows.

use rialto::db::{Scope, Tenant, Tx};
use rialto::kernel::Mode;
use rialto::payments::input::{Pay, PaymentMethod};
use rialto::payments::means::Means;
use rialto::payments::ops::pay::{self, Begun};
use rialto::payments::providers::{Provider, Sandbox};
use rialto::web::idempotency::{Claim, Name};
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;
use crate::support::seed::{GOOD_CARD, card};

/// What a server did before it died.
pub enum Died {
    BeforeAsking,
    AfterAsking,
}

/// The first steps of a payment under an idempotency key, by a server that then dies.
async fn begin_and_die(app: &TestApp, payment: &str, number: &str, died: Died) {
    let scope = Scope::issue(Tenant::Channel(app.seed.channel_id.clone()), Mode::Test);
    let input: Pay =
        deserr::deserialize::<_, _, rialto::kernel::input::Faults>(card(number)).unwrap();
    let PaymentMethod { card: Some(card), .. } = input.payment_method else { panic!("no card") };
    let method = Means::of_card(Mode::Test, &card, "card").unwrap();
    let name = Name {
        tenant: app.seed.channel_id.to_string(),
        mode: Mode::Test,
        key: format!("pay-{payment}"),
    };
    let claim = Claim { name, fingerprint: "as-sent".to_owned() };
    let id = payment.to_owned();
    let begin = move |tx: &mut Tx<'_>| pay::begin(tx, &id, &method, (Some(&claim), "sandbox"));
    let begun = app.db().write(&scope, begin).await.unwrap().into_inner();
    die(app, begun, died).await;
}

/// Dies after the first step, or after the second.
pub async fn die(app: &TestApp, begun: Begun, died: Died) {
    let Begun::Charge(both) = begun else { panic!("nothing to replay") };
    if matches!(died, Died::AfterAsking) {
        Sandbox::new(app.db().clone()).charge(both.0.clone()).await.unwrap();
    }
}

async fn status(app: &TestApp, payment: &str) -> Value {
    let read = app.get(&app.seed.channel, &format!("/v1/payments/{payment}")).await;
    read.data(200)["status"].clone()
}

on_both! {
    async fn a_charge_whose_answer_was_lost_is_found(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 2})).await;
        let id = app.pending(&rate, 2).await;
        begin_and_die(app, &id, GOOD_CARD, Died::AfterAsking).await;
        let path = |action: &str| format!("/v1/payments/{id}/{action}");
        let channel = &app.seed.channel;
        app.post(channel, &path("pay"), card(GOOD_CARD)).await.refused(409, "payment_processing");
        app.post(channel, &path("cancel"), json!({})).await.refused(409, "payment_processing");
        // Its time runs out while the provider's answer is owed: the stock is not for sale.
        app.advance(1000);
        assert_eq!(status(app, &id).await, "pending");
        let body = json!({"rate_id": rate, "send_resources": false});
        app.post(channel, "/v1/payments", body).await.refused(422, "sold_out");
        app.drain().await;
        assert_eq!(status(app, &id).await, "paid");
        assert_eq!(app.availability(&rate).await, json!({"sold": 2, "held": 0, "available": 0}));
        assert_eq!(app.captured().len(), 1);
    }

    async fn money_taken_while_the_event_was_cancelled_brings_no_tickets(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({"capacity": 2})).await;
        let id = app.pending(&rate, 1).await;
        begin_and_die(app, &id, GOOD_CARD, Died::AfterAsking).await;
        let cancel = format!("/v1/events/{event}/cancel");
        app.post(&app.seed.org, &cancel, json!({})).await.data(200);
        app.drain().await;
        app.advance(61);
        app.drain().await;
        assert_eq!(status(app, &id).await, "paid", "it waits for its refund");
        let subjects: Vec<String> = app.captured().iter()
            .filter_map(|mail| mail.lines().find(|line| line.starts_with("Subject: ")))
            .map(str::to_owned).collect();
        let count = |what: &str| subjects.iter().filter(|known| known.contains(what)).count();
        assert_eq!((count("Your receipt"), count("Cancelled: "), subjects.len()), (1, 1, 2),
            "{subjects:?}");
    }

    async fn a_charge_that_never_happened_is_given_up(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 2})).await;
        let id = app.pending(&rate, 2).await;
        begin_and_die(app, &id, GOOD_CARD, Died::BeforeAsking).await;
        app.advance(30);
        app.drain().await;
        let path = format!("/v1/payments/{id}/pay");
        let early = app.post(&app.seed.channel, &path, card(GOOD_CARD)).await;
        early.refused(409, "payment_processing");
        app.advance(31);
        app.drain().await;
        assert_eq!(status(app, &id).await, "pending", "its time has not run out");
        let paid = app.post(&app.seed.channel, &path, card(GOOD_CARD)).await;
        assert_eq!(paid.data(200)["status"], "paid");
    }

    async fn a_refusal_whose_answer_was_lost_frees_the_stock_in_time(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 1})).await;
        let id = app.pending(&rate, 1).await;
        begin_and_die(app, &id, "4000000000000002", Died::AfterAsking).await;
        app.advance(1000);
        app.drain().await;
        assert_eq!(status(app, &id).await, "expired");
        app.pending(&rate, 1).await;
    }
}
