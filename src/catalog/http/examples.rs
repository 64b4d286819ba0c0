//! Examples of the API document; a test validates each against its schema.

use serde_json::{Value, json};

fn price() -> Value {
    json!({"_id": "price_01", "id": "price_01", "name": "General admission", "price": 20,
        "valid_until": null, "quantity": null, "used": 12, "fee_type": "percentage",
        "fee_quantity": 3, "includes": null, "additional_info": null})
}

fn rate_object() -> Value {
    json!({"_id": "rate_01", "id": "rate_01", "organization_id": "org_01", "event_id": "evt_01",
        "name": "General admission", "slug": "general-admission", "description": null,
        "type": "limited", "valid_from": null, "valid_until": null, "complete": false, "min": 1,
        "max": 100, "max_per_buyer": null, "capacity": 300, "hidden": false, "currency": "EUR",
        "prices": [price()], "current_price": price(), "available": true,
        "availability": {"sold": 10, "held": 2, "available": 288},
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z"})
}

fn event_object(status: &str) -> Value {
    json!({"_id": "evt_01", "id": "evt_01", "organization_id": "org_01", "number": 1,
        "status": status, "title": "Opening Night", "name": "Opening Night",
        "slug": "opening-night-1", "description": null, "start_date": "2030-12-31T22:00:00.000Z",
        "end_date": null, "display_date": null, "timezone": "Europe/Madrid",
        "venue": "Sala Apolo", "location_id": "loc_01", "location": location_object(),
        "capacity": 500, "currency": "EUR", "age": null, "outfit": null,
        "image_url": null, "artists": [], "music_genres": [], "ambiences": [],
        "visibility": "public", "language": null, "metadata": {},
        "ticket_rates": [rate_object()], "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z"})
}

fn list(row: Value) -> Value {
    json!({"success": true, "data": [row],
        "pagination": {"limit": 50, "next_cursor": null, "has_more": false}})
}

pub fn event(status: &str) -> Value {
    json!({"success": true, "data": event_object(status)})
}

pub fn events() -> Value {
    list(event_object("published"))
}

pub fn rate() -> Value {
    json!({"success": true, "data": rate_object()})
}

pub fn rates() -> Value {
    list(rate_object())
}

fn location_object() -> Value {
    json!({"_id": "loc_01", "id": "loc_01", "organization_id": "org_01", "name": "Sala Apolo",
        "address": "Nou de la Rambla 113", "address_line2": null, "postal_code": "08004",
        "city": "Barcelona", "state": null, "country": "ES", "latitude": 41.3745,
        "longitude": 2.1697, "timezone": "Europe/Madrid",
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z"})
}

pub fn location() -> Value {
    json!({"success": true, "data": location_object()})
}

pub fn locations() -> Value {
    list(location_object())
}
