//! Logging in.

use serde_json::{Value, json};

use super::super::store::{self, Member, User};
use super::super::totp;
use super::sessions::{self, Opened, tenant_name};
use super::{server_key, wrong_credentials};
use crate::db::{Tenant, Tx};
use crate::kernel::{Error, Kind, Result};

/// A log-in whose password was found to be right.
pub struct LogIn {
    /// The user whose password it was, as they were then.
    pub user: User,
    /// The tenant, for a member of several.
    pub tenant: Option<String>,
    /// The one-time password.
    pub code: Option<String>,
}

/// Whose password is to be looked at: of an e-mail that nobody has confirmed, nobody's.
pub fn candidate(tx: &mut Tx<'_>, email: &str) -> Result<Option<User>> {
    store::confirmed_user(tx, email)
}

/// Begins a session. 401 `wrong_credentials`, `code_required`; 409 `tenant_required`; 403
/// `no_membership`.
pub fn log_in(tx: &mut Tx<'_>, wanted: &LogIn) -> Result<Opened> {
    let user = store::lock_user(tx, &wanted.user.id)?.ok_or_else(wrong_credentials)?;
    if user.password_hash != wanted.user.password_hash {
        return Err(wrong_credentials());
    }
    if user.totp_since.is_some() {
        check_code(tx, &user, wanted.code.as_deref())?;
    }
    let member = choose(tx, &user, wanted.tenant.as_deref())?;
    sessions::open(tx, &user, member)
}

/// Takes a one-time password, once.
pub(super) fn check_code(tx: &mut Tx<'_>, user: &User, code: Option<&str>) -> Result<()> {
    let Some(code) = code else {
        let message = "This account asks for a one-time password as well.";
        let error = Error::new(Kind::Unauthenticated, "code_required", message);
        return Err(error.on_field("code", "is required"));
    };
    let step = totp::step(server_key(tx)?, user, code, tx.now())?.ok_or_else(wrong_credentials)?;
    if store::use_step(tx, &user.id, step)? { Ok(()) } else { Err(wrong_credentials()) }
}

fn choose(tx: &mut Tx<'_>, user: &User, tenant: Option<&str>) -> Result<Member> {
    let mut members = store::members_of_user(tx, &user.id)?;
    if let Some(tenant) = tenant {
        let chosen = members.into_iter().find(|member| member.tenant.as_str() == tenant);
        return chosen.ok_or_else(no_membership);
    }
    match (members.len(), members.pop()) {
        (_, None) => Err(no_membership()),
        (1, Some(member)) => Ok(member),
        (_, Some(last)) => {
            members.push(last);
            let tenants: Result<Vec<Value>> = members.iter().map(|m| choice(tx, m)).collect();
            let message = "You are a member of several; say which in tenant_id.";
            let error = Error::conflict("tenant_required", message);
            Err(error.on_field("tenant_id", "is required").with("tenants", tenants?))
        }
    }
}

fn choice(tx: &mut Tx<'_>, member: &Member) -> Result<Value> {
    let (name, slug) = tenant_name(tx, &member.tenant)?;
    let id = member.tenant.as_str();
    Ok(json!({"_id": id, "kind": kind(&member.tenant), "name": name, "slug": slug}))
}

/// What kind of tenant it is.
pub fn kind(tenant: &Tenant) -> &'static str {
    match tenant {
        Tenant::Organization(_) => "organization",
        Tenant::Channel(_) => "channel",
    }
}

fn no_membership() -> Error {
    let message = "You are not a member there.";
    Error::new(Kind::Forbidden, "no_membership", message).on_field("tenant_id", "is not yours")
}
