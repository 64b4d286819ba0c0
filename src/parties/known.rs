//! What is asked for by every request, remembered: keys and partnerships.
//!
//! A remembered key is trusted for a second, so that one that was revoked through another process
//! works no longer than that. A remembered partnership is not trusted at all: whoever plans on it
//! leaves a guard that looks at it again, under lock, in the transaction that records the plan.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use moka::sync::Cache;

use super::model::{ApiKey, Partnership};
use super::store;
use crate::db::Tx;
use crate::kernel::ids::{ApiKeyId, ChannelId, OrganizationId};
use crate::kernel::{Result, Timestamp};

/// A revoked key works so long on a server that was not told.
const KEYS_TRUSTED_FOR: Duration = Duration::from_secs(1);
/// Most keys, and most partnerships, remembered.
const KNOWN_MAX: u64 = 10_000;

/// What this server remembers of the parties; part of the environment.
pub struct Known {
    keys: Cache<String, ApiKey>,
    partnerships: Cache<(OrganizationId, ChannelId), Partnership>,
    used: Mutex<HashMap<ApiKeyId, Timestamp>>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            keys: Cache::builder().max_capacity(KNOWN_MAX).time_to_live(KEYS_TRUSTED_FOR).build(),
            partnerships: Cache::new(KNOWN_MAX),
            used: Mutex::default(),
        }
    }
}

impl Known {
    pub(super) fn forget_keys(&self) {
        self.keys.invalidate_all();
    }

    /// Notes that a key was used; written down later, with others.
    pub(super) fn note_use(&self, key: &ApiKeyId, now: Timestamp) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        match used.get_mut(key) {
            Some(at) => *at = now,
            None => drop(used.insert(key.clone(), now)),
        }
    }

    /// What was noted since this was last asked.
    pub(super) fn take_used(&self) -> HashMap<ApiKeyId, Timestamp> {
        std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The key with this hash. Called by readers only: what they see is committed.
pub(super) fn key_by_hash(tx: &mut Tx<'_>, hash: &str) -> Result<Option<ApiKey>> {
    let known: &Known = tx.environment().get()?;
    if tx.is_plan()
        && let Some(key) = known.keys.get(hash)
    {
        return Ok(Some(key));
    }
    let mut found = store::key_by_hash(tx, hash)?;
    // One that was made while its tenant left opens nothing.
    if let Some(key) = &found
        && !super::ops::is_there(tx, &key.tenant)?
    {
        found = None;
    }
    if let Some(key) = &found {
        known.keys.insert(hash.to_owned(), key.clone());
    }
    Ok(found)
}

/// A partnership. In a plan it may be remembered, and is guarded.
pub(super) fn partnership(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    channel: &ChannelId,
) -> Result<Option<Partnership>> {
    let known: &Known = tx.environment().get()?;
    let pair = (organization.clone(), channel.clone());
    if !tx.is_plan() {
        // What a transaction sees may never be committed, so it is not remembered here. It stays as
        // it is until the end of the transaction, which relies on it.
        let found = store::partnership_held(tx, organization, channel)?;
        let same = |before: &Partnership| {
            found.as_ref().is_some_and(|found| found.updated_at == before.updated_at)
        };
        if known.partnerships.get(&pair).is_some_and(|before| !same(&before)) {
            known.partnerships.invalidate(&pair);
        }
        return Ok(found);
    }
    let found = match known.partnerships.get(&pair) {
        Some(partnership) => Some(partnership),
        None => store::partnership(tx, organization, channel)?,
    };
    if let Some(partnership) = &found {
        known.partnerships.insert(pair, partnership.clone());
        tx.guard(store::StillPartners {
            organization: organization.clone(),
            channel: channel.clone(),
            updated_at: partnership.updated_at,
        });
    }
    Ok(found)
}
