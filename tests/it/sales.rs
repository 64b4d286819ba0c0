//! Sales that are planned on what is remembered and recorded together.

use futures_util::future::join_all;
use rialto::db::{Outcome, Scope, Tx};
use rialto::parties::PartnershipStatus;
use rialto::parties::ops::set_partnership_status;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Reply, TestApp};

async fn buy(app: &TestApp, rate: &str) -> Reply {
    let body = json!({"rate_id": rate, "send_resources": false});
    app.post(&app.seed.channel, "/v1/payments", body).await
}

async fn set_partnership(app: &TestApp, status: PartnershipStatus) {
    let seed = app.seed.clone();
    let write = move |tx: &mut Tx<'_>| {
        set_partnership_status(tx, &seed.organization_id, &seed.channel_id, status)
            .map(Outcome::Done)
    };
    app.db().write(&Scope::platform("tests"), write).await.unwrap();
}

on_both! {
    /// A remembered price that has changed is not sold, not even once.
    async fn nobody_buys_at_an_old_price(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        for price in [21, 35, 5] {
            // Remembered, and used by others at the moment of the change.
            assert_eq!(buy(app, &rate).await.status, 201);
            let path = format!("/v1/ticket-rates/{rate}");
            let change = app.patch(&app.seed.org, &path, json!({"prices": [{"price": price}]}));
            let others = join_all((0..20).map(|_| buy(app, &rate)));
            let (changed, others) = futures_util::future::join(change, others).await;
            changed.data(200);
            assert!(others.iter().all(|reply| reply.status == 201));
            let after = join_all((0..20).map(|_| buy(app, &rate))).await;
            for reply in after {
                assert_eq!(reply.data(201)["total"]["amount"], price, "{}", reply.text);
            }
        }
    }

    /// A remembered partnership that is suspended sells nothing from the answer on.
    async fn a_suspended_partner_sells_nothing(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        for _ in 0..3 {
            buy(app, &rate).await.data(201);
            let others = join_all((0..20).map(|_| buy(app, &rate)));
            let suspend = set_partnership(app, PartnershipStatus::Suspended);
            let (others, ()) = futures_util::future::join(others, suspend).await;
            assert!(others.iter().all(|reply| [201, 404].contains(&reply.status)));
            for reply in join_all((0..20).map(|_| buy(app, &rate))).await {
                reply.refused(404, "not_found");
            }
            set_partnership(app, PartnershipStatus::Active).await;
        }
        buy(app, &rate).await.data(201);
    }

    /// In one batch some get all they want and the others are told what is left; a rate that
    /// somebody else empties takes nothing from theirs.
    async fn refusals_share_a_batch_with_sales(app: &TestApp) {
        let (event, scarce) = app.on_sale(json!({"capacity": 7})).await;
        let plenty = app.rate(&event, json!({"name": "Plenty", "capacity": 1000})).await;
        let buys = (0..90).map(|number| {
            let rate = if number % 3 == 0 { &plenty } else { &scarce };
            let body = json!({"rate_id": rate, "quantity": 2, "send_resources": false});
            app.post(&app.seed.channel, "/v1/payments", body)
        });
        let replies = join_all(buys).await;
        let sold = |rate: &str| {
            let of = |reply: &&Reply| reply.body["data"]["rate_id"] == rate;
            replies.iter().filter(of).count()
        };
        assert_eq!((sold(&scarce), sold(&plenty)), (3, 30));
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            assert_eq!(reply.refused(422, "sold_out")["left"], 1);
        }
        let left = app.availability(&scarce).await;
        assert_eq!(left, json!({"sold": 0, "held": 6, "available": 1}));
    }

    /// A key that was used is replayed although its sale is planned without looking.
    async fn a_planned_sale_is_replayed(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({"capacity": 1})).await;
        let body = json!({"rate_id": rate, "send_resources": false});
        let post = |key: &'static str, body: Value| {
            app.post_once(&app.seed.channel, key, "/v1/payments", body)
        };
        let first = post("k-1", body.clone()).await;
        first.data(201);
        let again = post("k-1", body.clone()).await;
        assert_eq!((again.status, &again.text), (201, &first.text));
        assert_eq!(again.headers["idempotent-replayed"], "true");
        post("k-2", body.clone()).await.refused(422, "sold_out");
        let other = json!({"rate_id": rate, "quantity": 1, "send_resources": false});
        post("k-1", other).await.refused(422, "key_reused");
        // Even when it could not be sold any more.
        app.post(&app.seed.org, &format!("/v1/events/{event}/cancel"), json!({})).await.data(200);
        assert_eq!(post("k-1", body).await.text, first.text);
    }

    /// Sums that are folded into the counters say the same as lines that are not.
    async fn folding_changes_no_number(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({"capacity": 200})).await;
        let paid = join_all((0..45).map(|_| app.paid(&rate, 1))).await;
        assert_eq!(paid.len(), 45);
        let before = app.availability(&rate).await;
        assert_eq!(before, json!({"sold": 45, "held": 0, "available": 155}));
        // 45 payments have 135 lines: enough to be folded.
        app.drain().await;
        assert_eq!(app.availability(&rate).await, before);
        app.paid(&rate, 3).await;
        app.pending(&rate, 2).await;
        let after = json!({"sold": 48, "held": 2, "available": 150});
        assert_eq!(app.availability(&rate).await, after);
    }
}
