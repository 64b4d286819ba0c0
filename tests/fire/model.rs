//! R9 and R10: random sequences of the main job against the real service and, beside it, against
//! a model small enough to be seen through. Every answer and every number must agree.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::play::{alone, scaled, seeds};
use crate::support::seed::{GOOD_CARD, card};
use crate::support::{Backend, Options, Reply, TestApp, available};

/// Actions of a sequence.
const ACTIONS: std::ops::Range<usize> = 5..30;
/// Time moves by multiples of this. No multiple is near a hold's length, so that the time the
/// test itself takes decides nothing.
const STEP_SECONDS: u32 = 200;
const HOLD_SECONDS: i64 = 900;
const DECLINED_CARD: &str = "4000000000000002";

/// What somebody does. Numbers choose among the sales there are.
#[derive(Clone, Debug)]
enum Action {
    Buy { quantity: i64 },
    BuyAgain { sale: usize },
    Pay { sale: usize, declined: bool },
    Finalize { sale: usize },
    Cancel { sale: usize },
    Enter { sale: usize, ticket: usize },
    Wait { steps: u32 },
    Work,
    SetCapacity { capacity: i64 },
    SetPrice { price: i64 },
    CallOff,
}

fn action() -> impl Strategy<Value = Action> {
    let sale = 0..6_usize;
    prop_oneof![
        8 => (1..=4_i64).prop_map(|quantity| Action::Buy { quantity }),
        2 => sale.clone().prop_map(|sale| Action::BuyAgain { sale }),
        6 => (sale.clone(), prop::bool::weighted(0.2))
            .prop_map(|(sale, declined)| Action::Pay { sale, declined }),
        2 => sale.clone().prop_map(|sale| Action::Finalize { sale }),
        2 => sale.clone().prop_map(|sale| Action::Cancel { sale }),
        4 => (sale, 0..4_usize).prop_map(|(sale, ticket)| Action::Enter { sale, ticket }),
        3 => (1..=3_u32).prop_map(|steps| Action::Wait { steps }),
        1 => Just(Action::Work),
        2 => (1..=16_i64).prop_map(|capacity| Action::SetCapacity { capacity }),
        1 => prop_oneof![Just(0), 1..=40_i64].prop_map(|price| Action::SetPrice { price }),
        1 => Just(Action::CallOff),
    ]
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Status {
    Pending,
    Paid,
    Cancelled,
}

/// A purchase, as the model remembers it.
#[derive(Debug)]
struct Sale {
    once: String,
    quantity: i64,
    amount: i64,
    made_at: i64,
    status: Status,
    entered: Vec<bool>,
    /// What the service called it, and said when it was made.
    id: String,
    tickets: Vec<String>,
    said: String,
}

/// The whole truth.
struct Model {
    now: i64,
    capacity: i64,
    price: i64,
    called_off: bool,
    sales: Vec<Sale>,
}

impl Model {
    fn status(&self, sale: &Sale) -> &'static str {
        match sale.status {
            Status::Paid => "paid",
            Status::Cancelled => "cancelled",
            Status::Pending if sale.made_at + HOLD_SECONDS <= self.now => "expired",
            Status::Pending => "pending",
        }
    }

    fn seats(&self, status: &str) -> i64 {
        let of = self.sales.iter().filter(|sale| self.status(sale) == status);
        of.map(|sale| sale.quantity).sum()
    }

    fn left(&self) -> i64 {
        self.capacity - self.seats("paid") - self.seats("pending")
    }

    /// What moving an open payment is refused with; `None` when it may move.
    fn closed(&self, sale: &Sale) -> Option<(u16, &'static str)> {
        match self.status(sale) {
            "pending" if self.called_off => Some((409, "event_cancelled")),
            "pending" => None,
            "expired" => Some((410, "payment_expired")),
            _ => Some((409, "wrong_status")),
        }
    }
}

/// The service and its model.
struct Run<'a> {
    app: &'a TestApp,
    event: String,
    rate: String,
    model: Model,
}

fn expect(reply: &Reply, (status, code): (u16, &str)) {
    assert_eq!((reply.status, reply.code()), (status, code), "{}", reply.text);
}

impl<'a> Run<'a> {
    async fn start(app: &'a TestApp) -> Self {
        let (capacity, price) = (10, 20);
        let fields = json!({"capacity": capacity, "prices": [{"price": price}]});
        let (event, rate) = app.on_sale(fields).await;
        let model = Model { now: 0, capacity, price, called_off: false, sales: Vec::new() };
        Self { app, event, rate, model }
    }

    async fn act(&mut self, action: &Action) {
        match action {
            Action::Buy { quantity } => self.buy(*quantity).await,
            Action::BuyAgain { sale } => self.buy_again(*sale).await,
            Action::Pay { sale, declined } => self.pay(*sale, *declined).await,
            Action::Finalize { sale } => self.finalize(*sale).await,
            Action::Cancel { sale } => self.cancel(*sale).await,
            Action::Enter { sale, ticket } => self.enter(*sale, *ticket).await,
            Action::Wait { steps } => {
                self.app.advance(steps * STEP_SECONDS);
                self.model.now += i64::from(steps * STEP_SECONDS);
            }
            Action::Work => self.app.drain().await,
            Action::SetCapacity { capacity } => self.set_capacity(*capacity).await,
            Action::SetPrice { price } => self.set_price(*price).await,
            Action::CallOff => self.call_off().await,
        }
    }

    fn body(&self, quantity: i64) -> Value {
        json!({"rate_id": self.rate, "quantity": quantity, "send_resources": false})
    }

    async fn buy(&mut self, quantity: i64) {
        let once = format!("{}-{}-{}", self.rate, self.model.sales.len(), self.model.left());
        let channel = &self.app.seed.channel;
        let body = self.body(quantity);
        let made = self.app.post_once(channel, &once, "/v1/payments", body).await;
        if self.model.called_off {
            return expect(&made, (409, "event_cancelled"));
        }
        if self.model.left() < quantity {
            let left = made.refused(422, "sold_out")["left"].as_i64();
            assert_eq!(left, Some(self.model.left()));
            return;
        }
        let data = made.data(201);
        let amount = quantity * self.model.price;
        assert_eq!(data["total"]["amount"].as_i64(), Some(amount), "{data}");
        let tickets = data["resource_ids"].as_array().unwrap().iter();
        self.model.sales.push(Sale {
            once,
            quantity,
            amount,
            made_at: self.model.now,
            status: Status::Pending,
            entered: vec![false; usize::try_from(quantity).unwrap()],
            id: data["_id"].as_str().unwrap().to_owned(),
            tickets: tickets.map(|id| id.as_str().unwrap().to_owned()).collect(),
            said: made.text.clone(),
        });
    }

    /// The same key says the same, whatever has become of the payment.
    async fn buy_again(&self, sale: usize) {
        let Some(sale) = self.model.sales.get(sale) else { return };
        let body = self.body(sale.quantity);
        let channel = &self.app.seed.channel;
        let again = self.app.post_once(channel, &sale.once, "/v1/payments", body).await;
        assert_eq!((again.status, &again.text), (201, &sale.said));
    }

    async fn post(&self, sale: &Sale, action: &str, body: Value) -> Reply {
        let path = format!("/v1/payments/{}/{action}", sale.id);
        self.app.post(&self.app.seed.channel, &path, body).await
    }

    async fn pay(&mut self, index: usize, declined: bool) {
        let Some(sale) = self.model.sales.get(index) else { return };
        let number = if declined { DECLINED_CARD } else { GOOD_CARD };
        let reply = self.post(sale, "pay", card(number)).await;
        match self.model.closed(sale) {
            Some(refusal) => return expect(&reply, refusal),
            None if sale.amount == 0 => return expect(&reply, (422, "zero_amount")),
            None if declined => return expect(&reply, (402, "card_declined")),
            None => {}
        }
        assert_eq!(reply.data(200)["amount_paid"].as_i64(), Some(sale.amount * 100));
        self.model.sales[index].status = Status::Paid;
    }

    async fn finalize(&mut self, index: usize) {
        let Some(sale) = self.model.sales.get(index) else { return };
        let body = json!({"accepted_terms_and_conditions": true});
        let reply = self.post(sale, "finalize", body).await;
        match self.model.closed(sale) {
            Some(refusal) => return expect(&reply, refusal),
            None if sale.amount > 0 => return expect(&reply, (422, "nonzero_amount")),
            None => {}
        }
        reply.data(200);
        self.model.sales[index].status = Status::Paid;
    }

    async fn cancel(&mut self, index: usize) {
        let Some(sale) = self.model.sales.get(index) else { return };
        let reply = self.post(sale, "cancel", json!({})).await;
        if self.model.status(sale) != "pending" {
            return expect(&reply, (409, "wrong_status"));
        }
        reply.data(200);
        self.model.sales[index].status = Status::Cancelled;
    }

    async fn enter(&mut self, index: usize, ticket: usize) {
        let Some(sale) = self.model.sales.get(index) else { return };
        let Some(id) = sale.tickets.get(ticket) else { return };
        let path = format!("/v1/tickets/{id}/checkin");
        let reply = self.app.post(&self.app.seed.org, &path, json!({})).await;
        if self.model.called_off {
            return expect(&reply, (409, "event_cancelled"));
        }
        if sale.status != Status::Paid {
            return expect(&reply, (409, "ticket_not_valid"));
        }
        if sale.entered[ticket] {
            return expect(&reply, (409, "already_checked_in"));
        }
        reply.data(200);
        self.model.sales[index].entered[ticket] = true;
    }

    async fn patch(&self, body: Value) -> Reply {
        let path = format!("/v1/ticket-rates/{}", self.rate);
        self.app.patch(&self.app.seed.org, &path, body).await
    }

    async fn set_capacity(&mut self, capacity: i64) {
        let reply = self.patch(json!({"capacity": capacity})).await;
        if self.model.called_off {
            return expect(&reply, (409, "event_cancelled"));
        }
        if capacity < self.model.capacity - self.model.left() {
            return expect(&reply, (422, "below_committed"));
        }
        reply.data(200);
        self.model.capacity = capacity;
    }

    async fn set_price(&mut self, price: i64) {
        let reply = self.patch(json!({"prices": [{"price": price}]})).await;
        if self.model.called_off {
            return expect(&reply, (409, "event_cancelled"));
        }
        reply.data(200);
        self.model.price = price;
    }

    async fn call_off(&mut self) {
        let path = format!("/v1/events/{}/cancel", self.event);
        let reply = self.app.post(&self.app.seed.org, &path, json!({})).await;
        if self.model.called_off {
            return expect(&reply, (409, "wrong_status"));
        }
        reply.data(200);
        self.app.drain().await;
        self.model.called_off = true;
        for index in 0..self.model.sales.len() {
            if self.model.status(&self.model.sales[index]) == "pending" {
                self.model.sales[index].status = Status::Cancelled;
            }
        }
    }

    /// What both of them say now.
    async fn compare(&self) {
        let model = &self.model;
        let expected = json!({"sold": model.seats("paid"), "held": model.seats("pending"),
            "available": model.left()});
        assert_eq!(self.app.availability(&self.rate).await, expected);
        let path = format!("/v1/payments?event_id={}&limit=200", self.event);
        let listed = self.app.get(&self.app.seed.channel, &path).await;
        let listed = listed.data(200).as_array().unwrap();
        assert_eq!(listed.len(), model.sales.len());
        for sale in &model.sales {
            let found = listed.iter().find(|payment| payment["_id"] == sale.id).unwrap();
            assert_eq!(found["status"], model.status(sale), "{sale:?}");
        }
    }
}

fn agree(backend: Backend) {
    let _alone = alone();
    if !available(backend) {
        return;
    }
    let system = actix_web::rt::System::new();
    let app = system.block_on(TestApp::spawn(backend, Options::default()));
    for seed in seeds(1, 1) {
        println!("RIALTO_TEST_SEED={seed}");
        let cases = u32::try_from(scaled(500, 2000)).unwrap();
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let sequences = prop::collection::vec(action(), ACTIONS);
        let ran = runner.run(&sequences, |actions| {
            system.block_on(async {
                let mut run = Run::start(&app).await;
                for action in &actions {
                    run.act(action).await;
                }
                run.compare().await;
            });
            Ok(())
        });
        if let Err(failure) = ran {
            panic!("{failure}");
        }
    }
    system.block_on(app.finish());
}

#[test]
fn sqlite() {
    agree(Backend::Sqlite);
}

#[test]
fn postgres() {
    agree(Backend::Postgres);
}
