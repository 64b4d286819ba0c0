//! The main job, end to end: an event, a channel's pending payment, a buyer's emailed ticket.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::seed::{GOOD_CARD, card};

on_both! {
    async fn an_event_is_sold_mailed_and_admitted(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({"capacity": 300})).await;
        let body = json!({"rate_id": rate, "quantity": 1, "expires_in": 600,
            "buyer": {"name": "Ana Lopez", "email": "ana@example.com"}, "send_resources": true,
            "metadata": {"user_id": "u-1", "internal_id": "i-1"}, "expected_total": 20.6});
        let made = app.post(&app.seed.channel, "/v1/payments", body).await.data(201).clone();
        assert_eq!(made["status"], "pending");
        let id = made["_id"].as_str().unwrap();
        let path = format!("/v1/payments/{id}/pay");
        let paid = app.post(&app.seed.channel, &path, card(GOOD_CARD)).await.data(200).clone();
        app.drain().await;

        // Every field of the document this product replaces, as it stands there.
        let read = app.get(&app.seed.channel, &format!("/v1/payments/{id}")).await;
        assert_eq!(read.body["success"], true);
        let data = read.data(200);
        assert_eq!(data["_id"], id);
        assert_eq!(data["status"], "paid");
        assert_eq!(data["rate_id"], rate.as_str());
        assert_eq!(data["organization_id"], app.seed.organization_id.to_string());
        assert_eq!(data["event_id"], event.as_str());
        assert_eq!(data["resource_type"], "ticket");
        assert_eq!(data["resource_ids"].as_array().unwrap().len(), 1);
        let total = json!({"amount": 20.6, "fees": 0.6, "discount": 0, "tax": 0});
        assert_eq!(data["total"], total);
        assert_eq!(data["send_resources"], true);
        assert_eq!(data["metadata"], json!({"user_id": "u-1", "internal_id": "i-1"}));
        assert_eq!(data["currency"], "EUR");
        assert!(data["paid_at"].is_string() && data["expires_at"].is_string());
        assert_eq!(data, &paid, "a read says what the payment said");

        let mails = app.captured();
        assert_eq!(mails.len(), 1);
        assert!(mails[0].contains("To: ana@example.com"), "{}", mails[0]);
        assert!(mails[0].contains("Content-Type: image/png"));

        let ticket = data["resource_ids"][0].as_str().unwrap();
        let door = format!("/v1/tickets/{ticket}/checkin");
        let entered = app.post(&app.seed.org, &door, json!({})).await.data(200).clone();
        assert_eq!(entered["enter"], 1);
        assert_eq!(entered["status"], "active");
        let again = app.post(&app.seed.org, &door, json!({})).await;
        let refusal = again.refused(409, "already_checked_in");
        assert_eq!(refusal["checked_in_at"], entered["entry_time"]);

        let kinds = |changes: Vec<Value>| -> Vec<String> {
            changes.iter().map(|change| change["type"].as_str().unwrap().to_owned()).collect()
        };
        let channel = kinds(app.changes(&app.seed.channel).await);
        assert_eq!(channel, [
            "payment.created", "ticket.created", "payment.completed", "ticket.checked_in",
        ]);
        let organization = kinds(app.changes(&app.seed.org).await);
        assert_eq!(organization, [
            "event.created", "ticket_rate.updated", "event.published", "payment.created",
            "ticket.created", "payment.completed", "ticket.checked_in",
        ]);
    }
}
