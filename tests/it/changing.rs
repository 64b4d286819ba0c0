//! Changing a payment: more time, what its creator wrote on it; and finding payments.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::seed::{GOOD_CARD, card};
use crate::support::{Reply, TestApp};

async fn extend(app: &TestApp, key: &str, id: &str, body: Value) -> Reply {
    app.post(key, &format!("/v1/payments/{id}/extend"), body).await
}

fn instant(reply: &Reply, field: &str) -> String {
    reply.data(200)[field].as_str().unwrap().to_owned()
}

on_both! {
    async fn a_payment_gets_more_time_within_the_limit(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 1})).await;
        let id = app.pending(&rate, 1).await;
        let before = app.get(&app.seed.channel, &format!("/v1/payments/{id}")).await;
        app.advance(800);
        let longer = extend(app, &app.seed.channel, &id, json!({"expires_in": 900})).await;
        assert!(instant(&longer, "expires_at") > instant(&before, "expires_at"));
        // Beyond the time it had at first it still holds its stock, and can be paid.
        app.advance(300);
        app.drain().await;
        let body = json!({"rate_id": rate, "send_resources": false});
        let other = app.post(&app.seed.channel, "/v1/payments", body.clone()).await;
        other.refused(422, "sold_out");
        let from = |seconds: i64| app.clock.now().plus_seconds(seconds).rfc3339();
        for (body, field) in [
            (json!({}), "expires_in"),
            (json!({"expires_in": 60, "expires_at": from(700)}), "expires_at"),
            (json!({"expires_in": 60}), "expires_in"),
            (json!({"expires_in": 7000}), "expires_in"),
            (json!({"expires_at": from(7000)}), "expires_at"),
        ] {
            let refused = extend(app, &app.seed.channel, &id, body).await;
            refused.refused(400, "validation_error");
            assert_eq!(refused.fields(), [field], "{}", refused.text);
        }
        extend(app, &app.seed.org, &id, json!({"expires_in": 900})).await
            .refused(403, "wrong_principal");
        let pay = format!("/v1/payments/{id}/pay");
        let paid = app.post(&app.seed.channel, &pay, card(GOOD_CARD)).await;
        assert_eq!(paid.data(200)["status"], "paid");
        let late = extend(app, &app.seed.channel, &id, json!({"expires_in": 1800})).await;
        late.refused(409, "wrong_status");
        // Both sides were told, once.
        app.drain().await;
        for key in [&app.seed.org, &app.seed.channel] {
            let feed = app.get(key, "/v1/changes?limit=200").await;
            let told = feed.body["data"].as_array().unwrap().iter()
                .filter(|change| change["type"] == "payment.extended").count();
            assert_eq!(told, 1);
        }
    }

    async fn what_has_run_out_or_been_called_off_gets_no_time(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({})).await;
        let id = app.pending(&rate, 1).await;
        app.advance(900);
        extend(app, &app.seed.channel, &id, json!({"expires_in": 900})).await
            .refused(410, "payment_expired");
        let other = app.pending(&rate, 1).await;
        app.post(&app.seed.org, &format!("/v1/events/{event}/cancel"), json!({})).await.data(200);
        extend(app, &app.seed.channel, &other, json!({"expires_in": 1200})).await
            .refused(409, "event_cancelled");
    }

    async fn its_creator_changes_what_they_wrote(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let (first, second) = (app.pending(&rate, 1).await, app.pending(&rate, 1).await);
        let edit = |id: &str, body: Value| {
            let path = format!("/v1/payments/{id}");
            async move { app.patch(&app.seed.channel, &path, body).await }
        };
        let changed = edit(&first, json!({"metadata": {"seat": "A1"}, "description": "Gift",
            "reference": "order-1"})).await;
        assert_eq!(changed.data(200)["metadata"], json!({"seat": "A1"}));
        assert_eq!(changed.data(200)["description"], "Gift");
        let taken = edit(&second, json!({"reference": "order-1"})).await;
        assert_eq!(taken.refused(409, "reference_taken")["payment_id"], first.as_str());
        // The one that had it lets it go; the other may have it now.
        edit(&first, json!({"reference": "order-2", "description": null})).await.data(200);
        let now = edit(&second, json!({"reference": "order-1"})).await;
        assert_eq!(now.data(200)["reference"], "order-1");
        let found = app.get(&app.seed.channel, "/v1/payments?reference=order-1").await;
        assert_eq!(found.body["data"][0]["_id"], second.as_str());
        edit(&second, json!({"reference": null})).await.data(200);
        let free = json!({"rate_id": rate, "send_resources": false, "reference": "order-1"});
        assert_eq!(app.post(&app.seed.channel, "/v1/payments", free).await.status, 201);
        // The other side sees none of it, and changes nothing.
        let theirs = app.get(&app.seed.org, &format!("/v1/payments/{first}")).await;
        assert_eq!(theirs.data(200)["metadata"], Value::Null);
        let path = format!("/v1/payments/{first}");
        app.patch(&app.seed.org, &path, json!({"description": "x"})).await
            .refused(403, "wrong_principal");
        let unknown = edit(&first, json!({"status": "paid", "metadata": 1})).await;
        unknown.refused(400, "validation_error");
        assert_eq!(unknown.fields().len(), 2, "{}", unknown.text);
        // One that has ended keeps what is written on it, and claims no reference.
        app.post(&app.seed.channel, &format!("{path}/cancel"), json!({})).await.data(200);
        let ended = edit(&first, json!({"reference": "order-1", "metadata": null})).await;
        assert_eq!(ended.data(200)["reference"], "order-1");
        assert_eq!(ended.data(200)["metadata"], json!({}));
    }

    async fn payments_are_found_by_side_and_time(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let first = app.pending(&rate, 1).await;
        app.advance(60);
        let middle = app.clock.now().rfc3339();
        app.advance(60);
        let body = json!({"rate_id": rate, "send_resources": false});
        let own = app.post(&app.seed.org, "/v1/payments", body).await;
        let own = own.data(201)["_id"].as_str().unwrap().to_owned();
        let find = |query: String| async move {
            let found = app.get(&app.seed.org, &format!("/v1/payments?{query}")).await;
            assert_eq!(found.status, 200, "{}", found.text);
            let rows = found.body["data"].as_array().unwrap();
            let ids = rows.iter().map(|row| row["_id"].as_str().unwrap());
            ids.collect::<Vec<_>>().join(" ")
        };
        let both = format!("{own} {first}");
        let channel = app.seed.channel_id.to_string();
        let organization = app.seed.organization_id.to_string();
        assert_eq!(find(format!("channel_id={channel}")).await, first);
        assert_eq!(find(format!("organization_id={organization}")).await, both);
        assert_eq!(find("organization_id=org_0".to_owned()).await, "");
        assert_eq!(find(format!("start_date={middle}")).await, own);
        assert_eq!(find(format!("end_date={middle}")).await, first);
        assert_eq!(find("end_date=2020-01-01".to_owned()).await, "");
        assert_eq!(find("start_date=2020-01-01".to_owned()).await, both);
        let wrong = app.get(&app.seed.org, "/v1/payments?start_date=yesterday&end_date=2026-13-01").await;
        assert_eq!(wrong.fields(), ["end_date", "start_date"]);
    }
}
