//! Whose a ticket is.

use super::door::{already_checked_in, not_valid};
use super::{announce, find};
use crate::db::Tx;
use crate::kernel::ids::{AttendeeId, Id, TicketId};
use crate::kernel::{Error, Result};
use crate::outbox::ChangeKind;
use crate::tickets::input::{AttendeeFields, Transfer};
use crate::tickets::model::new_code;
use crate::tickets::store::{self, Ticket, TicketStatus};

/// Gives a valid ticket that nobody has used to somebody else, under a new code; the old one admits
/// nobody from then on. 409 `ticket_not_valid`, `already_checked_in`.
pub fn transfer(tx: &mut Tx<'_>, id: &str, to: &Transfer) -> Result<Ticket> {
    let ticket = find(tx, id)?;
    if ticket.status != TicketStatus::Active {
        return Err(not_valid(&ticket));
    }
    if ticket.entry_time.is_some() {
        return Err(already_checked_in(&ticket));
    }
    let given = Ticket {
        full_name: Some(to.full_name.0.clone()),
        email: Some(to.email.0.clone()),
        phone: to.phone.as_ref().map(|phone| phone.0.clone()),
        code: new_code(tx.now()),
        ..ticket.clone()
    };
    write(tx, &ticket, given, ChangeKind::TicketTransferred)
}

/// Changes what is known of a ticket's holder. The code stays: the ticket stays theirs.
pub fn update(tx: &mut Tx<'_>, id: &str, fields: &AttendeeFields) -> Result<Ticket> {
    let ticket = of_attendee(tx, id)?;
    let mut changed = ticket.clone();
    let f = fields.clone();
    f.full_name.apply(&mut changed.full_name, |text| text.0);
    f.email.apply(&mut changed.email, |email| email.0);
    f.phone.apply(&mut changed.phone, |text| text.0);
    write(tx, &ticket, changed, ChangeKind::TicketUpdated)
}

/// Corrects where a ticket is sent.
pub fn correct_email(tx: &mut Tx<'_>, ticket: &Ticket, email: &str) -> Result<Ticket> {
    let changed = Ticket { email: Some(email.to_owned()), ..ticket.clone() };
    write(tx, ticket, changed, ChangeKind::TicketUpdated)
}

/// The ticket of an attendee the caller may see.
pub fn of_attendee(tx: &mut Tx<'_>, id: &str) -> Result<Ticket> {
    let id = AttendeeId::parse(id).ok_or_else(Error::not_found)?;
    let body = id.as_str().trim_start_matches(AttendeeId::PREFIX);
    find(tx, &format!("{}{body}", TicketId::PREFIX))
}

fn write(tx: &mut Tx<'_>, before: &Ticket, mut ticket: Ticket, kind: ChangeKind) -> Result<Ticket> {
    ticket.version = before.version + 1;
    ticket.updated_at = tx.now();
    if !store::update_holder(tx, &ticket, before.version)? {
        return Err(Error::rerun("the ticket was changed meanwhile"));
    }
    announce(tx, &ticket, kind)?;
    Ok(ticket)
}
