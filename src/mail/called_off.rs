//! Letters that an event is cancelled, to whoever had valid tickets of it then. Page after page:
//! each writes its letters and the job of the next page in one transaction with its own end.

use serde_json::{Value, json};

use super::model::{Recipient, recipients};
use super::ops::{REASON, queue, text_of};
use super::store;
use crate::catalog::{self, EventStatus};
use crate::db::{Db, Outcome, Scope, Tx};
use crate::kernel::ids::{EventId, Id, OrganizationId};
use crate::kernel::{Error, Result, Timestamp};
use crate::outbox::jobs::{self, Claimed};
use crate::outbox::{Change, ChangeKind, Job};
use crate::parties::{self, Collects};
use crate::payments::{self, Payment};
use crate::tickets::{self, Ticket, TicketStatus};

/// The kind of the job that writes letters about a cancelled event.
pub const CALLED_OFF: &str = "mail.called_off";

/// Payments told in one transaction.
const PAGE: i64 = 100;

/// Listens to cancelled events.
pub fn on_change(change: &Change) -> Option<Job> {
    let event = change.what.event.as_ref()?;
    if change.what.kind != ChangeKind::EventCancelled {
        return None;
    }
    Some(page_after(&change.what.organization, event, (change.created_at, "")))
}

fn page_after(of: &OrganizationId, event: &EventId, (at, after): (Timestamp, &str)) -> Job {
    let payload =
        json!({"organization_id": of, "event_id": event, "at": at.rfc3339(), "after": after});
    Job::now(CALLED_OFF, payload)
}

/// Writes the letters of one page of payments.
pub async fn write_page(db: &Db, job: Claimed) -> Result<()> {
    let (organization, event, at) = key_of(&job.payload)?;
    let write = move |tx: &mut Tx<'_>| {
        // Another worker that took this job over writes this page; never both.
        if !jobs::finish(tx, &job)? {
            return Ok(Outcome::Done(()));
        }
        let after = text_of(&job.payload, "after").unwrap_or_default();
        let of = (&organization, &event);
        let page = payments::ops::called_off::bought(tx, of, (after, PAGE))?;
        let last = page.last().map(|payment| payment.id.to_string());
        for payment in page.iter().filter(|payment| reached(payment, at)) {
            payments::ops::called_off::hold(tx, payment)?;
            for email in who(tx, payment, at)? {
                if let Some(letter) = news(tx, payment, email)? {
                    queue(tx, payment, letter, None);
                }
            }
        }
        if let Some(last) = last {
            jobs::enqueue(tx, page_after(&organization, &event, (at, &last)));
        }
        Ok(Outcome::Done(()))
    };
    db.write(&Scope::platform(REASON), write).await.map(|_| ())
}

fn key_of(payload: &Value) -> Result<(OrganizationId, EventId, Timestamp)> {
    let organization = text_of(payload, "organization_id").and_then(OrganizationId::parse);
    let event = text_of(payload, "event_id").and_then(EventId::parse);
    let at = text_of(payload, "at").and_then(Timestamp::parse);
    let key = organization
        .zip(event)
        .zip(at)
        .map(|((organization, event), at)| (organization, event, at));
    key.ok_or_else(|| Error::internal("a job without its event"))
}

/// Whether a payment's event is cancelled. If so nobody else writes letters about the payment until
/// this transaction ends: who is told already is looked up, and must stay so.
pub(super) fn is_called_off(tx: &mut Tx<'_>, payment: &Payment) -> Result<bool> {
    let Some(event) = &payment.event_id else { return Ok(false) };
    let event = catalog::ops::events::of_row(tx, &payment.organization_id, event)?;
    let cancelled = event.status == EventStatus::Cancelled;
    if cancelled {
        payments::ops::called_off::hold(tx, payment)?;
    }
    Ok(cancelled)
}

/// What somebody is sent of a payment whose event is cancelled: no tickets, but that it is, once. A
/// provider may have taken the money while it was being cancelled.
pub(super) fn instead_of(
    tx: &mut Tx<'_>,
    payment: &Payment,
    to: Recipient,
) -> Result<Vec<Recipient>> {
    if to.refund.is_some() {
        return Ok(vec![to]);
    }
    let news = news(tx, payment, to.email.clone())?;
    let rest = Recipient { tickets: Vec::new(), ..to };
    Ok(Some(rest).filter(|rest| rest.receipt).into_iter().chain(news).collect())
}

/// The letter that the event is cancelled, unless there is one to this address.
fn news(tx: &mut Tx<'_>, payment: &Payment, email: String) -> Result<Option<Recipient>> {
    let known = store::told_called_off(tx, payment)?;
    if known.iter().any(|known| known.eq_ignore_ascii_case(&email)) {
        return Ok(None);
    }
    Ok(Some(Recipient { called_off: true, ..Recipient::to(email) }))
}

/// The name of who has the money of a payment, and gives it back.
pub(super) fn who_pays_back(tx: &mut Tx<'_>, payment: &Payment) -> Result<String> {
    Ok(match (payment.collects, &payment.channel_id) {
        (Collects::Channel, Some(channel)) => parties::ops::channel(tx, channel)?.name,
        (_, _) => parties::ops::organization(tx, &payment.organization_id)?.name,
    })
}

/// Whether a payment's tickets were valid when the event was cancelled: it may have been called
/// back since.
fn reached(payment: &Payment, at: Timestamp) -> bool {
    let called_back_before =
        payment.status == payments::PaymentStatus::Cancelled && payment.updated_at < at;
    payment.send_resources && !called_back_before
}

/// The buyer, and each other e-mail that held a ticket.
fn who(tx: &mut Tx<'_>, payment: &Payment, at: Timestamp) -> Result<Vec<String>> {
    let all = tickets::ops::of_payment(tx, &payment.organization_id, &payment.id)?;
    let was_valid =
        |ticket: &Ticket| ticket.status == TicketStatus::Active || ticket.updated_at >= at;
    let valid: Vec<Ticket> = all.into_iter().filter(was_valid).collect();
    if valid.is_empty() {
        return Ok(Vec::new());
    }
    Ok(recipients(payment, &valid).into_iter().map(|to| to.email).collect())
}
