//! Who sessions are, remembered for a second: what is ended or changed through another server
//! works no longer than that.

use std::time::Duration;

use moka::sync::Cache;

use super::store::{self, Member};
use crate::db::{Tenant, Tx};
use crate::kernel::Result;
use crate::kernel::ids::SessionId;
use crate::parties;

/// A session is trusted so long on a server that was not told of its end.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// Most sessions remembered.
const KNOWN_MAX: u64 = 10_000;

/// What a live session stands for.
#[derive(Clone)]
pub(super) struct Standing {
    pub(super) member: Member,
    /// Whether the tenant may work in live mode.
    pub(super) confirmed: bool,
}

/// What this server remembers of sessions; part of the environment.
pub struct Known(Cache<SessionId, Standing>);

impl Default for Known {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(KNOWN_MAX).time_to_live(TRUSTED_FOR).build())
    }
}

/// Has every session looked up again.
pub(super) fn forget(tx: &Tx<'_>) -> Result<()> {
    tx.environment().get::<Known>()?.0.invalidate_all();
    Ok(())
}

/// What a session stands for, while it lives. Called by readers only: what they see is committed.
pub(super) fn standing(tx: &mut Tx<'_>, id: &SessionId) -> Result<Option<Standing>> {
    let known: &Known = tx.environment().get()?;
    if tx.is_plan()
        && let Some(standing) = known.0.get(id)
    {
        return Ok(Some(standing));
    }
    let now = tx.now();
    let Some(session) = store::session(tx, id)?.filter(|session| session.lives_at(now)) else {
        return Ok(None);
    };
    let member = store::member(tx, &session.member_id)?;
    let Some(member) = member.filter(|member| member.user_id == session.user_id) else {
        return Ok(None);
    };
    let (confirmed, deleted) = match &member.tenant {
        Tenant::Organization(id) => {
            let own = parties::ops::organization(tx, id)?;
            (own.confirmed_at.is_some(), own.deleted_at.is_some())
        }
        Tenant::Channel(id) => {
            let own = parties::ops::channel(tx, id)?;
            (own.confirmed_at.is_some(), own.deleted_at.is_some())
        }
    };
    // A member who came in while the tenant left is in nothing.
    if deleted {
        return Ok(None);
    }
    let standing = Standing { member, confirmed };
    known.0.insert(id.clone(), standing.clone());
    Ok(Some(standing))
}
