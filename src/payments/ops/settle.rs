//! Completing a payment: the money is in, or none was owed.

use super::{advance, announce, check_creator, check_open, end, find, view, write_back};
use crate::catalog;
use crate::db::{Outcome, Tenant, Tx};
use crate::inventory;
use crate::kernel::ids::Id;
use crate::kernel::{Error, Result};
use crate::outbox::ChangeKind;
use crate::parties::Collects;
use crate::payments::input::{Finalize, MarkPaid};
use crate::payments::model::{PaymentStatus, PaymentType, PaymentView, Timing, payment_processing};
use crate::payments::store::{self, Payment};
use crate::tickets;

/// The creator completes a payment that owes nothing. 422 `nonzero_amount` otherwise.
pub fn finalize(tx: &mut Tx<'_>, id: &str, input: &Finalize) -> Result<PaymentView> {
    if !input.accepted_terms_and_conditions {
        return Err(Error::invalid_field("accepted_terms_and_conditions", "must be true"));
    }
    let mut payment = find(tx, id)?;
    check_creator(tx, &payment)?;
    check_open(tx, &payment)?;
    check_event(tx, &payment)?;
    if payment.amount_minor > 0 {
        let message = format!("{} is owed: pay it instead.", payment.amount());
        return Err(Error::unprocessable("nonzero_amount", message));
    }
    if !inventory::ops::sell(tx, &payment.organization_id, payment.id.as_str())? {
        return Err(Error::rerun("the hold moved meanwhile"));
    }
    payment.paid_at = Some(tx.now());
    payment.kind = Some(PaymentType::Free);
    complete(tx, &mut payment)?;
    view(tx, &payment)
}

/// What came of marking a payment as paid.
pub type Marked = std::result::Result<PaymentView, Error>;

/// Who collects the money says that it is in. Too late, it is 409 `refund_buyer`, on record.
pub fn mark_paid(tx: &mut Tx<'_>, id: &str, input: &MarkPaid) -> Result<Outcome<Marked>> {
    let mut payment = find(tx, id)?;
    check_collector(tx, &payment)?;
    if input.paid_at.as_ref().is_some_and(|at| at.0 > tx.now()) {
        return Err(Error::invalid_field("paid_at", "must not be in the future"));
    }
    if input.kind == Some(PaymentType::Free) {
        return Err(Error::invalid_field("type", "must not be free: something was paid"));
    }
    match payment.status_at(tx.now()) {
        PaymentStatus::Pending if payment.processing_attempt_id.is_some() => {
            return Err(payment_processing());
        }
        PaymentStatus::Pending => {}
        PaymentStatus::Paid => return Err(PaymentStatus::Paid.conflict()),
        PaymentStatus::Expired | PaymentStatus::Cancelled => return late(tx, payment),
    }
    check_event(tx, &payment)?;
    if payment.amount_minor == 0 {
        return Err(zero_amount());
    }
    if !inventory::ops::sell(tx, &payment.organization_id, payment.id.as_str())? {
        return Err(Error::rerun("the hold moved meanwhile"));
    }
    payment.paid_at = Some(input.paid_at.as_ref().map_or(tx.now(), |at| at.0));
    payment.kind = input.kind.or(Some(PaymentType::Direct));
    complete(tx, &mut payment)?;
    view(tx, &payment).map(|view| Outcome::Done(Ok(view)))
}

/// 422: nothing is owed.
pub(super) fn zero_amount() -> Error {
    Error::unprocessable("zero_amount", "Nothing is owed: finalize it instead.")
}

/// 409 `event_cancelled` when the payment's event was called off.
pub(super) fn check_event(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    let event = catalog::ops::events::of_row_held(tx, &payment.organization_id, &payment.event_id)?;
    catalog::ops::events::check_not_cancelled(&event)
}

/// `pending -> paid` once the hold is sold: the tickets become valid, in the same transaction.
pub(super) fn complete(tx: &mut Tx<'_>, payment: &mut Payment) -> Result<()> {
    payment.paid_minor = payment.amount_minor;
    payment.processing_attempt_id = None;
    advance(tx, payment, Timing::Complete)?;
    tickets::ops::activate(tx, &payment.organization_id, &payment.id)?;
    announce(tx, payment, ChangeKind::PaymentCompleted)
}

/// Only who collects may say that the money is in.
fn check_collector(tx: &Tx<'_>, payment: &Payment) -> Result<()> {
    let caller = tx.scope().tenant();
    let collector = match payment.collects {
        Collects::Platform => None,
        Collects::Channel => payment.channel_id.clone().map(Tenant::Channel),
        Collects::Organization => Some(Tenant::Organization(payment.organization_id.clone())),
    };
    if collector.is_some() && collector.as_ref() == caller {
        return Ok(());
    }
    let message = format!("The {} collects this payment's money.", payment.collects.as_str());
    Err(Error::wrong_principal(message).with("collects", payment.collects.as_str()))
}

/// The money came after the end: the collector must give it back. Said once in the feed.
fn late(tx: &mut Tx<'_>, mut payment: Payment) -> Result<Outcome<Marked>> {
    if payment.status == PaymentStatus::Pending {
        end::expire_in(tx, &mut payment)?;
    }
    let status = payment.status.as_str();
    if payment.late_at.is_none() {
        payment.late_at = Some(tx.now());
        write_back(tx, &mut payment)?;
        announce(tx, &payment, ChangeKind::PaymentLate)?;
    }
    let message = format!("The payment is {status}: give the buyer the money back.");
    let refusal = Error::conflict("refund_buyer", message)
        .with("current_status", status)
        .with("allowed_actions", Vec::<String>::new());
    Ok(Outcome::Refused(Err(refusal)))
}

/// A payment by its whole key, for the steps that follow an outside call.
pub(super) fn reload(tx: &mut Tx<'_>, payment: &Payment) -> Result<Payment> {
    let found = store::of_row(tx, &payment.organization_id, &payment.id)?;
    found.ok_or_else(|| Error::internal("a payment has gone"))
}
