//! Tickets on their way to the door and through it: found, given away, scanned, let out again.

use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Reply, TestApp};

async fn act(app: &TestApp, ticket: &str, action: &str) -> Reply {
    app.post(&app.seed.org, &format!("/v1/tickets/{ticket}/{action}"), json!({})).await
}

async fn scan(app: &TestApp, code: &Value) -> Reply {
    app.post(&app.seed.org, "/v1/checkins", json!({"code": code})).await
}

async fn ticket_of(app: &TestApp, id: &str) -> Value {
    app.get(&app.seed.org, &format!("/v1/tickets/{id}")).await.data(200).clone()
}

on_both! {
    async fn a_code_lets_in_once_and_out_again(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({})).await;
        let pending = app.pending(&rate, 1).await;
        let early = app.get(&app.seed.channel, &format!("/v1/tickets?payment_id={pending}")).await;
        scan(app, &early.data(200)[0]["qr_code"]).await.refused(409, "ticket_not_valid");
        let paid = app.paid(&rate, 1).await;
        let id = paid["resource_ids"][0].as_str().unwrap();
        let code = ticket_of(app, id).await["qr_code"].clone();
        act(app, id, "exit").await.refused(409, "not_inside");
        let lower = json!(code.as_str().unwrap().to_lowercase());
        assert_eq!(scan(app, &lower).await.data(201)["enter"], 1);
        assert!(scan(app, &code).await.refused(409, "already_checked_in")["checked_in_at"]
            .is_string());
        let out = act(app, id, "exit").await.data(200).clone();
        assert_eq!(out["enter"], 0);
        assert!(out["entry_time"].is_string(), "it has been used");
        assert_eq!(scan(app, &code).await.data(201)["enter"], 1);
        // A mistake is as if it had not been, and no more than that.
        assert_eq!(act(app, id, "undo-checkin").await.data(200)["enter"], 0);
        act(app, id, "undo-checkin").await.refused(409, "not_inside");
        let times = app.get(&app.seed.org, &format!("/v1/tickets/{id}")).await;
        assert!(times.data(200)["entry_time"].is_string(), "it was used before that");
        let other = app.paid(&rate, 1).await["resource_ids"][0].as_str().unwrap().to_owned();
        act(app, &other, "checkin").await.data(200);
        let undone = act(app, &other, "undo-checkin").await.data(200).clone();
        assert_eq!((&undone["enter"], &undone["entry_time"]), (&json!(0), &Value::Null));
        scan(app, &json!("NOSUCHCODE")).await.refused(404, "not_found");
        let other = app.post(&app.seed.other_org, "/v1/checkins", json!({"code": code})).await;
        other.refused(404, "not_found");
        app.post(&app.seed.channel, "/v1/checkins", json!({"code": code})).await
            .refused(403, "wrong_principal");
        app.post(&app.seed.org, &format!("/v1/events/{event}/cancel"), json!({})).await.data(200);
        scan(app, &code).await.refused(409, "event_cancelled");
        let kinds: Vec<Value> = app.changes(&app.seed.channel).await.iter()
            .map(|change| change["type"].clone()).collect();
        for (kind, times) in [("ticket.checked_in", 3), ("ticket.checked_out", 1),
            ("ticket.checkin_undone", 2)] {
            assert_eq!(kinds.iter().filter(|known| **known == kind).count(), times, "{kind}");
        }
    }

    async fn two_scanners_two_exits_and_two_mistakes(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let paid = app.paid(&rate, 1).await;
        let id = paid["resource_ids"][0].as_str().unwrap();
        let code = ticket_of(app, id).await["qr_code"].clone();
        for action in ["exit", "undo-checkin"] {
            let scans = futures_util::future::join_all((0..6).map(|_| scan(app, &code))).await;
            assert_eq!(scans.iter().filter(|reply| reply.status == 201).count(), 1);
            let out = futures_util::future::join_all((0..6).map(|_| act(app, id, action))).await;
            assert_eq!(out.iter().filter(|reply| reply.status == 200).count(), 1, "{action}");
        }
    }

    async fn a_transferred_ticket_has_another_holder_and_code(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let paid = app.paid(&rate, 2).await;
        app.drain().await;
        let (first, second) = (paid["resource_ids"][0].as_str().unwrap(),
            paid["resource_ids"][1].as_str().unwrap());
        let before = ticket_of(app, first).await;
        let path = format!("/v1/tickets/{first}/transfer");
        let wrong = app.post(&app.seed.channel, &path, json!({"email": "x", "name": 1})).await;
        assert_eq!(wrong.fields().len(), 3, "{}", wrong.text);
        let ben = json!({"full_name": "Ben Ruiz", "email": "ben@example.com"});
        let given = app.post(&app.seed.channel, &path, ben.clone()).await.data(200).clone();
        assert_eq!((&given["full_name"], &given["status"]), (&json!("Ben Ruiz"), &json!("active")));
        assert_ne!(given["qr_code"], before["qr_code"]);
        scan(app, &before["qr_code"]).await.refused(404, "not_found");
        app.drain().await;
        let mails = app.captured();
        let to_ben: Vec<&String> =
            mails.iter().filter(|mail| mail.contains("To: ben@example.com")).collect();
        assert_eq!(to_ben.len(), 1);
        assert!(to_ben[0].contains(given["qr_code"].as_str().unwrap()));
        // Ana's mail sent again does not tell her the new code.
        let anas = app.get(&app.seed.channel, "/v1/deliveries?recipient=ana@example.com").await;
        let again = format!("/v1/deliveries/{}/resend",
            anas.data(200)[0]["_id"].as_str().unwrap());
        app.post(&app.seed.channel, &again, json!({})).await.data(201);
        app.drain().await;
        let new = given["qr_code"].as_str().unwrap();
        let told: Vec<String> = app.captured().into_iter()
            .filter(|mail| mail.contains("To: ana@example.com") && mail.contains(new)).collect();
        assert_eq!(told, Vec::<String>::new());
        scan(app, &given["qr_code"]).await.data(201);
        app.post(&app.seed.channel, &path, ben.clone()).await.refused(409, "already_checked_in");
        let void = json!({"tickets": [second]});
        crate::refunds::refund(app, &app.seed.org, paid["_id"].as_str().unwrap(), void).await
            .data(201);
        let path = format!("/v1/tickets/{second}/transfer");
        app.post(&app.seed.org, &path, ben).await.refused(409, "ticket_not_valid");
    }

    async fn attendees_are_the_people_on_tickets(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({})).await;
        let paid = app.paid(&rate, 1).await;
        let ticket = paid["resource_ids"][0].as_str().unwrap();
        let path = format!("/v1/events/{event}/attendees");
        let listed = app.get(&app.seed.channel, &path).await.data(200).clone();
        let attendee = &listed[0];
        assert_eq!((&attendee["ticket_id"], &attendee["checked_in"]),
            (&json!(ticket), &json!(false)));
        app.get(&app.seed.other_channel, &path).await.refused(404, "not_found");
        assert_eq!(app.get(&app.seed.collecting, &path).await.data(200), &json!([]));
        let one = format!("/v1/attendees/{}", attendee["_id"].as_str().unwrap());
        let fields = json!({"full_name": "Ana López", "email": "ana.lopez@example.com"});
        let changed = app.patch(&app.seed.channel, &one, fields).await.data(200).clone();
        assert_eq!(changed["full_name"], "Ana López");
        let code = ticket_of(app, ticket).await;
        assert_eq!(code["email"], "ana.lopez@example.com");
        let put = app.request(Method::PUT, &one).header("X-Api-Key", &app.seed.org)
            .json(&json!({"email": null}));
        assert_eq!(app.send(put).await.data(200)["email"], Value::Null);
        app.patch(&app.seed.other_org, &one, json!({})).await.refused(404, "not_found");
        app.get(&app.seed.org, "/v1/attendees/tkt_1").await.refused(404, "not_found");
        assert_eq!(scan(app, &code["qr_code"]).await.status, 201, "the code stays");
    }

    async fn tickets_are_found_in_every_documented_way(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({})).await;
        let body = json!({"send_resources": false, "tickets": [
            {"rate_id": rate, "email": "ana@example.com"}, {"rate_id": rate}]});
        let made = app.post(&app.seed.channel, "/v1/payments", body).await.data(201).clone();
        app.advance(60);
        let middle = app.clock.now().rfc3339();
        app.advance(60);
        let given = app.post(&app.seed.org, &format!("/v1/events/{event}/tickets"), json!({})).await;
        let given = given.data(201)["_id"].as_str().unwrap().to_owned();
        act(app, &given, "checkin").await.data(200);
        let channel = &app.seed.channel_id;
        for (query, count) in [
            (format!("payment_id={}", made["_id"].as_str().unwrap()), 2),
            (format!("event_id={event}"), 3),
            (format!("ticket_rate_id={rate}&status=active"), 1),
            (format!("channel_id={channel}"), 2),
            ("email=ana@example.com".to_owned(), 1),
            ("checked_in=true".to_owned(), 1),
            ("checked_in=false".to_owned(), 2),
            (format!("start_date={middle}"), 1),
            (format!("end_date={middle}"), 2),
            ("ticket_rate_id=rate_x".to_owned(), 0),
        ] {
            let found = app.get(&app.seed.org, &format!("/v1/tickets?{query}")).await;
            assert_eq!(found.data(200).as_array().unwrap().len(), count, "{query}");
        }
        let wrong = app.get(&app.seed.org, "/v1/tickets?checked_in=1&email=x&status=used").await;
        assert_eq!(wrong.fields().len(), 3, "{}", wrong.text);
    }
}
