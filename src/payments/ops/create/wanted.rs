//! What is bought, in one form whichever of the three ways it was said in.

use crate::kernel::input::Faults;
use crate::kernel::{Error, Result};
use crate::payments::input::{NewPayment, NewTicket};

/// Most tickets in one payment.
const TICKETS_MAX: usize = 100;

/// What is wanted, in one form whichever way it was said.
pub(super) struct Wanted {
    pub(super) rate: String,
    pub(super) price: Option<String>,
    pub(super) holders: Vec<Holder>,
    pub(super) field: String,
}

#[derive(Clone, Default)]
pub(super) struct Holder {
    pub(super) full_name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
}

/// Reads what is bought, in whichever of the three ways it is said.
pub(super) fn read_wanted(new: &NewPayment) -> Result<Vec<Wanted>> {
    let ways = [new.rate_id.is_some(), new.items.is_some(), new.tickets.is_some()];
    let mut faults = Faults::default();
    let one_way = ways.iter().filter(|way| **way).count() == 1;
    faults.check(one_way, "rate_id", "send exactly one of rate_id, items and tickets");
    let quantity_fits = new.quantity.is_none() || new.rate_id.is_some();
    faults.check(quantity_fits, "quantity", "goes with rate_id");
    faults.finish()?;
    let anonymous = |quantity: Option<i64>| {
        vec![Holder::default(); usize::try_from(quantity.unwrap_or(1)).unwrap_or(1)]
    };
    let mut wanted = Vec::new();
    if let Some(rate) = &new.rate_id {
        wanted.push(Wanted {
            rate: rate.0.clone(),
            price: None,
            holders: anonymous(new.quantity.map(|quantity| quantity.0)),
            field: "rate_id".to_owned(),
        });
    }
    for (index, item) in new.items.iter().flatten().enumerate() {
        wanted.push(Wanted {
            rate: item.rate_id.0.clone(),
            price: item.price_id.as_ref().map(|price| price.0.clone()),
            holders: anonymous(item.quantity.map(|quantity| quantity.0)),
            field: format!("items[{index}]"),
        });
    }
    for (index, ticket) in new.tickets.iter().flatten().enumerate() {
        add_ticket(&mut wanted, index, ticket);
    }
    let count: usize = wanted.iter().map(|line| line.holders.len()).sum();
    if (1..=TICKETS_MAX).contains(&count) {
        return Ok(wanted);
    }
    let field = if new.tickets.is_some() { "tickets" } else { "items" };
    Err(Error::invalid_field(field, format!("must make 1 to {TICKETS_MAX} tickets in all")))
}

/// Tickets of the same rate and tier become one line.
fn add_ticket(wanted: &mut Vec<Wanted>, index: usize, ticket: &NewTicket) {
    let holder = Holder {
        full_name: ticket.full_name.as_ref().map(|name| name.0.clone()),
        email: ticket.email.as_ref().map(|email| email.0.clone()),
        phone: ticket.phone.as_ref().map(|phone| phone.0.clone()),
    };
    let price = ticket.price_id.as_ref().map(|price| price.0.clone());
    match wanted.iter_mut().find(|line| line.rate == ticket.rate_id.0 && line.price == price) {
        Some(line) => line.holders.push(holder),
        None => wanted.push(Wanted {
            rate: ticket.rate_id.0.clone(),
            price,
            holders: vec![holder],
            field: format!("tickets[{index}]"),
        }),
    }
}
