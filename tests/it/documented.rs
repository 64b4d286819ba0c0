//! The errors that the document promises for every operation, asked of every operation.

use reqwest::{Method, RequestBuilder};
use rialto::web::permission::Role;
use serde_json::{Value, json};

use crate::contract::{Caller, operations};
use crate::on_both;
use crate::support::TestApp;
use crate::support::people::Person;

/// A request for an operation by somebody who may make it, on something that is not there.
fn request(
    app: &TestApp,
    (path, method): (&str, &str),
    caller: &Caller,
    member: &Person,
) -> RequestBuilder {
    let path = path.replace("{id}", "x").replace("{slug}", "x");
    let method: Method = method.to_uppercase().parse().unwrap();
    let request = app.request(method, &path);
    match caller {
        Caller::Nobody => request,
        Caller::Session(_) => request.header("X-Api-Key", &member.access),
        Caller::Credential(scope) if scope.as_deref() == Some("write:payments") => {
            request.header("X-Api-Key", &app.seed.channel)
        }
        Caller::Credential(_) => request.header("X-Api-Key", &app.seed.org),
    }
}

/// The body of an operation's example, or an empty one.
fn valid(operation: &Value) -> Value {
    let example = &operation["requestBody"]["content"]["application/json"]["example"];
    if example.is_null() { json!({}) } else { example.clone() }
}

on_both! {
    async fn promised_errors_are_kept(app: &TestApp) {
        let mut asked = 0;
        let owner = app.staff("owner@example.com", Role::Owner).await;
        let guide = app.channel_founder("guide@example.com").await;
        for (path, method, operation) in operations() {
            if !path.starts_with("/v1") {
                continue;
            }
            let caller = Caller::of(&operation);
            let channels_only = operation["operationId"] == "partnerships.accept";
            let member = if channels_only { &guide } else { &owner };
            let ask = || request(app, (&path, &method), &caller, member);
            let name = format!("{method} {path}");
            // Who calls is looked at before what is sent.
            let stranger = ask().header("X-Api-Key", "x").body("not json");
            let mut stranger = stranger.build().unwrap();
            stranger.headers_mut().insert("x-api-key", "x".parse().unwrap());
            stranger.headers_mut().insert("idempotency-key", " ".parse().unwrap());
            stranger.url_mut().set_query(Some("no_such=1"));
            if caller != Caller::Nobody {
                let stranger = app.execute(stranger).await;
                assert_eq!((stranger.status, stranger.code()), (401, "unauthorized"), "{name}");
                asked += 1;
            }
            if let Caller::Credential(_) = caller {
                let mode = app.send(ask().header("Rialto-Mode", "live")).await;
                assert_eq!((mode.status, mode.code()), (400, "mode_mismatch"), "{name}");
            }
            if method == "get" {
                continue;
            }
            let unknown = app.send(ask().json(&json!({"no_such_field": 1}))).await;
            unknown.refused(400, "validation_error");
            assert!(unknown.fields().contains(&"no_such_field"), "{name}: {}", unknown.text);
            let large = app.send(ask().json(&json!({"x": "y".repeat(70_000)}))).await;
            assert_eq!((large.status, large.code()), (413, "body_too_large"), "{name}");
            let text = ask().header("Content-Type", "text/plain").body("{}");
            let text = app.send(text).await;
            assert_eq!((text.status, text.code()), (415, "unsupported_media_type"), "{name}");
            let array = app.send(ask().json(&json!([]))).await;
            array.refused(400, "validation_error");
            if path.starts_with("/v1/auth/") || caller == Caller::Nobody {
                continue;
            }
            let keyed = ask().header("Idempotency-Key", "k".repeat(300)).json(&valid(&operation));
            app.send(keyed).await.refused(400, "validation_error");
            asked += 5;
        }
        assert!(asked > 70, "{asked}");
    }
}
