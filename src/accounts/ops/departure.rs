//! A tenant leaves with everybody in it.

use super::super::known;
use super::super::store::{self, Ending};
use super::sessions::tenant_name;
use crate::db::Tx;
use crate::kernel::{Error, Result};
use crate::parties;
use crate::web::auth::Membership;

/// Deletes the acting tenant: its members, sessions, invitations, keys and partnerships end with
/// it, and who was a member of nothing else is forgotten. What was bought and sold stays with the
/// other side, under the tenant's name. 400 unless it is called by its slug; 409 `tenant_in_use`.
pub fn delete_tenant(tx: &mut Tx<'_>, actor: &Membership, slug: &str) -> Result<String> {
    let tenant = tx.tenant()?;
    if tenant_name(tx, &tenant)?.1 != slug {
        return Err(Error::invalid_field("slug", "is not this tenant's"));
    }
    // Held: no owner comes or goes meanwhile.
    if !store::lock_owners(tx, &tenant)?.contains(&actor.id) {
        return Err(Error::wrong_principal("Only an owner can do this."));
    }
    // First without holding anybody up.
    parties::departure::check_free(tx, &tenant)?;
    parties::departure::depart(tx, &tenant)?;
    // And again: sales of channels that were under way held their partnership until they were on
    // record.
    parties::departure::check_free(tx, &tenant)?;
    store::forget_invitations(tx, &tenant)?;
    for member in store::members_of(tx, &tenant)? {
        store::end_sessions(tx, Ending::OfMember(&member.id))?;
        store::delete_member(tx, &member.id)?;
        // Held: no other tenant lets them in meanwhile.
        store::lock_user(tx, &member.user_id)?;
        if store::members_of_user(tx, &member.user_id)?.is_empty() {
            store::forget_user(tx, &member.user_id)?;
        }
    }
    known::forget(tx)?;
    Ok(tenant.as_str().to_owned())
}
