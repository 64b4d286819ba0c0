//! The tables `tickets` and `ticket_refunds`. Shared: the base query takes the organization's side
//! or the channel's.

mod refunds;

use diesel::prelude::*;

use crate::db::schema::{ticket_rates, tickets};
use crate::db::types::Json;
use crate::db::{Keys, MultiBackend, Tenant, Tx, among};
use crate::kernel::ids::{ChannelId, EventId, Id, OrganizationId, PaymentId, RateId, TicketId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Currency, Mode, Result, Timestamp};
use crate::{append_only, on_each, text_enum};

pub use refunds::TicketRefund;
pub(super) use refunds::{add_refund, fail_refund, refunds_of, tickets_of_refunds};

text_enum! {
    /// Where a ticket stands.
    pub enum TicketStatus {
        /// Its payment is not in yet: worth nothing.
        PendingPayment = "pending_payment",
        /// Admits.
        Active = "active",
        /// Admits nobody any more.
        Voided = "voided",
    }
}

/// A ticket, as it is stored. Amounts are minor units.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = tickets, treat_none_as_default_value = false)]
#[allow(missing_docs)]
pub struct Ticket {
    pub organization_id: OrganizationId,
    pub id: TicketId,
    pub mode: Mode,
    pub payment_id: PaymentId,
    pub event_id: EventId,
    pub rate_id: RateId,
    pub channel_id: Option<ChannelId>,
    pub position: i64,
    pub status: TicketStatus,
    pub code: String,
    pub price: Json,
    pub currency: Currency,
    pub price_minor: i64,
    pub fee_minor: i64,
    pub full_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub admits: i64,
    pub entered: i64,
    pub entry_time: Option<Timestamp>,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub refunded_minor: i64,
}
append_only!(
    Ticket,
    tickets,
    50,
    [
        organization_id,
        id,
        mode,
        payment_id,
        event_id,
        rate_id,
        channel_id,
        position,
        status,
        code,
        price,
        currency,
        price_minor,
        fee_minor,
        full_name,
        email,
        phone,
        admits,
        entered,
        entry_time,
        version,
        created_at,
        updated_at,
        refunded_minor,
    ]
);

/// Which tickets of one's own.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this payment.
    pub payment: Option<PaymentId>,
    /// Of this event.
    pub event: Option<EventId>,
    /// In this state.
    pub status: Option<TicketStatus>,
    /// Of this rate.
    pub rate: Option<RateId>,
    /// Sold by this channel.
    pub channel: Option<ChannelId>,
    /// Of the holder with this e-mail.
    pub email: Option<String>,
    /// Whether somebody has come in with it.
    pub checked_in: Option<bool>,
    /// Made then or later.
    pub from: Option<Timestamp>,
    /// Made before.
    pub until: Option<Timestamp>,
}

type Boxed<'a> = tickets::BoxedQuery<'a, MultiBackend>;

/// The base query of organizations: their own tickets of the mode.
#[diesel::dsl::auto_type(no_type_alias)]
fn of_organization<'a>(mode: Mode, id: &'a OrganizationId) -> _ {
    tickets::table.filter(tickets::mode.eq(mode)).filter(tickets::organization_id.eq(id))
}

/// The base query of channels: their own tickets of the mode.
#[diesel::dsl::auto_type(no_type_alias)]
fn of_channel<'a>(mode: Mode, id: &'a ChannelId) -> _ {
    tickets::table.filter(tickets::mode.eq(mode)).filter(tickets::channel_id.eq(id))
}

pub(super) fn find(tx: &mut Tx<'_>, id: &TicketId) -> Result<Option<Ticket>> {
    let (mode, reader) = (tx.mode()?, tx.tenant()?);
    let wanted = tickets::id.eq(id);
    let found = on_each!(tx.conn()?, |c| match &reader {
        Tenant::Organization(own) => of_organization(mode, own).filter(wanted).first(c),
        Tenant::Channel(own) => of_channel(mode, own).filter(wanted).first(c),
    });
    Ok(found.optional()?)
}

pub(super) fn list(tx: &mut Tx<'_>, filter: Filter, page: &PageRequest) -> Result<Page<Ticket>> {
    let (mode, reader) = (tx.mode()?, tx.tenant()?);
    let mut query: Boxed<'_> = match &reader {
        Tenant::Organization(own) => of_organization(mode, own).into_boxed(),
        Tenant::Channel(own) => of_channel(mode, own).into_boxed(),
    };
    if let Some(payment) = filter.payment {
        query = query.filter(tickets::payment_id.eq(payment));
    }
    if let Some(event) = filter.event {
        query = query.filter(tickets::event_id.eq(event));
    }
    if let Some(status) = filter.status {
        query = query.filter(tickets::status.eq(status));
    }
    if let Some(rate) = filter.rate {
        // Found by its event, which tickets are kept by.
        let event = ticket_rates::table.filter(ticket_rates::id.eq(rate.clone()));
        let event = event.select(ticket_rates::event_id).single_value();
        query = query.filter(tickets::event_id.nullable().eq(event));
        query = query.filter(tickets::rate_id.eq(rate));
    }
    if let Some(channel) = filter.channel {
        query = query.filter(tickets::channel_id.eq(channel));
    }
    if let Some(email) = filter.email {
        query = query.filter(tickets::email.eq(email));
    }
    query = match filter.checked_in {
        Some(true) => query.filter(tickets::entry_time.is_not_null()),
        Some(false) => query.filter(tickets::entry_time.is_null()),
        None => query,
    };
    if let Some(from) = filter.from {
        query = query.filter(tickets::created_at.ge(from));
    }
    if let Some(until) = filter.until {
        query = query.filter(tickets::created_at.lt(until));
    }
    if let Some(after) = &page.after {
        query = query.filter(tickets::id.lt(TicketId::from_text(after.clone())));
    }
    let query = query.order(tickets::id.desc()).limit(page.limit + 1).offset(page.offset);
    Ok(Page::cut(query.load(tx.conn()?)?, page, |ticket: &Ticket| ticket.id.to_string()))
}

/// Valid tickets of an event of the reading side, and those somebody came in with.
pub(super) fn figures(tx: &mut Tx<'_>, event: &EventId) -> Result<(i64, i64)> {
    let (mode, reader) = (tx.mode()?, tx.tenant()?);
    let own = || -> Boxed<'_> {
        let query: Boxed<'_> = match &reader {
            Tenant::Organization(own) => of_organization(mode, own).into_boxed(),
            Tenant::Channel(own) => of_channel(mode, own).into_boxed(),
        };
        query.filter(tickets::event_id.eq(event))
    };
    let valid = own().filter(tickets::status.eq(TicketStatus::Active));
    let valid: i64 = valid.count().get_result(tx.conn()?)?;
    let came = own().filter(tickets::entry_time.is_not_null());
    let came: i64 = came.count().get_result(tx.conn()?)?;
    Ok((valid, came))
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of<'a>(organization: &'a OrganizationId, payment: &'a PaymentId) -> _ {
    tickets::table
        .filter(tickets::organization_id.eq(organization))
        .filter(tickets::payment_id.eq(payment))
}

/// The tickets of a payment whose owner is known already, in order.
pub(super) fn of_payment(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    payment: &PaymentId,
) -> Result<Vec<Ticket>> {
    Ok(of(organization, payment).order(tickets::position).load(tx.conn()?)?)
}

/// The ids of the tickets of a payment, in order.
pub(super) fn ids_of_payment(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    payment: &PaymentId,
) -> Result<Vec<TicketId>> {
    let query = of(organization, payment).order(tickets::position).select(tickets::id);
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}

/// The ids of the tickets of some payments, in order.
pub(super) fn ids_of_payments(
    tx: &mut Tx<'_>,
    payments: &[(&OrganizationId, &PaymentId)],
) -> Result<Vec<(PaymentId, TicketId)>> {
    let keys: Keys<'_> = payments.iter().copied().collect();
    let query = tickets::table
        .filter(among((tickets::organization_id, tickets::payment_id), keys))
        .order((tickets::payment_id, tickets::position))
        .select((tickets::payment_id, tickets::id));
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}

/// Moves all tickets of a payment from one state to another.
pub(super) fn advance(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    payment: &PaymentId,
    from: TicketStatus,
    to: TicketStatus,
) -> Result<()> {
    let now = tx.now();
    diesel::update(of(organization, payment))
        .filter(tickets::status.eq(from))
        .set((
            tickets::status.eq(to),
            tickets::version.eq(tickets::version + 1),
            tickets::updated_at.eq(now),
        ))
        .execute(tx.conn()?)?;
    Ok(())
}

/// Makes a valid ticket that nobody has used worth nothing. `false` when it is not that any more.
pub(super) fn void(tx: &mut Tx<'_>, ticket: &Ticket) -> Result<bool> {
    let now = tx.now();
    let updated = diesel::update(tickets::table.find((&ticket.organization_id, &ticket.id)))
        .filter(tickets::status.eq(TicketStatus::Active))
        .filter(tickets::entered.eq(0).and(tickets::entry_time.is_null()))
        .set((
            tickets::status.eq(TicketStatus::Voided),
            tickets::version.eq(tickets::version + 1),
            tickets::updated_at.eq(now),
        ))
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

/// The organization's own ticket with a code.
pub(super) fn by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<Ticket>> {
    let mode = tx.mode()?;
    let Tenant::Organization(own) = tx.tenant()? else {
        return Ok(None);
    };
    let wanted = of_organization(mode, &own).filter(tickets::code.eq(code));
    Ok(on_each!(tx.conn()?, |c| wanted.first(c)).optional()?)
}

/// Writes holder and code back if nobody has changed the ticket since it was read.
pub(super) fn update_holder(tx: &mut Tx<'_>, ticket: &Ticket, version: i64) -> Result<bool> {
    let updated = diesel::update(tickets::table.find((&ticket.organization_id, &ticket.id)))
        .filter(tickets::version.eq(version))
        .set((
            tickets::full_name.eq(&ticket.full_name),
            tickets::email.eq(&ticket.email),
            tickets::phone.eq(&ticket.phone),
            tickets::code.eq(&ticket.code),
            tickets::version.eq(ticket.version),
            tickets::updated_at.eq(ticket.updated_at),
        ))
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

/// One of those who came in is outside again. `unused`: with that, nobody ever came in.
pub(super) fn leave(tx: &mut Tx<'_>, ticket: &Ticket, unused: bool) -> Result<bool> {
    let now = tx.now();
    let inside = tickets::table
        .find((&ticket.organization_id, &ticket.id))
        .filter(tickets::status.eq(TicketStatus::Active))
        .filter(tickets::version.eq(ticket.version))
        .filter(tickets::entered.gt(0));
    let entry_time = ticket.entry_time.filter(|_| !unused);
    let updated = diesel::update(inside)
        .set((
            tickets::entered.eq(tickets::entered - 1),
            tickets::entry_time.eq(entry_time),
            tickets::version.eq(tickets::version + 1),
            tickets::updated_at.eq(now),
        ))
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

/// Lets one more in, if the ticket is valid and somebody of it is still outside.
pub(super) fn enter(tx: &mut Tx<'_>, ticket: &Ticket) -> Result<bool> {
    let now = tx.now();
    let updated = diesel::update(tickets::table.find((&ticket.organization_id, &ticket.id)))
        .filter(tickets::status.eq(TicketStatus::Active))
        // Transferred since it was read, it is somebody else's.
        .filter(tickets::code.eq(&ticket.code))
        .filter(tickets::entered.lt(tickets::admits))
        .set((
            tickets::entered.eq(tickets::entered + 1),
            tickets::entry_time.eq(Some(now)),
            tickets::version.eq(tickets::version + 1),
            tickets::updated_at.eq(now),
        ))
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

/// Invariants of this slice: each query returns the rows that break it.
pub fn checks() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "a ticket is valid only when its payment is authorized or paid",
            "SELECT t.organization_id || '/' || t.id || ': ' || t.status || ', ' || p.status \
             AS broken FROM tickets t JOIN payments p ON p.organization_id = t.organization_id \
             AND p.id = t.payment_id WHERE NOT (CASE WHEN p.status IN ('authorized', 'paid') \
             THEN t.status IN ('active', 'voided') \
             WHEN p.status = 'pending' THEN t.status = 'pending_payment' \
             ELSE t.status = 'voided' END)",
        ),
        (
            "what is refunded of a ticket is the sum of its refunds",
            "SELECT t.organization_id || '/' || t.id AS broken FROM tickets t \
             WHERE t.refunded_minor <> (SELECT CAST(COALESCE(SUM(r.amount_minor), 0) AS BIGINT) \
             FROM ticket_refunds r WHERE r.organization_id = t.organization_id \
             AND r.ticket_id = t.id AND NOT r.failed)",
        ),
        (
            "a ticket has the tenants, mode and event of its payment",
            "SELECT t.organization_id || '/' || t.id AS broken FROM tickets t \
             JOIN payments p ON p.organization_id = t.organization_id AND p.id = t.payment_id \
             WHERE COALESCE(t.channel_id, '') <> COALESCE(p.channel_id, '') OR t.mode <> p.mode \
             OR t.event_id <> p.event_id",
        ),
    ]
}
