//! Pages on other origins: they may ask with a key, and get nothing by a cookie.

use reqwest::Method;
use serde_json::json;

use crate::on_both;
use crate::support::{Reply, TestApp};

const SHOP: &str = "https://shop.example";

async fn ask_first(app: &TestApp, path: &str, method: &str, headers: &str) -> Reply {
    let request = app
        .request(Method::OPTIONS, path)
        .header("Origin", SHOP)
        .header("Access-Control-Request-Method", method)
        .header("Access-Control-Request-Headers", headers);
    app.send(request).await
}

fn allowed<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.get(format!("access-control-{name}")).map(|value| value.to_str().unwrap())
}

on_both! {
    async fn a_shops_page_reads_and_pays_with_a_publishable_key(app: &TestApp) {
        let body = json!({"name": "Shop", "kind": "publishable"});
        let key = app.post(&app.seed.channel, "/v1/api-keys", body).await.data(201)["key"].clone();
        let (_, rate) = app.on_sale(json!({})).await;
        let body = json!({"rate_id": rate, "buyer": {"email": "ana@example.com"}});
        let made = app.post(&app.seed.channel, "/v1/payments", body).await.data(201).clone();
        let id = made["_id"].as_str().unwrap();
        let pay = format!("/v1/payments/{id}/pay");
        let asked = ask_first(app, &pay, "POST", "content-type,idempotency-key,x-api-key").await;
        assert_eq!(asked.status, 200, "{}", asked.text);
        assert_eq!(allowed(&asked, "allow-origin"), Some("*"));
        assert!(allowed(&asked, "allow-methods").unwrap().contains("POST"));
        let headers = allowed(&asked, "allow-headers").unwrap().to_lowercase();
        for name in ["content-type", "idempotency-key", "x-api-key"] {
            assert!(headers.contains(name), "{headers}");
        }
        assert_eq!(allowed(&asked, "allow-credentials"), None);
        assert!(asked.headers.contains_key("x-request-id"));
        let mut body = crate::support::seed::card(crate::support::seed::GOOD_CARD);
        body["client_secret"] = made["client_secret"].clone();
        let request = app.request(Method::POST, &pay).header("Origin", SHOP);
        let request = request.header("X-Api-Key", key.as_str().unwrap()).json(&body);
        let paid = app.send(request).await;
        assert_eq!(paid.data(200)["status"], "paid");
        assert_eq!(allowed(&paid, "allow-origin"), Some("*"));
        assert!(allowed(&paid, "expose-headers").unwrap().contains("x-request-id"));
        assert_eq!(allowed(&paid, "allow-credentials"), None);
        // What goes wrong can be read too.
        for path in ["/v1/events", "/v1/nothing"] {
            let refused = app.send(app.request(Method::GET, path).header("Origin", SHOP)).await;
            assert!(refused.status == 401 || refused.status == 404, "{}", refused.text);
            assert_eq!(allowed(&refused, "allow-origin"), Some("*"), "{path}");
        }
    }

    async fn pages_of_this_server_are_closed_to_others(app: &TestApp) {
        for path in ["/dev/mail", "/account/reset", "/health/ready", "/metrics", "/docs/"] {
            let asked = ask_first(app, path, "GET", "x-api-key").await;
            let got = app.send(app.request(Method::GET, path).header("Origin", SHOP)).await;
            for reply in [asked, got] {
                assert_eq!(allowed(&reply, "allow-origin"), None, "{path}");
            }
        }
        // A session's cookie does nothing for another site's page.
        let request = app.request(Method::POST, "/v1/auth/refresh").header("Origin", SHOP);
        let refused = app.send(request.header("Cookie", "rialto_refresh=x").json(&json!({}))).await;
        refused.refused(403, "cross_site");
    }

    async fn what_asks_badly_is_no_fault_of_the_server(app: &TestApp) {
        for (method, headers) in [("@@", "x"), ("", ""), ("GET", "@@, ,"), ("BREW", "\u{e9}")] {
            let asked = ask_first(app, "/v1/events", method, headers).await;
            assert!(asked.status < 500, "{method} {headers}: {}", asked.text);
        }
    }
}
