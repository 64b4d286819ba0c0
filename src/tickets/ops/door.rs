//! Tickets at the door. A passage never changes whether a ticket is valid.

use super::{announce, find};
use crate::db::Tx;
use crate::kernel::ids::Id;
use crate::kernel::{Error, Result};
use crate::outbox::ChangeKind;
use crate::tickets::store::{self, Ticket, TicketStatus};

/// Lets one person of a ticket in. 409 `ticket_not_valid`, or `already_checked_in` saying when.
pub fn enter(tx: &mut Tx<'_>, ticket: &Ticket) -> Result<Ticket> {
    let entered = store::enter(tx, ticket)?;
    // Read again: another door may have been faster, and its time is the one to tell.
    let ticket = find(tx, ticket.id.as_str())?;
    if entered {
        announce(tx, &ticket, ChangeKind::TicketCheckedIn)?;
        return Ok(ticket);
    }
    if ticket.status == TicketStatus::Active && ticket.entered < ticket.admits {
        return Err(Error::rerun("the ticket was given to somebody else meanwhile"));
    }
    Err(barred(&ticket))
}

/// The organization's own ticket with a code. 404.
pub fn by_code(tx: &mut Tx<'_>, code: &str) -> Result<Ticket> {
    store::by_code(tx, code)?.ok_or_else(Error::not_found)
}

/// One of those who came in with a ticket is outside again, or (`undo`) was let in by mistake; when
/// nobody else ever came in, the ticket is `unused` then. 409
/// `ticket_not_valid`, `not_inside`.
pub fn leave(tx: &mut Tx<'_>, ticket: &Ticket, (undo, unused): (bool, bool)) -> Result<Ticket> {
    if ticket.status != TicketStatus::Active {
        return Err(not_valid(ticket));
    }
    if ticket.entered == 0 {
        let message = "Nobody is inside with this ticket.";
        return Err(Error::conflict("not_inside", message)
            .with("current_status", ticket.status.as_str())
            .with("allowed_actions", vec!["checkin"]));
    }
    if !store::leave(tx, ticket, unused)? {
        return Err(Error::rerun("the ticket was changed meanwhile"));
    }
    let ticket = find(tx, ticket.id.as_str())?;
    let kind = if undo { ChangeKind::TicketCheckInUndone } else { ChangeKind::TicketCheckedOut };
    announce(tx, &ticket, kind)?;
    Ok(ticket)
}

/// 409: it is not valid, or somebody has come in with it.
pub(super) fn barred(ticket: &Ticket) -> Error {
    match ticket.status {
        TicketStatus::Active => already_checked_in(ticket),
        TicketStatus::PendingPayment | TicketStatus::Voided => not_valid(ticket),
    }
}

/// 409: it admits nobody.
pub fn not_valid(ticket: &Ticket) -> Error {
    let status = ticket.status.as_str();
    let message = format!("This ticket admits nobody: it is {status}.");
    Error::conflict("ticket_not_valid", message)
        .with("current_status", status)
        .with("allowed_actions", Vec::<String>::new())
}

/// 409: somebody has come in with it.
pub(super) fn already_checked_in(ticket: &Ticket) -> Error {
    let at = ticket.entry_time.map(|at| at.rfc3339());
    let message = match &at {
        Some(at) => format!("This ticket was checked in at {at}."),
        None => "This ticket was checked in.".to_owned(),
    };
    Error::conflict("already_checked_in", message)
        .with("current_status", ticket.status.as_str())
        .with("allowed_actions", Vec::<String>::new())
        .with("checked_in_at", at)
}
