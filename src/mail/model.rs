//! A delivery as it is shown, and who gets what.

use serde::Serialize;
use utoipa::ToSchema;

use super::store::{Delivery, DeliveryState};
use crate::kernel::ids::{Id, RefundId, TicketId};
use crate::kernel::{Mode, Timestamp};
use crate::payments::Payment;
use crate::text_enum;
use crate::tickets::Ticket;

text_enum! {
    /// What a delivery carries.
    pub enum Artefact {
        /// What was paid.
        Receipt = "receipt",
        /// Tickets with their codes.
        Tickets = "tickets",
        /// What was given back.
        Refund = "refund",
        /// That the event is cancelled.
        EventCancelled = "event_cancelled",
    }
}

/// A message to one recipient.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct DeliveryView {
    _id: String,
    id: String,
    organization_id: String,
    channel_id: Option<String>,
    event_id: Option<String>,
    payment_id: String,
    refund_id: Option<String>,
    mode: Mode,
    /// The address.
    recipient: String,
    artefacts: Vec<Artefact>,
    /// The tickets it carries.
    ticket_ids: Vec<String>,
    #[schema(example = "en")]
    language: &'static str,
    status: DeliveryState,
    /// Why the last try failed, as a code.
    reason: Option<String>,
    /// Tries so far.
    attempts: i64,
    /// The delivery this one repeats.
    resent_from: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// The ids of the tickets a delivery carries.
pub fn tickets_of(delivery: &Delivery) -> Vec<TicketId> {
    let ids = delivery.tickets.0.as_array().into_iter().flatten();
    ids.filter_map(|id| TicketId::parse(id.as_str()?)).collect()
}

impl From<&Delivery> for DeliveryView {
    fn from(delivery: &Delivery) -> Self {
        let id = delivery.id.to_string();
        let tickets = tickets_of(delivery);
        let artefacts = [
            (delivery.receipt, Artefact::Receipt),
            (!tickets.is_empty(), Artefact::Tickets),
            (delivery.refund_id.is_some(), Artefact::Refund),
            (delivery.called_off, Artefact::EventCancelled),
        ];
        Self {
            _id: id.clone(),
            id,
            organization_id: delivery.organization_id.to_string(),
            channel_id: delivery.channel_id.as_ref().map(ToString::to_string),
            event_id: delivery.event_id.as_ref().map(ToString::to_string),
            payment_id: delivery.payment_id.to_string(),
            refund_id: delivery.refund_id.as_ref().map(ToString::to_string),
            mode: delivery.mode,
            recipient: delivery.recipient.clone(),
            artefacts: artefacts.into_iter().filter(|a| a.0).map(|a| a.1).collect(),
            ticket_ids: tickets.iter().map(ToString::to_string).collect(),
            language: "en",
            status: delivery.state,
            reason: delivery.reason.clone(),
            attempts: delivery.attempts,
            resent_from: delivery.resent_from.as_ref().map(ToString::to_string),
            created_at: delivery.created_at,
            sent_at: delivery.sent_at,
            updated_at: delivery.updated_at,
        }
    }
}

/// A recipient, the buyer or whoever a ticket names, and what they are sent.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// The address.
    pub email: String,
    /// Whether the receipt goes there.
    pub receipt: bool,
    /// The tickets that go there.
    pub tickets: Vec<TicketId>,
    /// The refund they are told of.
    pub refund: Option<RefundId>,
    /// Whether they are told that the event is cancelled.
    pub called_off: bool,
}

impl Recipient {
    /// Somebody who is sent nothing yet.
    pub fn to(email: String) -> Self {
        Self { email, receipt: false, tickets: Vec::new(), refund: None, called_off: false }
    }
}

/// The buyer with the receipt and every ticket without an e-mail of its own, then each other
/// e-mail once, in the order of the tickets.
pub fn recipients(payment: &Payment, tickets: &[Ticket]) -> Vec<Recipient> {
    let mut all: Vec<Recipient> = Vec::new();
    if let Some(email) = &payment.buyer_email {
        all.push(Recipient { receipt: true, ..Recipient::to(email.clone()) });
    }
    for ticket in tickets {
        let Some(email) = ticket.email.as_ref().or(payment.buyer_email.as_ref()) else {
            continue;
        };
        match all.iter_mut().find(|known| known.email.eq_ignore_ascii_case(email)) {
            Some(known) => known.tickets.push(ticket.id.clone()),
            None => all.push(Recipient {
                tickets: vec![ticket.id.clone()],
                ..Recipient::to(email.clone())
            }),
        }
    }
    all
}
