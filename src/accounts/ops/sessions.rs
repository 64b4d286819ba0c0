//! Sessions: begun, refreshed, ended.

use super::super::model::{Refresh, SESSION_SECONDS};
use super::super::store::{self, Ending, Member, Session, User};
use super::super::{known, token};
use super::server_key;
use crate::db::{Tenant, Tx};
use crate::kernel::ids::UserId;
use crate::kernel::{Error, Result};
use crate::parties;

/// A session, and as whom.
pub struct Opened {
    /// The session.
    pub session: Session,
    /// The member.
    pub member: Member,
    /// The tenant's name.
    pub name: String,
    /// The tenant's slug.
    pub slug: String,
}

/// Begins a session of a user as one of their members.
pub fn open(tx: &mut Tx<'_>, user: &User, member: Member) -> Result<Opened> {
    let (name, slug) = tenant_name(tx, &member.tenant)?;
    Ok(begin(tx, &user.id, member, name, slug))
}

/// The same in a tenant that the caller has at hand.
pub fn begin(tx: &mut Tx<'_>, user: &UserId, member: Member, name: String, slug: String) -> Opened {
    let session = Session {
        id: tx.id(),
        user_id: user.clone(),
        member_id: member.id.clone(),
        generation: 0,
        created_at: tx.now(),
        refreshed_at: tx.now(),
        expires_at: tx.now().plus_seconds(SESSION_SECONDS),
        ended_at: None,
    };
    store::append_session(tx, &session);
    Opened { session, member, name, slug }
}

/// A tenant's name and slug.
pub fn tenant_name(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<(String, String)> {
    Ok(match tenant {
        Tenant::Organization(id) => {
            let organization = parties::ops::organization(tx, id)?;
            (organization.name, organization.slug)
        }
        Tenant::Channel(id) => {
            let channel = parties::ops::channel(tx, id)?;
            (channel.name, channel.slug)
        }
    })
}

/// Exchanges a refresh token for its successor. `None`, which commits, when it is good for
/// nothing; one that was used before ends its session.
pub fn refresh(tx: &mut Tx<'_>, text: &str) -> Result<Option<Opened>> {
    let Some((id, generation)) = token::read_refresh(server_key(tx)?, text) else {
        return Ok(None);
    };
    let Some(mut session) = store::session(tx, &id)? else {
        return Ok(None);
    };
    match session.judge(generation, tx.now()) {
        Refresh::Over => return Ok(None),
        Refresh::Stolen => {
            tracing::warn!(session = %id, "a refresh token was used twice; its session ends");
            store::end_sessions(tx, Ending::This(&id))?;
            known::forget(tx)?;
            return Ok(None);
        }
        Refresh::Rotate => {
            if !store::rotate(tx, &session)? {
                return Err(Error::rerun("a twin has refreshed this session"));
            }
            session.generation += 1;
        }
        Refresh::Repeat => {}
    }
    let Some(member) = store::member(tx, &session.member_id)? else {
        return Ok(None);
    };
    let (name, slug) = tenant_name(tx, &member.tenant)?;
    Ok(Some(Opened { session, member, name, slug }))
}

/// Ends the session of a refresh token, or all of its user's. Nothing when it has ended already;
/// `false` when it is no token of ours.
pub fn log_out(tx: &mut Tx<'_>, text: &str, all: bool) -> Result<bool> {
    let Some((id, _)) = token::read_refresh(server_key(tx)?, text) else {
        return Ok(false);
    };
    let Some(session) = store::session(tx, &id)? else {
        return Ok(true);
    };
    // An old token may end its own session; all the others only while it could be refreshed.
    let all = all && session.lives_at(tx.now());
    let ending = if all { Ending::OfUser(&session.user_id) } else { Ending::This(&id) };
    store::end_sessions(tx, ending)?;
    known::forget(tx)?;
    Ok(true)
}
