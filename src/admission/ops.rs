//! Operations at the door.

use super::store::{self, Direction};
use crate::catalog;
use crate::db::Tx;
use crate::kernel::Result;
use crate::tickets::{self, Ticket, TicketView};

/// Lets one person of a ticket in. 409 `event_cancelled`, `ticket_not_valid`,
/// `already_checked_in`.
pub fn check_in(tx: &mut Tx<'_>, id: &str) -> Result<TicketView> {
    let ticket = tickets::ops::find(tx, id)?;
    let_in(tx, &ticket)
}

/// The same by what the QR code says. 404 for a code that is not one of the organization's.
pub fn check_in_code(tx: &mut Tx<'_>, code: &str) -> Result<TicketView> {
    let ticket = tickets::ops::door::by_code(tx, code)?;
    let_in(tx, &ticket)
}

fn let_in(tx: &mut Tx<'_>, ticket: &Ticket) -> Result<TicketView> {
    let event = catalog::ops::events::of_row_held(tx, &ticket.organization_id, &ticket.event_id)?;
    catalog::ops::events::check_not_cancelled(&event)?;
    let ticket = tickets::ops::door::enter(tx, ticket)?;
    store::append(tx, &ticket, Direction::In);
    tickets::ops::view(tx, ticket)
}

/// One of those who came in with a ticket goes out again, and may come back. 409
/// `ticket_not_valid`, `not_inside`.
pub fn exit(tx: &mut Tx<'_>, id: &str) -> Result<TicketView> {
    leave(tx, id, Direction::Out)
}

/// Somebody was let in by mistake: it did not happen. 409 `ticket_not_valid`, `not_inside`.
pub fn undo(tx: &mut Tx<'_>, id: &str) -> Result<TicketView> {
    leave(tx, id, Direction::Undo)
}

fn leave(tx: &mut Tx<'_>, id: &str, direction: Direction) -> Result<TicketView> {
    let ticket = tickets::ops::find(tx, id)?;
    let undo = direction == Direction::Undo;
    let unused = undo && store::came_in(tx, &ticket)? <= 1;
    let ticket = tickets::ops::door::leave(tx, &ticket, (undo, unused))?;
    store::append(tx, &ticket, direction);
    tickets::ops::view(tx, ticket)
}
