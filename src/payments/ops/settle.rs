//! Completing a payment: the money is in, or none was owed.

use super::{advance, announce, check_creator, check_open, find, late, stock, view};
use crate::catalog;
use crate::db::{Outcome, Tenant, Tx};
use crate::kernel::{Error, Result};
use crate::outbox::ChangeKind;
use crate::parties::{self, Collects};
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
    stock::sell(tx, &payment)?;
    payment.paid_at = Some(tx.now());
    payment.kind = Some(PaymentType::Free);
    complete(tx, &mut payment)?;
    view(tx, &payment)
}

/// What came of marking a payment as paid.
pub type Marked = std::result::Result<PaymentView, Error>;

/// Who collects the money says that it is in. Late, the same is held again if there is still enough
/// of it; else it is 409 `refund_buyer`, on record.
pub fn mark_paid(tx: &mut Tx<'_>, id: &str, input: &MarkPaid) -> Result<Outcome<Marked>> {
    let mut payment = find(tx, id)?;
    check_collector(tx, &payment)?;
    if input.paid_at.as_ref().is_some_and(|at| at.0 > tx.now()) {
        return Err(Error::invalid_field("paid_at", "must not be in the future"));
    }
    if input.kind == Some(PaymentType::Free) {
        return Err(Error::invalid_field("type", "must not be free: something was paid"));
    }
    let status = payment.status_at(tx.now());
    if let PaymentStatus::Paid = status {
        return Err(status.conflict());
    }
    if payment.processing_attempt_id.is_some() {
        return Err(payment_processing());
    }
    if payment.amount_minor == 0 {
        return Err(zero_amount());
    }
    let paid_at = input.paid_at.as_ref().map_or(tx.now(), |at| at.0);
    let kind = input.kind.unwrap_or(PaymentType::Direct);
    match status {
        PaymentStatus::Pending => {
            check_event(tx, &payment)?;
            stock::sell(tx, &payment)?;
        }
        // Its tickets are out already; that its event was called off changes nothing of the debt.
        PaymentStatus::Authorized | PaymentStatus::Paid => {}
        PaymentStatus::Expired | PaymentStatus::Cancelled => {
            return Ok(match late::by_collector(tx, &mut payment, (paid_at, kind))? {
                None => Outcome::Done(Ok(view(tx, &payment)?)),
                Some(refusal) => Outcome::Refused(Err(refusal)),
            });
        }
    }
    (payment.paid_at, payment.kind) = (Some(paid_at), Some(kind));
    complete(tx, &mut payment)?;
    view(tx, &payment).map(|view| Outcome::Done(Ok(view)))
}

/// 422: nothing is owed.
pub(super) fn zero_amount() -> Error {
    Error::unprocessable("zero_amount", "Nothing is owed: finalize it instead.")
}

/// 409 `event_cancelled` when the payment's event was called off.
pub(super) fn check_event(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    let Some(event) = &payment.event_id else { return Ok(()) };
    let event = catalog::ops::events::of_row_held(tx, &payment.organization_id, event)?;
    catalog::ops::events::check_not_cancelled(&event)
}

/// The payment is paid, once its stock is sold: its tickets become valid, in the same transaction,
/// unless they are already.
pub(super) fn complete(tx: &mut Tx<'_>, payment: &mut Payment) -> Result<()> {
    let was = payment.status;
    payment.paid_minor += payment.amount_minor;
    payment.processing_attempt_id = None;
    match was {
        PaymentStatus::Expired => advance(tx, payment, Timing::Revive)?,
        _ => advance(tx, payment, Timing::Complete)?,
    }
    if payment.event_id.is_some() {
        let (organization, id) = (&payment.organization_id, &payment.id);
        match was {
            PaymentStatus::Pending => tickets::ops::activate(tx, organization, id)?,
            PaymentStatus::Expired => tickets::ops::revive(tx, organization, id)?,
            PaymentStatus::Authorized | PaymentStatus::Paid | PaymentStatus::Cancelled => {}
        }
    }
    announce(tx, payment, ChangeKind::PaymentCompleted)
}

/// On account: the tickets go out now, the money comes later to who collects it. By the
/// organization, or by a channel that its partnership lets do so.
pub fn authorize(tx: &mut Tx<'_>, id: &str) -> Result<PaymentView> {
    let mut payment = find(tx, id)?;
    if payment.collects == Collects::Platform {
        let message = "The platform collects this payment's money, before its tickets go out.";
        let error = Error::wrong_principal(message);
        return Err(error.with("collects", payment.collects.as_str()));
    }
    if let Some(channel) = tx.scope().channel().cloned() {
        let organization = &payment.organization_id;
        let partnership = parties::ops::active_partnership(tx, organization, &channel)?;
        if !partnership.is_some_and(|partnership| partnership.terms.on_account) {
            let message = "This partnership does not let tickets go out before they are paid.";
            return Err(Error::wrong_principal(message));
        }
    }
    check_open(tx, &payment)?;
    check_event(tx, &payment)?;
    if payment.amount_minor == 0 {
        return Err(zero_amount());
    }
    stock::sell(tx, &payment)?;
    payment.authorized_at = Some(tx.now());
    payment.kind = Some(PaymentType::Invoice);
    advance(tx, &mut payment, Timing::Authorize)?;
    tickets::ops::activate(tx, &payment.organization_id, &payment.id)?;
    announce(tx, &payment, ChangeKind::PaymentAuthorized)?;
    view(tx, &payment)
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

/// A payment by its whole key, for the steps that follow an outside call.
pub(super) fn reload(tx: &mut Tx<'_>, payment: &Payment) -> Result<Payment> {
    let found = store::of_row(tx, &payment.organization_id, &payment.id)?;
    found.ok_or_else(|| Error::internal("a payment has gone"))
}
