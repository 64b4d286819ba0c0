//! A payment's hold on stock. A plain charge has none, and none is needed.

use std::collections::BTreeMap;

use super::create::buyer_counter;
use crate::catalog;
use crate::db::Tx;
use crate::inventory::ops as inventory;
use crate::kernel::ids::{Id, PriceId, RateId};
use crate::kernel::{Error, Result, Timestamp};
use crate::payments::store::{self, Payment};
use crate::tickets::Ticket;

/// The hold moved between reading the payment and moving it: the operation is run again, and finds
/// the payment as it is now.
fn moved(held: bool) -> Result<()> {
    if held { Ok(()) } else { Err(Error::rerun("the hold moved meanwhile")) }
}

/// `held -> sold`, in time.
pub(super) fn sell(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    if payment.event_id.is_none() {
        return Ok(());
    }
    moved(inventory::sell(tx, &payment.organization_id, payment.id.as_str())?)
}

/// `held -> settling`, in time.
pub(super) fn begin_settling(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    if payment.event_id.is_none() {
        return Ok(());
    }
    moved(inventory::begin_settling(tx, &payment.organization_id, payment.id.as_str())?)
}

/// `settling -> sold`.
pub(super) fn finish_settling(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    let hold = payment.id.as_str();
    if payment.event_id.is_none() || inventory::finish_settling(tx, &payment.organization_id, hold)?
    {
        return Ok(());
    }
    Err(Error::internal("a charged payment's hold was not settling"))
}

/// `settling -> held`.
pub(super) fn abandon_settling(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    let hold = payment.id.as_str();
    if payment.event_id.is_none()
        || inventory::abandon_settling(tx, &payment.organization_id, hold)?
    {
        return Ok(());
    }
    Err(Error::internal("a declined payment's hold was not settling"))
}

/// `held -> released`, whatever the time.
pub(super) fn release(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    if payment.event_id.is_none() {
        return Ok(());
    }
    moved(inventory::release(tx, &payment.organization_id, payment.id.as_str())?)
}

/// `held -> released`, when its time has run out.
pub(super) fn expire(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    if payment.event_id.is_none() {
        return Ok(());
    }
    moved(inventory::expire(tx, &payment.organization_id, payment.id.as_str())?)
}

/// Holds for longer.
pub(super) fn extend(tx: &mut Tx<'_>, payment: &Payment, until: Timestamp) -> Result<()> {
    if payment.event_id.is_none() {
        return Ok(());
    }
    moved(inventory::extend(tx, &payment.organization_id, payment.id.as_str(), until)?)
}

/// Sells what ran out after all, if there is still enough of everything under today's limits.
pub(super) fn hold_again(tx: &mut Tx<'_>, payment: &Payment) -> Result<bool> {
    if payment.event_id.is_none() {
        return Ok(true);
    }
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

/// `sold -> released`: everything the payment bought is for sale again.
pub(super) fn take_back(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    if payment.event_id.is_none() {
        return Ok(());
    }
    moved(inventory::take_back(tx, &payment.organization_id, payment.id.as_str())?)
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
