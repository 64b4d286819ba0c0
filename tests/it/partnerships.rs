//! Partnerships over HTTP: offered, accepted, changed, suspended, resumed, ended.

use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::people::Person;
use crate::support::seed::{GOOD_CARD, card};
use crate::support::{Reply, TestApp};

const PATH: &str = "/v1/partnerships";

/// An organization and a channel that signed up themselves, with an event on sale.
struct Two {
    owner: Person,
    guide: Person,
    event: String,
    rate: String,
}

async fn ask(app: &TestApp, by: &Person, method: Method, path: &str, body: Value) -> Reply {
    app.ask_as(&by.access, method, path, body).await
}

async fn two(app: &TestApp) -> Two {
    let owner = app.owner("owner@example.com").await;
    let guide = app.channel_founder("guide@example.com").await;
    let event = json!({"title": "Opening", "venue": "Hall", "start_date": "2090-01-01T20:00:00Z"});
    let event = ask(app, &owner, Method::POST, "/v1/events", event).await;
    let event = event.data(201)["_id"].as_str().unwrap().to_owned();
    let rate = json!({"event_id": event, "name": "Entry", "prices": [{"price": 20}]});
    let rate = ask(app, &owner, Method::POST, "/v1/ticket-rates", rate).await;
    let rate = rate.data(201)["_id"].as_str().unwrap().to_owned();
    let publish = format!("/v1/events/{event}/publish");
    ask(app, &owner, Method::POST, &publish, json!({})).await.data(200);
    Two { owner, guide, event, rate }
}

fn offer() -> Value {
    json!({"channel_slug": "night-guide", "collects": "platform",
        "commission": {"type": "percentage", "quantity": 5}})
}

impl Two {
    async fn act(&self, app: &TestApp, by: &Person, action: &str, id: &str) -> Reply {
        ask(app, by, Method::POST, &format!("{PATH}/{id}/{action}"), json!({})).await
    }

    /// What the channel finds: of the event, and when it buys.
    async fn sells(&self, app: &TestApp) -> (u16, u16) {
        let path = format!("/v1/events/{}", self.event);
        let seen = ask(app, &self.guide, Method::GET, &path, Value::Null).await;
        (seen.status, self.buy(app).await.status)
    }

    async fn buy(&self, app: &TestApp) -> Reply {
        let body = json!({"rate_id": self.rate, "send_resources": false});
        ask(app, &self.guide, Method::POST, "/v1/payments", body).await
    }

    async fn partners(&self, app: &TestApp) -> String {
        let made = ask(app, &self.owner, Method::POST, PATH, offer()).await;
        let id = made.data(201)["_id"].as_str().unwrap().to_owned();
        self.act(app, &self.guide, "accept", &id).await.data(200);
        id
    }
}

on_both! {
    async fn a_channel_sells_once_it_has_accepted(app: &TestApp) {
        let two = two(app).await;
        let made = ask(app, &two.owner, Method::POST, PATH, offer()).await;
        assert_eq!(made.data(201)["status"], "invited");
        assert_eq!(made.data(201)["commission"], json!({"type": "percentage", "quantity": 5}));
        let id = made.data(201)["_id"].as_str().unwrap().to_owned();
        assert_eq!(two.sells(app).await, (404, 404));
        ask(app, &two.owner, Method::POST, PATH, offer()).await.refused(409, "partnership_exists");
        two.act(app, &two.owner, "accept", &id).await.refused(403, "wrong_principal");
        // The channel finds the offer among its own, and sees what the organization sees.
        let listed = ask(app, &two.guide, Method::GET, "/v1/partnerships?status=invited", Value::Null);
        assert_eq!(listed.await.body["data"][0], *made.data(201));
        let accepted = two.act(app, &two.guide, "accept", &id).await;
        assert_eq!(accepted.data(200)["status"], "active");
        assert_eq!(two.sells(app).await, (200, 201));
        two.act(app, &two.guide, "accept", &id).await.refused(409, "wrong_status");
        // Both are told, in their feeds.
        app.drain().await;
        for side in [&two.owner, &two.guide] {
            let feed = ask(app, side, Method::GET, "/v1/changes", Value::Null).await;
            let told: Vec<&str> = feed.body["data"].as_array().unwrap().iter()
                .filter(|change| change["type"] == "partnership.updated")
                .map(|change| change["data"]["object"]["status"].as_str().unwrap()).collect();
            assert_eq!(told, ["invited", "active"]);
        }
    }

    async fn changed_terms_wait_for_the_channel_and_touch_no_payment(app: &TestApp) {
        let two = two(app).await;
        let id = two.partners(app).await;
        let path = format!("{PATH}/{id}");
        let before = two.buy(app).await;
        let change = json!({"collects": "channel", "on_account": true,
            "commission": {"type": "fixed", "quantity": 1.5}});
        let proposed = ask(app, &two.owner, Method::PATCH, &path, change).await;
        assert_eq!(proposed.data(200)["collects"], "platform");
        assert_eq!(proposed.data(200)["proposed"], json!({"collects": "channel",
            "commission": {"type": "fixed", "quantity": 1.5}, "on_account": true}));
        assert_eq!(two.buy(app).await.data(201)["collects"], "platform");
        ask(app, &two.guide, Method::PATCH, &path, json!({"on_account": true})).await
            .refused(403, "wrong_principal");
        // What was not seen is not accepted.
        let seen = json!({"version": proposed.data(200)["version"]});
        ask(app, &two.owner, Method::PATCH, &path,
            json!({"commission": {"type": "fixed", "quantity": 0}})).await.data(200);
        let accept = format!("{path}/accept");
        ask(app, &two.guide, Method::POST, &accept, seen).await.refused(409, "terms_changed");
        let accepted = two.act(app, &two.guide, "accept", &id).await;
        assert_eq!(accepted.data(200)["commission"], json!({"type": "fixed", "quantity": 0}));
        assert_eq!(accepted.data(200)["proposed"], Value::Null);
        assert_eq!(two.buy(app).await.data(201)["collects"], "channel");
        // The payment of before is still the platform's to collect.
        let pay = format!("/v1/payments/{}/pay", before.data(201)["_id"].as_str().unwrap());
        let paid = ask(app, &two.guide, Method::POST, &pay, card(GOOD_CARD)).await;
        assert_eq!(paid.data(200)["status"], "paid");
        // Proposing what holds already proposes nothing.
        let same = ask(app, &two.owner, Method::PATCH, &path, json!({"on_account": true})).await;
        assert_eq!(same.data(200)["proposed"], Value::Null);
    }

    async fn either_side_suspends_and_ends(app: &TestApp) {
        let two = two(app).await;
        let id = two.partners(app).await;
        for (by, other) in [(&two.owner, &two.guide), (&two.guide, &two.owner)] {
            let pending = two.buy(app).await;
            let payment = pending.data(201)["_id"].as_str().unwrap().to_owned();
            let suspended = two.act(app, by, "suspend", &id).await;
            assert_eq!(suspended.data(200)["status"], "suspended");
            assert_eq!(two.sells(app).await, (404, 404));
            two.act(app, other, "suspend", &id).await.refused(409, "wrong_status");
            two.act(app, other, "resume", &id).await.refused(403, "wrong_principal");
            // What is pending may finish, and what was sold stays readable.
            let pay = format!("/v1/payments/{payment}/pay");
            ask(app, &two.guide, Method::POST, &pay, card(GOOD_CARD)).await.data(200);
            let read = format!("/v1/payments/{payment}");
            let read = ask(app, &two.guide, Method::GET, &read, Value::Null).await;
            assert_eq!(read.data(200)["status"], "paid");
            two.act(app, by, "resume", &id).await.data(200);
            assert_eq!(two.sells(app).await, (200, 201));
        }
        let ended = two.act(app, &two.guide, "end", &id).await;
        assert_eq!(ended.data(200)["status"], "ended");
        assert_eq!(two.sells(app).await, (404, 404));
        let again = two.act(app, &two.owner, "resume", &id).await;
        assert_eq!(again.refused(409, "wrong_status")["allowed_actions"], json!(["create"]));
        // Offered anew, it is another one.
        let anew = ask(app, &two.owner, Method::POST, PATH, offer()).await;
        assert_eq!(anew.data(201)["status"], "invited");
        assert_ne!(anew.data(201)["_id"], id.as_str());
        two.act(app, &two.guide, "accept", &id).await.refused(404, "not_found");
    }

    async fn an_offer_says_everything_that_is_wrong(app: &TestApp) {
        let two = two(app).await;
        let make = |body: Value| {
            let access = two.owner.access.clone();
            async move { app.ask_as(&access, Method::POST, PATH, body).await }
        };
        let wrong = make(json!({"channel_slug": "No Slug", "collects": "nobody",
            "commission": {"type": "percentage"}})).await;
        assert_eq!(wrong.fields(), ["channel_slug", "collects", "commission.quantity"]);
        let mut neither = offer();
        neither.as_object_mut().unwrap().remove("channel_slug");
        assert_eq!(make(neither).await.fields(), ["channel_id"]);
        for (commission, field) in [
            (json!({"type": "percentage", "quantity": 101}), "commission.quantity"),
            (json!({"type": "fixed", "quantity": 1.005}), "commission.quantity"),
        ] {
            let mut body = offer();
            body["commission"] = commission;
            assert_eq!(make(body).await.fields(), [field]);
        }
        let mut unknown = offer();
        unknown["channel_slug"] = json!("nobody");
        make(unknown).await.refused(404, "not_found");
    }
}
