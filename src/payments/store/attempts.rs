//! The table `payment_attempts`. Its rows belong to payments and are reached through them.

use diesel::prelude::*;

use crate::db::schema::payment_attempts;
use crate::db::types::Json;
use crate::db::{Tx, literally};
use crate::kernel::ids::{AttemptId, OrganizationId, PaymentId};
use crate::kernel::{Result, Timestamp};
use crate::{append_only, on_each, text_enum};

text_enum! {
    /// Where a try at taking the money stands.
    pub enum AttemptState {
        /// The provider is being asked.
        Processing = "processing",
        /// It took the money.
        Succeeded = "succeeded",
        /// It refused, or never heard of it.
        Failed = "failed",
    }
}

/// A try at taking a payment's money, as it is stored.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = payment_attempts, treat_none_as_default_value = false)]
#[allow(missing_docs)]
pub struct Attempt {
    pub organization_id: OrganizationId,
    pub id: AttemptId,
    pub payment_id: PaymentId,
    pub provider: String,
    pub state: AttemptState,
    pub amount_minor: i64,
    pub card: Json,
    pub code: Option<String>,
    pub decline_code: Option<String>,
    pub idempotency_key: Option<String>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub confirmed_at: Option<Timestamp>,
}
append_only!(
    Attempt,
    payment_attempts,
    42,
    [
        organization_id,
        id,
        payment_id,
        provider,
        state,
        amount_minor,
        card,
        code,
        decline_code,
        idempotency_key,
        created_at,
        finished_at,
        confirmed_at,
    ]
);

pub(in crate::payments) fn attempt(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &AttemptId,
) -> Result<Option<Attempt>> {
    Ok(payment_attempts::table.find((organization, id)).first(tx.conn()?).optional()?)
}

/// `processing -> state`. `false` when it has ended already.
pub(in crate::payments) fn finish_attempt(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    state: AttemptState,
    (code, decline_code): (Option<&str>, Option<&str>),
) -> Result<bool> {
    let now = tx.now();
    let row = payment_attempts::table.find((&attempt.organization_id, &attempt.id));
    let updated = diesel::update(row)
        .filter(payment_attempts::state.eq(AttemptState::Processing))
        .set((
            payment_attempts::state.eq(state),
            payment_attempts::code.eq(code),
            payment_attempts::decline_code.eq(decline_code),
            payment_attempts::finished_at.eq(Some(now)),
        ))
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

/// Tries that have been processing since before an instant, of all tenants.
pub(in crate::payments) fn stale_attempts(
    tx: &mut Tx<'_>,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<Attempt>> {
    let query = payment_attempts::table
        .filter(literally("payment_attempts.state = 'processing'"))
        .filter(payment_attempts::created_at.le(before))
        .order(payment_attempts::created_at)
        .limit(limit);
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}

/// Refusals that a provider was not sure of and that have not been asked about again, ended
/// before an instant, of all tenants.
pub(in crate::payments) fn unsure_attempts(
    tx: &mut Tx<'_>,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<Attempt>> {
    let unsure = "payment_attempts.code = 'processing_error' \
        AND payment_attempts.confirmed_at IS NULL";
    let query = payment_attempts::table
        .filter(literally(unsure))
        .filter(payment_attempts::finished_at.le(before))
        .order(payment_attempts::finished_at)
        .limit(limit);
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}

/// What a refused try really came to, said once. `false` when it was said already.
pub(in crate::payments) fn confirm_attempt(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    state: AttemptState,
) -> Result<bool> {
    let now = tx.now();
    let row = payment_attempts::table.find((&attempt.organization_id, &attempt.id));
    let updated = diesel::update(row)
        .filter(payment_attempts::state.eq(AttemptState::Failed))
        .filter(payment_attempts::confirmed_at.is_null())
        .set((payment_attempts::state.eq(state), payment_attempts::confirmed_at.eq(Some(now))))
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

/// The tries that took a payment's money, oldest first.
pub(in crate::payments) fn succeeded_attempts(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    payment: &PaymentId,
) -> Result<Vec<Attempt>> {
    let query = payment_attempts::table
        .filter(payment_attempts::organization_id.eq(organization))
        .filter(payment_attempts::payment_id.eq(payment))
        .filter(payment_attempts::state.eq(AttemptState::Succeeded))
        .order(payment_attempts::id);
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}
