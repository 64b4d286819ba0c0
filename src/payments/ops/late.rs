//! Money that comes after the end, decided once, in the transaction that hears of it.
//!
//! A payment that ran out is held again at its held prices if there is still enough of everything,
//! its event is neither cancelled nor over, and nobody else has its reference; then it is paid.
//! Else the platform gives its own money back, and any other collector is told to. What was given
//! up by its creator or called back is never revived.

use super::refund::{self, Order};
use super::settle::{check_event, complete};
use super::{announce, end, stock, write_back};
use crate::catalog;
use crate::db::Tx;
use crate::kernel::{Error, Kind, Result, Timestamp};
use crate::outbox::ChangeKind;
use crate::payments::model::{LateOutcome, PaymentStatus, PaymentType};
use crate::payments::store::{self, Attempt, Cause, Payment};

/// Whether a payment that has run out could be held again; its stock is sold then, and the caller
/// completes it.
fn hold_again(tx: &mut Tx<'_>, payment: &mut Payment) -> Result<bool> {
    match payment.status_at(tx.now()) {
        PaymentStatus::Expired => {}
        PaymentStatus::Pending
        | PaymentStatus::Authorized
        | PaymentStatus::Paid
        | PaymentStatus::Cancelled => return Ok(false),
    }
    let decided = payment.late_outcome.is_some();
    if decided || !event_allows(tx, payment)? || !reference_is_free(tx, payment)? {
        return Ok(false);
    }
    if !stock::hold_again(tx, payment)? {
        return Ok(false);
    }
    // One whose end nobody has recorded yet has it still.
    if let (PaymentStatus::Expired, Some(reference)) = (payment.status, &payment.reference) {
        store::append_reference(tx, payment, reference);
    }
    Ok(true)
}

/// Neither cancelled nor over.
fn event_allows(tx: &mut Tx<'_>, payment: &Payment) -> Result<bool> {
    match check_event(tx, payment) {
        Ok(()) => {}
        Err(error) if error.kind() == Kind::Conflict => return Ok(false),
        Err(error) => return Err(error),
    }
    let Some(event) = &payment.event_id else { return Ok(true) };
    let event = catalog::ops::events::of_row(tx, &payment.organization_id, event)?;
    let over = event.end_date.or(event.start_date).is_some_and(|end| end <= tx.now());
    Ok(!over)
}

/// Whoever has the reference now was made in this payment's place.
fn reference_is_free(tx: &mut Tx<'_>, payment: &Payment) -> Result<bool> {
    let Some(reference) = &payment.reference else { return Ok(true) };
    let other = store::by_reference(tx, payment.creator().as_str(), payment.mode, reference)?;
    Ok(other.is_none_or(|other| other.id == payment.id))
}

fn record(tx: &mut Tx<'_>, payment: &mut Payment, outcome: LateOutcome) -> Result<()> {
    payment.late_at = Some(tx.now());
    payment.late_outcome = Some(outcome);
    write_back(tx, payment)?;
    announce(tx, payment, ChangeKind::PaymentLate)
}

/// The collector says that money is in for a payment that has ended. Held again and paid, or 409
/// `refund_buyer` from then on, whatever is freed later.
pub(super) fn by_collector(
    tx: &mut Tx<'_>,
    payment: &mut Payment,
    (paid_at, kind): (Timestamp, PaymentType),
) -> Result<Option<Error>> {
    if payment.late_outcome.is_none() {
        if hold_again(tx, payment)? {
            record(tx, payment, LateOutcome::HeldAgain)?;
            (payment.paid_at, payment.kind) = (Some(paid_at), Some(kind));
            complete(tx, payment)?;
            return Ok(None);
        }
        if payment.status == PaymentStatus::Pending {
            end::expire_in(tx, payment)?;
        }
        record(tx, payment, LateOutcome::RefundBuyer)?;
    }
    let status = payment.status.as_str();
    let message = format!("The payment is {status}: give the buyer the money back.");
    let refusal = Error::conflict("refund_buyer", message)
        .with("current_status", status)
        .with("allowed_actions", Vec::<String>::new());
    Ok(Some(refusal))
}

/// A provider says that it took the money after all. The payment is paid if it can be; else the
/// money goes back by itself.
pub(super) fn by_provider(tx: &mut Tx<'_>, payment: &mut Payment, attempt: &Attempt) -> Result<()> {
    let in_time =
        payment.status_at(tx.now()) == PaymentStatus::Pending && check_event(tx, payment).is_ok();
    if in_time {
        stock::sell(tx, payment)?;
    } else if hold_again(tx, payment)? {
        record(tx, payment, LateOutcome::HeldAgain)?;
    } else {
        return give_back(tx, payment, attempt);
    }
    payment.paid_at = Some(tx.now());
    payment.kind = Some(PaymentType::Card);
    payment.card = Some(attempt.card.clone());
    complete(tx, payment)
}

fn give_back(tx: &mut Tx<'_>, payment: &mut Payment, attempt: &Attempt) -> Result<()> {
    match payment.status_at(tx.now()) {
        PaymentStatus::Expired if payment.status == PaymentStatus::Pending => {
            end::expire_in(tx, payment)?;
        }
        // In time, but its event was called off: the job that cancels it may not have come by.
        PaymentStatus::Pending => end::cancel_in(tx, payment)?,
        PaymentStatus::Authorized
        | PaymentStatus::Paid
        | PaymentStatus::Expired
        | PaymentStatus::Cancelled => {}
    }
    payment.paid_minor += attempt.amount_minor;
    let cause = match payment.status {
        PaymentStatus::Paid | PaymentStatus::Authorized => Cause::PaidTwice,
        PaymentStatus::Pending | PaymentStatus::Expired | PaymentStatus::Cancelled => {
            Cause::LateMoney
        }
    };
    if cause == Cause::LateMoney {
        record(tx, payment, LateOutcome::Refunded)?;
    }
    let order = Order {
        amount_minor: attempt.amount_minor,
        shares: Vec::new(),
        attempt: Some(attempt.id.clone()),
        reason: None,
        cause,
    };
    refund::record(tx, payment, order).map(|_| ())
}
