//! A payment's hold on stock. A plain charge has none, and none is needed: it is never open, so
//! nobody extends it, and its money is never held again.

use std::collections::BTreeMap;

use super::create::buyer_counter;
use crate::catalog;
use crate::db::Tx;
use crate::inventory::ops as inventory;
use crate::kernel::ids::{Id, OrganizationId, PriceId, RateId};
use crate::kernel::{Error, Result, Timestamp};
use crate::payments::store::{self, Payment};
use crate::tickets::Ticket;

type Step = fn(&mut Tx<'_>, &OrganizationId, &str) -> Result<bool>;

/// Takes a step of the payment's hold, if it has one. `false`: not from where the hold is now.
fn step(tx: &mut Tx<'_>, payment: &Payment, step: Step) -> Result<bool> {
    Ok(payment.event_id.is_none() || step(tx, &payment.organization_id, payment.id.as_str())?)
}

/// The hold moved between reading the payment and moving it: the operation is run again, and finds
/// the payment as it is now.
fn moved(moved: bool) -> Result<()> {
    if moved { Ok(()) } else { Err(Error::rerun("the hold moved meanwhile")) }
}

/// Only who asks the provider moves a hold that is settling.
fn settled(moved: bool) -> Result<()> {
    if moved { Ok(()) } else { Err(Error::internal("the hold of an attempt was not settling")) }
}

/// `held -> sold`, in time.
pub(super) fn sell(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    moved(step(tx, payment, inventory::sell)?)
}

/// `held -> settling`, in time.
pub(super) fn begin_settling(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    moved(step(tx, payment, inventory::begin_settling)?)
}

/// `settling -> sold`.
pub(super) fn finish_settling(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    settled(step(tx, payment, inventory::finish_settling)?)
}

/// `settling -> held`.
pub(super) fn abandon_settling(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    settled(step(tx, payment, inventory::abandon_settling)?)
}

/// `held -> released`, whatever the time.
pub(super) fn release(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    moved(step(tx, payment, inventory::release)?)
}

/// `held -> released`, when its time has run out.
pub(super) fn expire(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    moved(step(tx, payment, inventory::expire)?)
}

/// `sold -> released`: everything the payment bought is for sale again.
pub(super) fn take_back(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    moved(step(tx, payment, inventory::take_back)?)
}

/// Holds for longer.
pub(super) fn extend(tx: &mut Tx<'_>, payment: &Payment, until: Timestamp) -> Result<()> {
    moved(inventory::extend(tx, &payment.organization_id, payment.id.as_str(), until)?)
}

/// Sells what ran out after all, if there is still enough of everything under today's limits.
pub(super) fn hold_again(tx: &mut Tx<'_>, payment: &Payment) -> Result<bool> {
    let mut at_most = BTreeMap::new();
    for item in store::items(tx, payment)? {
        let rate = &item.rate_id;
        let limit = catalog::ops::offers::limit_per_buyer(tx, &payment.organization_id, rate)?;
        if let (Some(limit), Some(_)) = (limit, &payment.buyer_email) {
            at_most.insert(buyer_counter(tx, payment, rate)?, limit);
        }
    }
    inventory::hold_again(tx, &payment.organization_id, payment.id.as_str(), &at_most)
}

/// Some of its tickets are for sale again.
pub(super) fn take_back_tickets(
    tx: &mut Tx<'_>,
    payment: &Payment,
    tickets: &[Ticket],
) -> Result<()> {
    let mut parts: BTreeMap<String, i64> = BTreeMap::new();
    for ticket in tickets {
        let mut one_of = |counter: String| *parts.entry(counter).or_default() += 1;
        one_of(ticket.event_id.to_string());
        one_of(ticket.rate_id.to_string());
        let tier = ticket.price.0.get("_id").and_then(|id| id.as_str());
        let tier = tier.and_then(PriceId::parse);
        let tier = tier.ok_or_else(|| Error::internal("a ticket without its tier"))?;
        one_of(tier.to_string());
        if payment.buyer_email.is_some() {
            one_of(buyer_counter(tx, payment, &RateId::clone(&ticket.rate_id))?);
        }
    }
    let hold = payment.id.as_str();
    inventory::take_back_part(tx, &payment.organization_id, hold, &parts)
}
