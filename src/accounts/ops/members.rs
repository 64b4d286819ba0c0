//! Members of the acting tenant.

use super::super::known;
use super::super::store::{self, Ending, Member, User};
use crate::db::{Tenant, Tx};
use crate::kernel::ids::{Id, MemberId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Result};
use crate::web::auth::Membership;
use crate::web::permission::Role;

fn with_user(tx: &mut Tx<'_>, member: Member) -> Result<(Member, User)> {
    let user = store::user(tx, &member.user_id)?.ok_or_else(Error::not_found)?;
    Ok((member, user))
}

/// The members, newest first, and who they are.
pub fn list(tx: &mut Tx<'_>, page: &PageRequest) -> Result<Page<(Member, User)>> {
    let tenant = tx.tenant()?;
    let found = store::list_members(tx, &tenant, page)?;
    let rows: Result<Vec<_>> = found.rows.into_iter().map(|m| with_user(tx, m)).collect();
    Ok(Page { rows: rows?, limit: found.limit, next: found.next })
}

/// A tenant's owners and admins.
pub fn managers(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<Vec<MemberId>> {
    let all = store::members_of(tx, tenant)?.into_iter();
    Ok(all.filter(|member| member.role.manages()).map(|member| member.id).collect())
}

/// The confirmed e-mail of a member who is still owner or admin of a tenant.
pub fn manager_email(tx: &mut Tx<'_>, tenant: &Tenant, id: &MemberId) -> Result<Option<String>> {
    let member = store::own_member(tx, tenant, id)?.filter(|member| member.role.manages());
    let Some(member) = member else { return Ok(None) };
    let user = store::user(tx, &member.user_id)?.filter(|user| user.confirmed_at.is_some());
    Ok(user.map(|user| user.email))
}

fn find(tx: &mut Tx<'_>, id: &str) -> Result<Member> {
    let tenant = tx.tenant()?;
    let id = MemberId::parse(id).ok_or_else(Error::not_found)?;
    store::own_member(tx, &tenant, &id)?.ok_or_else(Error::not_found)
}

/// One member.
pub fn read(tx: &mut Tx<'_>, id: &str) -> Result<(Member, User)> {
    let member = find(tx, id)?;
    with_user(tx, member)
}

/// Gives a member another role. 403 above oneself, 409 `last_owner`.
pub fn set_role(
    tx: &mut Tx<'_>,
    actor: &Membership,
    id: &str,
    role: Role,
) -> Result<(Member, User)> {
    let member = find(tx, id)?;
    if !actor.role.may_appoint(member.role) || !actor.role.may_appoint(role) {
        return Err(above_oneself());
    }
    if role != Role::Owner {
        keep_an_owner(tx, &member)?;
    }
    if !store::set_role(tx, &member.id, member.role, role)? {
        return Err(Error::rerun("the member has changed"));
    }
    known::forget(tx)?;
    with_user(tx, Member { role, ..member })
}

/// Removes a member: their sessions end. 409 `last_owner`.
pub fn remove(tx: &mut Tx<'_>, id: &str) -> Result<MemberId> {
    let member = find(tx, id)?;
    keep_an_owner(tx, &member)?;
    store::end_sessions(tx, Ending::OfMember(&member.id))?;
    if !store::delete_member(tx, &member.id)? {
        return Err(Error::not_found());
    }
    known::forget(tx)?;
    Ok(member.id)
}

/// 409 when a member is the last owner, who stays.
fn keep_an_owner(tx: &mut Tx<'_>, member: &Member) -> Result<()> {
    let owners = store::lock_owners(tx, &member.tenant)?;
    if owners.as_slice() == [member.id.clone()] {
        return Err(Error::conflict("last_owner", "The last owner stays."));
    }
    Ok(())
}

/// 403: nobody appoints above themselves.
pub(super) fn above_oneself() -> Error {
    Error::wrong_principal("Nobody appoints, changes or invites above themselves.")
}
