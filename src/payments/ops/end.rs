//! Ending a payment without money: given up, run out, or its event called off.

use serde_json::{Value, json};

use super::{advance, announce, check_creator, find, view};
use crate::db::{Db, Outcome, Scope, Tx};
use crate::inventory;
use crate::kernel::ids::{EventId, Id, OrganizationId, PaymentId};
use crate::kernel::{Error, Result};
use crate::outbox::{Change, ChangeKind, Job};
use crate::payments::model::{PaymentStatus, PaymentView, Timing, payment_processing};
use crate::payments::store::{self, Payment};
use crate::tickets;

/// Payments expired, or cancelled for an event, between two looks at what is left.
const SWEEP_MAX: i64 = 100;

/// The kind of the job that cancels an event's pending payments.
pub const CANCEL_FOR_EVENT: &str = "payments.cancel_for_event";

/// The creator gives a pending payment up. 409 `payment_processing` while a provider is asked.
pub fn cancel(tx: &mut Tx<'_>, id: &str) -> Result<PaymentView> {
    let mut payment = find(tx, id)?;
    check_creator(tx, &payment)?;
    match payment.status_at(tx.now()) {
        PaymentStatus::Pending if payment.processing_attempt_id.is_some() => {
            return Err(payment_processing());
        }
        PaymentStatus::Pending => {}
        status => return Err(status.conflict()),
    }
    cancel_in(tx, &mut payment)?;
    view(tx, &payment)
}

pub(super) fn cancel_in(tx: &mut Tx<'_>, payment: &mut Payment) -> Result<()> {
    if !inventory::ops::release(tx, &payment.organization_id, payment.id.as_str())? {
        return Err(Error::rerun("the hold moved meanwhile"));
    }
    advance(tx, payment, Timing::Cancel)?;
    close(tx, payment, ChangeKind::PaymentCancelled)
}

/// Ends a payment whose time has run out, in somebody's transaction.
pub(super) fn expire_in(tx: &mut Tx<'_>, payment: &mut Payment) -> Result<()> {
    if !inventory::ops::expire(tx, &payment.organization_id, payment.id.as_str())? {
        return Err(Error::rerun("the hold moved meanwhile"));
    }
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
        ended += write.await?.into_inner();
    }
    Ok(ended)
}

/// Listens to cancelled events.
pub fn on_change(change: &Change) -> Option<Job> {
    let event = change.what.event.as_ref()?;
    if change.what.kind != ChangeKind::EventCancelled {
        return None;
    }
    let payload = json!({
        "organization_id": change.what.organization, "event_id": event,
    });
    Some(Job::now(CANCEL_FOR_EVENT, payload))
}

/// Cancels the pending payments of a cancelled event, page by page. It looks for what is left
/// each time, so it can be stopped and begun again anywhere.
pub async fn cancel_for_event(db: &Db, payload: &Value) -> Result<()> {
    let text = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or_default();
    let organization = OrganizationId::parse(text("organization_id"));
    let event = EventId::parse(text("event_id"));
    let (Some(organization), Some(event)) = (organization, event) else {
        return Err(Error::internal("a job without its event"));
    };
    let scope = Scope::platform("cancelling the payments of a cancelled event");
    loop {
        let (owner, of) = (organization.clone(), event.clone());
        let page = move |tx: &mut Tx<'_>| store::pending_of_event(tx, &owner, &of, SWEEP_MAX);
        let page = db.read(&scope, page).await?;
        if page.is_empty() {
            return Ok(());
        }
        for id in page {
            let organization = organization.clone();
            let write = move |tx: &mut Tx<'_>| cancel_one(tx, &organization, &id);
            db.write(&scope, write).await?;
        }
    }
}

fn cancel_one(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &PaymentId,
) -> Result<Outcome<()>> {
    let Some(mut payment) = store::of_row(tx, organization, id)? else {
        return Ok(Outcome::Done(()));
    };
    let open = payment.status == PaymentStatus::Pending && payment.processing_attempt_id.is_none();
    match payment.status_at(tx.now()) {
        PaymentStatus::Pending if open => cancel_in(tx, &mut payment)?,
        PaymentStatus::Expired if open => expire_in(tx, &mut payment)?,
        _ => {}
    }
    Ok(Outcome::Done(()))
}
