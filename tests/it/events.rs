//! Events beyond the main line: where they are, how they are found, and what hangs on them.

use serde_json::{Value, json};

use crate::on_both;
use crate::refunds::{payment, refund};
use crate::support::{Reply, TestApp};

fn id_of(object: &Value) -> &str {
    object["_id"].as_str().unwrap()
}

async fn delete(app: &TestApp, path: &str) -> Reply {
    app.send(
        app.request(reqwest::Method::DELETE, path)
            .header("X-Api-Key", &app.seed.org)
            .json(&json!({})),
    )
    .await
}

async fn location(app: &TestApp, fields: Value) -> Value {
    app.post(&app.seed.org, "/v1/locations", fields).await.data(201).clone()
}

/// The titles of what is listed, in order.
async fn titles(app: &TestApp, key: &str, query: &str) -> Vec<String> {
    let listed = app.get(key, &format!("/v1/events?{query}")).await;
    let rows = listed.data(200).as_array().unwrap().iter();
    rows.map(|event| event["title"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    async fn a_location_is_made_changed_and_shown_on_its_events(app: &TestApp) {
        let made = location(app, json!({"name": "Teatro Colón", "address": "Cerrito 628",
            "city": "Buenos Aires", "country": "ar", "latitude": -34.601111, "longitude": -58.3833333,
            "timezone": "America/Argentina/Buenos_Aires"})).await;
        assert_eq!((&made["country"], &made["latitude"], &made["longitude"]),
            (&json!("AR"), &json!(-34.601111), &json!(-58.383333)));
        let path = format!("/v1/locations/{}", id_of(&made));
        let org = &app.seed.org;
        assert_eq!(app.get(org, &path).await.data(200), &made);
        let wrong = json!({"name": null, "latitude": 91, "longitude": -180.5, "country": "ARG",
            "zone": 1});
        let refused = app.patch(org, &path, wrong).await;
        refused.refused(400, "validation_error");
        assert_eq!(refused.fields().len(), 4, "{}", refused.text);
        app.patch(org, &path, json!({"name": null})).await.refused(400, "validation_error");
        app.patch(org, &path, json!({"latitude": null})).await.refused(400, "validation_error");
        app.post(org, "/v1/locations", json!({})).await.refused(400, "validation_error");
        for stranger in [&app.seed.other_org, &app.seed.org_live] {
            app.get(stranger, &path).await.refused(404, "not_found");
        }
        app.get(&app.seed.channel, &path).await.refused(403, "wrong_principal");
        // An event there has its clock, and needs no venue.
        let event = json!({"title": "Aida", "start_date": "2090-01-01T02:00:00Z",
            "location_id": made["_id"], "price": 30, "capacity": 5});
        let event = app.post(org, "/v1/events", event).await.data(201).clone();
        assert_eq!(event["timezone"], "America/Argentina/Buenos_Aires");
        assert_eq!(event["location"]["city"], "Buenos Aires");
        app.post(org, &format!("/v1/events/{}/publish", id_of(&event)), json!({})).await.data(200);
        app.patch(org, &path, json!({"name": "Colón"})).await.data(200);
        let seen = app.get(&app.seed.channel, &format!("/v1/events/{}", id_of(&event))).await;
        assert_eq!(seen.data(200)["location"]["name"], "Colón");
        assert_eq!(delete(app, &path).await.code(), "in_use");
        let move_out = json!({"location_id": null});
        let event_path = format!("/v1/events/{}", id_of(&event));
        app.patch(org, &event_path, move_out).await.refused(422, "not_publishable");
        let move_out = json!({"location_id": null, "venue": "Elsewhere"});
        app.patch(org, &event_path, move_out).await.data(200);
        delete(app, &path).await.data(200);
        app.get(org, &path).await.refused(404, "not_found");
        let gone = app.patch(org, &event_path, json!({"location_id": made["_id"]})).await;
        assert_eq!(gone.fields(), ["location_id"]);
    }

    async fn a_price_makes_the_first_rate(app: &TestApp) {
        let org = &app.seed.org;
        let body = json!({"title": "Talk", "price": 12.5, "capacity": 3, "venue": "Library",
            "start_date": "2090-01-01T18:00:00Z"});
        let event = app.post(org, "/v1/events", body.clone()).await.data(201).clone();
        let rate = &event["ticket_rates"][0];
        assert_eq!((&rate["name"], &rate["current_price"]["price"]),
            (&json!("General admission"), &json!(12.5)));
        assert_eq!(rate["availability"]["available"], 3);
        app.post(org, &format!("/v1/events/{}/publish", id_of(&event)), json!({})).await.data(200);
        let buy = json!({"rate_id": rate["_id"], "quantity": 3, "send_resources": false});
        let made = app.post(&app.seed.channel, "/v1/payments", buy.clone()).await;
        assert_eq!(made.data(201)["total"]["amount"], 37.5);
        app.post(&app.seed.channel, "/v1/payments", buy).await.refused(422, "sold_out");
        let mut digits = body;
        digits["price"] = json!(12.505);
        let refused = app.post(org, "/v1/events", digits).await;
        assert_eq!(refused.fields(), ["price"]);
        let path = format!("/v1/events/{}", id_of(&event));
        let refused = app.patch(org, &path, json!({"price": 5})).await;
        assert_eq!(refused.fields(), ["price"]);
        let free = json!({"title": "Free", "price": 0});
        let free = app.post(org, "/v1/events", free).await.data(201).clone();
        assert_eq!(free["ticket_rates"][0]["current_price"]["price"], 0);
    }

    async fn events_are_found_by_place_day_and_words(app: &TestApp) {
        let org = &app.seed.org;
        let place = location(app, json!({"name": "Tokyo Dome", "timezone": "Asia/Tokyo"})).await;
        // 2090-01-02 01:00 in Tokyo is still the first of January in UTC.
        let tokyo = json!({"title": "Noche 100% Samba", "start_date": "2090-01-01T16:00:00Z",
            "location_id": place["_id"], "artists": [{"name": "Élan Vital"}], "price": 1});
        let madrid = json!({"title": "Flamenco", "start_date": "2090-01-01T20:00:00Z",
            "venue": "Corral de la Morería", "price": 1});
        for body in [tokyo, madrid] {
            let event = app.post(org, "/v1/events", body).await.data(201).clone();
            app.post(org, &format!("/v1/events/{}/publish", id_of(&event)), json!({})).await
                .data(200);
        }
        let place = id_of(&place);
        for (query, found) in [
            (String::new(), vec!["Flamenco", "Noche 100% Samba"]),
            (format!("location_id={place}"), vec!["Noche 100% Samba"]),
            ("location_id=loc_x".to_owned(), vec![]),
            ("start_date=2090-01-02".to_owned(), vec!["Noche 100% Samba"]),
            ("end_date=2090-01-02".to_owned(), vec!["Flamenco"]),
            ("start_date=2090-01-01T18:00:00Z".to_owned(), vec!["Flamenco"]),
            ("start_date=2090-01-01T16:00:00Z&end_date=2090-01-01T16:00:00.001Z".to_owned(),
                vec!["Noche 100% Samba"]),
            ("search=MORERÍA%20corral".to_owned(), vec!["Flamenco"]),
            ("search=élan".to_owned(), vec!["Noche 100% Samba"]),
            ("search=100%25".to_owned(), vec!["Noche 100% Samba"]),
            ("search=1%25s".to_owned(), vec![]),
            ("search=sam_a".to_owned(), vec![]),
            ("search=%5C".to_owned(), vec![]),
            ("status=draft".to_owned(), vec![]),
            (format!("organization_id={}", app.seed.organization_id),
                vec!["Flamenco", "Noche 100% Samba"]),
        ] {
            assert_eq!(titles(app, &app.seed.channel, &query).await, found, "{query}");
            assert_eq!(titles(app, org, &query).await, found, "{query}");
        }
        let wrong = app.get(org, "/v1/events?start_date=2090-02-30&end_date=soon&search=").await;
        assert_eq!(wrong.fields().len(), 3, "{}", wrong.text);
    }

    async fn an_event_is_deleted_while_nothing_of_it_was_sold(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({})).await;
        let (sold, other) = app.on_sale(json!({})).await;
        app.pending(&other, 1).await;
        let refused = delete(app, &format!("/v1/events/{sold}")).await;
        refused.refused(409, "has_sales");
        assert_eq!(delete(app, &format!("/v1/events/{event}")).await.data(200)["_id"], event.as_str());
        for path in [format!("/v1/events/{event}"), format!("/v1/ticket-rates/{rate}")] {
            app.get(&app.seed.org, &path).await.refused(404, "not_found");
        }
        let buy = json!({"rate_id": rate, "send_resources": false});
        app.post(&app.seed.channel, "/v1/payments", buy).await.refused(404, "not_found");
        let kinds = app.changes(&app.seed.org).await;
        assert!(kinds.iter().any(|change| change["type"] == "event.deleted"));
    }

    async fn the_organization_gives_tickets_out(app: &TestApp) {
        let org = &app.seed.org;
        let draft = app.draft(Value::Null).await;
        let path = format!("/v1/events/{draft}/tickets");
        app.post(org, &path, json!({})).await.refused(422, "not_on_sale");
        let rate = app.rate(&draft, json!({"capacity": 3, "complete": true, "max_per_buyer": 1,
            "min": 2, "prices": [{"price": 10, "quantity": 1}, {"price": 15}]})).await;
        let body = json!({"attendee_name": "Ana Lopez", "attendee_email": "ana@example.com",
            "quantity": 2});
        let given = app.post(org, &path, body).await.data(201).clone();
        let tickets = given["tickets"].as_array().unwrap();
        assert_eq!((tickets.len(), &given["_id"]), (2, &tickets[0]["_id"]));
        assert!(tickets.iter().all(|ticket| ticket["status"] == "active"
            && ticket["full_name"] == "Ana Lopez" && ticket["ticket_rate_id"] == rate.as_str()));
        let made = payment(app, org, given["payment_id"].as_str().unwrap()).await;
        assert_eq!((&made["status"], &made["type"], &made["collects"], &made["balance"]),
            (&json!("paid"), &json!("direct"), &json!("organization"), &json!(0)));
        assert_eq!(made["total"]["amount"], 25);
        app.drain().await;
        assert_eq!(app.captured().len(), 1);
        let door = format!("/v1/tickets/{}/checkin", id_of(&tickets[1]));
        app.post(org, &door, json!({})).await.data(200);
        // Stock binds it, and so do its own event and its own rates.
        let short = app.post(org, &path, json!({"quantity": 2})).await;
        assert_eq!(short.refused(422, "sold_out")["left"], 1);
        let (_, foreign) = app.on_sale(json!({})).await;
        app.post(org, &path, json!({"rate_id": foreign})).await.refused(404, "not_found");
        app.post(&app.seed.channel, &path, json!({})).await.refused(403, "wrong_principal");
        let wrong = json!({"attendee_email": "ana", "quantity": 101, "rate": 1});
        assert_eq!(app.post(org, &path, wrong).await.fields().len(), 3);
        // What was given can be taken back.
        let one = json!({"tickets": [tickets[0]["_id"]]});
        let back = refund(app, org, id_of(&made), one).await.data(201).clone();
        assert_eq!((&back["amount"], &back["status"]), (&json!(1000), &json!("succeeded")));
        let listed = app.get(org, &path).await;
        assert_eq!(listed.data(200).as_array().unwrap().len(), 2);
        let listed = app.get(org, &format!("/v1/events/{draft}/payments")).await;
        assert_eq!(listed.data(200)[0]["_id"], made["_id"]);
        let figures = app.get(org, &format!("/v1/events/{draft}/analytics")).await;
        assert_eq!(figures.data(200), &json!({"event_id": draft, "total_tickets": null,
            "sold_tickets": 1, "revenue": 15, "currency": "EUR", "check_ins": 1}));
    }

    async fn figures_are_each_side_s_own(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({})).await;
        app.paid(&rate, 2).await;
        let body = json!({"rate_id": rate, "send_resources": false});
        let made = app.post(&app.seed.collecting, "/v1/payments", body).await.data(201).clone();
        let mark = format!("/v1/payments/{}/mark-paid", id_of(&made));
        app.post(&app.seed.collecting, &mark, json!({})).await.data(200);
        app.pending(&rate, 1).await;
        let path = format!("/v1/events/{event}/analytics");
        for (key, sold, revenue) in [(&app.seed.org, 3, 61.8), (&app.seed.channel, 2, 41.2),
            (&app.seed.collecting, 1, 20.6)] {
            let figures = app.get(key, &path).await.data(200).clone();
            assert_eq!((&figures["sold_tickets"], &figures["revenue"]),
                (&json!(sold), &json!(revenue)));
        }
        for (path, count) in [("tickets", 1), ("payments", 1)] {
            let path = format!("/v1/events/{event}/{path}");
            let listed = app.get(&app.seed.collecting, &path).await;
            assert_eq!(listed.data(200).as_array().unwrap().len(), count);
            app.get(&app.seed.other_channel, &path).await.refused(404, "not_found");
        }
    }
}
