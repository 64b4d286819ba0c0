//! The edge: credentials, bodies, unknown paths, health, metrics, stopping.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both;

on_both! {
    async fn three_ways_to_send_a_key(app: &TestApp) {
        let key = app.seed.channel.clone();
        let get = || app.request(Method::GET, "/v1/auth");
        let basic = data_encoding::BASE64.encode(format!("{key}:").as_bytes());
        let ways = [
            get().header("X-Api-Key", &key),
            get().header("Authorization", format!("Bearer {key}")),
            get().header("Authorization", format!("Basic {basic}")),
        ];
        for way in ways {
            let reply = app.send(way).await;
            let data = reply.data(200);
            assert_eq!((&data["message"], &data["mode"]), (&json!("Authed"), &json!("test")));
            assert_eq!(data["channel"]["hosts"][0]["slug"], "apolo");
            assert_eq!(data["organization"], Value::Null);
        }
        let own = app.get(&app.seed.org, "/v1/auth").await;
        assert_eq!(own.data(200)["organization"]["timezone"], "Europe/Madrid");
        assert_eq!(own.data(200)["scopes"][0], "read");
    }

    async fn every_bad_credential_is_the_same_401(app: &TestApp) {
        let key = &app.seed.channel;
        let mut mistyped = key.clone();
        mistyped.replace_range(20..21, if &key[20..21] == "a" { "b" } else { "a" });
        let unknown = rialto::parties::KeySecret::generate(rialto::kernel::Mode::Test);
        let bad = ["", "x", "sk_test_", &mistyped, unknown.expose(), &"k".repeat(5000)];
        for key in bad {
            let reply = app.send(app.request(Method::GET, "/v1/auth").header("X-Api-Key", key)).await;
            let error = reply.refused(401, "unauthorized");
            assert_eq!(error["message"], "No valid credential was sent.");
            assert_eq!(reply.headers["www-authenticate"], "Bearer");
        }
        let none = app.send(app.request(Method::GET, "/v1/auth")).await;
        none.refused(401, "unauthorized");
        let header = app.request(Method::GET, "/v1/auth").header("Authorization", "Basic %%%");
        app.send(header).await.refused(401, "unauthorized");
    }

    async fn a_revoked_or_expired_key_stops_at_once(app: &TestApp) {
        use rialto::db::{Outcome, Scope, Tenant};
        use rialto::kernel::Mode;
        use rialto::parties::{KeySecret, ops};
        let secret = KeySecret::generate(Mode::Test);
        let shown = secret.expose().to_owned();
        let tenant = Tenant::Channel(app.seed.channel_id.clone());
        let expires_at = Some(app.db().now().plus_seconds(3600));
        let new = ops::NewKey { tenant, mode: Mode::Test, name: "k".into(), kind: rialto::parties::KeyKind::Secret, scopes: vec![], expires_at };
        let scope = Scope::platform("tests");
        let make = move |tx: &mut rialto::db::Tx<'_>| Ok(Outcome::Done(ops::create_key(tx, &new, &secret)));
        let key = app.db().write(&scope, make).await.unwrap().into_inner();
        app.get(&shown, "/v1/auth").await.data(200);
        let id = key.id.clone();
        let revoke = move |tx: &mut rialto::db::Tx<'_>| Ok(Outcome::Done(ops::revoke_key(tx, &id)?));
        let still = app.get(&shown, "/v1/auth").await;
        still.data(200);
        app.advance(3601);
        app.get(&shown, "/v1/auth").await.refused(401, "unauthorized");
        app.db().write(&scope, revoke).await.unwrap();
        app.get(&shown, "/v1/auth").await.refused(401, "unauthorized");
    }

    async fn the_mode_header_must_agree_with_the_key(app: &TestApp) {
        let get = |mode: &str| {
            let request = app.request(Method::GET, "/v1/auth").header("X-Api-Key", &app.seed.channel);
            app.send(request.header("Rialto-Mode", mode))
        };
        get("test").await.data(200);
        get("live").await.refused(400, "mode_mismatch");
        assert_eq!(get("prod").await.fields(), ["Rialto-Mode"]);
    }

    async fn bodies_are_bounded_and_are_json(app: &TestApp) {
        let post = |kind: &'static str, body: String| {
            let request = app.request(Method::POST, "/v1/events").header("X-Api-Key", &app.seed.org);
            app.send(request.header("Content-Type", kind).body(body))
        };
        let json = "application/json";
        let large = format!("{{\"title\": \"{}\"}}", "x".repeat(70_000));
        post(json, large).await.refused(413, "body_too_large");
        post("text/plain", "{}".into()).await.refused(415, "unsupported_media_type");
        post(json, "{\"title\":".into()).await.refused(400, "validation_error");
        post(json, "[]".into()).await.refused(400, "validation_error");
        post(json, "{\"title\": \"a\\u0000b\"}".into()).await.refused(400, "validation_error");
        let deep = format!("{{\"metadata\": {}1{}}}", "[".repeat(60), "]".repeat(60));
        post(json, deep).await.refused(400, "validation_error");
        let nested = format!("{{\"metadata\": {}1{}}}", "[".repeat(600), "]".repeat(600));
        post(json, nested).await.refused(400, "validation_error");
        post("application/json; charset=utf-8", "{\"title\": \"ok\"}".into()).await.data(201);
    }

    async fn unknown_paths_and_methods(app: &TestApp) {
        app.get(&app.seed.org, "/v1/nope").await.refused(404, "not_found");
        app.get(&app.seed.org, "/").await.refused(404, "not_found");
        app.get(&app.seed.org, "/v1/events/by-slug/%00").await.refused(404, "not_found");
        app.get(&app.seed.org, "/v1/events/9999999999999999999999").await.refused(404, "not_found");
        let delete = app.request(Method::DELETE, "/v1/auth").header("X-Api-Key", &app.seed.org);
        app.send(delete).await.refused(405, "method_not_allowed");
    }

    async fn health_metrics_and_documents(app: &TestApp) {
        let get = |path: &'static str| app.send(app.request(Method::GET, path));
        assert_eq!(get("/health/live").await.body, json!({"status": "live"}));
        assert_eq!(get("/health/ready").await.body, json!({"status": "ready"}));
        let metrics = get("/metrics").await;
        assert!(metrics.text.contains("rialto_http_request_seconds"), "{}", metrics.text);
        let document = get("/openapi.json").await;
        assert_eq!(document.body["info"]["title"], "Rialto");
        let page = get("/docs").await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("swagger-ui"), "{}", page.text);
        assert!(!page.text.contains("//cdn") && !page.text.contains("https://"), "offline");
        let script = get("/docs/swagger-initializer.js").await;
        assert!(script.text.contains("/openapi.json"), "{}", script.text);
        assert_eq!(document.headers["x-content-type-options"], "nosniff");
    }

    async fn an_error_says_everything_once(app: &TestApp) {
        let reply = app.get(&app.seed.org, "/v1/payments/pay_x").await;
        let error = reply.refused(404, "not_found").as_object().unwrap();
        let names: Vec<&str> = error.keys().map(String::as_str).collect();
        let mut expected = vec!["type", "code", "message", "details", "errors", "retryable",
            "request_id", "doc_url"];
        let mut found = names.clone();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(error["request_id"], reply.headers["x-request-id"].to_str().unwrap());
        assert_eq!(reply.body["success"], false);
    }

    async fn a_stopping_server_answers_what_it_has_begun(app: &TestApp) {
        // A long poll is in progress while the server is told to stop.
        let poll = app.get(&app.seed.org, "/v1/changes?wait=1");
        let stop = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            app.stop().await;
        };
        let (reply, ()) = futures_util::future::join(poll, stop).await;
        assert_eq!(reply.status, 200);
        let after = app.request(Method::GET, "/health/live").send().await;
        assert!(after.is_err(), "the door is closed");
    }
}
