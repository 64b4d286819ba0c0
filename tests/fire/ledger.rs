//! What a client asked for and was told: kept outside of the server, so that it outlives it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::server::{Answer, Server};
use crate::support::ground::Ground;
use crate::support::seed::{GOOD_CARD, Seed, card};
use crate::support::{Options, TestApp};

/// A request under a key, and its answer once there was one.
pub struct Intent {
    pub key: String,
    pub path: String,
    pub body: Value,
    pub answer: Option<String>,
}

/// Everything that was asked for.
pub struct Ledger {
    pub seed: Seed,
    pub rate: String,
    pub intents: Vec<Intent>,
}

fn created(answer: &str) -> String {
    let body: Value = serde_json::from_str(answer).unwrap();
    body["data"]["_id"].as_str().unwrap().to_owned()
}

impl Ledger {
    /// A ground with an event on sale, and nothing asked for yet.
    pub async fn open(ground: &Arc<Ground>) -> Self {
        let app = TestApp::open(ground.clone(), None, Options::default()).await;
        let (_, rate) = app.on_sale(json!({"capacity": 1_000_000})).await;
        let seed = app.seed.clone();
        app.finish().await;
        Self { seed, rate, intents: Vec::new() }
    }

    /// A purchase that is to be made.
    pub fn purchase(&self, key: &str) -> Intent {
        let body = json!({"rate_id": self.rate, "quantity": 2, "metadata": {"key": key},
            "buyer": {"name": "Ana Lopez", "email": "ana@example.com"}});
        Intent { key: key.to_owned(), path: "/v1/payments".to_owned(), body, answer: None }
    }

    /// The payment of a purchase that was answered.
    pub fn payment(purchase: &Intent) -> Intent {
        let id = created(purchase.answer.as_ref().unwrap());
        let (key, path) = (format!("pay-{}", purchase.key), format!("/v1/payments/{id}/pay"));
        Intent { key, path, body: card(GOOD_CARD), answer: None }
    }

    /// Part of a payment that was answered, to be given back.
    pub fn refund(payment: &Intent) -> Intent {
        let id = created(payment.answer.as_ref().unwrap());
        let (key, path) = (format!("back-{}", payment.key), format!("/v1/payments/{id}/refunds"));
        Intent { key, path, body: json!({"amount": 100}), answer: None }
    }

    /// Whose intent it is.
    fn caller<'a>(seed: &'a Seed, intent: &Intent) -> &'a str {
        if intent.path.ends_with("/refunds") { &seed.org } else { &seed.channel }
    }

    /// Keeps the answer if it is one. What is unknown, was refused while the database was away,
    /// or waits for a provider will be asked again.
    pub fn note(intent: &mut Intent, answer: Answer) {
        match answer {
            Some((200 | 201, text)) => match &intent.answer {
                Some(before) => assert_eq!(&text, before, "{}: another answer", intent.key),
                None => intent.answer = Some(text),
            },
            Some((409, text)) => {
                let waits = text.contains("in_flight") || text.contains("payment_processing");
                assert!(waits && intent.answer.is_none(), "{}: {text}", intent.key);
            }
            Some((status, text)) => assert_eq!(status, 503, "{}: {text}", intent.key),
            None => {}
        }
    }

    /// Sends an intent to a server.
    pub async fn send(&self, server: &Server, intent: &mut Intent) {
        let Intent { key, path, body, .. } = &*intent;
        let caller = Self::caller(&self.seed, intent);
        let answer = server.post_once(caller, key, path, body).await;
        Self::note(intent, answer);
    }

    /// Everything unknown is asked for again, and what was acknowledged must still be so.
    pub async fn settle(mut self, ground: &Arc<Ground>, options: Options) -> Settled {
        let app = TestApp::open(ground.clone(), Some(self.seed.clone()), options).await;
        // Attempts whose answer was lost are asked about after a minute, and the jobs of dead
        // workers are free by then.
        app.drain().await;
        app.advance(61);
        app.drain().await;
        let mut more = Vec::new();
        let mut intents = std::mem::take(&mut self.intents);
        for intent in &mut intents {
            let Intent { key, path, body, .. } = &*intent;
            let caller = Self::caller(&app.seed, intent);
            let reply = app.post_once(caller, key, path, body.clone()).await;
            let was_unknown = intent.answer.is_none();
            assert!([200, 201].contains(&reply.status), "{key}: {}", reply.text);
            Self::note(intent, Some((reply.status, reply.text)));
            if was_unknown && intent.path == "/v1/payments" {
                more.push(Self::payment(intent));
            }
        }
        for mut intent in more {
            let Intent { key, path, body, .. } = &intent;
            let reply = app.post_once(&app.seed.channel, key, path, body.clone()).await;
            Self::note(&mut intent, Some((reply.status, reply.text)));
            intents.push(intent);
        }
        app.drain().await;
        let purchases = intents.iter().filter(|intent| intent.path == "/v1/payments").count();
        let refunds = intents.iter().filter(|intent| intent.path.ends_with("/refunds")).count();
        let paid = intents.len() - purchases - refunds;
        // Each has had its effect once: no payment that nobody asked for, no ticket too many.
        let payments = app.changes(&app.seed.channel).await;
        let count = |kind: &str| payments.iter().filter(|change| change["type"] == kind).count();
        assert_eq!(count("payment.created"), purchases);
        assert_eq!(count("payment.completed"), paid);
        assert_eq!(count("ticket.created"), 2 * paid);
        assert_eq!((count("refund.created"), count("refund.processed")), (refunds, refunds));
        let seats = app.availability(&self.rate).await;
        assert_eq!(seats["sold"], 2 * paid);
        assert_eq!(seats["held"], 2 * (purchases - paid));
        // Every buyer has the mail of every payment and refund, and no job is left or done twice.
        assert_eq!(app.captured().len(), paid + refunds);
        app.finish().await;
        Settled { purchases, paid, refunds }
    }
}

/// How many came of it all.
pub struct Settled {
    pub purchases: usize,
    pub paid: usize,
    pub refunds: usize,
}

impl std::fmt::Display for Settled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { purchases, paid, refunds } = self;
        write!(f, "{purchases} purchases, {paid} paid, {refunds} given back in part")
    }
}
