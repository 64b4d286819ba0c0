//! Publishable keys: what a buyer's browser may see and do, and nothing else.

use reqwest::Method;
use serde_json::{Value, json};

use crate::contract::{Caller, operations};
use crate::on_both;
use crate::support::seed::{GOOD_CARD, card};
use crate::support::{Reply, TestApp};

async fn publishable(app: &TestApp, key: &str) -> String {
    let body = json!({"name": "Shop window", "kind": "publishable"});
    let made = app.post(key, "/v1/api-keys", body).await.data(201).clone();
    assert_eq!((&made["kind"], &made["scopes"]), (&json!("publishable"), &json!([])));
    made["key"].as_str().unwrap().to_owned()
}

/// A pending payment of the channel with its secret.
async fn payment(app: &TestApp, rate: &str) -> (String, String) {
    let body = json!({"rate_id": rate, "send_resources": false, "metadata": {"user": "u-1"},
        "reference": format!("r-{}", rand::random::<u32>())});
    let made = app.post(&app.seed.channel, "/v1/payments", body).await.data(201).clone();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("_id"), text("client_secret"))
}

async fn pay(app: &TestApp, key: &str, id: &str, secret: Value) -> Reply {
    let mut body = card(GOOD_CARD);
    body["client_secret"] = secret;
    app.post(key, &format!("/v1/payments/{id}/pay"), body).await
}

on_both! {
    async fn a_browser_reads_and_pays_its_own_payment(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let window = publishable(app, &app.seed.channel).await;
        assert!(window.starts_with("pk_test_"));
        let (id, secret) = payment(app, &rate).await;
        let path = format!("/v1/payments/{id}");
        app.get(&window, &path).await.refused(400, "validation_error");
        let (other, others) = payment(app, &rate).await;
        for wrong in [others.as_str(), "x", &secret[..secret.len() - 1]] {
            let path = format!("{path}?client_secret={wrong}");
            app.get(&window, &path).await.refused(404, "not_found");
            pay(app, &window, &id, json!(wrong)).await.refused(404, "not_found");
        }
        // Another tenant's window does not open it, even with its secret.
        for foreign in [&app.seed.other_channel, &app.seed.collecting] {
            let foreign = publishable(app, foreign).await;
            let path = format!("{path}?client_secret={secret}");
            app.get(&foreign, &path).await.refused(404, "not_found");
            pay(app, &foreign, &id, json!(secret)).await.refused(404, "not_found");
        }
        let read = app.get(&window, &format!("{path}?client_secret={secret}")).await;
        let read = read.data(200);
        assert_eq!((&read["status"], &read["total"]["amount"]), (&json!("pending"), &json!(20.6)));
        assert!(read["expires_at"].is_string() && read["items"][0]["quantity"] == 1);
        assert_eq!((&read["metadata"], &read["reference"]), (&Value::Null, &Value::Null));
        pay(app, &window, &id, Value::Null).await.refused(400, "validation_error");
        let paid = pay(app, &window, &id, json!(secret)).await.data(200).clone();
        assert_eq!((&paid["status"], &paid["metadata"]), (&json!("paid"), &Value::Null));
        // Secret keys need none.
        app.get(&app.seed.channel, &format!("/v1/payments/{other}")).await.data(200);
        // The organization's window is not the creator's.
        let theirs = publishable(app, &app.seed.org).await;
        pay(app, &theirs, &other, json!(others)).await.refused(403, "wrong_principal");
    }

    async fn a_token_stands_for_a_card(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let window = publishable(app, &app.seed.channel).await;
        let path = "/v1/payment-methods";
        let typed = card(GOOD_CARD)["payment_method"].clone();
        let made = app.post(&window, path, typed.clone()).await.data(201).clone();
        assert_eq!(made["card"]["last4"], "4242");
        let token = made["_id"].as_str().unwrap();
        let by = |token: &str, secret: &str| json!({"client_secret": secret,
            "payment_method": {"type": "card", "token": token}});
        let (id, secret) = payment(app, &rate).await;
        let pay = format!("/v1/payments/{id}/pay");
        let forged = token.replacen("4242", "5126", 1);
        let later = token.replacen("_2", "_9", 1);
        for wrong in ["tok_1", "pm_4242_12_2030_99999999999_0", &forged, &later, "pm_", "pm__"] {
            let refused = app.post(&window, &pay, by(wrong, &secret)).await;
            assert_eq!((refused.status, refused.fields()), (400, vec!["payment_method.token"]));
        }
        let both = json!({"client_secret": secret, "payment_method": {"type": "card",
            "token": token, "card": typed["card"]}});
        let refused = app.post(&window, &pay, both).await;
        assert_eq!(refused.fields(), ["payment_method.token"]);
        // Another tenant's, or another mode's, is nobody's.
        for other in [&app.seed.org, &app.seed.channel_live] {
            let made = app.post(other, path, typed.clone()).await;
            if made.status == 400 {
                made.refused(400, "raw_card_refused");
                assert_eq!(made.fields(), ["card.number"]);
                continue;
            }
            let theirs = made.data(201)["_id"].as_str().unwrap();
            let refused = app.post(&window, &pay, by(theirs, &secret)).await;
            assert_eq!(refused.fields(), ["payment_method.token"]);
        }
        let paid = app.post(&window, &pay, by(token, &secret)).await.data(200).clone();
        assert_eq!(paid["payment_method"]["card"], made["card"]);
        let (id, secret) = payment(app, &rate).await;
        let pay = format!("/v1/payments/{id}/pay");
        app.advance(3580);
        let (fresh, _) = payment(app, &rate).await;
        let in_time = app.post(&app.seed.channel, &format!("/v1/payments/{fresh}/pay"),
            json!({"payment_method": {"type": "card", "token": token}})).await;
        in_time.data(200);
        app.advance(20);
        let refused = app.post(&window, &pay, by(token, &secret)).await;
        assert_eq!(refused.fields(), ["payment_method.token"], "its hour is over");
    }

    async fn a_buyer_does_not_use_up_the_shop_s_keys(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let window = publishable(app, &app.seed.channel).await;
        let (id, secret) = payment(app, &rate).await;
        let mut body = card(GOOD_CARD);
        body["client_secret"] = json!(secret);
        let path = format!("/v1/payments/{id}/pay");
        let paid = app.post_once(&window, "order-1", &path, body.clone()).await;
        paid.data(200);
        let again = app.post_once(&window, "order-1", &path, body).await;
        assert_eq!((again.status, &again.text), (200, &paid.text), "a retry is a replay");
        let buy = json!({"rate_id": rate, "send_resources": false});
        app.post_once(&app.seed.channel, "order-1", "/v1/payments", buy).await.data(201);
    }

    async fn a_replay_shows_the_secret_it_was_stored_without(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let body = json!({"rate_id": rate, "send_resources": false,
            "metadata": {"client_secret": null}});
        let make = || app.post_once(&app.seed.channel, "k-1", "/v1/payments", body.clone());
        let (first, again) = (make().await, make().await);
        assert_eq!(again.headers["idempotent-replayed"], "true");
        assert_eq!(first.text, again.text, "byte for byte");
        let secret = first.data(201)["client_secret"].as_str().unwrap();
        assert!(secret.starts_with(first.data(201)["_id"].as_str().unwrap()));
        if app.backend == crate::support::Backend::Sqlite {
            for file in ["rialto.sqlite3", "rialto.sqlite3-wal"] {
                let bytes = std::fs::read(app.config.data_dir.join(file)).unwrap();
                assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{file}");
            }
        }
    }

    async fn a_window_shows_what_everybody_may_see(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({})).await;
        let draft = app.draft(Value::Null).await;
        let hidden = app.rate(&event, json!({"name": "Crew", "hidden": true})).await;
        let path = format!("/v1/events/{event}");
        app.patch(&app.seed.org, &path, json!({"metadata": {"internal": 1}})).await.data(200);
        for owner in [&app.seed.org, &app.seed.channel] {
            let window = publishable(app, owner).await;
            let seen = app.get(&window, &path).await.data(200).clone();
            assert_eq!(seen["metadata"], Value::Null);
            assert_eq!(seen["ticket_rates"].as_array().unwrap().len(), 1);
            app.get(&window, &format!("/v1/ticket-rates/{rate}")).await.data(200);
            app.get(&window, &format!("/v1/ticket-rates/{hidden}")).await.refused(404, "not_found");
            app.get(&window, &format!("/v1/events/{draft}")).await.refused(404, "not_found");
            let listed = app.get(&window, "/v1/events").await;
            assert_eq!(listed.data(200).as_array().unwrap().len(), 1);
        }
        app.patch(&app.seed.org, &path, json!({"visibility": "unlisted"})).await.data(200);
        let window = publishable(app, &app.seed.org).await;
        assert_eq!(app.get(&window, "/v1/events").await.data(200), &json!([]));
        app.get(&window, &path).await.data(200);
    }

    async fn a_window_does_nothing_else(app: &TestApp) {
        let window = publishable(app, &app.seed.org).await;
        const OPEN: [&str; 10] = ["events.list", "events.read", "events.read_by_slug",
            "ticket_rates.list", "ticket_rates.read", "ticket_rates.read_by_slug",
            "payments.read", "payments.pay", "payment_methods.create", "auth.read"];
        for (path, method, operation) in operations() {
            let id = operation["operationId"].as_str().unwrap();
            let closed = !OPEN.contains(&id) && path.starts_with("/v1");
            if !closed || Caller::of(&operation) == Caller::Nobody {
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path.replace("{id}", "x_1").replace("{slug}", "x");
            let request = app.request(method.clone(), &path).header("X-Api-Key", &window);
            let request = if method == Method::GET { request } else { request.json(&json!({})) };
            let refused = app.send(request).await;
            assert_eq!(refused.status, 403, "{id}: {}", refused.text);
        }
    }

    async fn a_window_stays_one(app: &TestApp) {
        let body = json!({"name": "x", "kind": "publishable", "scopes": ["write:keys"]});
        let refused = app.post(&app.seed.org, "/v1/api-keys", body).await;
        assert_eq!(refused.fields(), ["scopes"]);
        let body = json!({"name": "x", "kind": "publishable", "preset": "admin"});
        assert_eq!(app.post(&app.seed.org, "/v1/api-keys", body).await.fields(), ["preset"]);
        let made = app.post(&app.seed.org, "/v1/api-keys",
            json!({"name": "x", "kind": "publishable"})).await.data(201).clone();
        let path = format!("/v1/api-keys/{}", made["_id"].as_str().unwrap());
        let refused = app.patch(&app.seed.org, &path, json!({"scopes": []})).await;
        assert_eq!(refused.fields(), ["scopes"]);
        let rotated = app.post(&app.seed.org, &format!("{path}/rotate"), json!({})).await;
        let rotated = rotated.data(200)["key"].as_str().unwrap().to_owned();
        assert!(rotated.starts_with("pk_test_"));
        for key in [&rotated, made["key"].as_str().unwrap()] {
            app.get(key, "/v1/events").await.data(200);
            app.get(key, "/v1/payments").await.refused(403, "missing_scope");
        }
    }
}
