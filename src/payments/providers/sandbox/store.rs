//! The tables `sandbox_charges` and `sandbox_refunds`: the sandbox's own books, of no tenant. It
//! keeps which of the test cards was used, by its last four digits.

use diesel::prelude::*;

use crate::db::Tx;
use crate::db::schema::{sandbox_charges as charges, sandbox_refunds as refunds};
use crate::kernel::Result;
use crate::kernel::ids::{AttemptId, RefundId};
use crate::on_each;

/// Keeps the first answer to an attempt.
pub(super) fn record(tx: &mut Tx<'_>, attempt: &AttemptId, last4: &str) -> Result<()> {
    let row = (
        charges::attempt_id.eq(attempt),
        charges::answer.eq(last4),
        charges::created_at.eq(tx.now()),
    );
    on_each!(tx.conn()?, |c| diesel::insert_into(charges::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

/// The last digits of the test card an attempt was made with.
pub(super) fn find(tx: &mut Tx<'_>, attempt: &AttemptId) -> Result<Option<String>> {
    let answer = charges::table.find(attempt).select(charges::answer);
    Ok(on_each!(tx.conn()?, |c| answer.first(c)).optional()?)
}

/// Keeps the first answer to a refund.
pub(super) fn record_refund(tx: &mut Tx<'_>, refund: &RefundId, last4: &str) -> Result<()> {
    let row = (
        refunds::refund_id.eq(refund),
        refunds::answer.eq(last4),
        refunds::created_at.eq(tx.now()),
    );
    on_each!(tx.conn()?, |c| diesel::insert_into(refunds::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

/// The last digits of the test card a refund went to.
pub(super) fn find_refund(tx: &mut Tx<'_>, refund: &RefundId) -> Result<Option<String>> {
    let answer = refunds::table.find(refund).select(refunds::answer);
    Ok(on_each!(tx.conn()?, |c| answer.first(c)).optional()?)
}
