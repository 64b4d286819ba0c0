//! Operations at the door.

use super::store;
use crate::catalog;
use crate::db::Tx;
use crate::kernel::Result;
use crate::tickets::{self, TicketView};

/// Lets one person of a ticket in. 409 `event_cancelled`, `ticket_not_valid`,
/// `already_checked_in`.
pub fn check_in(tx: &mut Tx<'_>, id: &str) -> Result<TicketView> {
    let ticket = tickets::ops::find(tx, id)?;
    let event = catalog::ops::events::of_row_held(tx, &ticket.organization_id, &ticket.event_id)?;
    catalog::ops::events::check_not_cancelled(&event)?;
    let ticket = tickets::ops::enter(tx, &ticket)?;
    store::append(tx, &ticket);
    tickets::ops::view(tx, ticket)
}
