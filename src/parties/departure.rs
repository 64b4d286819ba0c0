//! A tenant leaves: what it still owes to others, and what ends with it.

use super::known::Known;
use super::model::{Partnership, PartnershipStatus};
use super::ops::end_partnership;
use super::store;
use crate::db::{Tenant, Tx};
use crate::kernel::{Error, Result};

/// Counts, by name, what of a tenant others still rely on. Other rooms know of what; part of the
/// environment.
pub struct Obligations(pub Vec<Obligation>);

/// How many of something with a name a tenant still has, in live mode.
pub type Obligation = fn(&mut Tx<'_>, &Tenant) -> Result<(&'static str, i64)>;

/// 409 `tenant_in_use`, with how much of what, while others rely on a tenant.
pub fn check_free(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<()> {
    let Obligations(all) = tx.environment().get()?;
    let mut open = serde_json::Map::new();
    for count in all {
        let (name, count) = count(tx, tenant)?;
        if count > 0 {
            open.insert(name.to_owned(), count.into());
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    let message = "Others still rely on what is open here: it must end first.";
    Err(Error::conflict("tenant_in_use", message).with("open", open))
}

/// Ends what a tenant has with others and with its programs: its keys work no longer, its
/// partnerships are over. Its name stays as the other side of what it sold, its slug stays taken.
pub fn depart(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<()> {
    // First: whoever offers it a partnership waits for this row, and finds it gone.
    store::mark_deleted(tx, tenant)?;
    store::revoke_keys(tx, tenant)?;
    for partnership in store::partnerships_of(tx, tenant)? {
        if partnership.status != PartnershipStatus::Ended {
            end_partnership(tx, &partnership)?;
        }
    }
    tx.environment().get::<Known>()?.forget_keys();
    Ok(())
}

impl Partnership {
    /// The same, when it is over.
    pub(super) fn ended(&self) -> Self {
        let status = PartnershipStatus::Ended;
        Self { status, proposed: None, suspended_by: None, ..self.clone() }
    }
}
