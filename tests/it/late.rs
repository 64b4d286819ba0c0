//! Money that comes after the end: held again or given back, decided once.

use serde_json::{Value, json};

use crate::on_both;
use crate::refunds::{payment, told};
use crate::support::TestApp;
use crate::support::seed::{GOOD_CARD, card};

/// Charged after all, as its provider says a minute later.
const TAKEN_AFTER_ALL: &str = "4000000000000259";

async fn collected(app: &TestApp, body: Value) -> String {
    let made = app.post(&app.seed.collecting, "/v1/payments", body).await;
    made.data(201)["_id"].as_str().unwrap().to_owned()
}

fn one_of(rate: &str) -> Value {
    json!({"rate_id": rate, "send_resources": false})
}

async fn try_late(app: &TestApp, id: &str) {
    let path = format!("/v1/payments/{id}/pay");
    app.post(&app.seed.channel, &path, card(TAKEN_AFTER_ALL))
        .await
        .refused(402, "processing_error");
}

on_both! {
    async fn what_is_still_there_is_held_again(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 1})).await;
        for swept in [false, true] {
            let mut body = one_of(&rate);
            body["reference"] = json!("order-1");
            let id = collected(app, body).await;
            app.advance(901);
            if swept {
                app.drain().await;
            }
            let mark = format!("/v1/payments/{id}/mark-paid");
            let late = json!({"type": "cash"});
            let paid = app.post(&app.seed.collecting, &mark, late.clone()).await;
            let paid = paid.data(200).clone();
            assert_eq!((&paid["status"], &paid["type"]), (&json!("paid"), &json!("cash")));
            assert_eq!(paid["late"]["outcome"], "held_again");
            let ticket = paid["resource_ids"][0].as_str().unwrap();
            let ticket = app.get(&app.seed.org, &format!("/v1/tickets/{ticket}")).await;
            assert_eq!(ticket.data(200)["status"], "active");
            assert_eq!(app.availability(&rate).await,
                json!({"sold": 1, "held": 0, "available": 0}));
            app.post(&app.seed.collecting, &mark, late).await.refused(409, "wrong_status");
            // Its reference is its own again.
            let mut again = one_of(&rate);
            again["reference"] = json!("order-1");
            app.post(&app.seed.collecting, "/v1/payments", again).await
                .refused(409, "reference_taken");
            let cancel = format!("/v1/payments/{id}/cancel");
            app.post(&app.seed.org, &cancel, json!({})).await.data(200);
        }
        app.drain().await;
        for key in [&app.seed.org, &app.seed.collecting] {
            assert_eq!(told(app, key, "payment.late").await, 2);
            assert_eq!(told(app, key, "payment.completed").await, 2);
        }
    }

    async fn what_is_gone_stays_gone(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 1})).await;
        let mut body = one_of(&rate);
        body["reference"] = json!("order-1");
        let id = collected(app, body.clone()).await;
        app.advance(901);
        let other = app.pending(&rate, 1).await;
        let mark = format!("/v1/payments/{id}/mark-paid");
        for _ in 0..2 {
            let late = app.post_once(&app.seed.collecting, "k", &mark, json!({})).await;
            assert_eq!(late.refused(409, "refund_buyer")["current_status"], "expired");
        }
        // Decided once: what is freed later changes nothing.
        app.post(&app.seed.channel, &format!("/v1/payments/{other}/cancel"), json!({})).await
            .data(200);
        app.post(&app.seed.collecting, &mark, json!({})).await.refused(409, "refund_buyer");
        // Its reference is free for another try.
        collected(app, body).await;
        let now = payment(app, &app.seed.collecting, &id).await;
        assert_eq!((&now["status"], &now["late"]["outcome"], &now["amount_paid"]),
            (&json!("expired"), &json!("refund_buyer"), &json!(0)));
        app.drain().await;
        assert_eq!(told(app, &app.seed.org, "payment.late").await, 1);
        assert_eq!(told(app, &app.seed.org, "payment.expired").await, 1);
    }

    async fn today_s_limits_hold_for_late_money_too(app: &TestApp) {
        let far = json!({"prices": [{"price": 20}], "max_per_buyer": 2});
        let (event, rate) = app.on_sale(far).await;
        let buyer = |reference: &str| json!({"rate_id": rate, "quantity": 2,
            "send_resources": false, "buyer": {"email": "ana@example.com"},
            "reference": reference});
        let mark = |id: &str| format!("/v1/payments/{id}/mark-paid");
        // One buyer had as many meanwhile.
        let first = collected(app, buyer("a")).await;
        app.advance(901);
        let second = collected(app, buyer("b")).await;
        app.post(&app.seed.collecting, &mark(&first), json!({})).await
            .refused(409, "refund_buyer");
        // Its reference went to another.
        app.advance(901);
        let third = collected(app, buyer("b")).await;
        app.post(&app.seed.collecting, &mark(&second), json!({})).await
            .refused(409, "refund_buyer");
        // It was given up.
        app.post(&app.seed.collecting, &format!("/v1/payments/{third}/cancel"), json!({})).await
            .data(200);
        app.post(&app.seed.collecting, &mark(&third), json!({})).await
            .refused(409, "refund_buyer");
        // Its event was called off, or is over.
        let fourth = collected(app, buyer("d")).await;
        app.advance(901);
        app.post(&app.seed.org, &format!("/v1/events/{event}/cancel"), json!({})).await.data(200);
        app.post(&app.seed.collecting, &mark(&fourth), json!({})).await
            .refused(409, "refund_buyer");
    }

    async fn a_provider_that_took_it_after_all(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 1})).await;
        // In time: the payment is paid.
        let id = app.pending(&rate, 1).await;
        try_late(app, &id).await;
        app.drain().await;
        assert_eq!(payment(app, &app.seed.channel, &id).await["status"], "pending");
        app.advance(61);
        app.drain().await;
        let paid = payment(app, &app.seed.channel, &id).await;
        assert_eq!((&paid["status"], &paid["late"]), (&json!("paid"), &Value::Null));
        app.post(&app.seed.org, &format!("/v1/payments/{id}/cancel"), json!({})).await.data(200);
        // After its time, and the place is still there.
        let id = app.pending(&rate, 1).await;
        try_late(app, &id).await;
        app.advance(901);
        app.drain().await;
        let paid = payment(app, &app.seed.channel, &id).await;
        assert_eq!((&paid["status"], &paid["late"]["outcome"]),
            (&json!("paid"), &json!("held_again")));
        app.post(&app.seed.org, &format!("/v1/payments/{id}/cancel"), json!({})).await.data(200);
        // After its time, and the place is gone: the money goes back by itself.
        let id = app.pending(&rate, 1).await;
        try_late(app, &id).await;
        app.advance(901);
        app.pending(&rate, 1).await;
        app.drain().await;
        let back = payment(app, &app.seed.channel, &id).await;
        assert_eq!((&back["status"], &back["late"]["outcome"]),
            (&json!("expired"), &json!("refunded")));
        assert_eq!((&back["amount_paid"], &back["amount_refunded"]), (&json!(2060), &json!(2060)));
        let refunds = app.get(&app.seed.org, &format!("/v1/payments/{id}/refunds")).await;
        assert_eq!(refunds.data(200)[0]["cause"], "late_money");
        assert_eq!(refunds.data(200)[0]["status"], "succeeded");
        assert_eq!(told(app, &app.seed.channel, "payment.late").await, 2);
    }

    async fn a_buyer_charged_twice_gets_one_back(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let id = app.pending(&rate, 1).await;
        try_late(app, &id).await;
        let pay = format!("/v1/payments/{id}/pay");
        app.post(&app.seed.channel, &pay, card(GOOD_CARD)).await.data(200);
        app.advance(61);
        app.drain().await;
        let paid = payment(app, &app.seed.org, &id).await;
        assert_eq!((&paid["status"], &paid["amount_paid"], &paid["amount_refunded"]),
            (&json!("paid"), &json!(4120), &json!(2060)));
        assert_eq!(paid["balance"], 0);
        let refunds = app.get(&app.seed.org, &format!("/v1/payments/{id}/refunds")).await;
        assert_eq!(refunds.data(200)[0]["cause"], "paid_twice");
        // What is left to give back is what was owed, on the charge that stands.
        let rest = crate::refunds::refund(app, &app.seed.org, &id, json!({})).await;
        assert_eq!(rest.data(201)["amount"], 2060);
        app.drain().await;
        assert_eq!(payment(app, &app.seed.org, &id).await["amount_refunded"], 4120);
    }
}
