//! What a cancelled event does to its payments, as jobs that can be stopped and begun again
//! anywhere: each looks for what is left and does one payment in one transaction.

use serde_json::{Value, json};

use super::refund::{self, Order};
use super::settle::reload;
use super::{end, store};
use crate::catalog::{self, EventStatus};
use crate::db::{Db, Outcome, Scope, Tx};
use crate::kernel::ids::{EventId, Id, OrganizationId, PaymentId};
use crate::kernel::{Error, Result};
use crate::outbox::{Change, ChangeKind, Job, jobs};
use crate::parties::Collects;
use crate::payments::model::PaymentStatus;
use crate::payments::store::{Cause, Payment};
use crate::tickets;

/// The kind of the job that cancels what is not paid of a cancelled event.
pub const CANCEL_FOR_EVENT: &str = "payments.cancel_for_event";
/// The kind of the job that calls back and refunds what is paid of a cancelled event.
pub const REFUND_EVENT: &str = "payments.refund_event";

/// Payments looked up at once.
const PAGE: i64 = 100;

/// Listens to cancelled events.
pub fn on_change(change: &Change) -> Option<Job> {
    let event = change.what.event.as_ref()?;
    if change.what.kind != ChangeKind::EventCancelled {
        return None;
    }
    Some(Job::now(CANCEL_FOR_EVENT, payload(&change.what.organization, event)))
}

fn payload(organization: &OrganizationId, event: &EventId) -> Value {
    json!({"organization_id": organization, "event_id": event})
}

/// The organization gives back everything that was paid for a cancelled event. Answers how many
/// payments wait for it. 409 `wrong_status` unless the event is cancelled.
pub fn refund_event(tx: &mut Tx<'_>, id: &str) -> Result<(EventId, i64)> {
    let event = catalog::ops::events::find(tx, id)?;
    if event.status != EventStatus::Cancelled {
        let message = "Only a cancelled event is refunded as a whole.";
        return Err(Error::conflict("wrong_status", message)
            .with("current_status", event.status.as_str())
            .with("allowed_actions", vec!["cancel"]));
    }
    jobs::enqueue(tx, Job::now(REFUND_EVENT, payload(&event.organization_id, &event.id)));
    let key = (&event.organization_id, &event.id);
    let waiting = store::count_of_event(tx, key, &[PaymentStatus::Paid])?;
    Ok((event.id, waiting))
}

/// Payments of an event whose tickets are valid, or were, oldest first, after one of them: for
/// slices that were told of it by a change.
pub fn bought(
    tx: &mut Tx<'_>,
    of: (&OrganizationId, &EventId),
    page: (&str, i64),
) -> Result<Vec<Payment>> {
    store::bought_of_event(tx, of, page)
}

/// Holds a payment's row until the end of the transaction.
pub fn hold(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    store::hold(tx, payment)
}

/// Cancels the pending and authorized payments of a cancelled event. Authorized ones somebody has
/// come in with stay as they are: they are owed.
pub async fn cancel_for_event(db: &Db, payload: &Value) -> Result<()> {
    let states = &[PaymentStatus::Pending, PaymentStatus::Authorized];
    each_of_event(db, payload, states, cancel_one).await
}

/// Calls back the paid payments of a cancelled event and gives the money back where it is not the
/// channel's to give. Those somebody has come in with stay as they are.
pub async fn refund_for_event(db: &Db, payload: &Value) -> Result<()> {
    each_of_event(db, payload, &[PaymentStatus::Paid], refund_one).await
}

async fn each_of_event(
    db: &Db,
    payload: &Value,
    states: &'static [PaymentStatus],
    act: fn(&mut Tx<'_>, Payment) -> Result<()>,
) -> Result<()> {
    let text = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or_default();
    let organization = OrganizationId::parse(text("organization_id"));
    let event = EventId::parse(text("event_id"));
    let (Some(organization), Some(event)) = (organization, event) else {
        return Err(Error::internal("a job without its event"));
    };
    let scope = Scope::platform("ending the payments of a cancelled event");
    let (mut after, mut failed) = (String::new(), None);
    loop {
        let (owner, of, from) = (organization.clone(), event.clone(), after.clone());
        let page = move |tx: &mut Tx<'_>| store::of_event(tx, (&owner, &of), states, (&from, PAGE));
        let page: Vec<PaymentId> = db.read(&scope, page).await?;
        let Some(last) = page.last() else { return failed.map_or(Ok(()), Err) };
        after = last.to_string();
        for id in page {
            let organization = organization.clone();
            let write = move |tx: &mut Tx<'_>| {
                let payment = store::of_row(tx, &organization, &id)?;
                payment.map_or(Ok(()), |payment| act(tx, payment)).map(Outcome::Done)
            };
            match db.write(&scope, write).await {
                Ok(_) => {}
                // Somebody is inside with one of its tickets.
                Err(error) if error.code() == "already_checked_in" => {}
                // No other waits for one that cannot be ended now: the job is tried again.
                Err(error) => failed = Some(error),
            }
        }
    }
}

fn cancel_one(tx: &mut Tx<'_>, mut payment: Payment) -> Result<()> {
    let asked = payment.processing_attempt_id.is_some();
    match payment.status_at(tx.now()) {
        // What the provider says decides: a declined one is cancelled then.
        PaymentStatus::Pending if asked => Ok(()),
        PaymentStatus::Pending => end::cancel_in(tx, &mut payment),
        PaymentStatus::Expired if payment.status == PaymentStatus::Pending => {
            end::expire_in(tx, &mut payment)
        }
        PaymentStatus::Authorized => end::call_back(tx, &mut payment),
        PaymentStatus::Paid | PaymentStatus::Expired | PaymentStatus::Cancelled => Ok(()),
    }
}

fn refund_one(tx: &mut Tx<'_>, mut payment: Payment) -> Result<()> {
    if payment.status != PaymentStatus::Paid {
        return Ok(());
    }
    end::call_back(tx, &mut payment)?;
    let amount = payment.refundable_minor();
    if payment.collects == Collects::Channel || amount == 0 {
        return Ok(());
    }
    let mut payment = reload(tx, &payment)?;
    let all = tickets::ops::of_payment(tx, &payment.organization_id, &payment.id)?;
    let of_tickets: i64 = all.iter().map(refund::left_of).sum();
    // Money given back without naming tickets lessens what is left for them.
    let shares = crate::payments::model::shares(
        amount.min(of_tickets),
        &all.iter().map(refund::left_of).collect::<Vec<_>>(),
    );
    // A charge that was made twice may not have gone back yet: each goes back on its own.
    let mut shares = all.iter().map(|ticket| ticket.id.clone()).zip(shares).collect();
    for (attempt, amount_minor) in refund::charges_of(tx, &payment, amount)? {
        let shares = std::mem::take(&mut shares);
        let (cause, reason) = (Cause::EventCancelled, None);
        refund::record(tx, &mut payment, Order { amount_minor, shares, attempt, reason, cause })?;
    }
    Ok(())
}
