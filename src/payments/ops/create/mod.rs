//! Creating a payment: price it, hold its stock, make its tickets.

mod hold;
mod wanted;

use std::collections::BTreeMap;

use serde_json::Value;

pub(super) use hold::buyer_counter;
use hold::hold;
use wanted::{Holder, Wanted, read_wanted};

use super::{announce_with, end};
use crate::catalog::{self, Offer};
use crate::config::SalesSettings;
use crate::db::types::Json;
use crate::db::{Tenant, Tx};
use crate::kernel::ids::{Id, OrganizationId, PaymentId, RateId, TicketId};
use crate::kernel::{Error, Money, Result, Timestamp};
use crate::outbox::ChangeKind;
use crate::parties::{self, Collects};
use crate::payments::input::{Buyer, NewPayment};
use crate::payments::model::{PaymentStatus, PaymentView};
use crate::payments::store::{self, Item, Payment};
use crate::tickets::{self, Ticket, TicketStatus};

/// A priced line of the payment.
struct Priced {
    offer: Offer,
    holders: Vec<Holder>,
    field: String,
    unit: Money,
    fee: Money,
}

/// Creates a pending payment.
pub fn create(tx: &mut Tx<'_>, new: &NewPayment, limits: &SalesSettings) -> Result<PaymentView> {
    let wanted = read_wanted(new)?;
    let expires_at = expiry(tx, new, limits)?;
    check_recipients(new, &wanted)?;
    let lines = price(tx, wanted)?;
    let first = lines.first().ok_or_else(|| Error::internal("a payment without lines"))?;
    let event = first.offer.event.clone();
    let currency = first.offer.currency;
    let collects = collects(tx, &event.organization_id, new)?;
    let mut amount = Money::zero(currency);
    let mut fees = Money::zero(currency);
    for line in &lines {
        let count = count_of(&line.holders);
        fees = fees.plus(line.fee.times(count)?)?;
        amount = amount.plus(line.unit.times(count)?)?.plus(line.fee.times(count)?)?;
    }
    check_expected(new, amount)?;
    let buyer = new.buyer.clone().unwrap_or(Buyer { name: None, email: None, phone: None });
    let payment = Payment {
        organization_id: event.organization_id.clone(),
        id: tx.id(),
        mode: tx.mode()?,
        channel_id: tx.scope().channel().cloned(),
        event_id: Some(event.id.clone()),
        status: PaymentStatus::Pending,
        collects,
        currency,
        amount_minor: amount.minor,
        fees_minor: fees.minor,
        paid_minor: 0,
        refunded_minor: 0,
        num_tickets: lines.iter().map(|line| count_of(&line.holders)).sum(),
        send_resources: new.send_resources.unwrap_or(true),
        metadata: Json(match &new.metadata {
            Some(metadata) => metadata.0.clone(),
            None => Value::Object(serde_json::Map::new()),
        }),
        reference: new.reference.as_ref().map(|reference| reference.0.clone()),
        kind: None,
        card: None,
        language: None,
        description: None,
        buyer_name: buyer.name.map(|name| name.0),
        buyer_email: buyer.email.map(|email| email.0),
        buyer_phone: buyer.phone.map(|phone| phone.0),
        processing_attempt_id: None,
        late_at: None,
        version: 1,
        created_at: tx.now(),
        paid_at: None,
        expires_at,
        updated_at: tx.now(),
        customer_id: None,
        authorized_at: None,
        late_outcome: None,
    };
    take_reference(tx, &payment)?;
    hold(tx, &payment, &lines)?;
    record(tx, payment, lines)
}

fn count_of(holders: &[Holder]) -> i64 {
    i64::try_from(holders.len()).unwrap_or(i64::MAX)
}

fn expiry(tx: &Tx<'_>, new: &NewPayment, limits: &SalesSettings) -> Result<Timestamp> {
    let now = tx.now();
    let latest = now.plus_seconds(limits.hold_seconds_max);
    let reason = format!("must be within {} seconds from now", limits.hold_seconds_max);
    match (&new.expires_in, &new.expires_at) {
        (None, None) => Ok(now.plus_seconds(limits.hold_seconds)),
        (Some(seconds), None) if seconds.0 <= limits.hold_seconds_max => {
            Ok(now.plus_seconds(seconds.0))
        }
        (Some(_), None) => Err(Error::invalid_field("expires_in", reason)),
        (None, Some(at)) if at.0 > now && at.0 <= latest => Ok(at.0),
        (None, Some(_)) => Err(Error::invalid_field("expires_at", reason)),
        (Some(_), Some(_)) => {
            Err(Error::invalid_field("expires_at", "cannot be sent beside expires_in"))
        }
    }
}

/// What is to be mailed needs somebody to mail it to.
fn check_recipients(new: &NewPayment, wanted: &[Wanted]) -> Result<()> {
    let buyer = new.buyer.as_ref().is_some_and(|buyer| buyer.email.is_some());
    let mut holders = wanted.iter().flat_map(|line| &line.holders);
    if !new.send_resources.unwrap_or(true) || buyer || holders.all(|h| h.email.is_some()) {
        return Ok(());
    }
    let reason = "is required to send the tickets (or an email on every ticket)";
    Err(Error::invalid_field("buyer.email", reason))
}

/// Asks the catalogue for each line's offer and checks the lines against it.
fn price(tx: &mut Tx<'_>, wanted: Vec<Wanted>) -> Result<Vec<Priced>> {
    let mut lines: Vec<Priced> = Vec::new();
    for want in wanted {
        let rate = RateId::parse(&want.rate).ok_or_else(|| no_such_rate(&want.field))?;
        let offer = catalog::ops::offers::offer(tx, &rate).map_err(|error| match error.kind() {
            crate::kernel::Kind::NotFound => no_such_rate(&want.field),
            _ => error,
        })?;
        if want.price.as_ref().is_some_and(|price| price != offer.price.id.as_str()) {
            let message = "This price is not the one in sale.";
            let error = Error::unprocessable("price_unavailable", message);
            return Err(error.on_field(format!("{}.price_id", want.field), "is not in sale"));
        }
        if lines.first().is_some_and(|first| first.offer.event.id != offer.event.id) {
            let reason = "belongs to another event: one payment, one event";
            return Err(Error::invalid_field(want.field, reason));
        }
        let (unit, fee) = (offer.unit(), offer.fee()?);
        lines.push(Priced { offer, holders: want.holders, field: want.field, unit, fee });
    }
    check_quantities(&lines)?;
    Ok(lines)
}

/// 404 would not say which of several rates is meant.
fn no_such_rate(field: &str) -> Error {
    Error::not_found().on_field(field, "is no ticket rate that you can sell")
}

/// The rates' own minimum and maximum, over all lines of a rate.
fn check_quantities(lines: &[Priced]) -> Result<()> {
    let mut by_rate: BTreeMap<&RateId, (i64, &Priced)> = BTreeMap::new();
    for line in lines {
        by_rate.entry(&line.offer.rate.id).or_insert((0, line)).0 += count_of(&line.holders);
    }
    for (count, line) in by_rate.values() {
        let rate = &line.offer.rate;
        if *count < rate.min_quantity || *count > rate.max_quantity {
            let range = format!("{} to {}", rate.min_quantity, rate.max_quantity);
            let message = format!("This rate sells {range} tickets at once.");
            return Err(Error::unprocessable("quantity_out_of_range", message)
                .on_field(line.field.clone(), format!("must be {range} tickets"))
                .with("min", rate.min_quantity)
                .with("max", rate.max_quantity));
        }
    }
    Ok(())
}

/// Who takes the money: the partnership says so, or the organization for its own sale.
fn collects(tx: &mut Tx<'_>, organization: &OrganizationId, new: &NewPayment) -> Result<Collects> {
    let Some(channel) = tx.scope().channel() else {
        return match new.collects {
            None | Some(Collects::Platform) => Ok(Collects::Platform),
            Some(Collects::Organization) => Ok(Collects::Organization),
            Some(Collects::Channel) => {
                Err(Error::invalid_field("collects", "must be platform or organization"))
            }
        };
    };
    if new.collects.is_some() {
        return Err(Error::invalid_field("collects", "is set by the partnership"));
    }
    let partnership = parties::ops::active_partnership(tx, organization, channel)?;
    Ok(partnership.ok_or_else(Error::not_found)?.terms.collects)
}

fn check_expected(new: &NewPayment, amount: Money) -> Result<()> {
    let Some(expected) = &new.expected_total else {
        return Ok(());
    };
    let expected = Money::from_decimal(expected.0, amount.currency).ok_or_else(|| {
        let reason = format!("must have at most {} decimals", amount.currency.exponent());
        Error::invalid_field("expected_total", reason)
    })?;
    if expected == amount {
        return Ok(());
    }
    let message = format!("The total is {amount} now.");
    Err(Error::conflict("price_changed", message).with("total", amount.number()))
}

/// Takes the creator's reference, freeing it first when its payment has run out.
pub(super) fn take_reference(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    let Some(reference) = &payment.reference else {
        return Ok(());
    };
    let owner = payment.creator();
    if let Some(mut other) = store::by_reference(tx, owner.as_str(), payment.mode, reference)? {
        if other.status_at(tx.now()) != PaymentStatus::Expired {
            return Err(Error::conflict("reference_taken", "Another payment has this reference.")
                .on_field("reference", "is taken")
                .with("payment_id", other.id.to_string()));
        }
        end::expire_in(tx, &mut other)?;
    }
    store::append_reference(tx, payment, reference);
    Ok(())
}

/// Writes the payment, its items and tickets, and announces it.
fn record(tx: &mut Tx<'_>, payment: Payment, lines: Vec<Priced>) -> Result<PaymentView> {
    let mut items = Vec::new();
    let mut tickets = Vec::new();
    for (position, line) in lines.into_iter().enumerate() {
        let item = Item {
            organization_id: payment.organization_id.clone(),
            payment_id: payment.id.clone(),
            position: i64::try_from(position).unwrap_or(i64::MAX),
            rate_id: line.offer.rate.id.clone(),
            price_id: line.offer.price.id.clone(),
            quantity: count_of(&line.holders),
            unit_minor: line.unit.minor,
            fees_minor: line.fee.times(count_of(&line.holders))?.minor,
        };
        tx.append(item.clone());
        items.push(item);
        for holder in &line.holders {
            let position = i64::try_from(tickets.len()).unwrap_or(i64::MAX);
            tickets.push(issue(tx, &payment, (&line, holder), position));
        }
    }
    tx.append(payment.clone());
    let whole = (items.as_slice(), tickets.clone());
    announce_with(tx, &payment, ChangeKind::PaymentCreated, whole)?;
    let reader: Tenant = payment.creator();
    Ok(PaymentView::new(&payment, &items, tickets, (&reader, tx.now())))
}

fn issue(
    tx: &mut Tx<'_>,
    payment: &Payment,
    (line, holder): (&Priced, &Holder),
    position: i64,
) -> TicketId {
    let ticket = Ticket {
        organization_id: payment.organization_id.clone(),
        id: tx.id::<TicketId>(),
        mode: payment.mode,
        payment_id: PaymentId::clone(&payment.id),
        event_id: line.offer.event.id.clone(),
        rate_id: line.offer.rate.id.clone(),
        channel_id: payment.channel_id.clone(),
        position,
        status: TicketStatus::PendingPayment,
        code: String::new(),
        price: Json(catalog::price_snapshot(&line.offer.price, line.offer.currency)),
        currency: payment.currency,
        price_minor: line.unit.minor,
        fee_minor: line.fee.minor,
        full_name: holder.full_name.clone(),
        email: holder.email.clone(),
        phone: holder.phone.clone(),
        admits: 1,
        entered: 0,
        entry_time: None,
        version: 0,
        created_at: payment.created_at,
        updated_at: payment.created_at,
        refunded_minor: 0,
    };
    tickets::ops::issue(tx, ticket)
}
