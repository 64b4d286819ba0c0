//! All payments of an event, for what is done to each of them: by whole keys, whoever sold them.

use diesel::prelude::*;

use super::Payment;
use crate::db::Tx;
use crate::db::schema::payments;
use crate::kernel::Result;
use crate::kernel::ids::{EventId, OrganizationId, PaymentId};
use crate::on_each;
use crate::payments::model::PaymentStatus;

/// Payments of an event in one of some states that no provider is working on, oldest first,
/// after one of them.
pub(in crate::payments) fn of_event(
    tx: &mut Tx<'_>,
    (organization, event): (&OrganizationId, &EventId),
    states: &[PaymentStatus],
    (after, limit): (&str, i64),
) -> Result<Vec<PaymentId>> {
    let query = payments::table
        .filter(payments::organization_id.eq(organization))
        .filter(payments::event_id.eq(event))
        .filter(payments::status.eq_any(states))
        .filter(payments::processing_attempt_id.is_null())
        .filter(payments::id.gt(after))
        .order(payments::id)
        .limit(limit)
        .select(payments::id);
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}

/// How many payments of an event are in one of some states.
pub(in crate::payments) fn count_of_event(
    tx: &mut Tx<'_>,
    (organization, event): (&OrganizationId, &EventId),
    states: &[PaymentStatus],
) -> Result<i64> {
    let query = payments::table
        .filter(payments::organization_id.eq(organization))
        .filter(payments::event_id.eq(event))
        .filter(payments::status.eq_any(states))
        .count();
    Ok(on_each!(tx.conn()?, |c| query.get_result(c))?)
}

/// Payments of an event whose tickets are valid, or were, oldest first, after one of them.
pub(in crate::payments) fn bought_of_event(
    tx: &mut Tx<'_>,
    (organization, event): (&OrganizationId, &EventId),
    (after, limit): (&str, i64),
) -> Result<Vec<Payment>> {
    let query = payments::table
        .filter(payments::organization_id.eq(organization))
        .filter(payments::event_id.eq(event))
        .filter(payments::paid_at.is_not_null().or(payments::authorized_at.is_not_null()))
        .filter(payments::id.gt(after))
        .order(payments::id)
        .limit(limit);
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}
