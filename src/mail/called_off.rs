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
            if store::told_called_off(tx, payment)? {
                continue;
            }
            for recipient in who(tx, payment, at)? {
                queue(tx, payment, recipient, None);
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

/// What becomes of letters about a payment whose event is cancelled.
pub(super) struct News {
    cancelled: bool,
    told: bool,
}

/// Whether a payment's event is cancelled, and its people are told of that already: a provider may
/// have taken the money while it was being cancelled.
pub(super) fn news(tx: &mut Tx<'_>, payment: &Payment, payload: &Value) -> Result<News> {
    let Some(event) = &payment.event_id else { return Ok(News { cancelled: false, told: false }) };
    let event = catalog::ops::events::of_row(tx, &payment.organization_id, event)?;
    let cancelled = event.status == EventStatus::Cancelled;
    // Who has just been given a ticket was not among those who were told.
    let given = payload.get("ticket_id").is_some();
    Ok(News { cancelled, told: cancelled && !given && store::told_called_off(tx, payment)? })
}

impl News {
    /// What somebody is sent: no tickets of a cancelled event, but that it is.
    pub(super) fn instead_of(&self, to: Recipient) -> Vec<Recipient> {
        if !self.cancelled || to.tickets.is_empty() {
            return vec![to];
        }
        let told = Recipient { called_off: true, ..Recipient::to(to.email.clone()) };
        let rest = Recipient { tickets: Vec::new(), ..to };
        let parts = [(rest.receipt, rest), (!self.told, told)];
        parts.into_iter().filter(|(sent, _)| *sent).map(|(_, part)| part).collect()
    }
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
fn who(tx: &mut Tx<'_>, payment: &Payment, at: Timestamp) -> Result<Vec<Recipient>> {
    let all = tickets::ops::of_payment(tx, &payment.organization_id, &payment.id)?;
    let was_valid =
        |ticket: &Ticket| ticket.status == TicketStatus::Active || ticket.updated_at >= at;
    let valid: Vec<Ticket> = all.into_iter().filter(was_valid).collect();
    if valid.is_empty() {
        return Ok(Vec::new());
    }
    let to = recipients(payment, &valid).into_iter();
    Ok(to.map(|to| Recipient { called_off: true, ..Recipient::to(to.email) }).collect())
}
