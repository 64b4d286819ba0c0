//! Giving money back. The books change at once, in one transaction; a provider is asked by a job,
//! keyed by the refund's id, until it knows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

mod ask;

use super::settle::reload;
use super::{announce, find, stock, write_back};
use crate::db::{Tenant, Tx};
use crate::kernel::ids::{AttemptId, Id, OrganizationId, RefundId, TicketId};
use crate::kernel::input::Faults;
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Money, Result};
use crate::outbox::{ChangeKind, Emit, Job, NewChange, jobs};
use crate::parties::Collects;
use crate::payments::input::{NewRefund, RefundTicket};
use crate::payments::model::{RefundView, payment_processing, shares};
use crate::payments::store::{self, Cause, Payment, Refund, RefundState};
use crate::tickets::{self, Ticket, TicketStatus, TicketView};

pub use crate::payments::store::RefundFilter;
pub use ask::{ask, ask_about_stale};

/// The kind of the job that asks a provider to give money back.
pub const REFUND: &str = "payments.refund";

/// What the job is told.
fn payload(refund: &Refund) -> Value {
    json!({"organization_id": refund.organization_id, "refund_id": refund.id})
}

/// What is to be given back.
pub(super) struct Order {
    pub(super) amount_minor: i64,
    /// What of it is for which ticket.
    pub(super) shares: Vec<(TicketId, i64)>,
    /// The charge it goes back on, where the platform took the money.
    pub(super) attempt: Option<AttemptId>,
    pub(super) reason: Option<String>,
    pub(super) cause: Cause,
}

/// Gives back part or the rest of a payment, or of some of its tickets, which are void then. 422
/// `over_refund`; 409 `ticket_not_valid`, `already_checked_in`.
pub fn create(tx: &mut Tx<'_>, id: &str, input: &NewRefund) -> Result<RefundView> {
    let mut payment = find_to_refund(tx, id)?;
    let named = named(tx, &payment, input)?;
    let left: Vec<i64> = named.iter().map(left_of).collect();
    let most = match named.is_empty() {
        true => payment.refundable_minor(),
        false => left.iter().sum::<i64>().min(payment.refundable_minor()),
    };
    let amount = input.amount.as_ref().map_or(most, |amount| amount.0);
    if amount > most || amount == 0 {
        return Err(over_refund("amount", &payment, most));
    }
    let ids = named.iter().map(|ticket| ticket.id.clone());
    let order = Order {
        amount_minor: amount,
        shares: ids.zip(shares(amount, &left)).collect(),
        attempt: charge_of(tx, &payment, amount)?,
        reason: input.reason.as_ref().map(|reason| reason.0.clone()),
        cause: Cause::Requested,
    };
    void(tx, &payment, named)?;
    let refund = record(tx, &mut payment, order)?;
    Ok(RefundView::new(&refund.0, &refund.1))
}

/// Gives back an amount for one ticket: the first time it is void from then on, and it may be
/// repeated until all of it is given back. 422 `over_refund`.
pub fn of_ticket(tx: &mut Tx<'_>, id: &str, input: &RefundTicket) -> Result<TicketView> {
    let seen = tickets::ops::find(tx, id)?;
    let mut payment = find_to_refund(tx, seen.payment_id.as_str())?;
    // As it is now that nobody else gives money back.
    let ticket = tickets::ops::find(tx, id)?;
    let amount = Money::from_decimal(input.amount.0, payment.currency)
        .filter(|amount| amount.minor > 0)
        .ok_or_else(|| {
            let digits = payment.currency.exponent();
            let reason = format!("must be above 0, with at most {digits} decimals");
            Error::invalid_field("amount", reason)
        })?;
    let most = left_of(&ticket).min(payment.refundable_minor());
    if amount.minor > most {
        return Err(over_refund("amount", &payment, most));
    }
    let order = Order {
        amount_minor: amount.minor,
        shares: vec![(ticket.id.clone(), amount.minor)],
        attempt: charge_of(tx, &payment, amount.minor)?,
        reason: None,
        cause: Cause::Requested,
    };
    void(tx, &payment, vec![ticket])?;
    let refund = record(tx, &mut payment, order)?;
    let ticket = tickets::ops::find(tx, id)?;
    tickets::ops::view_with(tx, ticket, (&refund.0.id, amount.minor))
}

/// A payment whose money the caller may give back, and nobody else meanwhile.
fn find_to_refund(tx: &mut Tx<'_>, id: &str) -> Result<Payment> {
    let seen = find(tx, id)?;
    check_refunder(tx, &seen)?;
    store::hold(tx, &seen)?;
    let payment = reload(tx, &seen)?;
    if payment.processing_attempt_id.is_some() {
        return Err(payment_processing());
    }
    Ok(payment)
}

/// Who collects the money gives it back; the platform's is given back by the organization.
fn check_refunder(tx: &Tx<'_>, payment: &Payment) -> Result<()> {
    let may = match (payment.collects, tx.scope().tenant()) {
        (Collects::Platform | Collects::Organization, Some(Tenant::Organization(_)))
        | (Collects::Channel, Some(Tenant::Channel(_))) => true,
        (_, _) => false,
    };
    if may {
        return Ok(());
    }
    let message = match payment.collects {
        Collects::Channel => "The channel collects this payment's money, and gives it back.",
        Collects::Platform | Collects::Organization => {
            "The organization decides about giving this payment's money back."
        }
    };
    Err(Error::wrong_principal(message).with("collects", payment.collects.as_str()))
}

/// What of a ticket has not been given back.
pub(super) fn left_of(ticket: &Ticket) -> i64 {
    ticket.price_minor + ticket.fee_minor - ticket.refunded_minor
}

fn over_refund(field: &str, payment: &Payment, left: i64) -> Error {
    let left = Money::new(left.max(0), payment.currency);
    let message = match left.minor {
        0 => "There is nothing left to give back.".to_owned(),
        _ => format!("Only {left} is left to give back."),
    };
    Error::unprocessable("over_refund", message)
        .on_field(field, "is more than is left to give back")
        .with("left", left.minor)
}

/// The tickets a refund names: all of this payment.
fn named(tx: &mut Tx<'_>, payment: &Payment, input: &NewRefund) -> Result<Vec<Ticket>> {
    let all = tickets::ops::of_payment(tx, &payment.organization_id, &payment.id)?;
    let mut faults = Faults::default();
    let mut named: Vec<Ticket> = Vec::new();
    for (index, id) in input.tickets.iter().flatten().enumerate() {
        let field = format!("tickets[{index}]");
        match all.iter().find(|ticket| ticket.id.as_str() == id.0) {
            None => faults.add(field, "is no ticket of this payment"),
            Some(ticket) if named.iter().any(|known| known.id == ticket.id) => {
                faults.add(field, "is named twice");
            }
            Some(ticket) => named.push(ticket.clone()),
        }
    }
    faults.finish()?;
    Ok(named)
}

/// What is left to give back of each charge, oldest first.
fn left_of_charges(tx: &mut Tx<'_>, payment: &Payment) -> Result<Vec<(AttemptId, i64)>> {
    let mut given: BTreeMap<AttemptId, i64> = BTreeMap::new();
    for refund in store::refunds_of_payment(tx, payment)? {
        if let (Some(attempt), true) = (refund.attempt_id, refund.state != RefundState::Failed) {
            *given.entry(attempt).or_default() += refund.amount_minor;
        }
    }
    let charges = store::succeeded_attempts(tx, &payment.organization_id, &payment.id)?;
    let left = |charge: store::Attempt| {
        let given = given.get(&charge.id).copied().unwrap_or_default();
        (charge.id, charge.amount_minor - given)
    };
    Ok(charges.into_iter().map(left).collect())
}

/// The charge an amount goes back on; none where the money is not the platform's.
fn charge_of(tx: &mut Tx<'_>, payment: &Payment, amount: i64) -> Result<Option<AttemptId>> {
    if payment.collects != Collects::Platform {
        return Ok(None);
    }
    let charges = left_of_charges(tx, payment)?;
    match charges.iter().find(|(_, left)| *left >= amount) {
        Some((charge, _)) => Ok(Some(charge.clone())),
        None => {
            let most = charges.iter().map(|(_, left)| *left).max().unwrap_or_default();
            Err(over_refund("amount", payment, most))
        }
    }
}

/// The charges an amount goes back on, with how much of it.
pub(super) fn charges_of(
    tx: &mut Tx<'_>,
    payment: &Payment,
    amount: i64,
) -> Result<Vec<(Option<AttemptId>, i64)>> {
    if payment.collects != Collects::Platform {
        return Ok(vec![(None, amount)]);
    }
    let (mut wanted, mut parts) = (amount, Vec::new());
    for (charge, left) in left_of_charges(tx, payment)? {
        let part = left.min(wanted);
        if part > 0 {
            parts.push((Some(charge), part));
            wanted -= part;
        }
    }
    Ok(parts)
}

/// The named tickets admit nobody any more, and their places are for sale again.
fn void(tx: &mut Tx<'_>, payment: &Payment, named: Vec<Ticket>) -> Result<()> {
    let valid: Vec<Ticket> =
        named.into_iter().filter(|ticket| ticket.status == TicketStatus::Active).collect();
    if valid.is_empty() {
        return Ok(());
    }
    tickets::ops::void(tx, &valid)?;
    stock::take_back_tickets(tx, payment, &valid)
}

/// Puts a refund on record: in the payment's books, on its tickets, in both feeds, and as a job
/// where a provider has to move the money.
pub(super) fn record(
    tx: &mut Tx<'_>,
    payment: &mut Payment,
    order: Order,
) -> Result<(Refund, Vec<TicketId>)> {
    let Order { amount_minor, shares, attempt, reason, cause } = order;
    let by_provider = attempt.is_some();
    let refund = Refund {
        organization_id: payment.organization_id.clone(),
        id: tx.id::<RefundId>(),
        mode: payment.mode,
        channel_id: payment.channel_id.clone(),
        event_id: payment.event_id.clone(),
        payment_id: payment.id.clone(),
        attempt_id: attempt,
        state: if by_provider { RefundState::Pending } else { RefundState::Succeeded },
        amount_minor,
        currency: payment.currency,
        reason,
        cause,
        requested_by: tx.scope().tenant().map(|tenant| tenant.as_str().to_owned()),
        failure_code: None,
        version: 1,
        created_at: tx.now(),
        processed_at: (!by_provider).then(|| tx.now()),
        asked_at: tx.now(),
    };
    payment.refunded_minor += amount_minor;
    write_back(tx, payment)?;
    tickets::ops::refund(tx, &refund.organization_id, &refund.id, &shares)?;
    tx.append(refund.clone());
    let ids: Vec<TicketId> = shares.into_iter().map(|(ticket, _)| ticket).collect();
    announce(tx, payment, ChangeKind::PaymentUpdated)?;
    tell(tx, &refund, &ids, ChangeKind::RefundCreated)?;
    if by_provider {
        jobs::enqueue(tx, Job::now(REFUND, payload(&refund)));
    } else {
        let processed = Refund { version: 2, ..refund.clone() };
        tell(tx, &processed, &ids, ChangeKind::RefundProcessed)?;
    }
    Ok((refund, ids))
}

fn tell(tx: &mut Tx<'_>, refund: &Refund, tickets: &[TicketId], kind: ChangeKind) -> Result<()> {
    let object = serde_json::to_value(RefundView::new(refund, tickets)).map_err(Error::internal)?;
    tx.emit(NewChange {
        kind,
        mode: refund.mode,
        organization: refund.organization_id.clone(),
        channel: refund.channel_id.clone(),
        event: refund.event_id.clone(),
        object_id: refund.id.to_string(),
        sequence: refund.version,
        for_channel: refund.channel_id.is_some().then(|| object.clone()),
        for_organization: object,
    })
}

/// A refund the caller may see.
pub fn read(tx: &mut Tx<'_>, id: &str) -> Result<RefundView> {
    let id = RefundId::parse(id).ok_or_else(Error::not_found)?;
    let refund = store::refund(tx, &id)?.ok_or_else(Error::not_found)?;
    let view = views(tx, vec![refund])?.pop();
    view.ok_or_else(|| Error::internal("a refund without a view"))
}

/// Refunds the caller may see, newest first.
pub fn list(tx: &mut Tx<'_>, filter: RefundFilter, page: &PageRequest) -> Result<Page<RefundView>> {
    let Page { rows, limit, next } = store::list_refunds(tx, filter, page)?;
    Ok(Page { rows: views(tx, rows)?, limit, next })
}

/// Refunds of a payment the caller may see, newest first.
pub fn list_of(tx: &mut Tx<'_>, id: &str, page: &PageRequest) -> Result<Page<RefundView>> {
    let payment = find(tx, id)?;
    list(tx, RefundFilter { payment: Some(payment.id), ..RefundFilter::default() }, page)
}

/// A refund by its whole key: for slices that were told of it by a change.
pub fn of_row(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &RefundId,
) -> Result<Option<Refund>> {
    store::refund_of_row(tx, organization, id)
}

fn views(tx: &mut Tx<'_>, refunds: Vec<Refund>) -> Result<Vec<RefundView>> {
    let keys: Vec<_> = refunds.iter().map(|r| (&r.organization_id, &r.id)).collect();
    let mut of: BTreeMap<RefundId, Vec<TicketId>> = BTreeMap::new();
    for (refund, ticket) in tickets::ops::of_refunds(tx, &keys)? {
        of.entry(refund).or_default().push(ticket);
    }
    let view = |refund: &Refund| {
        RefundView::new(refund, of.get(&refund.id).map_or(&[][..], Vec::as_slice))
    };
    Ok(refunds.iter().map(view).collect())
}
