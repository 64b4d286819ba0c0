//! Creating a payment: price it, hold its stock, make its tickets. Or charge an amount, and sell
//! nothing (`charge`).

pub mod charge;
pub mod direct;
mod hold;
mod price;
mod wanted;

pub(super) use hold::buyer_counter;
use hold::hold;
use price::{Priced, price};
use wanted::{Holder, Wanted, read_wanted};

use super::{announce_with, customers, end};
use crate::catalog;
use crate::config::SalesSettings;
use crate::db::types::Json;
use crate::db::{Tenant, Tx};
use crate::kernel::ids::{OrganizationId, PaymentId, TicketId};
use crate::kernel::{Currency, Error, Money, Result, Timestamp};
use crate::outbox::ChangeKind;
use crate::parties::{self, Collects};
use crate::payments::input::{Buyer, NewPayment};
use crate::payments::model::{PaymentStatus, PaymentView};
use crate::payments::store::{self, Item, Payment};
use crate::tickets::{self, Ticket, TicketStatus};

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
    let (amount, fees) = sums(currency, &lines)?;
    check_expected(new, amount)?;
    let payment = Payment {
        channel_id: tx.scope().channel().cloned(),
        event_id: Some(event.id.clone()),
        collects,
        num_tickets: lines.iter().map(|line| count_of(&line.holders)).sum(),
        send_resources: new.send_resources.unwrap_or(true),
        expires_at,
        ..Payment::begun(tx, event.organization_id.clone(), (amount, fees))?
    };
    let payment = inscribed(tx, payment, new)?;
    take_reference(tx, &payment)?;
    hold(tx, &payment, &lines)?;
    record(tx, payment, lines)
}

/// What the lines cost in all, and the fees in it.
fn sums(currency: Currency, lines: &[Priced]) -> Result<(Money, Money)> {
    let (mut amount, mut fees) = (Money::zero(currency), Money::zero(currency));
    for line in lines {
        let count = count_of(&line.holders);
        fees = fees.plus(line.fee.times(count)?)?;
        amount = amount.plus(line.unit.times(count)?)?.plus(line.fee.times(count)?)?;
    }
    Ok((amount, fees))
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

/// A payment with what its creator wrote on it. Name, e-mail and telephone of the buyer are as
/// sent, else the customer's.
fn inscribed(tx: &mut Tx<'_>, mut payment: Payment, new: &NewPayment) -> Result<Payment> {
    let customer = new.customer();
    let field = if new.customer.is_some() { "customer" } else { "customer_id" };
    let customer = customer.map(|id| customers::to_be_named(tx, (field, id))).transpose()?;
    match (new.buyer.clone(), customer.clone()) {
        (Some(Buyer { name, email, phone }), _) => {
            payment.buyer_name = name.map(|name| name.0);
            payment.buyer_email = email.map(|email| email.0);
            payment.buyer_phone = phone.map(|phone| phone.0);
        }
        (None, Some(known)) => {
            payment.buyer_name = known.name;
            payment.buyer_email = Some(known.email);
            payment.buyer_phone = known.phone;
        }
        (None, None) => {}
    }
    payment.customer_id = customer.map(|customer| customer.id);
    payment.reference = new.reference.as_ref().map(|reference| reference.0.clone());
    payment.description = new.description.as_ref().map(|text| text.0.clone());
    if let Some(metadata) = &new.metadata {
        payment.metadata = Json(metadata.0.clone());
    }
    Ok(payment)
}

/// What is to be mailed needs somebody to mail it to.
fn check_recipients(new: &NewPayment, wanted: &[Wanted]) -> Result<()> {
    let buyer = match &new.buyer {
        Some(buyer) => buyer.email.is_some(),
        None => new.customer().is_some(),
    };
    let mut holders = wanted.iter().flat_map(|line| &line.holders);
    if !new.send_resources.unwrap_or(true) || buyer || holders.all(|h| h.email.is_some()) {
        return Ok(());
    }
    let reason = "is required to send the tickets (or an email on every ticket)";
    Err(Error::invalid_field("buyer.email", reason))
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
    for line in lines {
        items.push(write_item(tx, &payment, (&line, items.len()))?);
        for holder in &line.holders {
            let ticket = ticket(tx, &payment, (&line, holder), tickets.len());
            tickets.push(tickets::ops::issue(tx, ticket));
        }
    }
    tx.append(payment.clone());
    let whole = (items.as_slice(), tickets.clone());
    announce_with(tx, &payment, ChangeKind::PaymentCreated, whole)?;
    let reader: Tenant = payment.creator();
    Ok(PaymentView::new(&payment, &items, tickets, (Some(&reader), tx.now())))
}

fn write_item(
    tx: &mut Tx<'_>,
    payment: &Payment,
    (line, position): (&Priced, usize),
) -> Result<Item> {
    let count = count_of(&line.holders);
    let item = Item {
        organization_id: payment.organization_id.clone(),
        payment_id: payment.id.clone(),
        position: i64::try_from(position).unwrap_or(i64::MAX),
        rate_id: line.offer.rate.id.clone(),
        price_id: line.offer.price.id.clone(),
        quantity: count,
        unit_minor: line.unit.minor,
        fees_minor: line.fee.times(count)?.minor,
    };
    tx.append(item.clone());
    Ok(item)
}

/// A ticket that is worth nothing yet.
fn ticket(
    tx: &Tx<'_>,
    payment: &Payment,
    (line, holder): (&Priced, &Holder),
    position: usize,
) -> Ticket {
    Ticket {
        organization_id: payment.organization_id.clone(),
        id: tx.id::<TicketId>(),
        mode: payment.mode,
        payment_id: PaymentId::clone(&payment.id),
        event_id: line.offer.event.id.clone(),
        rate_id: line.offer.rate.id.clone(),
        channel_id: payment.channel_id.clone(),
        position: i64::try_from(position).unwrap_or(i64::MAX),
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
    }
}
