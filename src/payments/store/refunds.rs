//! The table `refunds`. Shared, like the payments they belong to.

use diesel::prelude::*;

use crate::db::schema::refunds;
use crate::db::{MultiBackend, Tenant, Tx, literally};
use crate::kernel::ids::{AttemptId, ChannelId, EventId, Id, OrganizationId, PaymentId, RefundId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Currency, Mode, Result, Timestamp};
use crate::payments::store::Payment;
use crate::{append_only, on_each, text_enum};

text_enum! {
    /// Where a refund stands.
    pub enum RefundState {
        /// The provider is being asked.
        Pending = "pending",
        /// The money has gone back.
        Succeeded = "succeeded",
        /// The provider would not.
        Failed = "failed",
    }
}

text_enum! {
    /// Why money is given back.
    pub enum Cause {
        /// Somebody asked for it.
        Requested = "requested",
        /// The event was called off.
        EventCancelled = "event_cancelled",
        /// It came after the end, and there was not enough left.
        LateMoney = "late_money",
        /// It was taken twice.
        PaidTwice = "paid_twice",
    }
}

/// Money given back, as it is stored. Amounts are minor units.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = refunds, treat_none_as_default_value = false)]
#[allow(missing_docs)]
pub struct Refund {
    pub organization_id: OrganizationId,
    pub id: RefundId,
    pub mode: Mode,
    pub channel_id: Option<ChannelId>,
    pub event_id: Option<EventId>,
    pub payment_id: PaymentId,
    pub attempt_id: Option<AttemptId>,
    pub state: RefundState,
    pub amount_minor: i64,
    pub currency: Currency,
    pub reason: Option<String>,
    pub cause: Cause,
    pub requested_by: Option<String>,
    pub failure_code: Option<String>,
    pub version: i64,
    pub created_at: Timestamp,
    pub processed_at: Option<Timestamp>,
    pub asked_at: Timestamp,
}
append_only!(
    Refund,
    refunds,
    44,
    [
        organization_id,
        id,
        mode,
        channel_id,
        event_id,
        payment_id,
        attempt_id,
        state,
        amount_minor,
        currency,
        reason,
        cause,
        requested_by,
        failure_code,
        version,
        created_at,
        processed_at,
        asked_at,
    ]
);

/// Which refunds of one's own.
#[derive(Clone, Debug, Default)]
pub struct RefundFilter {
    /// Of this payment.
    pub payment: Option<PaymentId>,
    /// On this event.
    pub event: Option<EventId>,
    /// In this state.
    pub state: Option<RefundState>,
}

type Boxed<'a> = refunds::BoxedQuery<'a, MultiBackend>;

/// The base query: either side's own refunds of the mode.
fn visible<'a>(tx: &Tx<'_>) -> Result<Boxed<'a>> {
    let query = refunds::table.filter(refunds::mode.eq(tx.mode()?)).into_boxed();
    Ok(match tx.tenant()? {
        Tenant::Organization(own) => query.filter(refunds::organization_id.eq(own)),
        Tenant::Channel(own) => query.filter(refunds::channel_id.eq(own)),
    })
}

pub(in crate::payments) fn refund(tx: &mut Tx<'_>, id: &RefundId) -> Result<Option<Refund>> {
    let query = visible(tx)?.filter(refunds::id.eq(id.clone()));
    Ok(query.first(tx.conn()?).optional()?)
}

pub(in crate::payments) fn list_refunds(
    tx: &mut Tx<'_>,
    filter: RefundFilter,
    page: &PageRequest,
) -> Result<Page<Refund>> {
    let mut query = visible(tx)?;
    if let Some(payment) = filter.payment {
        query = query.filter(refunds::payment_id.eq(payment));
    }
    if let Some(event) = filter.event {
        query = query.filter(refunds::event_id.eq(event));
    }
    if let Some(state) = filter.state {
        query = query.filter(refunds::state.eq(state));
    }
    if let Some(after) = &page.after {
        query = query.filter(refunds::id.lt(RefundId::from_text(after.clone())));
    }
    let query = query.order(refunds::id.desc()).limit(page.limit + 1).offset(page.offset);
    Ok(Page::cut(query.load(tx.conn()?)?, page, |refund: &Refund| refund.id.to_string()))
}

/// A refund by its whole key: for the worker.
pub(in crate::payments) fn refund_of_row(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &RefundId,
) -> Result<Option<Refund>> {
    let query = refunds::table.find((organization, id));
    Ok(on_each!(tx.conn()?, |c| query.first(c)).optional()?)
}

/// Everything given back of a payment, oldest first.
pub(in crate::payments) fn refunds_of_payment(
    tx: &mut Tx<'_>,
    payment: &Payment,
) -> Result<Vec<Refund>> {
    let query = refunds::table
        .filter(refunds::organization_id.eq(&payment.organization_id))
        .filter(refunds::payment_id.eq(&payment.id))
        .order(refunds::id);
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}

/// `pending -> succeeded | failed`. `false` when it has ended already.
pub(in crate::payments) fn finish_refund(
    tx: &mut Tx<'_>,
    refund: &Refund,
    (state, failure): (RefundState, Option<&str>),
) -> Result<bool> {
    let now = tx.now();
    let updated = diesel::update(refunds::table.find((&refund.organization_id, &refund.id)))
        .filter(refunds::state.eq(RefundState::Pending))
        .set((
            refunds::state.eq(state),
            refunds::failure_code.eq(failure),
            refunds::version.eq(refunds::version + 1),
            refunds::processed_at.eq(Some(now)),
        ))
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

/// Refunds that no provider has answered since before an instant, of all tenants.
pub(in crate::payments) fn stale_refunds(
    tx: &mut Tx<'_>,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<Refund>> {
    let query = refunds::table
        .filter(literally("refunds.state = 'pending'"))
        .filter(refunds::asked_at.le(before))
        .order(refunds::asked_at)
        .limit(limit);
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}

/// Asked about just now, without an answer.
pub(in crate::payments) fn postpone_refund(tx: &mut Tx<'_>, refund: &Refund) -> Result<()> {
    let now = tx.now();
    diesel::update(refunds::table.find((&refund.organization_id, &refund.id)))
        .set(refunds::asked_at.eq(now))
        .execute(tx.conn()?)?;
    Ok(())
}
