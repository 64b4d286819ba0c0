//! What buyers and partners still have to get from a tenant.

use crate::db::{Tenant, Tx};
use crate::kernel::Result;
use crate::payments::store;

/// Its live payments that are pending or authorized.
pub fn open_payments(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<(&'static str, i64)> {
    Ok(("open_payments", store::open_payments_of(tx, tenant)?))
}

/// Live payments whose money it has and owes: called back, or for an event that was cancelled.
pub fn unrefunded_payments(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<(&'static str, i64)> {
    Ok(("unrefunded_payments", store::unrefunded_payments_of(tx, tenant)?))
}

/// Its live refunds that no provider has made yet.
pub fn pending_refunds(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<(&'static str, i64)> {
    Ok(("pending_refunds", store::pending_refunds_of(tx, tenant)?))
}
