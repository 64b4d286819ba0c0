//! Operations on tickets, inside a payment's or a door's transaction.

use super::model::{TicketView, new_code};
use super::store::{self, Filter, Ticket, TicketStatus};
use crate::db::Tx;
use crate::kernel::ids::{Id, OrganizationId, PaymentId, TicketId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Result};
use crate::outbox::{ChangeKind, Emit, NewChange};

pub use super::store::Filter as TicketFilter;

/// Makes a ticket that is worth nothing yet: fills in its id, code and state.
pub fn issue(tx: &mut Tx<'_>, mut ticket: Ticket) -> TicketId {
    ticket.code = new_code();
    ticket.status = TicketStatus::PendingPayment;
    let id = ticket.id.clone();
    tx.append(ticket);
    id
}

/// The tickets of a payment become valid.
pub fn activate(tx: &mut Tx<'_>, organization: &OrganizationId, payment: &PaymentId) -> Result<()> {
    store::advance(tx, organization, payment, TicketStatus::PendingPayment, TicketStatus::Active)?;
    for ticket in store::of_payment(tx, organization, payment)? {
        announce(tx, &ticket, ChangeKind::TicketCreated)?;
    }
    Ok(())
}

/// The tickets of a payment that ended unpaid will never be valid.
pub fn void_unpaid(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    payment: &PaymentId,
) -> Result<()> {
    store::advance(tx, organization, payment, TicketStatus::PendingPayment, TicketStatus::Voided)?;
    for ticket in store::of_payment(tx, organization, payment)? {
        announce(tx, &ticket, ChangeKind::TicketVoided)?;
    }
    Ok(())
}

/// A ticket the caller may see.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Ticket> {
    let id = TicketId::parse(id).ok_or_else(Error::not_found)?;
    store::find(tx, &id)?.ok_or_else(Error::not_found)
}

/// Tickets the caller may see, newest first.
pub fn list(tx: &mut Tx<'_>, filter: Filter, page: &PageRequest) -> Result<Page<TicketView>> {
    Ok(store::list(tx, filter, page)?.map(TicketView::from))
}

/// The tickets of a payment whose owner is known already, in order.
pub fn of_payment(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    payment: &PaymentId,
) -> Result<Vec<Ticket>> {
    store::of_payment(tx, organization, payment)
}

/// The ids of the tickets of a payment, in order.
pub fn ids_of_payment(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    payment: &PaymentId,
) -> Result<Vec<TicketId>> {
    store::ids_of_payment(tx, organization, payment)
}

/// The ids of the tickets of some payments, in order.
pub fn ids_of_payments(
    tx: &mut Tx<'_>,
    organizations: &[OrganizationId],
    payments: &[PaymentId],
) -> Result<Vec<(PaymentId, TicketId)>> {
    store::ids_of_payments(tx, organizations, payments)
}

/// Lets one person of a ticket in. 409 `ticket_not_valid`, or `already_checked_in` saying when.
pub fn enter(tx: &mut Tx<'_>, ticket: &Ticket) -> Result<Ticket> {
    let entered = store::enter(tx, ticket)?;
    // Read again: another door may have been faster, and its time is the one to tell.
    let ticket = find(tx, ticket.id.as_str())?;
    if entered {
        announce(tx, &ticket, ChangeKind::TicketCheckedIn)?;
        return Ok(ticket);
    }
    let status = ticket.status.as_str();
    if ticket.status != TicketStatus::Active {
        let message = format!("This ticket admits nobody: it is {status}.");
        return Err(Error::conflict("ticket_not_valid", message)
            .with("current_status", status)
            .with("allowed_actions", Vec::<String>::new()));
    }
    let at = ticket.entry_time.map(|at| at.rfc3339());
    let message = match &at {
        Some(at) => format!("This ticket was checked in at {at}."),
        None => "This ticket was checked in.".to_owned(),
    };
    Err(Error::conflict("already_checked_in", message)
        .with("current_status", status)
        .with("allowed_actions", Vec::<String>::new())
        .with("checked_in_at", at))
}

fn announce(tx: &mut Tx<'_>, ticket: &Ticket, kind: ChangeKind) -> Result<()> {
    let view = TicketView::from(ticket.clone());
    let object = serde_json::to_value(view).map_err(Error::internal)?;
    tx.emit(NewChange {
        kind,
        mode: ticket.mode,
        organization: ticket.organization_id.clone(),
        channel: ticket.channel_id.clone(),
        event: Some(ticket.event_id.clone()),
        object_id: ticket.id.to_string(),
        sequence: ticket.version,
        for_channel: ticket.channel_id.is_some().then(|| object.clone()),
        for_organization: object,
    })
}
