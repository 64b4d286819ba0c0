//! Tickets the organization gives out itself: a payment of type `direct`, paid from its first
//! instant. Sale windows do not bind it, stock does.

use serde::Serialize;
use utoipa::ToSchema;

use super::hold::sell;
use super::price::price_one;
use super::wanted::{Holder, Wanted};
use super::{sums, ticket, write_item};
use crate::catalog;
use crate::catalog::ops::offers;
use crate::db::Tx;
use crate::kernel::ids::{Id, RateId};
use crate::kernel::{Error, Result};
use crate::outbox::ChangeKind;
use crate::parties::Collects;
use crate::payments::input::DirectIssue;
use crate::payments::model::{PaymentStatus, PaymentType};
use crate::payments::ops::announce_with;
use crate::payments::store::Payment;
use crate::tickets::{self, TicketView};

/// The tickets that were given out.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct IssuedTickets {
    /// The first of them.
    #[serde(flatten)]
    ticket: TicketView,
    /// All of them.
    tickets: Vec<TicketView>,
}

/// Gives out valid tickets of an event of one's own, a draft too. 404; 409 `event_cancelled`; 422
/// `sold_out`, `not_on_sale` without a price.
pub fn issue(tx: &mut Tx<'_>, event: &str, input: &DirectIssue) -> Result<IssuedTickets> {
    let event = catalog::ops::events::find(tx, event)?;
    let wanted_rate = input.rate_id.as_ref().map(|text| {
        let none = || Error::not_found().on_field("rate_id", "is no ticket rate of this event");
        RateId::parse(&text.0).ok_or_else(none)
    });
    let mut rate = offers::direct(tx, &event, wanted_rate.transpose()?.as_ref())?;
    offers::count_tiers(tx, &mut [&mut rate])?;
    let holder = Holder {
        full_name: input.attendee_name.as_ref().map(|name| name.0.clone()),
        email: input.attendee_email.as_ref().map(|email| email.0.clone()),
        phone: None,
    };
    let count = input.quantity.as_ref().map_or(1, |quantity| quantity.0);
    let want = Wanted {
        rate: rate.rate.id.to_string(),
        price: None,
        holders: vec![holder.clone(); usize::try_from(count).unwrap_or(1)],
        field: "quantity".to_owned(),
    };
    let mut lines = Vec::new();
    price_one(&mut rate, want, &mut lines)?;
    let first = lines.first().ok_or_else(|| Error::internal("nothing to give out"))?;
    let (amount, fees) = sums(first.offer.currency, &lines)?;
    let payment = Payment {
        event_id: Some(event.id.clone()),
        status: PaymentStatus::Paid,
        collects: Collects::Organization,
        paid_minor: amount.minor,
        num_tickets: count,
        send_resources: holder.email.is_some(),
        kind: Some(PaymentType::Direct),
        buyer_name: holder.full_name,
        buyer_email: holder.email,
        version: 2,
        paid_at: Some(tx.now()),
        ..Payment::begun(tx, event.organization_id.clone(), (amount, fees))?
    };
    sell(tx, &payment, &lines)?;
    let (mut items, mut issued) = (Vec::new(), Vec::new());
    for line in lines {
        items.push(write_item(tx, &payment, (&line, items.len()))?);
        for holder in &line.holders {
            let ticket = ticket(tx, &payment, (&line, holder), issued.len());
            issued.push(tickets::ops::issue_valid(tx, ticket)?);
        }
    }
    tx.append(payment.clone());
    let ids = || issued.iter().map(|ticket| ticket.id.clone()).collect();
    let created = Payment { version: 1, ..payment.clone() };
    announce_with(tx, &created, ChangeKind::PaymentCreated, (&items, ids()))?;
    announce_with(tx, &payment, ChangeKind::PaymentCompleted, (&items, ids()))?;
    let views = tickets::ops::views(tx, issued)?;
    let first = views.first().cloned();
    let first = first.ok_or_else(|| Error::internal("nothing was given out"))?;
    Ok(IssuedTickets { ticket: first, tickets: views })
}
