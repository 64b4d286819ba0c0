//! Giving money back: how much, by whom, what it does to tickets and stock, and what a provider
//! says to it.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::seed::{GOOD_CARD, card};
use crate::support::{Reply, TestApp};

/// Refunds under a key of its own.
pub async fn refund(app: &TestApp, key: &str, id: &str, body: Value) -> Reply {
    let once = format!("refund-{}", rand::random::<u64>());
    app.post_once(key, &once, &format!("/v1/payments/{id}/refunds"), body).await
}

pub async fn payment(app: &TestApp, key: &str, id: &str) -> Value {
    app.get(key, &format!("/v1/payments/{id}")).await.data(200).clone()
}

async fn tickets(app: &TestApp, id: &str) -> Vec<Value> {
    let found = app.get(&app.seed.org, &format!("/v1/tickets?payment_id={id}")).await;
    let mut tickets = found.data(200).as_array().unwrap().clone();
    tickets.sort_by_key(|ticket| ticket["_id"].as_str().unwrap().to_owned());
    tickets
}

fn id_of(object: &Value) -> &str {
    object["_id"].as_str().unwrap()
}

/// How often something is in a side's feed.
pub async fn told(app: &TestApp, key: &str, kind: &str) -> usize {
    app.changes(key).await.iter().filter(|change| change["type"] == kind).count()
}

/// A payment that is paid by this card.
pub async fn paid_by(app: &TestApp, rate: &str, number: &str) -> String {
    let id = app.pending(rate, 1).await;
    let path = format!("/v1/payments/{id}/pay");
    app.post(&app.seed.channel, &path, card(number)).await.data(200);
    id
}

on_both! {
    async fn an_amount_then_a_ticket_then_the_rest(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 3})).await;
        let paid = app.paid(&rate, 3).await;
        let id = id_of(&paid);
        let org = &app.seed.org;
        // Without a ticket named, none is touched.
        let first = refund(app, org, id, json!({"amount": 100, "reason": "Queue"})).await;
        let first = first.data(201).clone();
        assert_eq!((&first["status"], &first["amount"]), (&json!("pending"), &json!(100)));
        assert_eq!(first["tickets"], json!([]));
        assert!(tickets(app, id).await.iter().all(|ticket| ticket["status"] == "active"));
        app.drain().await;
        let read = app.get(&app.seed.channel, &format!("/v1/refunds/{}", id_of(&first))).await;
        assert_eq!(read.data(200)["status"], "succeeded");
        assert!(read.data(200)["processed_at"].is_string());
        // A ticket that is named is void, and its place is for sale again.
        let one = tickets(app, id).await[0].clone();
        let second = refund(app, org, id, json!({"tickets": [one["_id"]]})).await.data(201).clone();
        assert_eq!(second["amount"], 2060);
        let now = app.get(org, &format!("/v1/tickets/{}", id_of(&one))).await.data(200).clone();
        assert_eq!((&now["status"], &now["refunded"]), (&json!("voided"), &json!(20.6)));
        assert_eq!(now["refunds"][0]["refund_id"], second["_id"]);
        assert_eq!(now["refunds"][0]["amount"], 20.6);
        assert_eq!(app.availability(&rate).await, json!({"sold": 2, "held": 0, "available": 1}));
        let body = json!({"rate_id": rate, "send_resources": false});
        app.post(&app.seed.channel, "/v1/payments", body).await.data(201);
        // The rest of the payment; then there is none.
        let over = refund(app, org, id, json!({"amount": 4021})).await;
        assert_eq!(over.refused(422, "over_refund")["left"], 4020);
        assert_eq!(refund(app, org, id, json!({})).await.data(201)["amount"], 4020);
        assert_eq!(refund(app, org, id, json!({})).await.refused(422, "over_refund")["left"], 0);
        let after = payment(app, &app.seed.channel, id).await;
        assert_eq!((&after["status"], &after["amount_refunded"]), (&json!("paid"), &json!(6180)));
        assert_eq!(after["balance"], 6180);
        app.drain().await;
        for key in [org, &app.seed.channel] {
            assert_eq!(told(app, key, "refund.created").await, 3);
            assert_eq!(told(app, key, "refund.processed").await, 3);
            assert_eq!(told(app, key, "ticket.voided").await, 1);
            let listed = app.get(key, &format!("/v1/payments/{id}/refunds")).await;
            assert_eq!(listed.data(200).as_array().unwrap().len(), 3);
            let all = app.get(key, "/v1/refunds?status=succeeded").await;
            assert_eq!(all.data(200).as_array().unwrap().len(), 3);
        }
        // Everything that happened to it, once, in order.
        let timeline = app.get(&app.seed.channel, &format!("/v1/payments/{id}/timeline")).await;
        let kinds: Vec<&str> = timeline.data(200).as_array().unwrap().iter()
            .map(|change| change["type"].as_str().unwrap()).collect();
        assert_eq!(kinds[..2], ["payment.created", "payment.completed"], "{kinds:?}");
        assert_eq!(kinds.iter().filter(|kind| kind.starts_with("refund.")).count(), 6);
    }

    async fn the_key_is_required_and_faults_are_told_together(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let paid = app.paid(&rate, 1).await;
        let other = app.paid(&rate, 1).await;
        let path = format!("/v1/payments/{}/refunds", id_of(&paid));
        let bare = app.post(&app.seed.org, &path, json!({})).await;
        bare.refused(400, "idempotency_key_required");
        let wrong = refund(app, &app.seed.org, id_of(&paid),
            json!({"amount": 0, "reason": "", "ticket": 1})).await;
        wrong.refused(400, "validation_error");
        assert_eq!(wrong.fields().len(), 3, "{}", wrong.text);
        let own = &paid["resource_ids"][0];
        let named = json!({"tickets": [own, own, other["resource_ids"][0], "tkt_x"]});
        let wrong = refund(app, &app.seed.org, id_of(&paid), named).await;
        assert_eq!(wrong.fields(), ["tickets[1]", "tickets[2]", "tickets[3]"]);
        let pending = app.pending(&rate, 1).await;
        refund(app, &app.seed.org, &pending, json!({})).await.refused(422, "over_refund");
        // A retry is the same refund.
        let twice = || app.post_once(&app.seed.org, "k-1", &path, json!({"amount": 500}));
        let (first, second) = (twice().await, twice().await);
        assert_eq!(first.text, second.text);
        assert_eq!(payment(app, &app.seed.org, id_of(&paid)).await["amount_refunded"], 500);
    }

    async fn who_collects_gives_back(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let paid = app.paid(&rate, 1).await;
        refund(app, &app.seed.channel, id_of(&paid), json!({})).await
            .refused(403, "wrong_principal");
        let body = json!({"rate_id": rate, "send_resources": false});
        let made = app.post(&app.seed.collecting, "/v1/payments", body.clone()).await;
        let theirs = id_of(made.data(201)).to_owned();
        let mark = format!("/v1/payments/{theirs}/mark-paid");
        app.post(&app.seed.collecting, &mark, json!({})).await.data(200);
        let refused = refund(app, &app.seed.org, &theirs, json!({})).await;
        assert_eq!(refused.refused(403, "wrong_principal")["collects"], "channel");
        let done = refund(app, &app.seed.collecting, &theirs, json!({})).await;
        assert_eq!(done.data(201)["status"], "succeeded", "no provider has to be asked");
        let mut own = body;
        own["collects"] = json!("organization");
        let own = app.post(&app.seed.org, "/v1/payments", own).await;
        let own = id_of(own.data(201)).to_owned();
        app.post(&app.seed.org, &format!("/v1/payments/{own}/mark-paid"), json!({})).await
            .data(200);
        assert_eq!(refund(app, &app.seed.org, &own, json!({})).await.data(201)["status"],
            "succeeded");
        app.drain().await;
        assert_eq!(told(app, &app.seed.org, "refund.processed").await, 2);
    }

    async fn a_ticket_is_refunded_bit_by_bit(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 2})).await;
        let paid = app.paid(&rate, 2).await;
        let ticket = paid["resource_ids"][0].as_str().unwrap();
        let give = |amount: Value| async move {
            let path = format!("/v1/tickets/{ticket}/refund");
            let request = app.request(reqwest::Method::PUT, &path)
                .header("X-Api-Key", &app.seed.org).json(&json!({"amount": amount}));
            app.send(request).await
        };
        let first = give(json!(10.3)).await.data(200).clone();
        assert_eq!((&first["status"], &first["refunded"]), (&json!("voided"), &json!(10.3)));
        assert_eq!(first["refunds"].as_array().unwrap().len(), 1);
        assert_eq!(app.availability(&rate).await["available"], 1);
        let second = give(json!(10)).await.data(200).clone();
        assert_eq!(second["refunds"].as_array().unwrap().len(), 2);
        assert_eq!(give(json!(0.31)).await.refused(422, "over_refund")["left"], 30);
        assert_eq!(give(json!(0.3)).await.data(200)["refunded"], 20.6);
        assert_eq!(app.availability(&rate).await["available"], 1, "its place was freed once");
        for wrong in [json!(0), json!(-1), json!(0.001), json!("1"), Value::Null] {
            give(wrong).await.refused(400, "validation_error");
        }
    }

    async fn a_ticket_somebody_came_in_with_is_not_voided(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let paid = app.paid(&rate, 2).await;
        let (id, ticket) = (id_of(&paid), paid["resource_ids"][0].as_str().unwrap());
        app.post(&app.seed.org, &format!("/v1/tickets/{ticket}/checkin"), json!({})).await
            .data(200);
        let before = app.availability(&rate).await;
        refund(app, &app.seed.org, id, json!({"tickets": paid["resource_ids"]})).await
            .refused(409, "already_checked_in");
        let cancel = format!("/v1/payments/{id}/cancel");
        app.post(&app.seed.org, &cancel, json!({})).await.refused(409, "already_checked_in");
        assert_eq!(app.availability(&rate).await, before);
        assert_eq!(payment(app, &app.seed.org, id).await["amount_refunded"], 0);
        // Money alone may go back.
        refund(app, &app.seed.org, id, json!({"amount": 2060})).await.data(201);
    }

    async fn what_the_provider_refuses_is_still_there(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let id = paid_by(app, &rate, "4000000000005126").await;
        let ticket = tickets(app, &id).await[0].clone();
        let asked = refund(app, &app.seed.org, &id, json!({"tickets": [ticket["_id"]]})).await;
        let asked = asked.data(201).clone();
        assert_eq!(payment(app, &app.seed.org, &id).await["amount_refunded"], 2060);
        app.drain().await;
        let failed = app.get(&app.seed.org, &format!("/v1/refunds/{}", id_of(&asked))).await;
        assert_eq!(failed.data(200)["status"], "failed");
        assert_eq!(failed.data(200)["failure_code"], "refund_refused");
        let now = payment(app, &app.seed.org, &id).await;
        assert_eq!((&now["amount_refunded"], &now["amount_paid"]), (&json!(0), &json!(2060)));
        let ticket = tickets(app, &id).await[0].clone();
        assert_eq!((&ticket["status"], &ticket["refunded"]), (&json!("voided"), &json!(0)));
        assert_eq!(ticket["refunds"], json!([]));
        // It may be tried again.
        refund(app, &app.seed.org, &id, json!({})).await.data(201);
    }

    async fn fifty_racers_of_a_tenth_are_ten(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"prices": [{"price": 100}]})).await;
        let paid = app.paid(&rate, 1).await;
        let racers = (0..50).map(|_| async {
            loop {
                let reply = refund(app, &app.seed.org, id_of(&paid), json!({"amount": 1000})).await;
                if reply.status != 503 {
                    return reply.status;
                }
            }
        });
        let ran = futures_util::future::join_all(racers).await;
        assert_eq!(ran.iter().filter(|status| **status == 201).count(), 10, "{ran:?}");
        assert_eq!(ran.iter().filter(|status| **status == 422).count(), 40, "{ran:?}");
        assert_eq!(payment(app, &app.seed.org, id_of(&paid)).await["balance"], 10000);
    }

    async fn sold_refunded_and_sold_again_for_twenty_rounds(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 2, "max_per_buyer": 2,
            "prices": [{"price": 20, "quantity": 2}]})).await;
        let body = json!({"rate_id": rate, "quantity": 2, "send_resources": false,
            "buyer": {"email": "ana@example.com"}});
        for round in 0..20 {
            let made = app.post(&app.seed.channel, "/v1/payments", body.clone()).await;
            let made = made.data(201).clone();
            let pay = format!("/v1/payments/{}/pay", id_of(&made));
            app.post(&app.seed.channel, &pay, card(GOOD_CARD)).await.data(200);
            app.post(&app.seed.channel, "/v1/payments", body.clone()).await
                .refused(422, "sold_out");
            if round % 5 == 4 {
                app.drain().await; // Folds what was sold, and asks the provider.
            }
            if round % 2 == 0 {
                let all = json!({"tickets": made["resource_ids"]});
                refund(app, &app.seed.org, id_of(&made), all).await.data(201);
            } else {
                for ticket in made["resource_ids"].as_array().unwrap() {
                    let one = json!({"tickets": [ticket]});
                    refund(app, &app.seed.org, id_of(&made), one).await.data(201);
                }
            }
            let left = app.availability(&rate).await;
            assert_eq!(left, json!({"sold": 0, "held": 0, "available": 2}), "round {round}");
        }
    }

    async fn what_was_folded_into_its_counter_comes_out_again(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 50})).await;
        let sales = (0..40).map(|_| app.paid(&rate, 1));
        let sales = futures_util::future::join_all(sales).await;
        // Enough of it for the sweep to add it to the counters' own sums.
        app.drain().await;
        let all = json!({"tickets": sales[0]["resource_ids"]});
        refund(app, &app.seed.org, id_of(&sales[0]), all).await.data(201);
        let cancel = format!("/v1/payments/{}/cancel", id_of(&sales[1]));
        app.post(&app.seed.org, &cancel, json!({})).await.data(200);
        let left = app.availability(&rate).await;
        assert_eq!(left, json!({"sold": 38, "held": 0, "available": 12}));
    }

    async fn the_organization_calls_a_paid_sale_back(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 1})).await;
        let paid = app.paid(&rate, 1).await;
        let cancel = format!("/v1/payments/{}/cancel", id_of(&paid));
        app.post(&app.seed.channel, &cancel, json!({})).await.refused(409, "wrong_status");
        let called = app.post(&app.seed.org, &cancel, json!({})).await.data(200).clone();
        assert_eq!((&called["status"], &called["amount_paid"], &called["amount_refunded"]),
            (&json!("cancelled"), &json!(2060), &json!(0)));
        assert_eq!(tickets(app, id_of(&paid)).await[0]["status"], "voided");
        assert_eq!(app.availability(&rate).await["available"], 1);
        app.post(&app.seed.org, &cancel, json!({})).await.refused(409, "wrong_status");
        // The money is given back afterwards, for the ticket too.
        let given = refund(app, &app.seed.org, id_of(&paid),
            json!({"tickets": paid["resource_ids"]})).await;
        assert_eq!(given.data(201)["amount"], 2060);
        assert_eq!(app.availability(&rate).await["available"], 1, "once");
    }

    async fn a_cancelled_event_gives_everything_back(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({})).await;
        let paid = app.paid(&rate, 2).await;
        let partly = app.paid(&rate, 2).await;
        refund(app, &app.seed.org, id_of(&partly), json!({"amount": 1000})).await.data(201);
        let inside = app.paid(&rate, 1).await;
        let door = format!("/v1/tickets/{}/checkin", inside["resource_ids"][0].as_str().unwrap());
        app.post(&app.seed.org, &door, json!({})).await.data(200);
        let body = json!({"rate_id": rate, "send_resources": false});
        let made = app.post(&app.seed.collecting, "/v1/payments", body).await.data(201).clone();
        let mark = format!("/v1/payments/{}/mark-paid", id_of(&made));
        app.post(&app.seed.collecting, &mark, json!({})).await.data(200);
        let path = format!("/v1/events/{event}/refunds");
        let all = |once: &'static str| {
            let path = path.clone();
            async move { app.post_once(&app.seed.org, once, &path, json!({})).await }
        };
        all("early").await.refused(409, "wrong_status");
        app.post(&app.seed.org, &path, json!({})).await.refused(400, "idempotency_key_required");
        app.post(&app.seed.org, &format!("/v1/events/{event}/cancel"), json!({})).await.data(200);
        app.drain().await;
        assert_eq!(payment(app, &app.seed.org, id_of(&paid)).await["status"], "paid");
        assert_eq!(all("now").await.data(200)["payments"], 4);
        app.drain().await;
        // Again, as after a crash: nothing is given back twice.
        all("again").await.data(200);
        app.drain().await;
        for (id, refunded) in [(id_of(&paid), 4120), (id_of(&partly), 4120)] {
            let now = payment(app, &app.seed.channel, id).await;
            assert_eq!((&now["status"], &now["amount_refunded"]),
                (&json!("cancelled"), &json!(refunded)), "{now}");
        }
        let kept = payment(app, &app.seed.channel, id_of(&inside)).await;
        assert_eq!((&kept["status"], &kept["amount_refunded"]), (&json!("paid"), &json!(0)));
        let theirs = payment(app, &app.seed.collecting, id_of(&made)).await;
        assert_eq!((&theirs["status"], &theirs["amount_refunded"]),
            (&json!("cancelled"), &json!(0)), "the channel gives its own back");
        let causes = app.get(&app.seed.org, &format!("/v1/refunds?event_id={event}")).await;
        let called = causes.data(200).as_array().unwrap().iter()
            .filter(|refund| refund["cause"] == "event_cancelled").count();
        assert_eq!(called, 2);
    }

    async fn on_account_the_tickets_come_before_the_money(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({"capacity": 2})).await;
        let body = json!({"rate_id": rate, "send_resources": false});
        let made = app.post(&app.seed.collecting, "/v1/payments", body.clone()).await;
        let id = id_of(made.data(201)).to_owned();
        let authorize = format!("/v1/payments/{id}/authorize");
        // The partnership does not say on_account; the organization may.
        app.post(&app.seed.collecting, &authorize, json!({})).await
            .refused(403, "wrong_principal");
        let done = app.post(&app.seed.org, &authorize, json!({})).await.data(200).clone();
        assert_eq!((&done["status"], &done["type"], &done["balance"]),
            (&json!("authorized"), &json!("invoice"), &json!(2060)));
        assert_eq!(tickets(app, &id).await[0]["status"], "active");
        app.advance(7201);
        app.drain().await;
        assert_eq!(payment(app, &app.seed.org, &id).await["status"], "authorized");
        assert_eq!(app.availability(&rate).await["sold"], 1);
        app.post(&app.seed.org, &authorize, json!({})).await.refused(409, "wrong_status");
        refund(app, &app.seed.collecting, &id, json!({})).await.refused(422, "over_refund");
        let mark = format!("/v1/payments/{id}/mark-paid");
        let paid = app.post(&app.seed.collecting, &mark, json!({"type": "bank_transfer"})).await;
        assert_eq!((&paid.data(200)["status"], &paid.data(200)["balance"]),
            (&json!("paid"), &json!(0)));
        let platform = app.pending(&rate, 1).await;
        let path = format!("/v1/payments/{platform}/authorize");
        app.post(&app.seed.org, &path, json!({})).await.refused(403, "wrong_principal");
        // What is owed for a cancelled event is given up.
        app.post(&app.seed.channel, &format!("/v1/payments/{platform}/cancel"), json!({})).await
            .data(200);
        let second = app.post(&app.seed.collecting, "/v1/payments", body).await;
        let second = id_of(second.data(201)).to_owned();
        app.post(&app.seed.org, &format!("/v1/payments/{second}/authorize"), json!({})).await
            .data(200);
        app.post(&app.seed.org, &format!("/v1/events/{event}/cancel"), json!({})).await.data(200);
        app.drain().await;
        assert_eq!(payment(app, &app.seed.org, &second).await["status"], "cancelled");
        assert_eq!(payment(app, &app.seed.org, &id).await["status"], "paid");
    }
}
