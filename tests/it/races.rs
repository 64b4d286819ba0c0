//! Two at once.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;

use crate::on_both;
use crate::support::seed::{GOOD_CARD, card};

on_both! {
    /// 200 buyers, 50 seats: exactly 50 sold, never above at any read, no 5xx.
    async fn two_hundred_buyers_for_fifty_seats(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 50})).await;
        let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let buyers = (0..200).map(|buyer| {
            let rate = rate.clone();
            async move {
                let body = json!({"rate_id": rate, "quantity": 1,
                    "buyer": {"email": format!("buyer{buyer}@example.com")}});
                let made = app.post(&app.seed.channel, "/v1/payments", body).await;
                if made.status != 201 {
                    let left = made.refused(422, "sold_out")["left"].as_i64();
                    assert_eq!(left, Some(0));
                    return false;
                }
                let id = made.body["data"]["_id"].as_str().unwrap();
                let path = format!("/v1/payments/{id}/pay");
                app.post(&app.seed.channel, &path, card(GOOD_CARD)).await.data(200);
                true
            }
        });
        let watch = async {
            let mut reads = 0;
            while !done.load(std::sync::atomic::Ordering::SeqCst) {
                let seen = app.availability(&rate).await;
                let count = |name: &str| seen[name].as_i64().unwrap();
                assert!(count("sold") + count("held") <= 50, "{seen}");
                assert!(count("available") >= 0, "{seen}");
                reads += 1;
                // Looks often without keeping the buyers from a core.
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            reads
        };
        let sell = async {
            let sold = join_all(buyers).await.into_iter().filter(|sold| *sold).count();
            done.store(true, std::sync::atomic::Ordering::SeqCst);
            sold
        };
        let (reads, sold) = futures_util::future::join(watch, sell).await;
        assert_eq!(sold, 50);
        assert!(reads > 0);
        let end = json!({"sold": 50, "held": 0, "available": 0});
        assert_eq!(app.availability(&rate).await, end);
    }

    /// One payment, many who pay and one who cancels: one outcome.
    async fn one_payment_is_paid_once_or_cancelled(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 100})).await;
        for _ in 0..5 {
            let id = app.pending(&rate, 2).await;
            let pay = (0..6).map(|_| async {
                let path = format!("/v1/payments/{id}/pay");
                app.post(&app.seed.channel, &path, card(GOOD_CARD)).await
            });
            let cancel = async {
                let path = format!("/v1/payments/{id}/cancel");
                app.post(&app.seed.channel, &path, json!({})).await
            };
            let (paid, cancelled) = futures_util::future::join(join_all(pay), cancel).await;
            let wins = paid.iter().filter(|reply| reply.status == 200).count()
                + usize::from(cancelled.status == 200);
            assert_eq!(wins, 1);
            let losers = paid.iter().chain([&cancelled]).filter(|reply| reply.status != 200);
            losers.for_each(|reply| assert_eq!(reply.status, 409, "{}", reply.text));
        }
    }

    /// What is written on a payment while it is paid takes nothing of its money back.
    async fn a_payment_is_written_on_while_it_is_paid(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 100})).await;
        for round in 0..20 {
            let id = app.pending(&rate, 1).await;
            let (own, pay) = (format!("/v1/payments/{id}"), format!("/v1/payments/{id}/pay"));
            let written = (0..4).map(|number| {
                let body = json!({"metadata": {"round": round, "number": number}});
                app.patch(&app.seed.channel, &own, body)
            });
            let pay = app.post(&app.seed.channel, &pay, card(GOOD_CARD));
            let (written, paid) = futures_util::future::join(join_all(written), pay).await;
            assert_eq!(paid.data(200)["amount_paid"], 2060);
            assert!(written.iter().all(|reply| reply.status == 200), "{written:?}");
            let end = app.get(&app.seed.channel, &own).await.data(200).clone();
            assert_eq!((&end["status"], &end["amount_paid"]), (&json!("paid"), &json!(2060)));
            assert_eq!(end["metadata"]["round"], round);
        }
    }

    /// A ticket is given away while its old code is at the door: whoever comes in has it, or the
    /// other one does, never both.
    async fn a_ticket_changes_hands_at_the_door(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let mut outcomes = [0, 0];
        for _ in 0..20 {
            let paid = app.paid(&rate, 1).await;
            let path = format!("/v1/tickets/{}", paid["resource_ids"][0].as_str().unwrap());
            let code = app.get(&app.seed.org, &path).await.data(200)["qr_code"].clone();
            let body = json!({"full_name": "Ben", "email": "ben@example.com"});
            let transfer = format!("{path}/transfer");
            let transfer = app.post(&app.seed.channel, &transfer, body);
            let scan = app.post(&app.seed.org, "/v1/checkins", json!({"code": code}));
            let (given, scanned) = futures_util::future::join(transfer, scan).await;
            outcomes[usize::from(scanned.status == 201)] += 1;
            let read = app.get(&app.seed.org, &path).await.data(200).clone();
            match scanned.status {
                201 => {
                    given.refused(409, "already_checked_in");
                    assert_eq!((&read["enter"], &read["qr_code"]), (&json!(1), &code));
                }
                404 => {
                    given.data(200);
                    assert_eq!((&read["enter"], &read["full_name"]), (&json!(0), &json!("Ben")));
                    assert_ne!(read["qr_code"], code);
                }
                other => panic!("{other}: {}", scanned.text),
            }
        }
        println!("transferred and let in: {outcomes:?}");
    }

    /// Two doors, one ticket.
    async fn a_ticket_enters_once(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let paid = app.paid(&rate, 1).await;
        let path = format!("/v1/tickets/{}/checkin", paid["resource_ids"][0].as_str().unwrap());
        let doors = (0..12).map(|_| app.post(&app.seed.org, &path, json!({})));
        let doors = join_all(doors).await;
        assert_eq!(doors.iter().filter(|door| door.status == 200).count(), 1);
        for door in doors.iter().filter(|door| door.status != 200) {
            assert!(door.refused(409, "already_checked_in")["checked_in_at"].is_string());
        }
    }

    /// A buyer's limit holds over payments made at once.
    async fn a_buyer_gets_no_more_than_the_limit(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"max_per_buyer": 3})).await;
        let buys = (0..10).map(|try_number| {
            let email = if try_number % 2 == 0 { "Ana@example.com" } else { "ana@example.com" };
            let body = json!({"rate_id": rate, "quantity": 1, "buyer": {"email": email}});
            app.post(&app.seed.channel, "/v1/payments", body)
        });
        let buys = join_all(buys).await;
        assert_eq!(buys.iter().filter(|buy| buy.status == 201).count(), 3);
        for buy in buys.iter().filter(|buy| buy.status != 201) {
            assert_eq!(buy.refused(422, "buyer_limit")["left"], 0);
        }
    }

    /// Items over two rates in both orders: no deadlock reaches a caller.
    async fn carts_in_both_orders(app: &TestApp) {
        let (event, first) = app.on_sale(json!({"capacity": 60})).await;
        let second = app.rate(&event, json!({"name": "Balcony", "capacity": 40})).await;
        let carts = (0..80).map(|cart| {
            let (a, b) = if cart % 2 == 0 { (&first, &second) } else { (&second, &first) };
            let body = json!({"items": [{"rate_id": a}, {"rate_id": b}],
                "send_resources": false});
            app.post(&app.seed.channel, "/v1/payments", body)
        });
        let carts = join_all(carts).await;
        assert_eq!(carts.iter().filter(|cart| cart.status == 201).count(), 40);
        for cart in carts.iter().filter(|cart| cart.status != 201) {
            cart.refused(422, "sold_out");
        }
        assert_eq!(app.availability(&first).await["available"], 20);
        assert_eq!(app.availability(&second).await["available"], 0);
    }

    /// Overdue holds are sold again by whoever needs them, with no sweep.
    async fn overdue_holds_are_for_sale_at_once(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 4})).await;
        let old = app.pending(&rate, 4).await;
        app.advance(901);
        assert_eq!(app.availability(&rate).await, json!({"sold": 0, "held": 0, "available": 4}));
        let buys = join_all((0..8).map(|_| {
            let body = json!({"rate_id": rate, "send_resources": false});
            app.post(&app.seed.channel, "/v1/payments", body)
        }));
        let sold = buys.await.iter().filter(|buy| buy.status == 201).count();
        assert_eq!(sold, 4);
        let read = app.get(&app.seed.channel, &format!("/v1/payments/{old}")).await;
        assert_eq!(read.data(200)["status"], "expired");
    }

    /// Once a cancellation is answered, no payment is completed and nobody is let in.
    async fn nothing_is_paid_after_the_event_is_called_off(app: &TestApp) {
        for _ in 0..4 {
            let (event, rate) = app.on_sale(json!({})).await;
            let mut payments = Vec::new();
            for _ in 0..10 {
                payments.push(app.pending(&rate, 1).await);
            }
            let pays = payments.iter().map(|id| {
                let path = format!("/v1/payments/{id}/pay");
                async move { app.post(&app.seed.channel, &path, card(GOOD_CARD)).await }
            });
            let cancel = async {
                let path = format!("/v1/events/{event}/cancel");
                app.post(&app.seed.org, &path, json!({})).await.data(200);
            };
            let (paid, ()) = futures_util::future::join(join_all(pays), cancel).await;
            for reply in &paid {
                assert!(
                    reply.status == 200 || reply.code() == "event_cancelled",
                    "{}",
                    reply.text
                );
            }
            app.drain().await;
            for id in &payments {
                let read = app.get(&app.seed.channel, &format!("/v1/payments/{id}")).await;
                let status = read.data(200)["status"].as_str().unwrap().to_owned();
                assert!(["paid", "cancelled"].contains(&status.as_str()), "{status}");
            }
        }
    }
}
