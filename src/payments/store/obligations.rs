//! What is open of a tenant, as either side of a sale, in live mode.

use diesel::prelude::*;

use crate::db::schema::{events, payments, refunds};
use crate::db::{Tenant, Tx};
use crate::kernel::{Mode, Result};
use crate::parties::Collects;
use crate::payments::model::PaymentStatus;
use crate::payments::store::RefundState;

/// Its pending payments that have not run out, and authorized ones.
pub(in crate::payments) fn open_payments_of(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<i64> {
    let now = tx.now();
    let in_time = payments::expires_at.gt(now).or(payments::processing_attempt_id.is_not_null());
    let open = payments::status
        .eq(PaymentStatus::Authorized)
        .or(payments::status.eq(PaymentStatus::Pending).and(in_time));
    let query = payments::table.filter(payments::mode.eq(Mode::Live)).filter(open).into_boxed();
    let query = match tenant {
        Tenant::Organization(id) => query.filter(payments::organization_id.eq(id)),
        Tenant::Channel(id) => query.filter(payments::channel_id.eq(id)),
    };
    Ok(query.count().get_result(tx.conn()?)?)
}

/// Payments whose money it gives back (the platform's is the organization's to give back), and of
/// which it has given back nothing: cancelled ones, and paid ones of cancelled events. How much is
/// right is not ours to say.
pub(in crate::payments) fn unrefunded_payments_of(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<i64> {
    // The one question about payments that only their events can answer.
    let called_off = diesel::dsl::exists(
        events::table
            .filter(events::organization_id.eq(payments::organization_id))
            .filter(events::id.nullable().eq(payments::event_id))
            .filter(events::status.eq("cancelled")),
    );
    let owed = payments::status
        .eq(PaymentStatus::Cancelled)
        .or(payments::status.eq(PaymentStatus::Paid).and(called_off));
    let query = payments::table
        .filter(payments::mode.eq(Mode::Live))
        .filter(payments::paid_minor.gt(0))
        .filter(payments::refunded_minor.eq(0))
        .filter(owed)
        .into_boxed();
    let query = match tenant {
        Tenant::Organization(id) => query
            .filter(payments::organization_id.eq(id))
            .filter(payments::collects.ne(Collects::Channel)),
        Tenant::Channel(id) => query
            .filter(payments::channel_id.eq(id))
            .filter(payments::collects.eq(Collects::Channel)),
    };
    Ok(query.count().get_result(tx.conn()?)?)
}

/// Its refunds that are pending.
pub(in crate::payments) fn pending_refunds_of(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<i64> {
    let query = refunds::table.filter(refunds::mode.eq(Mode::Live)).into_boxed();
    let query = query.filter(refunds::state.eq(RefundState::Pending));
    let query = match tenant {
        Tenant::Organization(id) => query.filter(refunds::organization_id.eq(id)),
        Tenant::Channel(id) => query.filter(refunds::channel_id.eq(id)),
    };
    Ok(query.count().get_result(tx.conn()?)?)
}
