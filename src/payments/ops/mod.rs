//! Operations on payments.

pub mod called_off;
pub mod change;
pub mod create;
pub mod customers;
pub mod end;
mod late;
pub mod obligations;
pub mod pay;
pub mod read;
pub mod refund;
pub mod settle;
mod stock;
pub mod timeline;

use super::model::{PaymentStatus, PaymentView, Timing};
use super::store::{self, Item, Payment};
use crate::db::{Tenant, Tx};
use crate::kernel::ids::{Id, PaymentId, TicketId};
use crate::kernel::{Error, Result};
use crate::outbox::{ChangeKind, Emit, NewChange};
use crate::tickets;

/// A payment the caller may see.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Payment> {
    let id = PaymentId::parse(id).ok_or_else(Error::not_found)?;
    store::find(tx, &id)?.ok_or_else(Error::not_found)
}

/// 403 unless the caller made the payment.
fn check_creator(tx: &Tx<'_>, payment: &Payment) -> Result<()> {
    if tx.scope().tenant() == Some(&payment.creator()) {
        return Ok(());
    }
    Err(Error::wrong_principal("Only who made this payment can do that."))
}

/// Moves a payment by the one transition function and writes it back.
fn advance(tx: &mut Tx<'_>, payment: &mut Payment, timing: Timing) -> Result<()> {
    let to = payment.status.next(timing).ok_or_else(|| payment.status.conflict())?;
    payment.status = to;
    write_back(tx, payment)
}

/// Writes a payment back under its next version.
fn write_back(tx: &mut Tx<'_>, payment: &mut Payment) -> Result<()> {
    let before = payment.version;
    payment.version += 1;
    payment.updated_at = tx.now();
    if store::update(tx, payment, before)? {
        return Ok(());
    }
    Err(Error::rerun("the payment was changed meanwhile"))
}

/// A payment with what it bought, as the reader sees it now.
fn view_for(tx: &mut Tx<'_>, payment: &Payment, reader: Option<&Tenant>) -> Result<PaymentView> {
    let (items, tickets) = parts(tx, payment)?;
    Ok(PaymentView::new(payment, &items, tickets, (reader, tx.now())))
}

/// A payment as the caller sees it now.
fn view(tx: &mut Tx<'_>, payment: &Payment) -> Result<PaymentView> {
    if tx.scope().is_public() {
        return view_for(tx, payment, None);
    }
    let reader = tx.scope().tenant().cloned();
    let reader = reader.unwrap_or_else(|| payment.creator());
    view_for(tx, payment, Some(&reader))
}

fn parts(tx: &mut Tx<'_>, payment: &Payment) -> Result<(Vec<Item>, Vec<TicketId>)> {
    let items = store::items(tx, payment)?;
    let tickets = tickets::ops::ids_of_payment(tx, &payment.organization_id, &payment.id)?;
    Ok((items, tickets))
}

/// Records what happened to a payment, for both sides of the sale.
fn announce(tx: &mut Tx<'_>, payment: &Payment, kind: ChangeKind) -> Result<()> {
    let (items, tickets) = parts(tx, payment)?;
    announce_with(tx, payment, kind, (&items, tickets))
}

fn announce_with(
    tx: &mut Tx<'_>,
    payment: &Payment,
    kind: ChangeKind,
    (items, tickets): (&[Item], Vec<TicketId>),
) -> Result<()> {
    let now = tx.now();
    let render = |reader: Tenant| {
        let view = PaymentView::new(payment, items, tickets.clone(), (Some(&reader), now));
        serde_json::to_value(view).map_err(Error::internal)
    };
    let organization = Tenant::Organization(payment.organization_id.clone());
    let for_channel = payment.channel_id.clone().map(|id| render(Tenant::Channel(id)));
    let change = NewChange {
        kind,
        mode: payment.mode,
        organization: payment.organization_id.clone(),
        channel: payment.channel_id.clone(),
        event: payment.event_id.clone(),
        object_id: payment.id.to_string(),
        sequence: payment.version,
        for_organization: render(organization)?,
        for_channel: for_channel.transpose()?,
    };
    tx.emit(change)
}

/// 409 or 410 unless the payment is pending and in time, and no provider is being asked.
fn check_open(tx: &Tx<'_>, payment: &Payment) -> Result<()> {
    match payment.status_at(tx.now()) {
        PaymentStatus::Pending if payment.processing_attempt_id.is_some() => {
            Err(super::model::payment_processing())
        }
        PaymentStatus::Pending => Ok(()),
        PaymentStatus::Expired => Err(super::model::payment_expired(payment)),
        status @ (PaymentStatus::Authorized | PaymentStatus::Paid | PaymentStatus::Cancelled) => {
            Err(status.conflict())
        }
    }
}

/// The secret with which a payment's buyer comes to it.
pub fn client_secret(tx: &Tx<'_>, payment: &PaymentView) -> Result<String> {
    let id = PaymentId::parse(payment.id());
    let id = id.ok_or_else(|| Error::internal("a payment without an id"))?;
    Ok(super::client_secret::of(tx.environment().get()?, &id))
}
