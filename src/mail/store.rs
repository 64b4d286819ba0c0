//! The table `deliveries`. Shared, like the payments they are about.

use diesel::prelude::*;

use crate::db::schema::deliveries;
use crate::db::types::Json;
use crate::db::{MultiBackend, Tenant, Tx};
use crate::kernel::ids::{ChannelId, DeliveryId, EventId, Id, OrganizationId, PaymentId, RefundId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Mode, Result, Timestamp};
use crate::payments::Payment;
use crate::{append_only, on_each, text_enum};

text_enum! {
    /// Where a delivery stands.
    pub enum DeliveryState {
        /// Waiting to be sent, or to be tried again.
        Queued = "queued",
        /// The mail server took it, or it was captured.
        Sent = "sent",
        /// It will not be tried again.
        Failed = "failed",
    }
}

/// A message to one recipient, as it is stored. `tickets` are ids.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = deliveries, treat_none_as_default_value = false)]
#[allow(missing_docs)]
pub struct Delivery {
    pub organization_id: OrganizationId,
    pub id: DeliveryId,
    pub mode: Mode,
    pub channel_id: Option<ChannelId>,
    pub event_id: Option<EventId>,
    pub payment_id: PaymentId,
    pub refund_id: Option<RefundId>,
    pub recipient: String,
    pub tickets: Json,
    pub receipt: bool,
    pub state: DeliveryState,
    pub reason: Option<String>,
    pub attempts: i64,
    pub resent_from: Option<DeliveryId>,
    pub version: i64,
    pub created_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub updated_at: Timestamp,
    pub called_off: bool,
}
append_only!(
    Delivery,
    deliveries,
    61,
    [
        organization_id,
        id,
        mode,
        channel_id,
        event_id,
        payment_id,
        refund_id,
        recipient,
        tickets,
        receipt,
        state,
        reason,
        attempts,
        resent_from,
        version,
        created_at,
        sent_at,
        updated_at,
        called_off,
    ]
);

/// Which deliveries of one's own.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// About this payment.
    pub payment: Option<PaymentId>,
    /// About this event.
    pub event: Option<EventId>,
    /// In this state.
    pub state: Option<DeliveryState>,
    /// To this address.
    pub recipient: Option<String>,
}

/// The base query: either side's own deliveries of the mode.
fn visible<'a>(tx: &Tx<'_>) -> Result<deliveries::BoxedQuery<'a, MultiBackend>> {
    let query = deliveries::table.filter(deliveries::mode.eq(tx.mode()?)).into_boxed();
    Ok(match tx.tenant()? {
        Tenant::Organization(own) => query.filter(deliveries::organization_id.eq(own)),
        Tenant::Channel(own) => query.filter(deliveries::channel_id.eq(own)),
    })
}

pub(super) fn find(tx: &mut Tx<'_>, id: &DeliveryId) -> Result<Option<Delivery>> {
    let query = visible(tx)?.filter(deliveries::id.eq(id.clone()));
    Ok(query.first(tx.conn()?).optional()?)
}

pub(super) fn list(
    tx: &mut Tx<'_>,
    filter: DeliveryFilter,
    page: &PageRequest,
) -> Result<Page<Delivery>> {
    let mut query = visible(tx)?;
    if let Some(payment) = filter.payment {
        query = query.filter(deliveries::payment_id.eq(payment));
    }
    if let Some(event) = filter.event {
        query = query.filter(deliveries::event_id.eq(event));
    }
    if let Some(state) = filter.state {
        query = query.filter(deliveries::state.eq(state));
    }
    if let Some(recipient) = filter.recipient {
        query = query.filter(deliveries::recipient.eq(recipient));
    }
    if let Some(after) = &page.after {
        query = query.filter(deliveries::id.lt(DeliveryId::from_text(after.clone())));
    }
    let query = query.order(deliveries::id.desc()).limit(page.limit + 1).offset(page.offset);
    Ok(Page::cut(query.load(tx.conn()?)?, page, |delivery: &Delivery| delivery.id.to_string()))
}

/// A delivery by its whole key: for the worker.
pub(super) fn of_row(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &DeliveryId,
) -> Result<Option<Delivery>> {
    let query = deliveries::table.find((organization, id));
    Ok(on_each!(tx.conn()?, |c| query.first(c)).optional()?)
}

/// Who of a payment is, or is to be, told that its event is cancelled.
pub(super) fn told_called_off(tx: &mut Tx<'_>, payment: &Payment) -> Result<Vec<String>> {
    let query = deliveries::table
        .filter(deliveries::organization_id.eq(&payment.organization_id))
        .filter(deliveries::payment_id.eq(&payment.id))
        .filter(deliveries::called_off)
        .select(deliveries::recipient);
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}

/// What came of a try at a delivery that is queued. `false` when it has ended already.
pub(super) fn note(
    tx: &mut Tx<'_>,
    delivery: &Delivery,
    (state, reason): (DeliveryState, Option<&str>),
) -> Result<bool> {
    let now = tx.now();
    let sent_at = (state == DeliveryState::Sent).then_some(now);
    let row = deliveries::table.find((&delivery.organization_id, &delivery.id));
    let updated = diesel::update(row)
        .filter(deliveries::state.eq(DeliveryState::Queued))
        .set((
            deliveries::state.eq(state),
            deliveries::reason.eq(reason),
            deliveries::attempts.eq(deliveries::attempts + 1),
            deliveries::version.eq(deliveries::version + 1),
            deliveries::sent_at.eq(sent_at),
            deliveries::updated_at.eq(now),
        ))
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

/// Invariants of this slice: each query returns the rows that break it.
pub fn checks() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "a delivery has the tenants and mode of its payment",
            "SELECT d.organization_id || '/' || d.id AS broken FROM deliveries d \
             JOIN payments p ON p.organization_id = d.organization_id AND p.id = d.payment_id \
             WHERE COALESCE(d.channel_id, '') <> COALESCE(p.channel_id, '') OR d.mode <> p.mode",
        ),
        (
            "a sent delivery says when, and a failed one why",
            "SELECT organization_id || '/' || id AS broken FROM deliveries \
             WHERE (state = 'sent') <> (sent_at IS NOT NULL) \
             OR state = 'failed' AND reason IS NULL",
        ),
    ]
}
