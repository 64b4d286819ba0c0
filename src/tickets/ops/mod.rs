//! Operations on tickets, inside a payment's or a door's transaction.

pub mod door;
pub mod holder;

use super::model::{TicketView, new_code};
use super::store::{self, Filter, Ticket, TicketRefund, TicketStatus};
use crate::db::Tx;
use crate::kernel::ids::{EventId, Id, OrganizationId, PaymentId, RefundId, TicketId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Result};
use crate::outbox::{ChangeKind, Emit, NewChange};

pub use super::store::Filter as TicketFilter;

/// Makes a ticket that is worth nothing yet: fills in its id, code and state.
pub fn issue(tx: &mut Tx<'_>, mut ticket: Ticket) -> TicketId {
    ticket.code = new_code(tx.now());
    ticket.status = TicketStatus::PendingPayment;
    let id = ticket.id.clone();
    tx.append(ticket);
    id
}

/// Makes a ticket that is valid from its first instant.
pub fn issue_valid(tx: &mut Tx<'_>, ticket: Ticket) -> Result<Ticket> {
    let ticket =
        Ticket { code: new_code(tx.now()), status: TicketStatus::Active, version: 1, ..ticket };
    tx.append(ticket.clone());
    announce(tx, &ticket, ChangeKind::TicketCreated)?;
    Ok(ticket)
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

/// The tickets of a payment whose money came late are valid after all.
pub fn revive(tx: &mut Tx<'_>, organization: &OrganizationId, payment: &PaymentId) -> Result<()> {
    store::advance(tx, organization, payment, TicketStatus::Voided, TicketStatus::Active)?;
    for ticket in store::of_payment(tx, organization, payment)? {
        announce(tx, &ticket, ChangeKind::TicketCreated)?;
    }
    Ok(())
}

/// Valid tickets that nobody has used are worth nothing from now on. 409 `ticket_not_valid`,
/// `already_checked_in`.
pub fn void(tx: &mut Tx<'_>, tickets: &[Ticket]) -> Result<()> {
    for ticket in tickets {
        if !store::void(tx, ticket)? {
            let now = of_payment(tx, &ticket.organization_id, &ticket.payment_id)?;
            let now = now.into_iter().find(|known| known.id == ticket.id);
            return Err(door::barred(&now.unwrap_or_else(|| ticket.clone())));
        }
    }
    let Some(first) = tickets.first() else { return Ok(()) };
    for ticket in of_payment(tx, &first.organization_id, &first.payment_id)? {
        if tickets.iter().any(|voided| voided.id == ticket.id) {
            announce(tx, &ticket, ChangeKind::TicketVoided)?;
        }
    }
    Ok(())
}

/// So much of a refund was for each of these tickets.
pub fn refund(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    refund: &RefundId,
    shares: &[(TicketId, i64)],
) -> Result<()> {
    for (ticket, amount) in shares {
        let row = share_of(tx, organization, refund, (ticket, *amount));
        store::add_refund(tx, row)?;
    }
    Ok(())
}

/// The money of a refund did not move after all.
pub fn fail_refund(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    refund: &RefundId,
) -> Result<()> {
    store::fail_refund(tx, organization, refund)
}

/// Which tickets some refunds were for.
pub fn of_refunds(
    tx: &mut Tx<'_>,
    keys: &[(&OrganizationId, &RefundId)],
) -> Result<Vec<(RefundId, TicketId)>> {
    store::tickets_of_refunds(tx, keys)
}

/// A ticket as it is shown.
pub fn view(tx: &mut Tx<'_>, ticket: Ticket) -> Result<TicketView> {
    let view = views(tx, vec![ticket])?.pop();
    view.ok_or_else(|| Error::internal("a ticket without a view"))
}

/// The same in the operation that gives money back for it: that share is not written yet.
pub fn view_with(tx: &mut Tx<'_>, ticket: Ticket, share: (&RefundId, i64)) -> Result<TicketView> {
    let mut refunds = store::refunds_of(tx, &[&ticket])?;
    refunds.push(share_of(tx, &ticket.organization_id, share.0, (&ticket.id, share.1)));
    Ok(TicketView::new(ticket, &refunds))
}

fn share_of(
    tx: &Tx<'_>,
    organization: &OrganizationId,
    refund: &RefundId,
    (ticket, amount_minor): (&TicketId, i64),
) -> TicketRefund {
    TicketRefund {
        organization_id: organization.clone(),
        ticket_id: ticket.clone(),
        refund_id: refund.clone(),
        amount_minor,
        failed: false,
        requested_by: tx.scope().tenant().map(|tenant| tenant.as_str().to_owned()),
        created_at: tx.now(),
    }
}

/// Tickets as they are shown.
pub fn views(tx: &mut Tx<'_>, tickets: Vec<Ticket>) -> Result<Vec<TicketView>> {
    let refunded: Vec<&Ticket> = tickets.iter().filter(|t| t.refunded_minor > 0).collect();
    let refunds = if refunded.is_empty() { Vec::new() } else { store::refunds_of(tx, &refunded)? };
    let view = |ticket: Ticket| {
        let of_ticket = refunds.iter().filter(|refund| refund.ticket_id == ticket.id);
        TicketView::new(ticket.clone(), &of_ticket.cloned().collect::<Vec<_>>())
    };
    Ok(tickets.into_iter().map(view).collect())
}

/// A ticket the caller may see.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Ticket> {
    let id = TicketId::parse(id).ok_or_else(Error::not_found)?;
    store::find(tx, &id)?.ok_or_else(Error::not_found)
}

/// Tickets the caller may see as they are stored, newest first.
pub fn rows(tx: &mut Tx<'_>, filter: Filter, page: &PageRequest) -> Result<Page<Ticket>> {
    store::list(tx, filter, page)
}

/// Tickets the caller may see, newest first.
pub fn list(tx: &mut Tx<'_>, filter: Filter, page: &PageRequest) -> Result<Page<TicketView>> {
    let Page { rows, limit, next } = store::list(tx, filter, page)?;
    Ok(Page { rows: views(tx, rows)?, limit, next })
}

/// How many of the caller's tickets of an event are valid, and with how many somebody came in.
pub fn figures(tx: &mut Tx<'_>, event: &EventId) -> Result<(i64, i64)> {
    store::figures(tx, event)
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
    payments: &[(&OrganizationId, &PaymentId)],
) -> Result<Vec<(PaymentId, TicketId)>> {
    store::ids_of_payments(tx, payments)
}

fn announce(tx: &mut Tx<'_>, ticket: &Ticket, kind: ChangeKind) -> Result<()> {
    let view = view(tx, ticket.clone())?;
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
