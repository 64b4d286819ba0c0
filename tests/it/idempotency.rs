//! A POST under a key has its effect once.

use futures_util::future::join_all;
use serde_json::json;

use crate::on_both;

on_both! {
    async fn the_first_success_is_replayed_byte_for_byte(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 10})).await;
        let body = json!({"rate_id": rate, "quantity": 2, "send_resources": false});
        let once = |key: &str, body| {
            let key = key.to_owned();
            async move { app.post_once(&app.seed.channel, &key, "/v1/payments", body).await }
        };
        let first = once("k-1", body.clone()).await;
        first.data(201);
        assert!(!first.headers.contains_key("idempotent-replayed"));
        let again = once("k-1", body.clone()).await;
        assert_eq!((again.status, &again.text), (201, &first.text));
        assert_eq!(again.headers["idempotent-replayed"], "true");
        // Quoted is the same key; members in another order are the same body.
        let quoted = once("\"k-1\"", json!({"send_resources": false, "quantity": 2, "rate_id": rate}));
        assert_eq!(quoted.await.text, first.text);
        let other = json!({"rate_id": rate, "quantity": 3, "send_resources": false});
        let reused = once("k-1", other).await;
        assert_eq!(reused.refused(422, "key_reused")["type"], "idempotency_error");
        // Another tenant's key of the same name is another key.
        let theirs = app.post_once(&app.seed.org, "k-1", "/v1/payments", body.clone()).await;
        assert_ne!(theirs.data(201)["_id"], first.body["data"]["_id"]);
        assert_eq!(app.availability(&rate).await["held"], 4);
        app.advance(73 * 3600);
        app.drain().await;
        let later = once("k-1", body).await;
        assert!(!later.headers.contains_key("idempotent-replayed"), "72 hours are over");
    }

    async fn a_refused_request_leaves_the_key_free(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 1})).await;
        let big = json!({"rate_id": rate, "quantity": 2, "send_resources": false});
        let refused = app.post_once(&app.seed.channel, "k", "/v1/payments", big).await;
        refused.refused(422, "sold_out");
        let small = json!({"rate_id": rate, "quantity": 1, "send_resources": false});
        app.post_once(&app.seed.channel, "k", "/v1/payments", small).await.data(201);
    }

    async fn twins_at_once_have_one_effect(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 100})).await;
        let body = json!({"rate_id": rate, "send_resources": false});
        for round in 0..5 {
            let key = format!("twin-{round}");
            let twins = (0..20)
                .map(|_| app.post_once(&app.seed.channel, &key, "/v1/payments", body.clone()));
            let replies = join_all(twins).await;
            let mut texts: Vec<&str> = replies.iter().filter(|reply| reply.status == 201)
                .map(|reply| reply.text.as_str()).collect();
            assert!(!texts.is_empty());
            texts.dedup();
            assert_eq!(texts.len(), 1, "one answer");
            for reply in replies.iter().filter(|reply| reply.status != 201) {
                assert_eq!(reply.refused(409, "in_flight")["retryable"], true);
                assert_eq!(reply.headers["retry-after"], "1");
            }
        }
        assert_eq!(app.availability(&rate).await["held"], 5);
    }

    async fn a_bad_key_is_refused(app: &TestApp) {
        for key in ["", "\"\"", "with space", &"k".repeat(256)] {
            let reply = app.post_once(&app.seed.channel, key, "/v1/payments", json!({})).await;
            reply.refused(400, "validation_error");
            assert_eq!(reply.fields(), ["Idempotency-Key"]);
        }
    }
}
