//! Ending a payment: given up, run out, or called back.

use super::settle::reload;
use super::{advance, announce, check_creator, find, stock, view};
use crate::db::{Db, Outcome, Scope, Tx};
use crate::kernel::Result;
use crate::outbox::ChangeKind;
use crate::payments::model::{PaymentStatus, PaymentView, Timing, payment_processing};
use crate::payments::store::{self, Payment};
use crate::tickets::{self, TicketStatus};

/// Payments expired between two looks at what is left.
const SWEEP_MAX: i64 = 100;

/// The creator gives a pending payment up; the organization calls back what is authorized or paid,
/// which moves no money. 409 `payment_processing` while a provider is asked, `already_checked_in`.
pub fn cancel(tx: &mut Tx<'_>, id: &str) -> Result<PaymentView> {
    let mut payment = find(tx, id)?;
    match payment.status_at(tx.now()) {
        PaymentStatus::Authorized | PaymentStatus::Paid if tx.scope().organization().is_some() => {
            call_back(tx, &mut payment)?;
        }
        PaymentStatus::Pending => {
            check_creator(tx, &payment)?;
            if payment.processing_attempt_id.is_some() {
                return Err(payment_processing());
            }
            cancel_in(tx, &mut payment)?;
        }
        status @ (PaymentStatus::Authorized
        | PaymentStatus::Paid
        | PaymentStatus::Expired
        | PaymentStatus::Cancelled) => return Err(status.conflict()),
    }
    view(tx, &payment)
}

/// Voids the tickets and frees the stock of what was authorized or paid. Nobody may have come in
/// with one of them: their place is not free.
pub(super) fn call_back(tx: &mut Tx<'_>, payment: &mut Payment) -> Result<()> {
    store::hold(tx, payment)?;
    *payment = reload(tx, payment)?;
    let all = tickets::ops::of_payment(tx, &payment.organization_id, &payment.id)?;
    let valid: Vec<_> =
        all.into_iter().filter(|ticket| ticket.status == TicketStatus::Active).collect();
    stock::take_back(tx, payment)?;
    advance(tx, payment, Timing::CallBack)?;
    store::free_reference(tx, payment)?;
    tickets::ops::void(tx, &valid)?;
    announce(tx, payment, ChangeKind::PaymentCancelled)
}

pub(super) fn cancel_in(tx: &mut Tx<'_>, payment: &mut Payment) -> Result<()> {
    stock::release(tx, payment)?;
    advance(tx, payment, Timing::Cancel)?;
    close(tx, payment, ChangeKind::PaymentCancelled)
}

/// Ends a payment whose time has run out, in somebody's transaction.
pub(super) fn expire_in(tx: &mut Tx<'_>, payment: &mut Payment) -> Result<()> {
    stock::expire(tx, payment)?;
    advance(tx, payment, Timing::Expire)?;
    close(tx, payment, ChangeKind::PaymentExpired)
}

fn close(tx: &mut Tx<'_>, payment: &Payment, kind: ChangeKind) -> Result<()> {
    store::free_reference(tx, payment)?;
    tickets::ops::void_unpaid(tx, &payment.organization_id, &payment.id)?;
    announce(tx, payment, kind)
}

/// Ends every payment whose time has run out. Nobody waits for this: their stock is for sale and
/// they read as expired already.
pub async fn sweep(db: &Db) -> Result<usize> {
    let scope = Scope::platform("expiring payments whose time has run out");
    let due = db.read(&scope, |tx| store::due(tx, SWEEP_MAX)).await?;
    let mut ended = 0;
    for (organization, id) in due {
        let write = db.write(&scope, move |tx| {
            let Some(mut payment) = store::of_row(tx, &organization, &id)? else {
                return Ok(Outcome::Done(0));
            };
            let overdue = payment.status == PaymentStatus::Pending
                && payment.status_at(tx.now()) == PaymentStatus::Expired;
            if !overdue {
                return Ok(Outcome::Done(0));
            }
            expire_in(tx, &mut payment).map(|()| Outcome::Done(1))
        });
        match write.await {
            Ok(count) => ended += count.into_inner(),
            // One that cannot be ended now keeps no other from it.
            Err(error) => tracing::warn!(code = error.code(), "a payment could not be expired"),
        }
    }
    Ok(ended)
}
