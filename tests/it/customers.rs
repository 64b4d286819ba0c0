//! Customers: the buyers a tenant knows.

use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;

async fn customer(app: &TestApp, key: &str, body: Value) -> String {
    let made = app.post(key, "/v1/customers", body).await;
    made.data(201)["_id"].as_str().unwrap().to_owned()
}

on_both! {
    async fn a_customer_is_known_to_one_tenant(app: &TestApp) {
        let body = json!({"email": "Ana@Example.com", "name": "Ana", "metadata": {"n": 1},
            "address": {"line1": "Mayor 1", "country": "es"}});
        for key in [&app.seed.org, &app.seed.channel, &app.seed.org_live] {
            let id = customer(app, key, body.clone()).await;
            let path = format!("/v1/customers/{id}");
            let read = app.get(key, &path).await.data(200).clone();
            assert_eq!((&read["email"], &read["address"]["country"], &read["address"]["line2"]),
                (&json!("ana@example.com"), &json!("ES"), &Value::Null));
            let twice = app.post(key, "/v1/customers", json!({"email": "ANA@example.com"})).await;
            assert_eq!(twice.refused(409, "email_taken")["customer_id"], id.as_str());
            let found = app.get(key, "/v1/customers?email=aNa@example.com").await;
            assert_eq!(found.data(200)[0]["_id"], id.as_str());
            let other = customer(app, key, json!({"email": "ben@example.com"})).await;
            let other = format!("/v1/customers/{other}");
            let taken = app.patch(key, &other, json!({"email": "ana@example.com"})).await;
            taken.refused(409, "email_taken");
            app.patch(key, &other, json!({"email": null})).await.refused(400, "validation_error");
            let fields = json!({"email": "BEN@example.com", "phone": "+34 600 000 000"});
            let changed = app.patch(key, &other, fields).await.data(200).clone();
            assert_eq!((&changed["email"], &changed["phone"]),
                (&json!("ben@example.com"), &json!("+34 600 000 000")));
        }
        assert_eq!(app.get(&app.seed.collecting, "/v1/customers").await.data(200), &json!([]));
        let wrong = json!({"email": "x", "address": {"country": "E", "planet": 1}, "metadata": 1});
        let wrong = app.post(&app.seed.org, "/v1/customers", wrong).await;
        assert_eq!(wrong.fields().len(), 4, "{}", wrong.text);
    }

    async fn payments_name_their_customer(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let channel = &app.seed.channel;
        let ana = customer(app, channel, json!({"email": "ana@example.com", "name": "Ana"})).await;
        let body = json!({"rate_id": rate, "customer_id": ana});
        let made = app.post(channel, "/v1/payments", body).await.data(201).clone();
        assert_eq!((&made["customer_id"], &made["buyer"]["email"], &made["buyer"]["name"]),
            (&json!(ana), &json!("ana@example.com"), &json!("Ana")));
        let path = format!("/v1/payments/{}", made["_id"].as_str().unwrap());
        let seen = app.get(&app.seed.org, &path).await.data(200).clone();
        assert_eq!(seen["customer_id"], Value::Null, "the channel's own");
        let list = format!("/v1/payments?customer_id={ana}");
        assert_eq!(app.get(channel, &list).await.data(200).as_array().unwrap().len(), 1);
        assert_eq!(app.get(&app.seed.org, &list).await.data(200), &json!([]));
        // Another's customer is none of mine.
        let theirs = customer(app, &app.seed.org, json!({"email": "ana@example.com"})).await;
        for id in [theirs.as_str(), "cus_x"] {
            let body = json!({"rate_id": rate, "customer_id": id, "send_resources": false});
            let refused = app.post(channel, "/v1/payments", body).await;
            assert_eq!(refused.fields(), ["customer_id"]);
            let refused = app.patch(channel, &path, json!({"customer_id": id})).await;
            assert_eq!(refused.fields(), ["customer_id"]);
        }
        app.patch(channel, &path, json!({"customer_id": null})).await.data(200);
        let named = app.patch(channel, &path, json!({"customer_id": ana})).await;
        assert_eq!(named.data(200)["customer_id"], ana.as_str());
        let delete = app.request(Method::DELETE, &format!("/v1/customers/{ana}"))
            .header("X-Api-Key", channel).json(&json!({}));
        app.send(delete).await.data(200);
        app.get(channel, &format!("/v1/customers/{ana}")).await.refused(404, "not_found");
        let kept = app.get(channel, &path).await.data(200).clone();
        assert_eq!((&kept["customer_id"], &kept["buyer"]["name"]), (&Value::Null, &json!("Ana")));
    }
}
