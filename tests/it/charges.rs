//! Plain charges: an amount that buys nothing here, paid or refused by the request itself.

use serde_json::{Value, json};

use crate::on_both;
use crate::providers::{Died, die};
use crate::refunds::{payment, refund, told};
use crate::support::TestApp;
use crate::support::seed::{GOOD_CARD, card};
use rialto::db::{Scope, Tenant, Tx};
use rialto::kernel::Mode;
use rialto::payments::input::NewPayment;
use rialto::payments::means::Asking;
use rialto::payments::ops::create::charge;

const DECLINED_CARD: &str = "4000000000000002";

fn order(number: &str, more: Value) -> Value {
    let mut body = json!({"amount": 2550, "currency": "EUR",
        "payment_method": card(number)["payment_method"]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn all(app: &TestApp) -> Vec<Value> {
    app.get(&app.seed.org, "/v1/payments").await.data(200).as_array().unwrap().clone()
}

/// A charge by a server that dies on the way; the payment it leaves.
async fn charge_and_die(app: &TestApp, number: &str, died: Died) -> String {
    let scope = Scope::issue(Tenant::Organization(app.seed.organization_id.clone()), Mode::Test);
    let new: NewPayment =
        deserr::deserialize::<_, _, rialto::kernel::input::Faults>(order(number, json!({})))
            .unwrap();
    let tenant = Tenant::Organization(app.seed.organization_id.clone());
    let key = app.db().environment().get().unwrap();
    let asking = Asking { key, tenant: &tenant, mode: Mode::Test };
    let ordered = charge::read(&asking, &new).unwrap().unwrap();
    let begin = move |tx: &mut Tx<'_>| charge::begin(tx, (&new, &ordered, 900), (None, "sandbox"));
    die(app, app.db().write(&scope, begin).await.unwrap().into_inner(), died).await;
    all(app).await[0]["_id"].as_str().unwrap().to_owned()
}

on_both! {
    async fn an_amount_is_charged_and_given_back(app: &TestApp) {
        let org = &app.seed.org;
        let body = json!({"email": "ana@example.com", "name": "Ana"});
        let customer = app.post(org, "/v1/customers", body).await.data(201)["_id"].clone();
        let body = order(GOOD_CARD, json!({"customer": customer, "description": "Cloak room",
            "reference": "r-1", "metadata": {"client_secret": null}}));
        let made = app.post_once(org, "k-1", "/v1/payments", body.clone()).await;
        let paid = made.data(201).clone();
        let shown = json!({"status": paid["status"], "type": paid["type"], "event": paid["event_id"],
            "amount": paid["amount"], "paid": paid["amount_paid"], "total": paid["total"]["amount"],
            "items": paid["items"], "tickets": paid["resource_ids"], "kind": paid["resource_type"],
            "customer": paid["customer_id"], "buyer": paid["buyer"]["email"],
            "description": paid["description"], "last4": paid["payment_method"]["card"]["last4"]});
        assert_eq!(shown, json!({"status": "paid", "type": "card", "event": null, "amount": 2550,
            "paid": 2550, "total": 25.5, "items": [], "tickets": [], "kind": null,
            "customer": customer, "buyer": "ana@example.com", "description": "Cloak room",
            "last4": "4242"}));
        let secret = paid["client_secret"].as_str().unwrap();
        assert!(secret.starts_with(paid["_id"].as_str().unwrap()), "{secret}");
        assert_eq!(paid["metadata"], json!({"client_secret": null}));
        // Asked again, with another card even: the same answer, and nothing is charged.
        let mut again = body.clone();
        again["payment_method"] = card("5555555555554444")["payment_method"].clone();
        let replay = app.post_once(org, "k-1", "/v1/payments", again).await;
        assert_eq!(replay.text, made.text);
        assert_eq!(replay.headers["idempotent-replayed"], "true");
        app.post(org, "/v1/payments", body).await.refused(409, "reference_taken");
        assert_eq!(all(app).await.len(), 1);
        app.drain().await;
        let mails = app.captured();
        assert_eq!(mails.len(), 1);
        assert!(mails[0].contains("Subject: Your receipt: Cloak room"), "{}", mails[0]);
        let id = paid["_id"].as_str().unwrap();
        refund(app, org, id, json!({"amount": 50})).await.data(201);
        refund(app, org, id, json!({"amount": 2501})).await.refused(422, "over_refund");
        refund(app, org, id, json!({})).await.data(201);
        app.drain().await;
        assert_eq!(payment(app, org, id).await["amount_refunded"], 2550);
        assert_eq!(app.captured().len(), 3, "each refund has its letter");
        assert_eq!(told(app, org, "payment.completed").await, 1);
    }

    async fn a_refused_card_leaves_nothing_open(app: &TestApp) {
        let org = &app.seed.org;
        let body = |number: &str| order(number, json!({"reference": "r-1"}));
        let refused = app.post_once(org, "k-1", "/v1/payments", body(DECLINED_CARD)).await;
        let error = refused.refused(402, "card_declined");
        assert_eq!(error["decline_code"], "generic_decline");
        let id = error["payment_id"].as_str().unwrap();
        let read = payment(app, org, id).await;
        assert_eq!((&read["status"], &read["amount_paid"]), (&json!("cancelled"), &json!(0)));
        for kind in ["payment.created", "payment.failed", "payment.cancelled"] {
            assert_eq!(told(app, org, kind).await, 1, "{kind}");
        }
        let states: Vec<Value> = app.changes(org).await.iter()
            .map(|change| change["data"]["object"]["status"].clone()).collect();
        assert_eq!(states, ["pending", "pending", "cancelled"]);
        // Key and reference are free.
        app.post_once(org, "k-1", "/v1/payments", body(GOOD_CARD)).await.data(201);
        app.drain().await;
        assert_eq!(app.captured().len(), 0, "nobody's e-mail is known");
    }

    async fn what_cannot_be_charged_is_told_at_once(app: &TestApp) {
        let body = json!({"amount": 100, "rate_id": "x", "quantity": 1, "expires_in": 60,
            "collects": "channel", "customer": "c", "customer_id": "c", "send_resources": true,
            "buyer": {"name": "Ana"}});
        let org = &app.seed.org;
        let reply = app.post(org, "/v1/payments", body).await;
        reply.refused(400, "validation_error");
        assert_eq!(reply.fields(), ["customer", "rate_id", "quantity", "expires_in", "collects",
            "currency", "payment_method", "buyer.email"]);
        let body = json!({"rate_id": "x", "currency": "EUR",
            "payment_method": card(GOOD_CARD)["payment_method"]});
        let reply = app.post(org, "/v1/payments", body).await;
        assert_eq!(reply.fields(), ["currency", "payment_method"]);
        for amount in [json!(0), json!(-1), json!(1.5), json!("1"), json!(i64::MAX)] {
            let reply = app.post(org, "/v1/payments", order(GOOD_CARD, json!({"amount": amount}))).await;
            reply.refused(400, "validation_error");
            assert_eq!(reply.fields(), ["amount"], "{amount}");
        }
        let reply = app.post(org, "/v1/payments", order("4111111111111111", json!({}))).await;
        reply.refused(400, "raw_card_refused");
        let stranger = order(GOOD_CARD, json!({"customer": "cus_1"}));
        assert_eq!(app.post(org, "/v1/payments", stranger).await.fields(), ["customer"]);
        let reply = app.post(&app.seed.channel, "/v1/payments", order(GOOD_CARD, json!({}))).await;
        reply.refused(403, "wrong_principal");
        let token = order(GOOD_CARD, json!({"payment_method": {"type": "card", "token": "tok"}}));
        app.post(&app.seed.org_live, "/v1/payments", token).await.refused(422, "no_provider");
        assert_eq!(all(app).await.len(), 0);
        assert_eq!(app.changes(org).await.len(), 0);
    }

    async fn an_answer_is_kept_for_longer_than_a_token_is_good(app: &TestApp) {
        let org = &app.seed.org;
        let typed = card(GOOD_CARD)["payment_method"].clone();
        let token = app.post(org, "/v1/payment-methods", typed).await.data(201)["_id"].clone();
        let by_token = json!({"payment_method": {"type": "card", "token": token}});
        let body = order(GOOD_CARD, by_token.clone());
        let first = app.post_once(org, "k", "/v1/payments", body.clone()).await;
        first.data(201);
        let (_, rate) = app.on_sale(json!({})).await;
        let id = app.pending(&rate, 1).await;
        let own = app.post(&app.seed.channel, "/v1/payment-methods",
            card(GOOD_CARD)["payment_method"].clone()).await.data(201)["_id"].clone();
        let by_own = json!({"payment_method": {"type": "card", "token": own}});
        let pay = format!("/v1/payments/{id}/pay");
        let paid = app.post_once(&app.seed.channel, "p", &pay, by_own.clone()).await;
        paid.data(200);
        app.advance(3700);
        let again = app.post_once(org, "k", "/v1/payments", body.clone()).await;
        assert_eq!((again.status, &again.text), (201, &first.text));
        let again = app.post_once(&app.seed.channel, "p", &pay, by_own).await;
        assert_eq!((again.status, &again.text), (200, &paid.text));
        let late = app.post_once(org, "another", "/v1/payments", body).await;
        assert_eq!((late.status, late.fields()), (400, vec!["payment_method.token"]));
        assert_eq!(all(app).await.len(), 2, "nothing was charged again");
    }

    async fn twenty_of_one_key_charge_once(app: &TestApp) {
        let body = order(GOOD_CARD, json!({}));
        let asked = (0..20).map(|_| app.post_once(&app.seed.org, "k", "/v1/payments", body.clone()));
        let replies = futures_util::future::join_all(asked).await;
        for reply in &replies {
            if reply.status != 201 {
                reply.refused(409, "in_flight");
            }
        }
        assert!(replies.iter().any(|reply| reply.status == 201));
        assert_eq!(all(app).await.len(), 1);
    }

    async fn a_charge_whose_answer_was_lost_is_found(app: &TestApp) {
        let taken = charge_and_die(app, GOOD_CARD, Died::AfterAsking).await;
        assert_eq!(payment(app, &app.seed.org, &taken).await["status"], "pending");
        app.advance(61);
        app.drain().await;
        assert_eq!(payment(app, &app.seed.org, &taken).await["status"], "paid");
        let refused = charge_and_die(app, DECLINED_CARD, Died::AfterAsking).await;
        let never = charge_and_die(app, GOOD_CARD, Died::BeforeAsking).await;
        app.advance(61);
        app.drain().await;
        for id in [refused, never] {
            assert_eq!(payment(app, &app.seed.org, &id).await["status"], "cancelled");
        }
    }

    async fn what_was_taken_after_all_goes_back(app: &TestApp) {
        let org = &app.seed.org;
        let reply = app.post(org, "/v1/payments", order("4000000000000259", json!({}))).await;
        let id = reply.refused(402, "processing_error")["payment_id"].as_str().unwrap().to_owned();
        app.advance(61);
        app.drain().await;
        let read = payment(app, org, &id).await;
        assert_eq!((&read["status"], &read["amount_refunded"]), (&json!("cancelled"), &json!(2550)));
        assert_eq!(read["late"]["outcome"], "refunded");
    }
}
