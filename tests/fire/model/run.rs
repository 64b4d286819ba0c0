//! The service and its model, side by side.

use serde_json::{Value, json};

use super::truth::{HOLD_MAX_SECONDS, HOLD_SECONDS, Model, Sale, Seat, Status};
use super::{Action, Card, STEP_SECONDS};
use crate::support::seed::{GOOD_CARD, card};
use crate::support::{Reply, TestApp};

const DECLINED_CARD: &str = "4000000000000002";
/// Refused by a provider that was not sure; it had charged it.
const UNSURE_CARD: &str = "4000000000000259";

/// The service and its model.
pub struct Run<'a> {
    app: &'a TestApp,
    event: String,
    rate: String,
    model: Model,
}

fn expect(reply: &Reply, (status, code): (u16, &str)) {
    assert_eq!((reply.status, reply.code()), (status, code), "{}", reply.text);
}

impl<'a> Run<'a> {
    pub async fn start(app: &'a TestApp) -> Self {
        let (capacity, price) = (10, 20);
        let fields = json!({"capacity": capacity, "prices": [{"price": price}]});
        let (event, rate) = app.on_sale(fields).await;
        let (price, sales) = (price * 100, Vec::new());
        let model = Model { now: 0, capacity, price, called_off: false, sales, unsure: None };
        Self { app, event, rate, model }
    }

    pub async fn act(&mut self, action: &Action) {
        match action {
            Action::Buy { quantity } => self.buy(*quantity).await,
            Action::BuyAgain { sale } => self.buy_again(*sale).await,
            Action::Pay { sale, by } => self.pay(*sale, *by).await,
            Action::Finalize { sale } => self.finalize(*sale).await,
            Action::Extend { sale, seconds } => self.extend(*sale, *seconds).await,
            Action::Cancel { sale } => self.cancel(*sale).await,
            Action::CallBack { sale } => self.call_back(*sale).await,
            Action::Refund { sale, amount } => self.refund(*sale, *amount).await,
            Action::RefundTicket { sale, ticket } => self.refund_ticket(*sale, *ticket).await,
            Action::Enter { sale, ticket } => self.enter(*sale, *ticket).await,
            Action::Wait { steps } => {
                self.app.advance(steps * STEP_SECONDS);
                self.model.now += i64::from(steps * STEP_SECONDS);
            }
            Action::Work => self.work().await,
            Action::SetCapacity { capacity } => self.set_capacity(*capacity).await,
            Action::SetPrice { price } => self.set_price(*price).await,
            Action::CallOff => self.call_off().await,
        }
    }

    async fn work(&mut self) {
        self.app.drain().await;
        self.model.hear();
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
        let price = self.model.price;
        assert_eq!(data["amount"].as_i64(), Some(quantity * price), "{data}");
        let seat = |id: &Value| Seat { id: id.as_str().unwrap().to_owned(), ..Seat::default() };
        self.model.sales.push(Sale {
            once,
            quantity,
            price,
            made_at: self.model.now,
            ends_at: self.model.now + HOLD_SECONDS,
            status: Status::Pending,
            paid: 0,
            refunded: 0,
            seats: data["resource_ids"].as_array().unwrap().iter().map(seat).collect(),
            id: data["_id"].as_str().unwrap().to_owned(),
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

    /// Refunds are under a key.
    async fn give_back(&self, sale: &Sale, body: Value) -> Reply {
        let (once, path) = (rand::random::<u64>(), format!("/v1/payments/{}/refunds", sale.id));
        self.app.post_once(&self.app.seed.org, &format!("r-{once}"), &path, body).await
    }

    async fn pay(&mut self, index: usize, by: Card) {
        let Some(sale) = self.model.sales.get(index) else { return };
        if by == Card::Unsure && self.model.unsure.is_some() {
            // Which of two is heard of first is not said.
            return;
        }
        let number = match by {
            Card::Good => GOOD_CARD,
            Card::Declined => DECLINED_CARD,
            Card::Unsure => UNSURE_CARD,
        };
        let reply = self.post(sale, "pay", card(number)).await;
        match (self.model.closed(sale), by) {
            (Some(refusal), _) => return expect(&reply, refusal),
            (None, _) if sale.amount() == 0 => return expect(&reply, (422, "zero_amount")),
            (None, Card::Declined) => return expect(&reply, (402, "card_declined")),
            (None, Card::Unsure) => {
                self.model.unsure = Some((index, self.model.now));
                return expect(&reply, (402, "processing_error"));
            }
            (None, Card::Good) => {}
        }
        let amount = sale.amount();
        assert_eq!(reply.data(200)["amount_paid"].as_i64(), Some(amount));
        self.model.sales[index].status = Status::Paid;
        self.model.sales[index].paid = amount;
    }

    async fn finalize(&mut self, index: usize) {
        let Some(sale) = self.model.sales.get(index) else { return };
        let body = json!({"accepted_terms_and_conditions": true});
        let reply = self.post(sale, "finalize", body).await;
        match self.model.closed(sale) {
            Some(refusal) => return expect(&reply, refusal),
            None if sale.price > 0 => return expect(&reply, (422, "nonzero_amount")),
            None => {}
        }
        reply.data(200);
        self.model.sales[index].status = Status::Paid;
    }

    async fn extend(&mut self, index: usize, seconds: i64) {
        let Some(sale) = self.model.sales.get(index) else { return };
        let reply = self.post(sale, "extend", json!({"expires_in": seconds})).await;
        if let Some(refusal) = self.model.closed(sale) {
            return expect(&reply, refusal);
        }
        let until = self.model.now + seconds;
        // The service's clock runs a little further: what is equal here is later there.
        if until < sale.ends_at || until >= sale.made_at + HOLD_MAX_SECONDS {
            return expect(&reply, (400, "validation_error"));
        }
        reply.data(200);
        self.model.sales[index].ends_at = until;
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

    /// The organization: what is paid only.
    async fn call_back(&mut self, index: usize) {
        let Some(sale) = self.model.sales.get(index) else { return };
        let path = format!("/v1/payments/{}/cancel", sale.id);
        let reply = self.app.post(&self.app.seed.org, &path, json!({})).await;
        match self.model.status(sale) {
            "paid" => {}
            "pending" => return expect(&reply, (403, "wrong_principal")),
            _ => return expect(&reply, (409, "wrong_status")),
        }
        if sale.seats.iter().any(|seat| seat.entered) {
            return expect(&reply, (409, "already_checked_in"));
        }
        reply.data(200);
        self.model.sales[index].status = Status::Cancelled;
    }

    /// Money, and no ticket.
    async fn refund(&mut self, index: usize, amount: i64) {
        let Some(sale) = self.model.sales.get(index) else { return };
        let reply = self.give_back(sale, json!({"amount": amount})).await;
        if amount > sale.paid - sale.refunded {
            return expect(&reply, (422, "over_refund"));
        }
        reply.data(201);
        self.model.sales[index].refunded += amount;
    }

    /// A ticket, with what is left of its money.
    async fn refund_ticket(&mut self, index: usize, ticket: usize) {
        let Some(sale) = self.model.sales.get(index) else { return };
        let Some(seat) = sale.seats.get(ticket) else { return };
        let reply = self.give_back(sale, json!({"tickets": [seat.id]})).await;
        let amount = (sale.price - seat.refunded).min(sale.paid - sale.refunded);
        if amount == 0 {
            return expect(&reply, (422, "over_refund"));
        }
        if seat.entered {
            return expect(&reply, (409, "already_checked_in"));
        }
        assert_eq!(reply.data(201)["amount"].as_i64(), Some(amount));
        let sale = &mut self.model.sales[index];
        sale.refunded += amount;
        sale.seats[ticket].refunded += amount;
        sale.seats[ticket].void = true;
    }

    async fn enter(&mut self, index: usize, ticket: usize) {
        let Some(sale) = self.model.sales.get(index) else { return };
        let Some(seat) = sale.seats.get(ticket) else { return };
        let path = format!("/v1/tickets/{}/checkin", seat.id);
        let reply = self.app.post(&self.app.seed.org, &path, json!({})).await;
        if self.model.called_off {
            return expect(&reply, (409, "event_cancelled"));
        }
        if sale.status != Status::Paid || seat.void {
            return expect(&reply, (409, "ticket_not_valid"));
        }
        if seat.entered {
            return expect(&reply, (409, "already_checked_in"));
        }
        reply.data(200);
        self.model.sales[index].seats[ticket].entered = true;
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
        self.model.price = price * 100;
    }

    async fn call_off(&mut self) {
        let path = format!("/v1/events/{}/cancel", self.event);
        let reply = self.app.post(&self.app.seed.org, &path, json!({})).await;
        if self.model.called_off {
            return expect(&reply, (409, "wrong_status"));
        }
        reply.data(200);
        self.model.called_off = true;
        self.work().await;
        for index in 0..self.model.sales.len() {
            if self.model.status(&self.model.sales[index]) == "pending" {
                self.model.sales[index].status = Status::Cancelled;
            }
        }
    }

    /// What both of them say now.
    pub async fn compare(&self) {
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
            let money = json!([found["status"], found["amount_paid"], found["amount_refunded"]]);
            assert_eq!(money, json!([model.status(sale), sale.paid, sale.refunded]), "{sale:?}");
        }
    }
}
