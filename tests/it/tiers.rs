//! Price tiers: in their order, by time and by quantity, on into the next, and open again.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Reply, TestApp};

/// Two at 10, three at 15, the rest at 20.
fn three_tiers() -> Value {
    json!({"capacity": 10, "prices": [{"name": "Early", "price": 10, "quantity": 2},
        {"name": "Regular", "price": 15, "quantity": 3}, {"name": "Late", "price": 20}]})
}

async fn buy(app: &TestApp, body: Value) -> Reply {
    let mut body = body;
    body["send_resources"] = json!(false);
    app.post(&app.seed.channel, "/v1/payments", body).await
}

/// Quantity and unit price of each item.
fn items(payment: &Value) -> Vec<(i64, Value)> {
    let items = payment["items"].as_array().unwrap().iter();
    items.map(|item| (item["quantity"].as_i64().unwrap(), item["unit_price"].clone())).collect()
}

async fn rate_of(app: &TestApp, rate: &str) -> Value {
    app.get(&app.seed.channel, &format!("/v1/ticket-rates/{rate}")).await.data(200).clone()
}

on_both! {
    async fn a_quantity_goes_on_in_the_next_tier(app: &TestApp) {
        let (_, rate) = app.on_sale(three_tiers()).await;
        let read = rate_of(app, &rate).await;
        assert_eq!(read["current_price"]["name"], "Early");
        assert_eq!(read["availability"]["available"], 10);
        let body = json!({"rate_id": rate, "quantity": 4});
        let mut wrong = body.clone();
        wrong["expected_total"] = json!(40);
        assert_eq!(buy(app, wrong).await.refused(409, "price_changed")["total"], 50);
        let first = buy(app, body).await.data(201).clone();
        assert_eq!(items(&first), [(2, json!(10)), (2, json!(15))]);
        assert_eq!((&first["total"]["amount"], &first["num_tickets"]), (&json!(50), &json!(4)));
        let read = rate_of(app, &rate).await;
        assert_eq!(read["current_price"]["name"], "Regular");
        assert_eq!(read["prices"][0]["used"], 2);
        let second = buy(app, json!({"rate_id": rate, "quantity": 2})).await.data(201).clone();
        assert_eq!(items(&second), [(1, json!(15)), (1, json!(20))]);
        // What is given up opens its tier again; a payment keeps its prices.
        let cancel = format!("/v1/payments/{}/cancel", first["_id"].as_str().unwrap());
        app.post(&app.seed.channel, &cancel, json!({})).await.data(200);
        assert_eq!(rate_of(app, &rate).await["current_price"]["name"], "Early");
        let third = buy(app, json!({"rate_id": rate, "quantity": 5})).await.data(201).clone();
        assert_eq!(items(&third), [(2, json!(10)), (2, json!(15)), (1, json!(20))]);
        let short = buy(app, json!({"rate_id": rate, "quantity": 4})).await;
        assert_eq!(short.refused(422, "sold_out")["left"], 3);
        let tickets = app.get(&app.seed.channel,
            &format!("/v1/tickets?payment_id={}", third["_id"].as_str().unwrap())).await;
        let mut prices: Vec<String> = tickets.data(200).as_array().unwrap().iter()
            .map(|ticket| ticket["price"]["name"].as_str().unwrap().to_owned()).collect();
        prices.sort();
        assert_eq!(prices, ["Early", "Early", "Late", "Regular", "Regular"]);
    }

    async fn tiers_end_by_time_too(app: &TestApp) {
        let soon = app.clock.now().plus_seconds(3600).rfc3339();
        let (_, rate) = app.on_sale(json!({"prices": [
            {"name": "Early", "price": 10, "quantity": 5, "valid_until": soon},
            {"name": "Regular", "price": 15, "quantity": 1}]})).await;
        let held = buy(app, json!({"rate_id": rate, "quantity": 4})).await.data(201).clone();
        let mixed = buy(app, json!({"rate_id": rate, "quantity": 2})).await.data(201).clone();
        assert_eq!(items(&mixed), [(1, json!(10)), (1, json!(15))]);
        app.advance(3601);
        app.drain().await;
        // All is free again, but the first tier is over.
        for payment in [&held, &mixed] {
            let path = format!("/v1/payments/{}", payment["_id"].as_str().unwrap());
            let read = app.get(&app.seed.channel, &path).await;
            assert_eq!(read.data(200)["status"], "expired");
        }
        let read = rate_of(app, &rate).await;
        assert_eq!(read["current_price"]["name"], "Regular");
        assert_eq!(read["availability"]["available"], 1);
        let two = buy(app, json!({"rate_id": rate, "quantity": 2})).await;
        assert_eq!(two.refused(422, "sold_out")["left"], 1);
        buy(app, json!({"rate_id": rate})).await.data(201);
        let read = rate_of(app, &rate).await;
        assert_eq!((&read["current_price"], &read["available"]), (&Value::Null, &json!(false)));
    }

    async fn a_pinned_tier_is_that_one_or_none(app: &TestApp) {
        let (_, rate) = app.on_sale(three_tiers()).await;
        let prices = rate_of(app, &rate).await["prices"].clone();
        let item = |tier: usize, quantity: i64| {
            json!({"rate_id": rate, "price_id": prices[tier]["_id"], "quantity": quantity})
        };
        for wrong in [json!([item(0, 3)]), json!([item(1, 1)]),
            json!([item(0, 1), item(1, 1)])] {
            let refused = buy(app, json!({"items": wrong})).await;
            refused.refused(422, "price_unavailable");
        }
        assert_eq!(app.availability(&rate).await["held"], 0);
        // In their order, each what is left: as a channel shows them.
        let all = json!({"items": [item(0, 2), item(1, 3), item(2, 1)]});
        let made = buy(app, all).await.data(201).clone();
        assert_eq!(items(&made), [(2, json!(10)), (3, json!(15)), (1, json!(20))]);
        // Lines of one rate share its tiers, whichever way they are written.
        let (_, rate) = app.on_sale(three_tiers()).await;
        let two = json!({"rate_id": rate, "quantity": 2});
        let made = buy(app, json!({"items": [two, two]})).await.data(201).clone();
        assert_eq!(items(&made), [(2, json!(10)), (2, json!(15))]);
    }

    async fn racers_at_the_edge_of_a_tier_each_get_a_price_that_is_there(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"prices": [{"price": 10, "quantity": 20},
            {"price": 15, "quantity": 20}, {"price": 20, "quantity": 20}]})).await;
        let racers = (0..40).map(|racer| {
            let body = json!({"rate_id": rate, "quantity": racer % 3 + 1});
            async move {
                loop {
                    let reply = buy(app, body.clone()).await;
                    if reply.status != 503 {
                        return reply;
                    }
                }
            }
        });
        let replies = futures_util::future::join_all(racers).await;
        let mut sold: BTreeMap<String, i64> = BTreeMap::new();
        for reply in &replies {
            match reply.status {
                201 => {
                    for (count, price) in items(reply.data(201)) {
                        *sold.entry(price.to_string()).or_default() += count;
                    }
                }
                _ => { reply.refused(422, "sold_out"); }
            }
        }
        // 79 wanted, 60 there: no tier sold one too many, and what is left is less than the
        // smallest that was refused.
        assert!(sold.values().all(|count| *count <= 20), "{sold:?}");
        assert_eq!((sold["10"], sold["15"]), (20, 20), "{sold:?}");
        let read = rate_of(app, &rate).await;
        for tier in read["prices"].as_array().unwrap() {
            assert_eq!(tier["used"].as_i64().unwrap(), sold[&tier["price"].to_string()]);
        }
        assert!(read["availability"]["available"].as_i64().unwrap() <= 2);
    }

    async fn a_rate_is_found_by_its_slug_and_deleted_unsold(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({"name": "Front Row"})).await;
        let path = |slug: &str| format!("/v1/ticket-rates/by-slug/{slug}?event_id={event}");
        let found = app.get(&app.seed.channel, &path("front-row")).await;
        assert_eq!(found.data(200)["_id"], rate.as_str());
        app.get(&app.seed.channel, &path("back-row")).await.refused(404, "not_found");
        app.get(&app.seed.other_channel, &path("front-row")).await.refused(404, "not_found");
        let delete = |id: String| async move {
            let path = format!("/v1/ticket-rates/{id}");
            app.send(app.request(reqwest::Method::DELETE, &path)
                .header("X-Api-Key", &app.seed.org).json(&json!({}))).await
        };
        delete(rate.clone()).await.refused(422, "not_publishable");
        let second = app.rate(&event, json!({"name": "Second"})).await;
        // Bought at a price that is remembered: after the deletion it is not there.
        app.pending(&second, 1).await;
        delete(second).await.refused(409, "has_sales");
        assert_eq!(delete(rate.clone()).await.data(200)["deleted"], true);
        delete(rate.clone()).await.refused(404, "not_found");
        buy(app, json!({"rate_id": rate})).await.refused(404, "not_found");
        let kinds = app.changes(&app.seed.org).await;
        assert!(kinds.iter().any(|change| change["type"] == "ticket_rate.deleted"));
    }

    async fn a_tier_is_not_cut_below_what_is_committed(app: &TestApp) {
        let (_, rate) = app.on_sale(three_tiers()).await;
        buy(app, json!({"rate_id": rate, "quantity": 4})).await.data(201);
        let prices = rate_of(app, &rate).await["prices"].clone();
        let tier = |index: usize, quantity: i64| json!({"_id": prices[index]["_id"],
            "price": prices[index]["price"], "quantity": quantity});
        let path = format!("/v1/ticket-rates/{rate}");
        let cut = json!({"prices": [tier(0, 2), tier(1, 1)]});
        let refused = app.patch(&app.seed.org, &path, cut).await;
        refused.refused(422, "below_committed");
        assert_eq!(refused.fields(), ["prices[1].quantity"]);
        let refused = app.patch(&app.seed.org, &path, json!({"capacity": 3})).await;
        assert_eq!(refused.fields(), ["capacity"]);
        let fits = json!({"capacity": 4, "prices": [tier(0, 2), tier(1, 2)]});
        app.patch(&app.seed.org, &path, fits).await.data(200);
        buy(app, json!({"rate_id": rate})).await.refused(422, "sold_out");
    }
}
