//! The table `sandbox_charges`: the sandbox's own books, of no tenant. It keeps which of the
//! test cards was used, by its last four digits.

use diesel::prelude::*;

use crate::db::Tx;
use crate::db::schema::sandbox_charges as charges;
use crate::kernel::Result;
use crate::kernel::ids::AttemptId;
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
