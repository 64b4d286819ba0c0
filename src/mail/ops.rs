//! What is mailed to whom, as jobs.

use serde_json::{Value, json};

use super::compose::{self, Letter};
use super::transport::Transport;
use crate::catalog;
use crate::db::{Db, Outcome, Scope, Tx};
use crate::kernel::ids::{Id, OrganizationId, PaymentId};
use crate::kernel::{Error, Result};
use crate::outbox::jobs::{self, Claimed};
use crate::outbox::{Change, ChangeKind, Job};
use crate::parties;
use crate::payments::{self, Payment, PaymentStatus};
use crate::tickets::{self, Ticket, TicketStatus};

/// The kind of the job that finds the recipients of a payment.
pub const FAN_OUT: &str = "mail.payment";
/// The kind of the job that mails one recipient.
pub const DELIVER: &str = "mail.deliver";

const REASON: &str = "mailing what was bought";

/// Listens to payments whose tickets become valid, or whose money is in.
pub fn on_change(change: &Change) -> Option<Job> {
    match change.what.kind {
        ChangeKind::PaymentCompleted | ChangeKind::PaymentAuthorized => {}
        _ => return None,
    }
    let payload = json!({
        "organization_id": change.what.organization, "payment_id": change.what.object_id,
        "completed": change.what.kind == ChangeKind::PaymentCompleted,
    });
    Some(Job::now(FAN_OUT, payload))
}

/// Writes a job for each recipient, and ends this one with them.
pub async fn fan_out(db: &Db, job: Claimed) -> Result<()> {
    let key = key_of(&job.payload)?;
    let write = move |tx: &mut Tx<'_>| {
        // Another worker that took this job over writes the others; never both.
        if !jobs::finish(tx, &job)? {
            return Ok(Outcome::Done(()));
        }
        if let Some(sale) = sale(tx, &key)? {
            for recipient in 0..recipients(&sale.payment, &sale.tickets).len() {
                let (organization, payment) = &key;
                jobs::enqueue(
                    tx,
                    Job::now(
                        DELIVER,
                        json!({
                            "organization_id": organization, "payment_id": payment,
                            "recipient": recipient,
                        }),
                    ),
                );
            }
        }
        Ok(Outcome::Done(()))
    };
    db.write(&Scope::platform(REASON), write).await?;
    Ok(())
}

/// Mails one recipient what is theirs.
pub async fn deliver(db: &Db, transport: &Transport, job: Claimed) -> Result<()> {
    let key = key_of(&job.payload)?;
    let recipient = job.payload.get("recipient").and_then(Value::as_u64).unwrap_or_default();
    let read = move |tx: &mut Tx<'_>| {
        let Some(sale) = sale(tx, &key)? else {
            return Ok(None);
        };
        let all = recipients(&sale.payment, &sale.tickets);
        let recipient = usize::try_from(recipient).ok().and_then(|index| all.get(index).cloned());
        Ok(recipient.map(|recipient| (sale.letter(&recipient), sale.payment.mode)))
    };
    let found = db.read(&Scope::platform(REASON), read).await?;
    let Some((letter, mode)) = found else {
        return Ok(());
    };
    let message = compose::message(&letter, &job.id, transport.sender())?;
    transport.send(mode, &job.id, message).await
}

fn key_of(payload: &Value) -> Result<(OrganizationId, PaymentId)> {
    let text = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or_default();
    let organization = OrganizationId::parse(text("organization_id"));
    let payment = PaymentId::parse(text("payment_id"));
    organization.zip(payment).ok_or_else(|| Error::internal("a mail job without its payment"))
}

/// A recipient: the buyer, or whoever a ticket names.
#[derive(Clone)]
struct Recipient {
    email: String,
    receipt: bool,
    /// Positions of the tickets that go there.
    tickets: Vec<i64>,
}

/// The buyer with the receipt and every ticket without an e-mail of its own, then each other
/// e-mail once, in the order of the tickets.
fn recipients(payment: &Payment, tickets: &[Ticket]) -> Vec<Recipient> {
    let mut all: Vec<Recipient> = Vec::new();
    if let Some(email) = &payment.buyer_email {
        all.push(Recipient { email: email.clone(), receipt: true, tickets: Vec::new() });
    }
    for ticket in tickets.iter().filter(|ticket| ticket.status == TicketStatus::Active) {
        let Some(email) = ticket.email.as_ref().or(payment.buyer_email.as_ref()) else {
            continue;
        };
        match all.iter_mut().find(|known| known.email.eq_ignore_ascii_case(email)) {
            Some(known) => known.tickets.push(ticket.position),
            None => all.push(Recipient {
                email: email.clone(),
                receipt: false,
                tickets: vec![ticket.position],
            }),
        }
    }
    all
}

/// Everything a letter is made from.
struct Sale {
    payment: Payment,
    items: Vec<payments::Item>,
    tickets: Vec<Ticket>,
    event: catalog::Event,
    organization: parties::Organization,
}

/// A paid sale whose resources are to be sent; `None` when there is nothing to send (any more).
fn sale(tx: &mut Tx<'_>, (organization, id): &(OrganizationId, PaymentId)) -> Result<Option<Sale>> {
    let Some((payment, items)) = payments::ops::read::whole(tx, organization, id)? else {
        return Ok(None);
    };
    let valid = match payment.status {
        PaymentStatus::Authorized | PaymentStatus::Paid => true,
        PaymentStatus::Pending | PaymentStatus::Expired | PaymentStatus::Cancelled => false,
    };
    if !payment.send_resources || !valid {
        return Ok(None);
    }
    // A plain charge has nothing to send.
    let Some(event) = &payment.event_id else { return Ok(None) };
    let event = catalog::ops::events::of_row(tx, organization, event)?;
    let organization = parties::ops::organization(tx, organization)?;
    let tickets = tickets::ops::of_payment(tx, &payment.organization_id, &payment.id)?;
    Ok(Some(Sale { payment, items, tickets, event, organization }))
}

impl Sale {
    fn letter(&self, recipient: &Recipient) -> Letter {
        let theirs = |ticket: &&Ticket| recipient.tickets.contains(&ticket.position);
        let mut letter = Letter::new(&self.event, &self.organization, recipient.email.clone());
        letter.buyer = self.payment.buyer_name.clone().filter(|_| recipient.receipt);
        letter.tickets = self.tickets.iter().filter(theirs).map(compose::TicketPart::new).collect();
        if recipient.receipt {
            letter.receipt = Some(compose::Receipt::new(&self.payment, &self.items, &self.tickets));
        }
        letter
    }
}
