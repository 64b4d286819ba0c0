//! What is mailed to whom: deliveries, and the jobs that send them.

use serde_json::{Value, json};

use super::called_off;
use super::compose::{self, Letter};
use super::model::{DeliveryView, Recipient, recipients, tickets_of};
use super::store::{self, Delivery, DeliveryFilter, DeliveryState};
use super::transport::Transport;
use crate::catalog::{self, EventStatus};
use crate::db::types::Json;
use crate::db::{Db, Outcome, Scope, Tx};
use crate::kernel::ids::{DeliveryId, Id, OrganizationId, PaymentId, RefundId, TicketId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Result};
use crate::outbox::jobs::{self, Claimed, RETRY_SECONDS};
use crate::outbox::{Change, ChangeKind, Emit, Job, NewChange};
use crate::parties;
use crate::payments::{self, Payment, PaymentStatus};
use crate::tickets::{self, Ticket, TicketStatus};

/// The kind of the job that finds the recipients of what happened.
pub const FAN_OUT: &str = "mail.payment";
/// The kind of the job that sends one delivery.
pub const DELIVER: &str = "mail.deliver";

pub(super) const REASON: &str = "mailing what was bought";

/// Listens to payments whose tickets become valid or whose money is in or back, and to tickets
/// that change hands.
pub fn on_change(change: &Change) -> Option<Job> {
    let what = &change.what;
    let of = |name: &str| what.for_organization.get(name).cloned().unwrap_or_default();
    let (payment, more) = match what.kind {
        ChangeKind::PaymentAuthorized => (json!(what.object_id), json!({"tickets": true})),
        ChangeKind::PaymentCompleted => (json!(what.object_id), json!({"receipt": true})),
        ChangeKind::TicketTransferred => (of("payment_id"), json!({"ticket_id": what.object_id})),
        ChangeKind::RefundProcessed if of("status") == "succeeded" => {
            (of("payment_id"), json!({"refund_id": what.object_id}))
        }
        _ => return None,
    };
    let mut payload = json!({"organization_id": what.organization, "payment_id": payment});
    if let (Some(payload), Value::Object(more)) = (payload.as_object_mut(), more) {
        payload.extend(more);
    }
    Some(Job::now(FAN_OUT, payload))
}

/// Writes a delivery and its job for each recipient, and ends this job with them.
pub async fn fan_out(db: &Db, job: Claimed) -> Result<()> {
    let key = key_of(&job.payload)?;
    let write = move |tx: &mut Tx<'_>| {
        // Another worker that took this job over writes the others; never both.
        if !jobs::finish(tx, &job)? {
            return Ok(Outcome::Done(()));
        }
        if let Some((payment, _)) = payments::ops::read::whole(tx, &key.0, &key.1)?
            && payment.send_resources
        {
            let called_off = called_off::is_called_off(tx, &payment)?;
            for recipient in who(tx, &payment, &job.payload)? {
                let sent = match called_off {
                    true => called_off::instead_of(tx, &payment, recipient)?,
                    false => vec![recipient],
                };
                for recipient in sent {
                    queue(tx, &payment, recipient, None);
                }
            }
        }
        Ok(Outcome::Done(()))
    };
    db.write(&Scope::platform(REASON), write).await?;
    Ok(())
}

/// Who is told of what happened to a payment.
fn who(tx: &mut Tx<'_>, payment: &Payment, payload: &Value) -> Result<Vec<Recipient>> {
    let all = tickets::ops::of_payment(tx, &payment.organization_id, &payment.id)?;
    let buyer = |receipt: bool| {
        let email = payment.buyer_email.clone();
        email.map(|email| Recipient { receipt, ..Recipient::to(email) })
    };
    if let Some(refund) = text_of(payload, "refund_id").and_then(RefundId::parse) {
        let told = |to| Recipient { refund: Some(refund), ..to };
        return Ok(buyer(false).map(told).into_iter().collect());
    }
    if let Some(id) = text_of(payload, "ticket_id") {
        let ticket = all.into_iter().find(|ticket| ticket.id.as_str() == id);
        let to = |ticket: Ticket| {
            let email = ticket.email?;
            Some(Recipient { tickets: vec![ticket.id], ..Recipient::to(email) })
        };
        return Ok(ticket.and_then(to).into_iter().collect());
    }
    let valid = |ticket: &Ticket| ticket.status == TicketStatus::Active;
    let valid: Vec<Ticket> = all.into_iter().filter(valid).collect();
    match (payload.get("receipt").is_some(), payment.authorized_at) {
        // The tickets went out when it was authorized.
        (true, Some(_)) => Ok(buyer(true).into_iter().collect()),
        (true, None) => Ok(recipients(payment, &valid)),
        (false, _) => {
            let all = recipients(payment, &valid).into_iter();
            let without = all.map(|recipient| Recipient { receipt: false, ..recipient });
            Ok(without.filter(|recipient| !recipient.tickets.is_empty()).collect())
        }
    }
}

/// Writes a delivery and the job that sends it.
pub(super) fn queue(
    tx: &mut Tx<'_>,
    payment: &Payment,
    to: Recipient,
    resent_from: Option<DeliveryId>,
) -> Delivery {
    let delivery = Delivery {
        organization_id: payment.organization_id.clone(),
        id: tx.id(),
        mode: payment.mode,
        channel_id: payment.channel_id.clone(),
        event_id: payment.event_id.clone(),
        payment_id: payment.id.clone(),
        refund_id: to.refund,
        recipient: to.email,
        tickets: Json(json!(to.tickets)),
        receipt: to.receipt,
        state: DeliveryState::Queued,
        reason: None,
        attempts: 0,
        resent_from,
        version: 1,
        created_at: tx.now(),
        sent_at: None,
        updated_at: tx.now(),
        called_off: to.called_off,
    };
    tx.append(delivery.clone());
    let payload = json!({"organization_id": delivery.organization_id, "delivery_id": delivery.id});
    jobs::enqueue(tx, Job::now(DELIVER, payload));
    delivery
}

/// Sends a delivery, and records what came of it.
pub async fn deliver(db: &Db, transport: &Transport, job: Claimed) -> Result<()> {
    let organization = text_of(&job.payload, "organization_id").and_then(OrganizationId::parse);
    let id = text_of(&job.payload, "delivery_id").and_then(DeliveryId::parse);
    let key = organization.zip(id);
    let (organization, id) = key.ok_or_else(|| Error::internal("a job without its delivery"))?;
    let scope = Scope::platform(REASON);
    let read = move |tx: &mut Tx<'_>| {
        let Some(delivery) = store::of_row(tx, &organization, &id)? else { return Ok(None) };
        if delivery.state != DeliveryState::Queued {
            return Ok(None);
        }
        let letter = letter(tx, &delivery)?;
        Ok(Some((delivery, letter)))
    };
    let Some((delivery, letter)) = db.read(&scope, read).await? else {
        return Ok(());
    };
    let Some(letter) = letter else {
        return note(db, delivery, (DeliveryState::Failed, Some("nothing_to_send"))).await;
    };
    let sent = match compose::message(&letter, delivery.id.as_str(), transport.sender()) {
        Ok(outgoing) => transport.send(delivery.mode, delivery.id.as_str(), outgoing).await,
        Err(error) => Err(error),
    };
    match sent {
        Ok(()) => note(db, delivery, (DeliveryState::Sent, None)).await,
        Err(error) => {
            let tries = usize::try_from(job.attempt).unwrap_or(usize::MAX);
            let last = tries > RETRY_SECONDS.len();
            let state = if last { DeliveryState::Failed } else { DeliveryState::Queued };
            note(db, delivery, (state, Some(error.code()))).await?;
            Err(error)
        }
    }
}

async fn note(
    db: &Db,
    delivery: Delivery,
    (state, reason): (DeliveryState, Option<&'static str>),
) -> Result<()> {
    let write = move |tx: &mut Tx<'_>| {
        if store::note(tx, &delivery, (state, reason))? && state == DeliveryState::Failed {
            announce_failure(tx, &delivery, reason)?;
        }
        Ok(Outcome::Done(()))
    };
    db.write(&Scope::platform(REASON), write).await.map(|_| ())
}

fn announce_failure(tx: &mut Tx<'_>, before: &Delivery, reason: Option<&str>) -> Result<()> {
    let delivery = Delivery {
        state: DeliveryState::Failed,
        reason: reason.map(str::to_owned),
        attempts: before.attempts + 1,
        version: before.version + 1,
        updated_at: tx.now(),
        ..before.clone()
    };
    let object = serde_json::to_value(DeliveryView::from(&delivery)).map_err(Error::internal)?;
    tx.emit(NewChange {
        kind: ChangeKind::DeliveryFailed,
        mode: delivery.mode,
        organization: delivery.organization_id.clone(),
        channel: delivery.channel_id.clone(),
        event: delivery.event_id.clone(),
        object_id: delivery.id.to_string(),
        sequence: delivery.version,
        for_channel: delivery.channel_id.is_some().then(|| object.clone()),
        for_organization: object,
    })
}

pub(super) fn text_of<'a>(payload: &'a Value, name: &str) -> Option<&'a str> {
    payload.get(name).and_then(Value::as_str)
}

fn key_of(payload: &Value) -> Result<(OrganizationId, PaymentId)> {
    let organization = text_of(payload, "organization_id").and_then(OrganizationId::parse);
    let payment = text_of(payload, "payment_id").and_then(PaymentId::parse);
    organization.zip(payment).ok_or_else(|| Error::internal("a mail job without its payment"))
}

/// What a delivery says now; `None` when there is nothing (left) to say.
fn letter(tx: &mut Tx<'_>, delivery: &Delivery) -> Result<Option<Letter>> {
    let key = (&delivery.organization_id, &delivery.payment_id);
    let Some((payment, items)) = payments::ops::read::whole(tx, key.0, key.1)? else {
        return Ok(None);
    };
    let organization = parties::ops::organization(tx, key.0)?;
    let to = delivery.recipient.clone();
    let mut takes_place = true;
    let mut letter = match &payment.event_id {
        Some(event) => {
            let event = catalog::ops::events::of_row(tx, key.0, event)?;
            takes_place = event.status != EventStatus::Cancelled;
            Letter::new(event.title.clone(), &organization, to).with_event(&event)
        }
        None => {
            let title = payment.description.clone();
            Letter::new(title.unwrap_or_else(|| "your payment".to_owned()), &organization, to)
        }
    };
    let buyer = payment.buyer_email.as_ref() == Some(&delivery.recipient);
    letter.buyer = payment.buyer_name.clone().filter(|_| buyer);
    if delivery.called_off {
        letter.called_off = Some(called_off::who_pays_back(tx, &payment)?);
        return Ok(Some(letter));
    }
    if let Some(refund) = &delivery.refund_id {
        let refund = payments::ops::refund::of_row(tx, key.0, refund)?;
        letter.refund = refund.map(|refund| compose::Given::new(&payment, &refund));
        return Ok(letter.refund.is_some().then_some(letter));
    }
    let valid = match payment.status {
        PaymentStatus::Authorized | PaymentStatus::Paid => true,
        PaymentStatus::Pending | PaymentStatus::Expired | PaymentStatus::Cancelled => false,
    };
    let all = tickets::ops::of_payment(tx, key.0, key.1)?;
    let named = tickets_of(delivery);
    // Whoever gave a ticket away since is not told its new code.
    let theirs = |ticket: &&Ticket| {
        let holder = ticket.email.as_ref().or(payment.buyer_email.as_ref());
        let still = holder.is_some_and(|email| email.eq_ignore_ascii_case(&delivery.recipient));
        ticket.status == TicketStatus::Active && still && named.contains(&ticket.id)
    };
    if takes_place {
        letter.tickets = all.iter().filter(theirs).map(compose::TicketPart::new).collect();
    }
    if delivery.receipt {
        letter.receipt = Some(compose::Receipt::new(&payment, &items, &all));
    }
    let says_something = letter.receipt.is_some() || !letter.tickets.is_empty();
    Ok((valid && says_something).then_some(letter))
}

/// A delivery the caller may see.
fn find(tx: &mut Tx<'_>, id: &str) -> Result<Delivery> {
    let id = DeliveryId::parse(id).ok_or_else(Error::not_found)?;
    store::find(tx, &id)?.ok_or_else(Error::not_found)
}

/// A delivery the caller may see, as it is shown.
pub fn read(tx: &mut Tx<'_>, id: &str) -> Result<DeliveryView> {
    find(tx, id).map(|delivery| DeliveryView::from(&delivery))
}

/// Deliveries the caller may see, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    filter: DeliveryFilter,
    page: &PageRequest,
) -> Result<Page<DeliveryView>> {
    Ok(store::list(tx, filter, page)?.map(|delivery| DeliveryView::from(&delivery)))
}

/// Sends a delivery once more, as what it carries is now; another delivery, with a state of its
/// own. 409 `wrong_status` while it is queued.
pub fn resend(tx: &mut Tx<'_>, id: &str) -> Result<DeliveryView> {
    let before = find(tx, id)?;
    if before.state == DeliveryState::Queued {
        let message = "This delivery is still waiting to be sent.";
        return Err(Error::conflict("wrong_status", message)
            .with("current_status", before.state.as_str())
            .with("allowed_actions", Vec::<String>::new()));
    }
    let payment = payments::ops::read::whole(tx, &before.organization_id, &before.payment_id)?;
    let (payment, _) = payment.ok_or_else(|| Error::internal("a payment has gone"))?;
    let tickets = tickets_of(&before);
    let to = Recipient {
        email: before.recipient,
        receipt: before.receipt,
        tickets,
        refund: before.refund_id,
        called_off: before.called_off,
    };
    let delivery = queue(tx, &payment, to, Some(before.id));
    Ok(DeliveryView::from(&delivery))
}

/// Sends a valid ticket once more: to its holder's e-mail, which may be corrected on the way, else
/// to the buyer's. 409 `ticket_not_valid`; 422 `no_recipient`.
pub fn resend_ticket(tx: &mut Tx<'_>, id: &str, corrected: Option<&str>) -> Result<DeliveryView> {
    let mut ticket = tickets::ops::find(tx, id)?;
    if ticket.status != TicketStatus::Active {
        return Err(tickets::ops::door::not_valid(&ticket));
    }
    if let Some(email) = corrected.filter(|email| ticket.email.as_deref() != Some(email)) {
        ticket = tickets::ops::holder::correct_email(tx, &ticket, email)?;
    }
    let whole = payments::ops::read::whole(tx, &ticket.organization_id, &ticket.payment_id)?;
    let (payment, _) = whole.ok_or_else(|| Error::internal("a payment has gone"))?;
    let email = ticket.email.clone().or(payment.buyer_email.clone()).ok_or_else(|| {
        Error::unprocessable("no_recipient", "Nobody's e-mail is known for this ticket.")
            .on_field("email", "is required: neither holder nor buyer has one")
    })?;
    let tickets = vec![TicketId::clone(&ticket.id)];
    let to = Recipient { tickets, ..Recipient::to(email) };
    Ok(DeliveryView::from(&queue(tx, &payment, to, None)))
}
