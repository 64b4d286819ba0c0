//! Deliveries: what was mailed to whom, what became of it, and sending it again.

use serde_json::{Value, json};

use crate::on_both;
use crate::refunds::told;
use crate::support::{Backend, Options, TestApp, run};

async fn deliveries(app: &TestApp, key: &str, query: &str) -> Vec<Value> {
    let listed = app.get(key, &format!("/v1/deliveries?{query}")).await;
    listed.data(200).as_array().unwrap().clone()
}

on_both! {
    async fn every_recipient_has_a_delivery(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({})).await;
        let body = json!({"buyer": {"name": "Ana", "email": "ana@example.com"}, "tickets": [
            {"rate_id": rate}, {"rate_id": rate, "email": "ben@example.com"}]});
        let made = app.post(&app.seed.channel, "/v1/payments", body).await.data(201).clone();
        let id = made["_id"].as_str().unwrap();
        assert_eq!(deliveries(app, &app.seed.channel, "").await, Vec::<Value>::new());
        let pay = crate::support::seed::card(crate::support::seed::GOOD_CARD);
        app.post(&app.seed.channel, &format!("/v1/payments/{id}/pay"), pay).await.data(200);
        app.drain().await;
        for key in [&app.seed.org, &app.seed.channel] {
            let all = deliveries(app, key, &format!("payment_id={id}")).await;
            assert_eq!(all.len(), 2);
            assert!(all.iter().all(|delivery| delivery["status"] == "sent"
                && delivery["attempts"] == 1 && delivery["sent_at"].is_string()));
            let to = |email: &str| all.iter().find(|d| d["recipient"] == email).unwrap();
            assert_eq!(to("ana@example.com")["artefacts"], json!(["receipt", "tickets"]));
            assert_eq!(to("ben@example.com")["artefacts"], json!(["tickets"]));
        }
        for (query, count) in [(format!("event_id={event}"), 2), ("status=failed".to_owned(), 0),
            ("recipient=ben@example.com".to_owned(), 1), ("status=sent".to_owned(), 2)] {
            assert_eq!(deliveries(app, &app.seed.org, &query).await.len(), count, "{query}");
        }
        assert_eq!(deliveries(app, &app.seed.other_channel, "").await, Vec::<Value>::new());
        // What is given back is told to the buyer.
        crate::refunds::refund(app, &app.seed.org, id, json!({"amount": 100})).await.data(201);
        app.drain().await;
        let all = deliveries(app, &app.seed.org, "recipient=ana@example.com").await;
        assert_eq!(all[0]["artefacts"], json!(["refund"]));
        assert!(app.captured().iter().any(|mail| mail.contains("Your refund")));
    }

    async fn who_had_a_ticket_is_told_that_the_event_is_cancelled(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({})).await;
        let (org, channel) = (&app.seed.org, &app.seed.channel);
        let bought = async |email: &str, more: Value| {
            let mut body = json!({"buyer": {"email": email}, "tickets": [{"rate_id": rate},
                {"rate_id": rate, "email": format!("friend-of-{email}")}]});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let made = app.post(channel, "/v1/payments", body).await.data(201).clone();
            made["_id"].as_str().unwrap().to_owned()
        };
        let pay = async |id: &str| {
            let card = crate::support::seed::card(crate::support::seed::GOOD_CARD);
            app.post(channel, &format!("/v1/payments/{id}/pay"), card).await.data(200);
        };
        let cancel = async |id: &str| {
            app.post(org, &format!("/v1/payments/{id}/cancel"), json!({})).await.data(200);
        };
        bought("pending@example.com", json!({})).await;
        for (email, more) in [("ana@example.com", json!({})),
            ("quiet@example.com", json!({"send_resources": false})),
            ("before@example.com", json!({})), ("after@example.com", json!({}))] {
            let id = bought(email, more).await;
            pay(&id).await;
            if email.starts_with("before") {
                cancel(&id).await;
            }
        }
        let body = json!({"rate_id": rate, "buyer": {"email": "direct@example.com"}});
        let made = app.post(&app.seed.collecting, "/v1/payments", body).await.data(201).clone();
        let mark = format!("/v1/payments/{}/mark-paid", made["_id"].as_str().unwrap());
        app.post(&app.seed.collecting, &mark, json!({})).await.data(200);
        app.drain().await;
        app.advance(10);
        app.post(org, &format!("/v1/events/{event}/cancel"), json!({})).await.data(200);
        // Called back before the letters are written: they had tickets when it was cancelled.
        let paid = app.get(channel, "/v1/payments?status=paid").await.data(200)[0]["_id"].clone();
        cancel(paid.as_str().unwrap()).await;
        app.drain().await;
        let all = deliveries(app, channel, &format!("event_id={event}")).await;
        // Who has the money is the one to ask about it.
        let letters = app.captured();
        let about = |to: &str, name: &str| letters.iter().any(|mail| mail.contains("Cancelled: ")
            && mail.contains(&format!("To: {to}")) && mail.contains(&format!("{name} is the one")));
        assert!(about("ana@", "Apolo") && about("direct@", "Collecting"));
        let told = all.iter().filter(|delivery| delivery["artefacts"] == json!(["event_cancelled"]));
        let mut told: Vec<&str> = told.map(|delivery| delivery["recipient"].as_str().unwrap()).collect();
        told.sort_unstable();
        assert_eq!(told, ["after@example.com", "ana@example.com", "friend-of-after@example.com",
            "friend-of-ana@example.com"]);
        let mails = app.captured();
        let letter = mails.iter().find(|mail| mail.contains("To: ana@") && mail.contains("Cancelled: "));
        assert!(letter.unwrap().contains("does not take place"));
        // Sent again, it says the same.
        let id = all.iter().find(|delivery| delivery["recipient"] == "ana@example.com").unwrap();
        let path = format!("/v1/deliveries/{}/resend", id["_id"].as_str().unwrap());
        let again = app.post(org, &path, json!({})).await.data(201).clone();
        assert_eq!(again["artefacts"], json!(["event_cancelled"]));
    }

    async fn a_transfer_on_the_way_keeps_nobody_from_being_told(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({})).await;
        let body = json!({"buyer": {"email": "ana@example.com"}, "tickets": [{"rate_id": rate},
            {"rate_id": rate, "email": "ben@example.com"}]});
        let made = app.post(&app.seed.channel, "/v1/payments", body).await.data(201).clone();
        let pay = format!("/v1/payments/{}/pay", made["_id"].as_str().unwrap());
        let card = crate::support::seed::card(crate::support::seed::GOOD_CARD);
        let paid = app.post(&app.seed.channel, &pay, card).await.data(200).clone();
        app.drain().await;
        // Both jobs wait when the worker comes by.
        let ticket = paid["resource_ids"][0].as_str().unwrap();
        let to = json!({"full_name": "Cam", "email": "cam@example.com"});
        app.post(&app.seed.org, &format!("/v1/tickets/{ticket}/transfer"), to).await.data(200);
        app.advance(1);
        app.post(&app.seed.org, &format!("/v1/events/{event}/cancel"), json!({})).await.data(200);
        app.drain().await;
        let all = deliveries(app, &app.seed.org, &format!("event_id={event}")).await;
        let told = all.iter().filter(|delivery| delivery["artefacts"] == json!(["event_cancelled"]));
        let mut told: Vec<&str> = told.map(|one| one["recipient"].as_str().unwrap()).collect();
        told.sort_unstable();
        assert_eq!(told, ["ana@example.com", "ben@example.com", "cam@example.com"]);
        let tickets = all.iter().filter(|delivery| delivery["artefacts"] == json!(["tickets"]));
        assert!(tickets.into_iter().all(|one| one["recipient"] != "cam@example.com"));
    }

    async fn a_ticket_is_sent_again_to_a_corrected_address(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let paid = app.paid(&rate, 1).await;
        app.drain().await;
        let ticket = paid["resource_ids"][0].as_str().unwrap();
        let path = format!("/v1/tickets/{ticket}/resend");
        let again = app.post(&app.seed.channel, &path, json!({})).await.data(201).clone();
        assert_eq!((&again["recipient"], &again["status"]),
            (&json!("ana@example.com"), &json!("queued")));
        app.drain().await;
        let corrected = json!({"email": "ana.lopez@example.com"});
        let other = app.post(&app.seed.org, &path, corrected).await.data(201).clone();
        assert_eq!(other["recipient"], "ana.lopez@example.com");
        app.drain().await;
        assert_eq!(app.captured().len(), 3);
        let read = app.get(&app.seed.org, &format!("/v1/tickets/{ticket}")).await;
        assert_eq!(read.data(200)["email"], "ana.lopez@example.com");
        assert_eq!(deliveries(app, &app.seed.org, "").await.len(), 3, "the history stays");
        app.post(&app.seed.org, &path, json!({"email": "x"})).await.refused(400, "validation_error");
        // Nobody to send it to, and nothing to send.
        let body = json!({"rate_id": rate, "send_resources": false});
        let made = app.post(&app.seed.collecting, "/v1/payments", body).await.data(201).clone();
        let bare = made["resource_ids"][0].as_str().unwrap();
        let bare = format!("/v1/tickets/{bare}/resend");
        app.post(&app.seed.collecting, &bare, json!({})).await.refused(409, "ticket_not_valid");
        let mark = format!("/v1/payments/{}/mark-paid", made["_id"].as_str().unwrap());
        app.post(&app.seed.collecting, &mark, json!({})).await.data(200);
        app.post(&app.seed.collecting, &bare, json!({})).await.refused(422, "no_recipient");
        app.drain().await;
        assert_eq!(app.captured().len(), 3);
    }

    async fn a_delivery_is_repeated_as_it_is_now(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let paid = app.paid(&rate, 2).await;
        app.drain().await;
        let first = deliveries(app, &app.seed.channel, "").await[0].clone();
        let path = format!("/v1/deliveries/{}/resend", first["_id"].as_str().unwrap());
        let void = json!({"tickets": [paid["resource_ids"][0]]});
        crate::refunds::refund(app, &app.seed.org, paid["_id"].as_str().unwrap(), void).await
            .data(201);
        let again = app.post(&app.seed.channel, &path, json!({})).await.data(201).clone();
        assert_eq!(again["resent_from"], first["_id"]);
        let at_once = format!("/v1/deliveries/{}/resend", again["_id"].as_str().unwrap());
        app.post(&app.seed.channel, &at_once, json!({})).await.refused(409, "wrong_status");
        app.drain().await;
        let read = format!("/v1/deliveries/{}", again["_id"].as_str().unwrap());
        assert_eq!(app.get(&app.seed.org, &read).await.data(200)["status"], "sent");
        let pictures = |mail: &String| mail.matches("Content-Type: image/png").count();
        let mut counts: Vec<usize> = app.captured().iter().map(pictures).collect();
        counts.sort_unstable();
        assert_eq!(counts, [0, 1, 2], "a refund, one valid ticket, and both at first");
        // Called back, there is nothing left to send.
        let cancel = format!("/v1/payments/{}/cancel", paid["_id"].as_str().unwrap());
        app.post(&app.seed.org, &cancel, json!({})).await.data(200);
        let empty = app.post(&app.seed.channel, &path, json!({})).await.data(201).clone();
        app.drain().await;
        let read = format!("/v1/deliveries/{}", empty["_id"].as_str().unwrap());
        let failed = app.get(&app.seed.org, &read).await.data(200).clone();
        assert_eq!((&failed["status"], &failed["reason"]),
            (&json!("failed"), &json!("nothing_to_send")));
        assert_eq!(told(app, &app.seed.channel, "delivery.failed").await, 1);
    }
}

/// Where mail is sent, or others know the server, none of it is shown.
#[test]
fn captured_mail_is_not_shown_where_it_could_be_read_from_elsewhere() {
    let cases: [fn(&mut rialto::config::Config); 3] = [
        |config| {
            config.http.trusted_proxies = 0;
            config.mail.smtp_url = Some("smtp://127.0.0.1:9".to_owned().into());
        },
        |config| {
            config.http.trusted_proxies = 0;
            config.http.base_url = Some("https://tickets.example.com/".parse().unwrap());
        },
        |config| config.http.trusted_proxies = 2,
    ];
    for configure in cases {
        let options = Options { configure: Some(configure), ..Options::default() };
        run(Backend::Sqlite, options, |app| {
            Box::pin(async move {
                let reply = app.send(app.request(reqwest::Method::GET, "/dev/mail")).await;
                reply.refused(404, "not_found");
            })
        });
    }
}

async fn look_at_captured_mail(app: &TestApp) {
    let (_, rate) = app.on_sale(json!({})).await;
    app.paid(&rate, 1).await;
    app.drain().await;
    let get = |path: String, headers: Vec<(&'static str, &'static str)>| async move {
        let mut request = app.request(reqwest::Method::GET, &path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        app.send(request).await
    };
    let listed = get("/dev/mail".to_owned(), vec![]).await;
    assert_eq!(listed.status, 200);
    assert!(listed.text.contains("ana@example.com") && listed.text.contains("Your ticket"));
    let id = listed.text.split("/dev/mail/dlv_").nth(1).unwrap().split('"').next().unwrap();
    let shown = get(format!("/dev/mail/dlv_{id}"), vec![]).await;
    assert!(shown.text.contains("data:image/png;base64,") && !shown.text.contains("cid:"));
    assert!(shown.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    let source = get(format!("/dev/mail/dlv_{id}/source"), vec![]).await;
    assert!(source.text.contains("Message-ID: <dlv_"));
    for headers in [
        vec![("Host", "evil.example")],
        vec![("X-Forwarded-For", "1.2.3.4")],
        vec![("Forwarded", "for=1.2.3.4")],
        vec![("Host", "127.0.0.1.evil.example:80")],
    ] {
        let refused = get("/dev/mail".to_owned(), headers.clone()).await;
        refused.refused(404, "not_found");
    }
    for path in ["/dev/mail/..%2Fserver.key", "/dev/mail/dlv_x", "/dev/mail/..%2f..%2fx/source"] {
        get(path.to_owned(), vec![]).await.refused(404, "not_found");
    }
}

#[test]
fn captured_mail_is_shown_to_this_machine_only() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let direct: fn(&mut rialto::config::Config) = |config| config.http.trusted_proxies = 0;
        let configure = Some(direct);
        let options = Options { configure, ..Options::default() };
        run(backend, options, |app| Box::pin(look_at_captured_mail(app)));
    }
}
