//! Creating and reading payments: prices, holds, limits, references, bad input.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;
use crate::support::seed::{GOOD_CARD, card};

async fn create(app: &TestApp, body: Value) -> crate::support::Reply {
    app.post(&app.seed.channel, "/v1/payments", body).await
}

on_both! {
    async fn the_three_ways_to_say_what_is_bought(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({"capacity": 100})).await;
        let fixed = json!({"name": "Balcony",
            "prices": [{"price": 12.5, "fee_type": "fixed", "fee_quantity": 0.35}]});
        let other = app.rate(&event, fixed).await;
        let one = create(app, json!({"rate_id": rate, "quantity": 3, "send_resources": false})).await;
        assert_eq!(one.data(201)["total"]["amount"], 61.8);
        assert_eq!(one.data(201)["num_tickets"], 3);
        let items = json!({"items": [{"rate_id": rate, "quantity": 2}, {"rate_id": other}],
            "send_resources": false});
        let several = create(app, items).await;
        let data = several.data(201);
        assert_eq!(data["total"], json!({"amount": 54.05, "fees": 1.55, "discount": 0, "tax": 0}));
        assert_eq!(data["amount"], 5405);
        assert_eq!(data["balance"], 5405);
        assert_eq!(data["items"][1], json!({"rate_id": other, "quantity": 1, "unit_price": 12.5,
            "price_id": data["items"][1]["price_id"], "fees": 0.35, "supplements": 0,
            "discount": 0}));
        let tickets = json!({"tickets": [
            {"rate_id": rate, "full_name": "Ana Lopez", "email": "ana@example.com"},
            {"rate_id": other, "full_name": "Ben Roca", "email": "ben@example.com"},
            {"rate_id": rate, "full_name": "Cam Ruiz", "email": "cam@example.com",
                "phone": "+34 600 000 000"}]});
        let named = create(app, tickets).await.data(201).clone();
        assert_eq!(named["items"].as_array().unwrap().len(), 2, "one line per rate");
        assert_eq!(named["resource_ids"].as_array().unwrap().len(), 3);
        let path = format!("/v1/tickets?payment_id={}", named["_id"].as_str().unwrap());
        let listed = app.get(&app.seed.channel, &path).await;
        let mut names: Vec<&str> = listed.data(200).as_array().unwrap().iter()
            .map(|ticket| ticket["full_name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["Ana Lopez", "Ben Roca", "Cam Ruiz"]);
        let left = app.availability(&rate).await;
        assert_eq!(left, json!({"sold": 0, "held": 7, "available": 93}));
    }

    async fn bad_input_names_every_field_and_changes_nothing(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 10, "min": 2, "max": 4})).await;
        let cases: Vec<(Value, u16, &str, Vec<&str>)> = vec![
            (json!({}), 400, "validation_error", vec!["rate_id"]),
            (json!({"rate_id": rate, "tickets": []}), 400, "validation_error", vec!["rate_id"]),
            (json!({"tickets": [], "send_resources": false}), 400, "validation_error",
                vec!["tickets"]),
            (json!({"rate_id": rate, "quantity": 0, "nope": 1, "buyer": {"email": "x", "age": 3}}),
                400, "validation_error", vec!["buyer.age", "buyer.email", "nope", "quantity"]),
            (json!({"rate_id": rate, "quantity": 2}), 400, "validation_error", vec!["buyer.email"]),
            (json!({"rate_id": rate, "quantity": 2, "send_resources": false, "expires_in": 7201}),
                400, "validation_error", vec!["expires_in"]),
            (json!({"rate_id": rate, "quantity": 2, "send_resources": false, "expires_in": 60,
                "expires_at": "2090-01-01T00:00:00Z"}), 400, "validation_error", vec!["expires_at"]),
            (json!({"rate_id": rate, "quantity": 2, "send_resources": false,
                "metadata": {"a": "x".repeat(1100)}}), 400, "validation_error", vec!["metadata"]),
            (json!({"rate_id": rate, "quantity": 2, "send_resources": false, "metadata": [1]}),
                400, "validation_error", vec!["metadata"]),
            (json!({"rate_id": rate, "quantity": 2, "send_resources": false,
                "collects": "channel"}), 400, "validation_error", vec!["collects"]),
            (json!({"rate_id": rate, "quantity": 2, "send_resources": false,
                "expected_total": 41.201}), 400, "validation_error", vec!["expected_total"]),
            (json!({"rate_id": rate, "quantity": 2, "send_resources": false,
                "discount_code": "X"}), 400, "validation_error", vec!["discount_code"]),
            (json!({"rate_id": rate, "quantity": 1, "send_resources": false}), 422,
                "quantity_out_of_range", vec!["rate_id"]),
            (json!({"items": [{"rate_id": rate, "quantity": 3}, {"rate_id": rate, "quantity": 2}],
                "send_resources": false}), 422, "quantity_out_of_range", vec!["items[0]"]),
            (json!({"items": [{"rate_id": rate, "quantity": 2, "price_id": "price_x"}],
                "send_resources": false}), 422, "price_unavailable", vec!["items[0].price_id"]),
            (json!({"rate_id": "rate_nope", "send_resources": false}), 404, "not_found",
                vec!["rate_id"]),
            (json!({"rate_id": rate, "quantity": 2, "send_resources": false,
                "expected_total": 40}), 409, "price_changed", vec![]),
        ];
        for (body, status, code, fields) in cases {
            let reply = create(app, body.clone()).await;
            reply.refused(status, code);
            let mut found = reply.fields();
            found.sort_unstable();
            assert_eq!(found, fields, "{body}");
        }
        let left = app.availability(&rate).await;
        assert_eq!(left, json!({"sold": 0, "held": 0, "available": 10}));
        assert_eq!(app.get(&app.seed.channel, "/v1/payments").await.data(200), &json!([]));
    }

    async fn expiry_needs_nobody(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 5})).await;
        let id = app.pending(&rate, 5).await;
        create(app, json!({"rate_id": rate, "send_resources": false})).await
            .refused(422, "sold_out");
        app.advance(901);
        let read = app.get(&app.seed.channel, &format!("/v1/payments/{id}")).await;
        assert_eq!(read.data(200)["status"], "expired", "before any sweep");
        let listed = app.get(&app.seed.channel, "/v1/payments?status=expired").await;
        assert_eq!(listed.data(200)[0]["_id"], id.as_str());
        let listed = app.get(&app.seed.channel, "/v1/payments?status=pending").await;
        assert_eq!(listed.data(200), &json!([]));
        let path = format!("/v1/payments/{id}/pay");
        let pay = app.post(&app.seed.channel, &path, card(GOOD_CARD)).await;
        pay.refused(410, "payment_expired");
        let cancel = format!("/v1/payments/{id}/cancel");
        let cancel = app.post(&app.seed.channel, &cancel, json!({})).await;
        assert_eq!(cancel.refused(409, "wrong_status")["current_status"], "expired");
        create(app, json!({"rate_id": rate, "quantity": 5, "send_resources": false})).await
            .data(201);
        app.drain().await;
        let kinds: Vec<Value> = app.changes(&app.seed.channel).await.into_iter()
            .map(|change| change["type"].clone()).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == "payment.expired").count(), 1);
        assert_eq!(kinds.iter().filter(|kind| **kind == "ticket.voided").count(), 5);
    }

    async fn a_reference_is_unique_while_its_payment_lives(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let body = json!({"rate_id": rate, "send_resources": false, "reference": "order-1"});
        let first = create(app, body.clone()).await.data(201)["_id"].clone();
        let taken = create(app, body.clone()).await;
        assert_eq!(taken.refused(409, "reference_taken")["payment_id"], first);
        // Another creator has references of its own, and does not see this one.
        let own = app.post(&app.seed.org, "/v1/payments", body.clone()).await;
        assert_eq!(own.data(201)["reference"], "order-1");
        let path = format!("/v1/payments/{}", first.as_str().unwrap());
        let seen = app.get(&app.seed.org, &path).await.data(200).clone();
        assert_eq!((&seen["reference"], &seen["metadata"]), (&Value::Null, &Value::Null));
        app.advance(901);
        let second = create(app, body.clone()).await.data(201)["_id"].clone();
        let found = app.get(&app.seed.channel, "/v1/payments?reference=order-1&status=pending");
        assert_eq!(found.await.data(200)[0]["_id"], second);
        let cancel = format!("/v1/payments/{}/cancel", second.as_str().unwrap());
        app.post(&app.seed.channel, &cancel, json!({})).await.data(200);
        create(app, body).await.data(201);
    }

    async fn an_organization_sells_itself(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let body = json!({"rate_id": rate, "send_resources": false, "collects": "organization"});
        let made = app.post(&app.seed.org, "/v1/payments", body).await.data(201).clone();
        assert_eq!((&made["channel_id"], &made["collects"]), (&Value::Null, &json!("organization")));
        let path = format!("/v1/payments/{}", made["_id"].as_str().unwrap());
        app.get(&app.seed.channel, &path).await.refused(404, "not_found");
        let mark = format!("{path}/mark-paid");
        let paid = app.post(&app.seed.org, &mark, json!({"type": "cash"})).await;
        assert_eq!(paid.data(200)["type"], "cash");
    }

    async fn lists_page_newest_first(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let mut made = Vec::new();
        for _ in 0..5 {
            made.insert(0, Value::String(app.pending(&rate, 1).await));
        }
        let mut seen = Vec::new();
        let mut cursor = String::new();
        for page in 0..3 {
            let reply = app.get(&app.seed.org, &format!("/v1/payments?limit=2{cursor}")).await;
            let ids = reply.data(200).as_array().unwrap().iter().map(|row| row["_id"].clone());
            seen.extend(ids);
            assert_eq!(reply.body["pagination"]["has_more"], page < 2);
            if let Some(next) = reply.body["pagination"]["next_cursor"].as_str() {
                cursor = format!("&cursor={next}");
            }
        }
        assert_eq!(seen, made);
        let skipped = app.get(&app.seed.org, "/v1/payments?offset=4").await;
        assert_eq!(skipped.data(200)[0]["_id"], made[4]);
        let bad = app.get(&app.seed.org, "/v1/payments?limit=0&offset=x&nope=1&status=lost&limit=3");
        let bad = bad.await;
        bad.refused(400, "validation_error");
        let mut fields = bad.fields();
        fields.sort_unstable();
        assert_eq!(fields, ["limit", "nope", "offset", "status"]);
    }
}
