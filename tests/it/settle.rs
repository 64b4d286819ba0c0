//! Paying, marking as paid, finalizing: money in, or a clear no.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::seed::{GOOD_CARD, card};

on_both! {
    async fn test_cards_do_what_they_say(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let id = app.pending(&rate, 1).await;
        let path = format!("/v1/payments/{id}/pay");
        let cards = [
            ("4000000000000002", "card_declined", json!("generic_decline")),
            ("4000000000009995", "card_declined", json!("insufficient_funds")),
            ("4000000000000069", "expired_card", Value::Null),
            ("4000000000000127", "incorrect_cvc", Value::Null),
            ("4000000000000119", "processing_error", Value::Null),
        ];
        for (number, code, decline_code) in cards {
            // The same key each time: a refusal leaves it free.
            let pay = app.post_once(&app.seed.channel, "pay-1", &path, card(number)).await;
            let error = pay.refused(402, code);
            assert_eq!(error["type"], "card_error");
            assert_eq!(error["decline_code"], decline_code);
        }
        let unlisted = app.post(&app.seed.channel, &path, card("4111111111111111")).await;
        unlisted.refused(400, "raw_card_refused");
        assert_eq!(unlisted.fields(), ["payment_method.card.number"]);
        let read = app.get(&app.seed.channel, &format!("/v1/payments/{id}")).await;
        assert_eq!(read.data(200)["status"], "pending");
        assert_eq!(app.availability(&rate).await["held"], 1);
        let paid = app.post_once(&app.seed.channel, "pay-1", &path, card(GOOD_CARD)).await;
        let data = paid.data(200);
        assert_eq!(data["payment_method"], json!({"type": "card", "card": {"brand": "visa",
            "last4": "4242", "exp_month": 12, "exp_year": 2030}}));
        assert_eq!((&data["amount_paid"], &data["balance"]), (&json!(2060), &json!(0)));
        let again = app.post_once(&app.seed.channel, "pay-1", &path, card(GOOD_CARD)).await;
        assert_eq!(again.headers["idempotent-replayed"], "true");
        assert_eq!(again.text, paid.text, "byte for byte");
        let twice = app.post(&app.seed.channel, &path, card(GOOD_CARD)).await;
        assert_eq!(twice.refused(409, "wrong_status")["current_status"], "paid");
        let failed = app.changes(&app.seed.channel).await.into_iter()
            .filter(|change| change["type"] == "payment.failed").count();
        assert_eq!(failed, 5);
    }

    async fn no_card_number_is_kept_anywhere(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        app.paid(&rate, 1).await;
        let id = app.pending(&rate, 1).await;
        let path = format!("/v1/payments/{id}/pay");
        app.post(&app.seed.channel, &path, card("4000000000000002")).await.refused(402, "card_declined");
        if app.backend == crate::support::Backend::Sqlite {
            for file in ["rialto.sqlite3", "rialto.sqlite3-wal"] {
                let bytes = std::fs::read(app.config.data_dir.join(file)).unwrap();
                let text = String::from_utf8_lossy(&bytes);
                assert!(!text.contains(GOOD_CARD) && !text.contains("4000000000000002"));
            }
        }
    }

    async fn who_may_pay_is_who_made_it_and_who_collects_marks(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let id = app.pending(&rate, 1).await;
        let path = |action: &str| format!("/v1/payments/{id}/{action}");
        let org = &app.seed.org;
        app.post(org, &path("pay"), card(GOOD_CARD)).await.refused(403, "wrong_principal");
        app.post(org, &path("cancel"), json!({})).await.refused(403, "wrong_principal");
        let mark = app.post(&app.seed.channel, &path("mark-paid"), json!({})).await;
        assert_eq!(mark.refused(403, "wrong_principal")["collects"], "platform");
        app.post(org, &path("mark-paid"), json!({})).await.refused(403, "wrong_principal");

        let body = json!({"rate_id": rate, "send_resources": false});
        let made = app.post(&app.seed.collecting, "/v1/payments", body).await.data(201).clone();
        let id = made["_id"].as_str().unwrap();
        let pay = format!("/v1/payments/{id}/pay");
        let pay = app.post(&app.seed.collecting, &pay, card(GOOD_CARD)).await;
        assert_eq!(pay.refused(403, "wrong_principal")["collects"], "channel");
        let mark = format!("/v1/payments/{id}/mark-paid");
        let bad = json!({"paid_at": "2090-01-01T00:00:00Z"});
        let bad = app.post(&app.seed.collecting, &mark, bad).await;
        bad.refused(400, "validation_error");
        let good = json!({"type": "bank_transfer", "paid_at": "2026-01-01T10:00:00+02:00"});
        let paid = app.post(&app.seed.collecting, &mark, good).await.data(200).clone();
        assert_eq!(paid["type"], "bank_transfer");
        assert_eq!(paid["paid_at"], "2026-01-01T08:00:00.000Z");
        let tickets = app.get(&app.seed.collecting, &format!("/v1/tickets?payment_id={id}")).await;
        assert_eq!(tickets.data(200)[0]["status"], "active");
    }

    async fn a_free_ticket_is_finalized(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"prices": [{"price": 0}]})).await;
        let id = app.pending(&rate, 2).await;
        let path = |action: &str| format!("/v1/payments/{id}/{action}");
        let channel = &app.seed.channel;
        app.post(channel, &path("pay"), card(GOOD_CARD)).await.refused(422, "zero_amount");
        let no = json!({"accepted_terms_and_conditions": false});
        app.post(channel, &path("finalize"), no).await.refused(400, "validation_error");
        app.post(channel, &path("finalize"), json!({})).await.refused(400, "validation_error");
        let yes = json!({"accepted_terms_and_conditions": true});
        let done = app.post(channel, &path("finalize"), yes.clone()).await.data(200).clone();
        assert_eq!((&done["status"], &done["type"]), (&json!("paid"), &json!("free")));
        assert_eq!(done["total"]["amount"], 0);
        let (_, priced) = app.on_sale(json!({})).await;
        let id = app.pending(&priced, 1).await;
        let path = format!("/v1/payments/{id}/finalize");
        app.post(channel, &path, yes).await.refused(422, "nonzero_amount");
    }

    async fn live_mode_takes_no_card_here(app: &TestApp) {
        let body = json!({"title": "Live", "venue": "V", "start_date": "2090-01-01T00:00:00Z"});
        let (org, channel) = (&app.seed.org_live, &app.seed.channel_live);
        let event = app.post(org, "/v1/events", body).await.data(201)["_id"].clone();
        let rate = json!({"event_id": event, "name": "R", "prices": [{"price": 5}]});
        let rate = app.post(org, "/v1/ticket-rates", rate).await.data(201)["_id"].clone();
        let publish = format!("/v1/events/{}/publish", event.as_str().unwrap());
        app.post(org, &publish, json!({})).await.data(200);
        let body = json!({"rate_id": rate, "send_resources": false});
        // The same channel in test mode does not see it.
        app.post(&app.seed.channel, "/v1/payments", body.clone()).await.refused(404, "not_found");
        let made = app.post(channel, "/v1/payments", body).await.data(201).clone();
        let path = format!("/v1/payments/{}/pay", made["_id"].as_str().unwrap());
        app.post(channel, &path, card(GOOD_CARD)).await.refused(400, "raw_card_refused");
        let token = json!({"payment_method": {"type": "card", "token": "tok_1"}});
        app.post(channel, &path, token).await.refused(422, "no_provider");
    }

    async fn a_cancelled_event_bars_everything_at_once(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({})).await;
        let pending = app.pending(&rate, 2).await;
        let paid = app.paid(&rate, 1).await;
        let cancel = format!("/v1/events/{event}/cancel");
        app.post(&app.seed.org, &cancel, json!({})).await.data(200);
        let pay = format!("/v1/payments/{pending}/pay");
        app.post(&app.seed.channel, &pay, card(GOOD_CARD)).await.refused(409, "event_cancelled");
        let body = json!({"rate_id": rate, "send_resources": false});
        app.post(&app.seed.channel, "/v1/payments", body).await.refused(409, "event_cancelled");
        let door = format!("/v1/tickets/{}/checkin", paid["resource_ids"][0].as_str().unwrap());
        app.post(&app.seed.org, &door, json!({})).await.refused(409, "event_cancelled");
        app.drain().await;
        let read = |id: &str| format!("/v1/payments/{id}");
        let ended = app.get(&app.seed.channel, &read(&pending)).await;
        assert_eq!(ended.data(200)["status"], "cancelled");
        let kept = app.get(&app.seed.channel, &read(paid["_id"].as_str().unwrap())).await;
        assert_eq!(kept.data(200)["status"], "paid", "it waits for its refund");
        app.post(&app.seed.org, &cancel, json!({})).await.refused(409, "wrong_status");
    }
}
