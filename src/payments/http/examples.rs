//! Examples of the API document; a test validates each against its schema.

use serde_json::{Value, json};

use crate::tickets;

fn object(status: &str) -> Value {
    let paid = status == "paid";
    json!({"_id": "pay_01", "id": "pay_01", "status": status, "mode": "test",
        "rate_id": "rate_01", "organization_id": "org_01", "channel_id": "ch_01",
        "event_id": "evt_01", "resource_type": "ticket", "resource_ids": ["tkt_01"],
        "items": [{"rate_id": "rate_01", "price_id": "price_01", "quantity": 1, "unit_price": 20,
            "fees": 0.6, "supplements": 0, "discount": 0}],
        "total": {"amount": 20.6, "fees": 0.6, "discount": 0, "tax": 0}, "amount": 2060,
        "amount_paid": if paid { 2060 } else { 0 }, "amount_refunded": 0,
        "balance": if paid { 0 } else { 2060 }, "currency": "EUR", "collects": "platform",
        "send_resources": true, "metadata": {"user_id": "u-1"}, "reference": null,
        "type": if paid { json!("card") } else { Value::Null },
        "payment_method": if paid {
            json!({"type": "card", "card": {"brand": "visa", "last4": "4242", "exp_month": 12,
                "exp_year": 2030}})
        } else { Value::Null },
        "language": null, "description": null, "invoice_number": null, "discount_code": null,
        "customer_id": null, "buyer": {"name": "Ana Lopez", "email": "ana@example.com",
            "phone": null},
        "addresses": {"buyer": null, "shipment": null}, "user_data": [], "application_data": null,
        "distribution_channel": "CHANNEL_API_V1", "num_tickets": 1, "double_opt_in": "FALSE",
        "supplementary_service": false,
        "auth_login": {"type": "NO_LOGIN", "profile_url": null, "profile_id": null},
        "start_identifier": null, "receipt_url": null, "payment_url": null, "late": null,
        "created_at": "2026-01-01T00:00:00.000Z", "started_at": null,
        "paid_at": if paid { json!("2026-01-01T00:05:00.000Z") } else { Value::Null },
        "expires_at": "2026-01-01T00:15:00.000Z", "updated_at": "2026-01-01T00:05:00.000Z"})
}

pub fn payment(status: &str) -> Value {
    json!({"success": true, "data": object(status)})
}

pub fn payments() -> Value {
    json!({"success": true, "data": [object("paid")],
        "pagination": {"limit": 50, "next_cursor": null, "has_more": false}})
}

pub fn declined() -> Value {
    json!({"success": false, "error": {"type": "card_error", "code": "card_declined",
        "message": "The card was declined.", "details": null, "errors": [], "retryable": false,
        "request_id": "req_01", "doc_url": "/docs", "decline_code": "generic_decline"}})
}

fn refund_object() -> Value {
    json!({"_id": "ref_01", "id": "ref_01", "payment_id": "pay_01", "organization_id": "org_01",
        "channel_id": "ch_01", "event_id": "evt_01", "mode": "test", "status": "pending",
        "amount": 2060, "currency": "EUR", "cause": "requested", "reason": "Ill",
        "tickets": ["tkt_01"], "failure_code": null, "created_at": "2026-01-02T00:00:00.000Z",
        "processed_at": null})
}

pub fn refund() -> Value {
    json!({"success": true, "data": refund_object()})
}

pub fn refunds() -> Value {
    json!({"success": true, "data": [refund_object()],
        "pagination": {"limit": 50, "next_cursor": null, "has_more": false}})
}

pub fn issued() -> Value {
    let mut first = tickets::example();
    let all = json!([first.clone()]);
    if let Some(fields) = first.as_object_mut() {
        fields.insert("tickets".to_owned(), all);
    }
    json!({"success": true, "data": first})
}

fn customer_object() -> Value {
    json!({"_id": "cus_01", "id": "cus_01", "mode": "test", "email": "ana@example.com",
        "name": "Ana Lopez", "phone": null,
        "address": {"line1": "Mayor 1", "line2": null, "city": "Madrid", "state": null,
            "postal_code": null, "country": "ES"},
        "metadata": {}, "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z"})
}

pub fn customer() -> Value {
    json!({"success": true, "data": customer_object()})
}

pub fn customers() -> Value {
    json!({"success": true, "data": [customer_object()],
        "pagination": {"limit": 50, "next_cursor": null, "has_more": false}})
}

pub fn created() -> Value {
    let mut created = object("pending");
    if let Some(fields) = created.as_object_mut() {
        let secret = "pay_01_secret_5m7w2k9t4n8q3xb6c5de";
        fields.insert("client_secret".to_owned(), json!(secret));
    }
    json!({"success": true, "data": created})
}
