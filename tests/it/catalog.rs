//! Events and ticket rates.

use serde_json::{Value, json};

use crate::on_both;

on_both! {
    async fn an_event_from_draft_to_channels(app: &TestApp) {
        let org = &app.seed.org;
        let bare = app.post(org, "/v1/events", json!({"title": "  Fiesta Ünica! "})).await;
        let event = bare.data(201).clone();
        assert_eq!((&event["title"], &event["name"]), (&json!("Fiesta Ünica!"), &json!("Fiesta Ünica!")));
        assert_eq!((&event["status"], &event["currency"]), (&json!("draft"), &json!("EUR")));
        assert_eq!(event["timezone"], "Europe/Madrid");
        let (id, number) = (event["_id"].as_str().unwrap(), event["number"].as_i64().unwrap());
        assert_eq!(event["slug"], format!("fiesta-nica-{number}"));
        let publish = format!("/v1/events/{id}/publish");
        let unmet = app.post(org, &publish, json!({})).await;
        unmet.refused(422, "not_publishable");
        assert_eq!(unmet.fields(), ["start_date", "venue", "ticket_rates"]);
        let fields = json!({"start_date": "2090-06-01T20:00:00+02:00", "venue": "Apolo",
            "end_date": "2090-06-02T04:00:00+02:00", "slug": "payments",
            "artists": [{"name": "Rosa"}], "music_genres": ["techno"], "metadata": {"mine": 1}});
        let patched = app.patch(org, &format!("/v1/events/{number}"), fields).await.data(200).clone();
        assert_eq!(patched["start_date"], "2090-06-01T18:00:00.000Z");
        assert_eq!(patched["artists"], json!([{"name": "Rosa", "image_url": null}]));
        app.rate(id, json!({})).await;
        let path = format!("/v1/events/{id}");
        app.get(&app.seed.channel, &path).await.refused(404, "not_found");
        app.post(org, &publish, json!({})).await.data(200);
        app.post(org, &publish, json!({})).await.refused(409, "wrong_status");
        // A slug that is also the name of what an event has.
        let by_slug = "/v1/events/by-slug/payments".to_owned();
        for path in [path.clone(), format!("/v1/events/{number}"), by_slug] {
            let seen = app.get(&app.seed.channel, &path).await;
            assert_eq!(seen.data(200)["_id"], id);
            assert_eq!(seen.data(200)["metadata"], Value::Null, "the organization's own");
            assert_eq!(seen.data(200)["ticket_rates"][0]["available"], true);
            app.get(&app.seed.other_channel, &path).await.refused(404, "not_found");
            app.get(&app.seed.other_org, &path).await.refused(404, "not_found");
            app.get(&app.seed.org_live, &path).await.refused(404, "not_found");
        }
        assert_eq!(app.get(&app.seed.channel, "/v1/events").await.data(200)[0]["_id"], id);
        app.patch(org, &path, json!({"visibility": "unlisted"})).await.data(200);
        assert_eq!(app.get(&app.seed.channel, "/v1/events").await.data(200), &json!([]));
        app.get(&app.seed.channel, &path).await.data(200);
        let keep = app.patch(org, &path, json!({"venue": null})).await;
        keep.refused(422, "not_publishable");
    }

    async fn event_faults_are_all_named(app: &TestApp) {
        let body = json!({"title": "", "start_date": "2001-01-01T00:00:00Z", "capacity": -1,
            "currency": "XAU", "timezone": "Mars/Base", "image_url": "javascript:1",
            "artists": [{"name": 3}, {"nom": "x"}], "slug": "Not A Slug", "prize": 3});
        let reply = app.post(&app.seed.org, "/v1/events", body).await;
        reply.refused(400, "validation_error");
        let mut fields = reply.fields();
        fields.sort_unstable();
        assert_eq!(fields, ["artists[0].name", "artists[1].name", "artists[1].nom", "capacity",
            "currency", "image_url", "prize", "slug", "timezone", "title"]);
        let past = json!({"title": "x", "start_date": "2001-01-01T00:00:00Z",
            "end_date": "2000-01-01T00:00:00Z"});
        let reply = app.post(&app.seed.org, "/v1/events", past).await;
        assert_eq!(reply.fields(), ["start_date", "end_date"]);
        let date = json!({"title": "x", "start_date": "2090-01-01"});
        let reply = app.post(&app.seed.org, "/v1/events", date).await;
        assert_eq!(reply.fields(), ["start_date"]);
        let none = app.post(&app.seed.org, "/v1/events", json!({})).await;
        assert_eq!(none.fields(), ["title"]);
        assert_eq!(app.get(&app.seed.org, "/v1/events").await.data(200), &json!([]));
        let first = app.post(&app.seed.org, "/v1/events", json!({"title": "A", "slug": "a"})).await;
        first.data(201);
        let taken = app.post(&app.seed.org, "/v1/events", json!({"title": "B", "slug": "a"})).await;
        taken.refused(409, "slug_taken");
        // A slug belongs to an organization and a mode.
        app.post(&app.seed.org_live, "/v1/events", json!({"title": "A", "slug": "a"})).await.data(201);
        app.post(&app.seed.other_org, "/v1/events", json!({"title": "A", "slug": "a"})).await.data(201);
    }

    async fn capacity_never_falls_below_what_is_committed(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({"capacity": 10})).await;
        app.paid(&rate, 2).await;
        app.pending(&rate, 3).await;
        let (event, path) = (format!("/v1/events/{event}"), format!("/v1/ticket-rates/{rate}"));
        let org = &app.seed.org;
        for (path, low) in [(&path, 4), (&event, 4)] {
            let reply = app.patch(org, path, json!({"capacity": low})).await;
            reply.refused(422, "below_committed");
            assert_eq!(reply.fields(), ["capacity"]);
        }
        app.patch(org, &event, json!({"capacity": 5})).await.data(200);
        let left = app.availability(&rate).await;
        assert_eq!(left, json!({"sold": 2, "held": 3, "available": 0}), "the event's limit counts");
        app.advance(901);
        // What was held has run out: it is no longer committed.
        app.patch(org, &path, json!({"capacity": 2})).await.data(200);
        app.patch(org, &path, json!({"capacity": null})).await.data(200);
        assert_eq!(app.availability(&rate).await, json!({"sold": 2, "held": 0, "available": 3}));
        let fixed = app.patch(org, &event, json!({"currency": "usd"})).await;
        fixed.refused(409, "currency_fixed");
    }

    async fn rates_are_sold_in_their_window_only(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"valid_from": "2089-01-01T00:00:00Z"})).await;
        let path = format!("/v1/ticket-rates/{rate}");
        let buy = || app.post(&app.seed.channel, "/v1/payments",
            json!({"rate_id": rate, "send_resources": false}));
        buy().await.refused(422, "not_on_sale");
        assert_eq!(app.get(&app.seed.channel, &path).await.data(200)["available"], false);
        let org = &app.seed.org;
        app.patch(org, &path, json!({"valid_from": null})).await.data(200);
        buy().await.data(201);
        app.patch(org, &path, json!({"complete": true})).await.data(200);
        buy().await.refused(422, "not_on_sale");
        app.patch(org, &path, json!({"complete": null, "hidden": true})).await.data(200);
        buy().await.refused(404, "not_found");
        app.get(&app.seed.channel, &path).await.refused(404, "not_found");
        app.get(org, &path).await.data(200);
        app.patch(org, &path, json!({"event_id": "1"})).await.refused(400, "validation_error");
        app.patch(org, &path, json!({"min": 5, "max": 4})).await.refused(400, "validation_error");
    }

    async fn prices_are_tiers_and_payments_keep_theirs(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"prices": [
            {"name": "Early", "price": 10, "quantity": 3}, {"name": "Late", "price": 15}]})).await;
        let path = format!("/v1/ticket-rates/{rate}");
        let org = &app.seed.org;
        let bought = app.pending(&rate, 2).await;
        let read = app.get(org, &path).await.data(200).clone();
        assert_eq!(read["current_price"]["name"], "Early");
        assert_eq!(read["current_price"]["used"], 2);
        assert_eq!(read["availability"]["available"], Value::Null, "the second has no limit");
        let early = read["prices"][0]["_id"].clone();
        let change = json!({"prices": [{"_id": early, "name": "Early", "price": 11.5, "quantity": 5}]});
        let changed = app.patch(org, &path, change).await.data(200).clone();
        assert_eq!(changed["prices"].as_array().unwrap().len(), 1);
        assert_eq!(changed["prices"][0]["_id"], early);
        let kept = app.get(&app.seed.channel, &format!("/v1/payments/{bought}")).await;
        assert_eq!(kept.data(200)["total"]["amount"], 20);
        let now = json!({"rate_id": rate, "send_resources": false, "expected_total": 10});
        let now = app.post(&app.seed.channel, "/v1/payments", now).await;
        assert_eq!(now.refused(409, "price_changed")["total"], 11.5);
        let low = json!({"prices": [{"_id": early, "price": 1, "quantity": 1}]});
        app.patch(org, &path, low).await.refused(422, "below_committed");
        let bad = json!({"prices": [{"price": 1.234}, {"price": 1, "fee_quantity": 101},
            {"_id": "price_x", "price": -1}]});
        let bad = app.patch(org, &path, bad).await;
        assert_eq!(bad.fields(), ["prices[2].price"]);
        let bad = json!({"prices": [{"price": 1.234}, {"price": 1, "fee_quantity": 101},
            {"_id": "price_x", "price": 1}]});
        let bad = app.patch(org, &path, bad).await;
        assert_eq!(bad.fields(), ["prices[0].price", "prices[1].fee_quantity", "prices[2]._id"]);
    }

    async fn a_purchase_never_happens_at_a_stale_price(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let path = format!("/v1/ticket-rates/{rate}");
        let change = async {
            for price in 21..31 {
                let body = json!({"prices": [{"price": price}]});
                app.patch(&app.seed.org, &path, body).await.data(200);
            }
        };
        let buys = futures_util::future::join_all((0..40).map(|_| {
            let body = json!({"rate_id": rate, "send_resources": false});
            app.post(&app.seed.channel, "/v1/payments", body)
        }));
        let (_, bought) = futures_util::future::join(change, buys).await;
        let changes = app.changes(&app.seed.org).await;
        // In the order of the feed every purchase has the price that was in force.
        let mut price = json!(20);
        let mut purchases = 0;
        for change in &changes {
            let object = &change["data"]["object"];
            match change["type"].as_str().unwrap() {
                "ticket_rate.updated" => price = object["current_price"]["price"].clone(),
                "payment.created" => {
                    purchases += 1;
                    if app.backend == crate::support::Backend::Sqlite {
                        assert_eq!(object["items"][0]["unit_price"], price);
                    }
                }
                _ => {}
            }
        }
        assert_eq!(purchases, bought.iter().filter(|buy| buy.status == 201).count());
    }

    async fn a_suspended_partnership_hides_the_catalogue_and_keeps_sales(app: &TestApp) {
        use rialto::db::{Outcome, Scope};
        use rialto::parties::{PartnershipStatus, ops};
        let (event, rate) = app.on_sale(json!({})).await;
        let pending = app.pending(&rate, 1).await;
        let (organization, channel) = (app.seed.organization_id.clone(), app.seed.channel_id.clone());
        app.db().write(&Scope::platform("tests"), move |tx| {
            let to = PartnershipStatus::Suspended;
            Ok(Outcome::Done(ops::set_partnership_status(tx, &organization, &channel, to)?))
        }).await.unwrap();
        let channel = &app.seed.channel;
        app.get(channel, &format!("/v1/events/{event}")).await.refused(404, "not_found");
        app.get(channel, &format!("/v1/ticket-rates?event_id={event}")).await.refused(404, "not_found");
        let body = json!({"rate_id": rate, "send_resources": false});
        app.post(channel, "/v1/payments", body).await.refused(404, "not_found");
        assert_eq!(app.get(channel, "/v1/auth").await.data(200)["channel"]["hosts"], json!([]));
        let pay = format!("/v1/payments/{pending}/pay");
        let card = crate::support::seed::card(crate::support::seed::GOOD_CARD);
        assert_eq!(app.post(channel, &pay, card).await.data(200)["status"], "paid");
    }

    async fn a_new_rate_says_what_is_left_of_it(app: &TestApp) {
        let event = app.draft(json!(50)).await;
        let body = json!({"event_id": event, "name": "R", "capacity": 300,
            "prices": [{"price": 1, "quantity": 20}]});
        let made = app.post(&app.seed.org, "/v1/ticket-rates", body).await.data(201).clone();
        assert_eq!(made["availability"], json!({"sold": 0, "held": 0, "available": 20}));
        let path = format!("/v1/ticket-rates/{}", made["_id"].as_str().unwrap());
        let read = app.get(&app.seed.org, &path).await;
        assert_eq!(read.data(200)["availability"], made["availability"]);
        let change = json!({"prices": [{"price": 2, "quantity": 7}]});
        let changed = app.patch(&app.seed.org, &path, change).await;
        assert_eq!(changed.data(200)["availability"]["available"], 7);
        let tiny = json!({"event_id": event, "name": "T", "prices": [{"price": 1e-40}]});
        app.post(&app.seed.org, "/v1/ticket-rates", tiny).await.refused(400, "validation_error");
    }

    async fn a_made_slug_never_stands_in_the_way(app: &TestApp) {
        let org = &app.seed.org;
        for number in 2..5 {
            let body = json!({"title": "Taken", "slug": format!("party-{number}")});
            app.post(org, "/v1/events", body).await.data(201);
        }
        for _ in 0..3 {
            app.post(org, "/v1/events", json!({"title": "Party"})).await.data(201);
        }
    }

    async fn a_number_is_taken_wherever_an_event_id_is(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({})).await;
        let read = app.get(&app.seed.org, &format!("/v1/events/{event}")).await;
        let number = read.data(200)["number"].as_i64().unwrap();
        app.paid(&rate, 1).await;
        for list in ["payments", "tickets", "ticket-rates"] {
            let path = format!("/v1/{list}?event_id={number}");
            let listed = app.get(&app.seed.channel, &path).await;
            assert_eq!(listed.data(200).as_array().unwrap().len(), 1, "{list}");
        }
        let none = app.get(&app.seed.other_org, &format!("/v1/payments?event_id={number}")).await;
        assert_eq!(none.data(200), &json!([]));
    }
}
