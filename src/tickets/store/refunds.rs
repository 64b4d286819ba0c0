//! The table `ticket_refunds`: what of a refund was for which ticket.

use diesel::prelude::*;

use super::Ticket;
use crate::db::schema::{ticket_refunds, tickets};
use crate::db::{Keys, Tx, among};
use crate::kernel::ids::{OrganizationId, RefundId, TicketId};
use crate::kernel::{Result, Timestamp};
use crate::{append_only, on_each};

/// Money given back for a ticket, as it is stored. Amounts are minor units.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = ticket_refunds, treat_none_as_default_value = false)]
#[allow(missing_docs)]
pub struct TicketRefund {
    pub organization_id: OrganizationId,
    pub ticket_id: TicketId,
    pub refund_id: RefundId,
    pub amount_minor: i64,
    pub failed: bool,
    pub requested_by: Option<String>,
    pub created_at: Timestamp,
}
append_only!(
    TicketRefund,
    ticket_refunds,
    51,
    [organization_id, ticket_id, refund_id, amount_minor, failed, requested_by, created_at]
);

/// Adds to what is refunded of a ticket; never more than it cost (a CHECK stands behind it).
pub(in crate::tickets) fn add_refund(tx: &mut Tx<'_>, row: TicketRefund) -> Result<()> {
    let now = tx.now();
    diesel::update(tickets::table.find((&row.organization_id, &row.ticket_id)))
        .set((
            tickets::refunded_minor.eq(tickets::refunded_minor + row.amount_minor),
            tickets::updated_at.eq(now),
        ))
        .execute(tx.conn()?)?;
    tx.append(row);
    Ok(())
}

/// The money did not move after all.
pub(in crate::tickets) fn fail_refund(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    refund: &RefundId,
) -> Result<()> {
    let of_refund = || {
        ticket_refunds::table
            .filter(ticket_refunds::organization_id.eq(organization))
            .filter(ticket_refunds::refund_id.eq(refund))
            .filter(ticket_refunds::failed.eq(false))
    };
    let rows: Vec<TicketRefund> = of_refund().load(tx.conn()?)?;
    for row in &rows {
        diesel::update(tickets::table.find((organization, &row.ticket_id)))
            .set(tickets::refunded_minor.eq(tickets::refunded_minor - row.amount_minor))
            .execute(tx.conn()?)?;
        let row = ticket_refunds::table.find((organization, &row.ticket_id, refund));
        diesel::update(row).set(ticket_refunds::failed.eq(true)).execute(tx.conn()?)?;
    }
    Ok(())
}

/// What was given back for some tickets, oldest first.
pub(in crate::tickets) fn refunds_of(
    tx: &mut Tx<'_>,
    tickets: &[&Ticket],
) -> Result<Vec<TicketRefund>> {
    let keys: Keys<'_> =
        tickets.iter().map(|ticket| (&ticket.organization_id, &ticket.id)).collect();
    let query = ticket_refunds::table
        .filter(among((ticket_refunds::organization_id, ticket_refunds::ticket_id), keys))
        .filter(ticket_refunds::failed.eq(false))
        .order(ticket_refunds::refund_id);
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}

/// Which tickets some refunds were for.
pub(in crate::tickets) fn tickets_of_refunds(
    tx: &mut Tx<'_>,
    keys: &[(&OrganizationId, &RefundId)],
) -> Result<Vec<(RefundId, TicketId)>> {
    let keys: Keys<'_> = keys.iter().copied().collect();
    let query = ticket_refunds::table
        .filter(among((ticket_refunds::organization_id, ticket_refunds::refund_id), keys))
        .order((ticket_refunds::refund_id, ticket_refunds::ticket_id))
        .select((ticket_refunds::refund_id, ticket_refunds::ticket_id));
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}
