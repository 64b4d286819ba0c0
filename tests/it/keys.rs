//! API keys over HTTP: made, rotated, changed, revoked, and never above oneself.

use reqwest::Method;
use rialto::parties::ops::note_uses;
use rialto::web::permission::Role;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;

const KEYS: &str = "/v1/api-keys";

async fn status(app: &TestApp, key: &str) -> u16 {
    app.get(key, "/v1/auth").await.status
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

on_both! {
    async fn a_key_is_shown_once_and_kept_nowhere(app: &TestApp) {
        let body = json!({"name": "Web shop", "scopes": ["write:payments"]});
        let made = app.post_once(&app.seed.org, "once", KEYS, body.clone()).await;
        let secret = text(&made.data(201)["key"]);
        assert!(secret.starts_with("sk_test_"));
        assert_eq!(made.data(201)["scopes"], json!(["read", "write:payments"]));
        assert_eq!(status(app, &secret).await, 200);
        let replay = app.post_once(&app.seed.org, "once", KEYS, body).await;
        assert_eq!(replay.headers["idempotent-replayed"], "true");
        assert_eq!(replay.data(201)["key"], Value::Null);
        assert_eq!(replay.data(201)["_id"], made.data(201)["_id"]);
        let path = format!("{KEYS}/{}", text(&made.data(201)["_id"]));
        for listed in [app.get(&app.seed.org, KEYS).await, app.get(&app.seed.org, &path).await] {
            assert_eq!(listed.status, 200);
            assert!(!listed.text.contains("sk_test_"));
        }
        // A key of one mode knows nothing of the other's.
        app.get(&app.seed.org_live, &path).await.refused(404, "not_found");
        let revoked = app.send(app.request(Method::DELETE, &path)
            .header("X-Api-Key", &app.seed.org)).await;
        assert_eq!(revoked.data(200)["deleted"], true);
        assert_eq!(status(app, &secret).await, 401);
        app.get(&app.seed.org, &path).await.refused(404, "not_found");
    }

    async fn a_rotated_key_has_two_secrets_for_a_day(app: &TestApp) {
        let made = app.post(&app.seed.org, KEYS, json!({"name": "K", "preset": "viewer"})).await;
        let first = text(&made.data(201)["key"]);
        let path = format!("{KEYS}/{}/rotate", text(&made.data(201)["_id"]));
        let rotate = || app.post(&app.seed.org, &path, json!({}));
        let second = text(&rotate().await.data(200)["key"]);
        assert_ne!(first, second);
        assert_eq!((status(app, &first).await, status(app, &second).await), (200, 200));
        let third = text(&rotate().await.data(200)["key"]);
        assert_eq!(status(app, &first).await, 401, "two rotations ago");
        assert_eq!((status(app, &second).await, status(app, &third).await), (200, 200));
        app.advance(24 * 3600);
        assert_eq!(status(app, &third).await, 200);
        // A second is how long a server trusts what it remembers.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        assert_eq!((status(app, &second).await, status(app, &third).await), (401, 200));
    }

    async fn nobody_mints_above_themselves(app: &TestApp) {
        let make = |scopes: &[&str]| {
            app.post(&app.seed.org, KEYS, json!({"name": "K", "scopes": scopes}))
        };
        let minter = make(&["write:keys", "write:events"]).await;
        let minter = text(&minter.data(201)["key"]);
        let strong = make(&["write:payments"]).await.data(201)["_id"].clone();
        let above = app.post(&minter, KEYS, json!({"name": "K", "preset": "admin"})).await;
        assert_eq!(above.refused(403, "missing_scope")["details"]["field"], "scopes");
        assert_eq!(app.post(&minter, KEYS, json!({"name": "K", "scopes": ["write:events"]})).await
            .status, 201);
        // What may do more than they is not theirs to rotate, change or revoke.
        let path = format!("{KEYS}/{}", text(&strong));
        app.post(&minter, &format!("{path}/rotate"), json!({})).await.refused(403, "missing_scope");
        app.patch(&minter, &path, json!({"scopes": []})).await.refused(403, "missing_scope");
        let revoke = app.request(Method::DELETE, &path).header("X-Api-Key", &minter);
        app.send(revoke).await.refused(403, "missing_scope");
        // Neither is a box office's session.
        let clerk = app.staff("clerk@example.com", Role::BoxOffice).await;
        let made = app.ask_as(&clerk.access, Method::POST, KEYS, json!({"name": "K"})).await;
        made.refused(403, "missing_scope");
        let admin = app.staff("admin@example.com", Role::Admin).await;
        let made = app.ask_as(&admin.access, Method::POST, KEYS, json!({"name": "K", "preset": "admin"}));
        assert_eq!(made.await.data(201)["scopes"].as_array().unwrap().len(), 12);
    }

    async fn a_key_is_changed_and_runs_out(app: &TestApp) {
        let until = app.clock.now().plus_seconds(3600).rfc3339();
        let made = app.post(&app.seed.org, KEYS,
            json!({"name": "K", "preset": "editor", "expires_at": until})).await;
        let (key, path) = (text(&made.data(201)["key"]),
            format!("{KEYS}/{}", text(&made.data(201)["_id"])));
        assert_eq!(app.post(&key, "/v1/events", json!({"title": "T"})).await.status, 201);
        let less = app.patch(&app.seed.org, &path, json!({"name": "L", "scopes": []})).await;
        assert_eq!((&less.data(200)["name"], &less.data(200)["scopes"]), (&json!("L"), &json!(["read"])));
        app.post(&key, "/v1/events", json!({"title": "T"})).await.refused(403, "missing_scope");
        app.advance(3600);
        assert_eq!(status(app, &key).await, 401);
        app.patch(&app.seed.org, &path, json!({"expires_at": null})).await.data(200);
        assert_eq!(status(app, &key).await, 200);
        let past = json!({"name": "K", "expires_at": "2020-01-01T00:00:00Z"});
        assert_eq!(app.post(&app.seed.org, KEYS, past).await.fields(), ["expires_at"]);
        let both = json!({"name": "K", "scopes": [], "preset": "viewer"});
        assert_eq!(app.post(&app.seed.org, KEYS, both).await.fields(), ["preset"]);
    }

    async fn the_use_of_a_key_is_noted(app: &TestApp) {
        let made = app.post(&app.seed.org, KEYS, json!({"name": "K"})).await;
        let (key, path) = (text(&made.data(201)["key"]),
            format!("{KEYS}/{}", text(&made.data(201)["_id"])));
        assert_eq!(app.get(&app.seed.org, &path).await.data(200)["last_used_at"], Value::Null);
        app.advance(60);
        let before = app.clock.now().rfc3339();
        assert_eq!(status(app, &key).await, 200);
        note_uses(app.db()).await.unwrap();
        let read = app.get(&app.seed.org, &path).await;
        assert!(text(&read.data(200)["last_used_at"]) >= before, "{}", read.text);
    }
}
