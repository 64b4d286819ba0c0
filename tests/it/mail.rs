//! Mail: who gets what, over real SMTP, and what a dead mail server does.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::smtp::Smtp;
use crate::support::{Backend, Options, TestApp, run};

/// A mail's decoded text part.
fn text_of(mail: &str) -> String {
    let part = mail.split("Content-Type: text/plain").nth(1).expect("a text part");
    let (head, body) = part.split_once("\r\n\r\n").or(part.split_once("\n\n")).unwrap();
    let body = body.split("\r\n--").next().unwrap();
    if head.contains("base64") {
        let squeezed: String = body.split_whitespace().collect();
        let bytes = data_encoding::BASE64.decode(squeezed.as_bytes()).unwrap();
        return String::from_utf8(bytes).unwrap();
    }
    if head.contains("quoted-printable") {
        return body.replace("=\r\n", "").replace("=3D", "=");
    }
    body.to_owned()
}

/// A live event with a rate, sold by the channel that collects in live mode.
async fn live_sale(app: &TestApp, buyer: Value) -> Value {
    let org = &app.seed.org_live;
    let body = json!({"title": "Noche", "venue": "Sala Apolo",
        "start_date": "2090-12-31T22:00:00Z"});
    let event = app.post(org, "/v1/events", body).await.data(201)["_id"].clone();
    let rate = json!({"event_id": event, "name": "General", "prices": [{"price": 10}]});
    let rate = app.post(org, "/v1/ticket-rates", rate).await.data(201)["_id"].clone();
    let publish = format!("/v1/events/{}/publish", event.as_str().unwrap());
    app.post(org, &publish, json!({})).await.data(200);
    let body = json!({"rate_id": rate, "collects": "organization", "buyer": buyer});
    let made = app.post(org, "/v1/payments", body).await.data(201).clone();
    let mark = format!("/v1/payments/{}/mark-paid", made["_id"].as_str().unwrap());
    app.post(org, &mark, json!({})).await.data(200).clone()
}

on_both! {
    async fn every_recipient_gets_theirs(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let body = json!({"buyer": {"name": "Ana <b>Lopez</b>", "email": "ana@example.com"},
            "tickets": [
                {"rate_id": rate, "full_name": "Ana"},
                {"rate_id": rate, "full_name": "Ben", "email": "ben@example.com"},
                {"rate_id": rate, "full_name": "Cam", "email": "BEN@example.com"}]});
        let made = app.post(&app.seed.channel, "/v1/payments", body).await.data(201).clone();
        let path = format!("/v1/payments/{}/pay", made["_id"].as_str().unwrap());
        let card = crate::support::seed::card(crate::support::seed::GOOD_CARD);
        app.post(&app.seed.channel, &path, card).await.data(200);
        assert_eq!(app.captured().len(), 0, "the sale does not wait for its mail");
        app.drain().await;
        let mails = app.captured();
        assert_eq!(mails.len(), 2);
        let to = |email: &str| mails.iter().find(|mail| mail.contains(&format!("To: {email}"))).unwrap();
        let (ana, ben) = (to("ana@example.com"), to("ben@example.com"));
        assert_eq!(ana.matches("Content-Type: image/png").count(), 1);
        assert_eq!(ben.matches("Content-Type: image/png").count(), 2);
        let text = text_of(ana);
        assert!(text.contains("Total: 61.80 EUR"), "{text}");
        assert!(text.contains("Sunday, 31 December 2090, 23:00 (Europe/Madrid)"), "{text}");
        assert!(!text_of(ben).contains("Total"), "the receipt is the buyer's");
        let codes = app.get(&app.seed.channel, "/v1/tickets").await;
        for ticket in codes.data(200).as_array().unwrap() {
            let code = ticket["qr_code"].as_str().unwrap();
            let (in_ana, in_ben) = (text.contains(code), text_of(ben).contains(code));
            assert_eq!((in_ana, in_ben), (ticket["full_name"] == "Ana", ticket["full_name"] != "Ana"));
        }
        app.drain().await;
        assert_eq!(app.captured().len(), 2, "once each");
    }

    async fn odd_but_valid_addresses_get_their_mail(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        for email in ["\"a b\"@example.com", "ana@[127.0.0.1]", "ana+tag@example.com"] {
            let body = json!({"rate_id": rate, "buyer": {"email": email}});
            let made = app.post(&app.seed.channel, "/v1/payments", body).await;
            if made.status == 400 {
                assert_eq!(made.fields(), ["buyer.email"]);
                continue;
            }
            let path = format!("/v1/payments/{}/pay", made.data(201)["_id"].as_str().unwrap());
            let card = crate::support::seed::card(crate::support::seed::GOOD_CARD);
            app.post(&app.seed.channel, &path, card).await.data(200);
            let before = app.captured().len();
            app.drain().await;
            assert_eq!(app.captured().len(), before + 1, "{email}");
        }
    }

    async fn send_resources_false_mails_nobody(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let body = json!({"rate_id": rate, "send_resources": false,
            "buyer": {"email": "ana@example.com"}});
        let made = app.post(&app.seed.channel, "/v1/payments", body).await.data(201).clone();
        let path = format!("/v1/payments/{}/pay", made["_id"].as_str().unwrap());
        let card = crate::support::seed::card(crate::support::seed::GOOD_CARD);
        app.post(&app.seed.channel, &path, card).await.data(200);
        app.drain().await;
        assert_eq!(app.captured(), Vec::<String>::new());
    }
}

fn over_smtp(backend: Backend) {
    let smtp = Smtp::start();
    let options = Options { smtp_url: Some(smtp.url.clone()), ..Options::default() };
    run(backend, options, |app| {
        Box::pin(async move {
            // Test mode stays on the machine even with a mail server.
            let (_, rate) = app.on_sale(json!({})).await;
            app.paid(&rate, 1).await;
            app.drain().await;
            assert_eq!((smtp.received().len(), app.captured().len()), (0, 1));
            let buyer = json!({"name": "Ana\r\nBcc: evil@example.com", "email": "ana@example.com"});
            live_sale(app, buyer).await;
            app.drain().await;
            let received = smtp.received();
            assert_eq!(received.len(), 1);
            assert!(received[0].to.iter().all(|to| to.contains("ana@example.com")));
            let head = received[0].data.split("\r\n\r\n").next().unwrap();
            assert!(!head.to_lowercase().contains("bcc:"), "{head}");
            assert!(head.contains("Message-ID: <dlv_"), "{head}");
            assert_eq!(app.captured().len(), 1);
        })
    });
}

#[test]
fn live_mail_goes_over_smtp_sqlite() {
    over_smtp(Backend::Sqlite);
}

#[test]
fn live_mail_goes_over_smtp_postgres() {
    over_smtp(Backend::Postgres);
}

fn dead_server(backend: Backend) {
    // A port that nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = Options { smtp_url: Some(format!("smtp://{free}")), ..Options::default() };
    run(backend, options, |app| {
        Box::pin(async move {
            let paid = live_sale(app, json!({"email": "ana@example.com"})).await;
            assert_eq!(paid["status"], "paid");
            app.drain().await;
            for pause in rialto::outbox::jobs::RETRY_SECONDS {
                app.advance(u32::try_from(pause).unwrap() + 1);
                app.drain().await;
            }
            let path = format!("/v1/payments/{}", paid["_id"].as_str().unwrap());
            let read = app.get(&app.seed.org_live, &path).await;
            assert_eq!(read.data(200)["status"], "paid", "a dead mail server fails no sale");
        })
    });
}

#[test]
fn a_dead_mail_server_fails_no_sale_sqlite() {
    dead_server(Backend::Sqlite);
}

#[test]
fn a_dead_mail_server_fails_no_sale_postgres() {
    dead_server(Backend::Postgres);
}
