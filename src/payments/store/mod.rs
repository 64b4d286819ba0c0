//! The tables of payments. Here: `payments` and `payment_items`.
//! Shared: the base query takes the organization's side or the channel's.

mod attempts;
mod checks;
mod customers;
mod obligations;
mod of_event;
mod references;
mod refunds;

use diesel::prelude::*;

use super::model::{LateOutcome, PaymentStatus, PaymentType};
use crate::db::schema::{payment_items, payments};
use crate::db::types::Json;
use crate::db::{AnyConnection, Keys, MultiBackend, Tenant, Tx, among, literally};
use crate::kernel::ids::{
    AttemptId, ChannelId, CustomerId, EventId, Id, OrganizationId, PaymentId, PriceId, RateId,
};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Currency, Mode, Result, Timestamp};
use crate::parties::Collects;
use crate::{append_only, on_each};

pub(super) use attempts::{
    Attempt, AttemptState, attempt, confirm_attempt, finish_attempt, stale_attempts,
    succeeded_attempts, unsure_attempts,
};
pub use checks::checks;
pub use customers::Customer;
pub(super) use customers::{
    customer, customer_with, delete_customer, hold_customer, list_customers, update_customer,
};
pub(super) use obligations::{open_payments_of, pending_refunds_of, unrefunded_payments_of};
pub(super) use of_event::{bought_of_event, count_of_event, of_event};
pub(super) use references::{append_reference, by_reference, free_reference};
pub(super) use refunds::{
    Cause, finish_refund, list_refunds, postpone_refund, refund, refund_of_row, refunds_of_payment,
    stale_refunds,
};
pub use refunds::{Refund, RefundFilter, RefundState};

/// A payment, as it is stored. Amounts are minor units.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone, Debug)]
#[diesel(table_name = payments)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)]
pub struct Payment {
    pub organization_id: OrganizationId,
    pub id: PaymentId,
    pub mode: Mode,
    pub channel_id: Option<ChannelId>,
    pub event_id: Option<EventId>,
    pub status: PaymentStatus,
    pub collects: Collects,
    pub currency: Currency,
    pub amount_minor: i64,
    pub fees_minor: i64,
    pub paid_minor: i64,
    pub refunded_minor: i64,
    pub num_tickets: i64,
    pub send_resources: bool,
    pub metadata: Json,
    pub reference: Option<String>,
    pub kind: Option<PaymentType>,
    pub card: Option<Json>,
    pub language: Option<String>,
    pub description: Option<String>,
    pub buyer_name: Option<String>,
    pub buyer_email: Option<String>,
    pub buyer_phone: Option<String>,
    pub processing_attempt_id: Option<AttemptId>,
    pub late_at: Option<Timestamp>,
    pub version: i64,
    pub created_at: Timestamp,
    pub paid_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    pub updated_at: Timestamp,
    pub customer_id: Option<CustomerId>,
    pub authorized_at: Option<Timestamp>,
    pub late_outcome: Option<LateOutcome>,
}
append_only!(
    Payment,
    payments,
    40,
    [
        organization_id,
        id,
        mode,
        channel_id,
        event_id,
        status,
        collects,
        currency,
        amount_minor,
        fees_minor,
        paid_minor,
        refunded_minor,
        num_tickets,
        send_resources,
        metadata,
        reference,
        kind,
        card,
        language,
        description,
        buyer_name,
        buyer_email,
        buyer_phone,
        processing_attempt_id,
        late_at,
        version,
        created_at,
        paid_at,
        expires_at,
        updated_at,
        customer_id,
        authorized_at,
        late_outcome,
    ]
);

/// So many tickets of one rate at one price, as it is stored. Amounts are minor units.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = payment_items, treat_none_as_default_value = false)]
#[allow(missing_docs)]
pub struct Item {
    pub organization_id: OrganizationId,
    pub payment_id: PaymentId,
    pub position: i64,
    pub rate_id: RateId,
    pub price_id: PriceId,
    pub quantity: i64,
    pub unit_minor: i64,
    pub fees_minor: i64,
}
append_only!(
    Item,
    payment_items,
    41,
    [organization_id, payment_id, position, rate_id, price_id, quantity, unit_minor, fees_minor,]
);

/// Which payments of one's own.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// For this event.
    pub event: Option<EventId>,
    /// In this state, as it reads now.
    pub status: Option<PaymentStatus>,
    /// With this reference; one's own only.
    pub reference: Option<String>,
    /// On events of this organization.
    pub organization: Option<OrganizationId>,
    /// Sold by this channel.
    pub channel: Option<ChannelId>,
    /// Created then or later.
    pub from: Option<Timestamp>,
    /// Created before.
    pub until: Option<Timestamp>,
    /// Of this customer; one's own only.
    pub customer: Option<CustomerId>,
}

type Boxed<'a> = payments::BoxedQuery<'a, MultiBackend>;

/// The base query of organizations: their own payments of the mode.
#[diesel::dsl::auto_type(no_type_alias)]
fn of_organization<'a>(mode: Mode, id: &'a OrganizationId) -> _ {
    payments::table.filter(payments::mode.eq(mode)).filter(payments::organization_id.eq(id))
}

/// The base query of channels: their own payments of the mode.
#[diesel::dsl::auto_type(no_type_alias)]
fn of_channel<'a>(mode: Mode, id: &'a ChannelId) -> _ {
    payments::table.filter(payments::mode.eq(mode)).filter(payments::channel_id.eq(id))
}

pub(super) fn find(tx: &mut Tx<'_>, id: &PaymentId) -> Result<Option<Payment>> {
    let (mode, reader) = (tx.mode()?, tx.tenant()?);
    let wanted = payments::id.eq(id);
    let found = on_each!(tx.conn()?, |c| match &reader {
        Tenant::Organization(own) => of_organization(mode, own).filter(wanted).first(c),
        Tenant::Channel(own) => of_channel(mode, own).filter(wanted).first(c),
    });
    Ok(found.optional()?)
}

/// A payment by its whole key: for the worker and for rows that name it.
pub(super) fn of_row(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &PaymentId,
) -> Result<Option<Payment>> {
    let query = payments::table.find((organization, id));
    Ok(on_each!(tx.conn()?, |c| query.first(c)).optional()?)
}

pub(super) fn list(tx: &mut Tx<'_>, filter: Filter, page: &PageRequest) -> Result<Page<Payment>> {
    let (mode, reader) = (tx.mode()?, tx.tenant()?);
    let mut query: Boxed<'_> = match &reader {
        Tenant::Organization(own) => of_organization(mode, own).into_boxed(),
        Tenant::Channel(own) => of_channel(mode, own).into_boxed(),
    };
    let now = tx.now();
    if let Some(event) = filter.event {
        query = query.filter(payments::event_id.eq(event));
    }
    if let Some(organization) = filter.organization {
        query = query.filter(payments::organization_id.eq(organization));
    }
    if let Some(channel) = filter.channel {
        query = query.filter(payments::channel_id.eq(channel));
    }
    if let Some(from) = filter.from {
        query = query.filter(payments::created_at.ge(from));
    }
    if let Some(until) = filter.until {
        query = query.filter(payments::created_at.lt(until));
    }
    if let Some(customer) = filter.customer {
        query = query.filter(payments::customer_id.eq(customer));
        if tx.scope().organization().is_some() {
            query = query.filter(payments::channel_id.is_null());
        }
    }
    if let Some(reference) = filter.reference {
        query = query.filter(payments::reference.eq(reference));
        if tx.scope().organization().is_some() {
            query = query.filter(payments::channel_id.is_null());
        }
    }
    let overdue = payments::expires_at.le(now).and(payments::processing_attempt_id.is_null());
    let pending = payments::status.eq(PaymentStatus::Pending);
    query = match filter.status {
        None => query,
        Some(PaymentStatus::Pending) => query.filter(pending.and(diesel::dsl::not(overdue))),
        Some(PaymentStatus::Expired) => {
            query.filter(payments::status.eq(PaymentStatus::Expired).or(pending.and(overdue)))
        }
        Some(status) => query.filter(payments::status.eq(status)),
    };
    if let Some(after) = &page.after {
        query = query.filter(payments::id.lt(PaymentId::from_text(after.clone())));
    }
    let query = query.order(payments::id.desc()).limit(page.limit + 1).offset(page.offset);
    Ok(Page::cut(query.load(tx.conn()?)?, page, |payment: &Payment| payment.id.to_string()))
}

/// What came in and stayed of the reading side's payments for an event.
pub(super) fn revenue(tx: &mut Tx<'_>, event: &EventId) -> Result<i64> {
    let (mode, reader) = (tx.mode()?, tx.tenant()?);
    let query: Boxed<'_> = match &reader {
        Tenant::Organization(own) => of_organization(mode, own).into_boxed(),
        Tenant::Channel(own) => of_channel(mode, own).into_boxed(),
    };
    // The sum of integers is a wider type on one of the databases only.
    let sum = diesel::dsl::sql::<diesel::sql_types::BigInt>(
        "CAST(COALESCE(SUM(payments.paid_minor - payments.refunded_minor), 0) AS BIGINT)",
    );
    Ok(query.filter(payments::event_id.eq(event)).select(sum).get_result(tx.conn()?)?)
}

/// Holds a payment's row until the end of the transaction: who moves its money waits for others
/// that do. SQLite has one writer.
pub(super) fn hold(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    let AnyConnection::Postgres(conn) = tx.conn()? else {
        return Ok(());
    };
    let row = payments::table.find((&payment.organization_id, &payment.id)).select(payments::id);
    row.for_update().first::<PaymentId>(conn).optional()?;
    Ok(())
}

/// The items of a payment, in order.
pub(super) fn items(tx: &mut Tx<'_>, of: &Payment) -> Result<Vec<Item>> {
    let query = payment_items::table
        .filter(payment_items::organization_id.eq(&of.organization_id))
        .filter(payment_items::payment_id.eq(&of.id))
        .order(payment_items::position);
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}

/// The items of some payments, in order.
pub(super) fn items_of_all(tx: &mut Tx<'_>, of: &[Payment]) -> Result<Vec<Item>> {
    let keys: Keys<'_> = of.iter().map(|payment| (&payment.organization_id, &payment.id)).collect();
    let query = payment_items::table
        .filter(among((payment_items::organization_id, payment_items::payment_id), keys))
        .order((payment_items::payment_id, payment_items::position));
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}

/// Writes a payment back if nobody has changed it since it was read.
pub(super) fn update(tx: &mut Tx<'_>, payment: &Payment, version: i64) -> Result<bool> {
    let updated = diesel::update(payments::table.find((&payment.organization_id, &payment.id)))
        .filter(payments::version.eq(version))
        .set(payment)
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

/// Whole keys of pending payments whose time has run out, of all tenants.
pub(super) fn due(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(OrganizationId, PaymentId)>> {
    let now = tx.now();
    let query = payments::table
        .filter(literally("payments.status = 'pending'"))
        .filter(payments::processing_attempt_id.is_null())
        .filter(payments::expires_at.le(now))
        .order(payments::expires_at)
        .limit(limit)
        .select((payments::organization_id, payments::id));
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}
