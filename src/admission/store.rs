//! The table `admissions`. Owned: written under the ticket's organization.

use diesel::prelude::*;

use crate::db::Tx;
use crate::db::schema::admissions;
use crate::kernel::ids::{AdmissionId, OrganizationId, TicketId};
use crate::kernel::{Result, Timestamp};
use crate::tickets::Ticket;
use crate::{append_only, text_enum};

text_enum! {
    /// Which way somebody went.
    pub enum Direction {
        /// Into the event.
        In = "in",
        /// Out of it again.
        Out = "out",
        /// Not at all: the last way in was a mistake.
        Undo = "undo",
    }
}

#[derive(Insertable)]
#[diesel(table_name = admissions, treat_none_as_default_value = false)]
struct Row {
    organization_id: OrganizationId,
    id: AdmissionId,
    ticket_id: TicketId,
    direction: Direction,
    created_at: Timestamp,
}
append_only!(Row, admissions, 60, [organization_id, id, ticket_id, direction, created_at]);

pub(super) fn append(tx: &mut Tx<'_>, ticket: &Ticket, direction: Direction) {
    let row = Row {
        organization_id: ticket.organization_id.clone(),
        id: tx.id(),
        ticket_id: ticket.id.clone(),
        direction,
        created_at: tx.now(),
    };
    tx.append(row);
}

/// How many have come in with a ticket, mistakes apart.
pub(super) fn came_in(tx: &mut Tx<'_>, ticket: &Ticket) -> Result<i64> {
    let of_ticket = |direction: Direction| {
        admissions::table
            .filter(admissions::organization_id.eq(&ticket.organization_id))
            .filter(admissions::ticket_id.eq(&ticket.id))
            .filter(admissions::direction.eq(direction))
            .count()
    };
    let came: i64 = of_ticket(Direction::In).get_result(tx.conn()?)?;
    let mistakes: i64 = of_ticket(Direction::Undo).get_result(tx.conn()?)?;
    Ok(came - mistakes)
}

/// Invariants of this slice: each query returns the rows that break it.
pub fn checks() -> Vec<(&'static str, &'static str)> {
    vec![(
        "as many are inside as passed the door",
        "SELECT t.organization_id || '/' || t.id AS broken FROM tickets t WHERE t.entered <> \
         (SELECT CAST(COALESCE(SUM(CASE a.direction WHEN 'in' THEN 1 ELSE -1 END), 0) AS BIGINT) \
         FROM admissions a WHERE a.organization_id = t.organization_id \
         AND a.ticket_id = t.id)",
    )]
}
