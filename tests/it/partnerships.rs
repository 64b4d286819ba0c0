//! Partnerships over HTTP: offered, accepted, changed, suspended, resumed, ended.

use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::people::{PASSWORD, Person, credentials};
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
    async fn a_channel_sees_and_sells_the_rates_it_is_given(app: &TestApp) {
        let two = two(app).await;
        let rate = async |name: &str| {
            let body = json!({"event_id": two.event, "name": name, "prices": [{"price": 5}]});
            let made = ask(app, &two.owner, Method::POST, "/v1/ticket-rates", body).await;
            made.data(201)["_id"].as_str().unwrap().to_owned()
        };
        let crew = rate("Crew").await;
        let mut limited = offer();
        limited["rate_ids"] = json!([two.rate, two.rate]);
        let made = ask(app, &two.owner, Method::POST, PATH, limited).await.data(201).clone();
        assert_eq!(made["rate_ids"], json!([two.rate]));
        let id = made["_id"].as_str().unwrap();
        two.act(app, &two.guide, "accept", id).await.data(200);
        let seen = async || {
            let event = format!("/v1/events/{}", two.event);
            let event = ask(app, &two.guide, Method::GET, &event, Value::Null).await;
            let ids = event.data(200)["ticket_rates"].as_array().unwrap().clone();
            let of_event = format!("/v1/ticket-rates?event_id={}", two.event);
            let listed = ask(app, &two.guide, Method::GET, &of_event, Value::Null).await;
            assert_eq!(listed.data(200).as_array().unwrap(), &ids);
            ids.iter().map(|rate| rate["_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let buy = async |rate: &str| {
            let body = json!({"rate_id": rate, "send_resources": false});
            ask(app, &two.guide, Method::POST, "/v1/payments", body).await
        };
        let read = async |rate: &str| {
            let by_slug = format!("/v1/ticket-rates/by-slug/crew?event_id={}", two.event);
            let by_slug = ask(app, &two.guide, Method::GET, &by_slug, Value::Null).await.status;
            let by_id = format!("/v1/ticket-rates/{rate}");
            (ask(app, &two.guide, Method::GET, &by_id, Value::Null).await.status, by_slug)
        };
        assert_eq!(seen().await, std::slice::from_ref(&two.rate));
        assert_eq!(read(&crew).await, (404, 404));
        buy(&crew).await.refused(404, "not_found");
        let bought = buy(&two.rate).await.data(201)["_id"].as_str().unwrap().to_owned();
        // The organization says what it sells, and it holds at once; no term waits for anybody.
        let path = format!("{PATH}/{id}");
        let narrow = async |rates: Value| {
            let body = json!({"rate_ids": rates});
            ask(app, &two.owner, Method::PATCH, &path, body).await
        };
        let now = narrow(json!([crew])).await.data(200).clone();
        assert_eq!((&now["rate_ids"], &now["proposed"]), (&json!([crew]), &Value::Null));
        assert_eq!(seen().await, std::slice::from_ref(&crew));
        assert_eq!(read(&crew).await, (200, 200));
        let asked = (0..10).map(|_| buy(&two.rate));
        for reply in futures_util::future::join_all(asked).await {
            reply.refused(404, "not_found");
        }
        // What it bought before it may finish.
        let pay = format!("/v1/payments/{bought}/pay");
        ask(app, &two.guide, Method::POST, &pay, card(GOOD_CARD)).await.data(200);
        narrow(json!([])).await.data(200);
        assert_eq!(seen().await, Vec::<String>::new());
        narrow(Value::Null).await.data(200);
        assert_eq!(seen().await.len(), 2);
        buy(&crew).await.data(201);
        // What is not the organization's is told as what is not there.
        let foreign = app.on_sale(json!({})).await.1;
        for unknown in [foreign.as_str(), "rate_00000000000000000000000000", "x"] {
            let refused = narrow(json!([crew, unknown])).await;
            assert_eq!((refused.status, refused.fields()), (400, vec!["rate_ids[1]"]));
        }
        let refused = narrow(json!(vec![crew.clone(); 201])).await;
        assert_eq!(refused.fields(), ["rate_ids"]);
        assert_eq!(seen().await.len(), 2);
    }

    async fn an_offer_is_told_by_mail(app: &TestApp) {
        let two = two(app).await;
        app.drain().await;
        let told = || {
            let mails = app.captured();
            mails.iter().filter(|mail| mail.contains("would like you to sell")).count()
        };
        let made = ask(app, &two.owner, Method::POST, PATH, offer()).await;
        let mut id = made.data(201)["_id"].as_str().unwrap().to_owned();
        app.drain().await;
        assert_eq!(told(), 1);
        let mail = app.captured().into_iter().find(|mail| mail.contains("would like you"));
        let mail = mail.unwrap();
        assert!(mail.contains("To: guide@example.com") && mail.contains(&id), "{mail}");
        // Taken back and repeated, it is not told again the same day.
        for (days, count) in [(0, 1), (1, 2)] {
            two.act(app, &two.owner, "end", &id).await.data(200);
            app.advance(days * 86_400 + 1);
            let session = credentials(&two.owner.email, PASSWORD);
            let session = app.post_as_nobody("/v1/auth/log-in", session).await;
            let again = Person::of(&two.owner.email, session.data(200));
            let made = ask(app, &again, Method::POST, PATH, offer()).await.data(201).clone();
            id = made["_id"].as_str().unwrap().to_owned();
            app.drain().await;
            assert_eq!(told(), count);
        }
    }

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
