//! Founding a tenant.

use super::super::store::{self, LetterKind, Member, User};
use super::letters;
use super::sessions::{self, Opened};
use crate::db::{Tenant, Tx};
use crate::kernel::ids::UserId;
use crate::kernel::input::Slug;
use crate::kernel::{Currency, Result};
use crate::parties::ops::{self as parties, NewChannel, NewOrganization};
use crate::web::permission::Role;

/// Who founds what.
pub struct SignUp {
    /// The founder's e-mail, in lower case.
    pub email: String,
    /// The founder's name.
    pub name: String,
    /// The founder's password, hashed.
    pub password_hash: String,
    /// What is founded.
    pub tenant: NewTenant,
}

/// What is founded.
pub enum NewTenant {
    /// An organization.
    Organization {
        /// Its name.
        name: String,
        /// Its slug; made from the name when absent.
        slug: Option<String>,
        /// The currency new events get.
        currency: Option<Currency>,
        /// The time zone new events get.
        timezone: Option<chrono_tz::Tz>,
    },
    /// A channel.
    Channel {
        /// Its name.
        name: String,
        /// Its slug; made from the name when absent.
        slug: Option<String>,
    },
}

/// Founds a tenant with its first owner and begins a session. The e-mail is theirs when they have
/// confirmed it, and only then may the tenant work in live mode. 409 `slug_taken`.
pub fn sign_up(tx: &mut Tx<'_>, new: &SignUp) -> Result<Opened> {
    let (tenant, name, slug) = found(tx, &new.tenant)?;
    let user = new_user(tx, (&new.email, &new.name, &new.password_hash));
    store::append_user(tx, &user);
    let member = new_member(tx, tenant, &user.id, Role::Owner);
    letters::send(tx, LetterKind::Confirm, Some(&user.id));
    Ok(sessions::begin(tx, &user.id, member, name, slug))
}

fn found(tx: &mut Tx<'_>, tenant: &NewTenant) -> Result<(Tenant, String, String)> {
    Ok(match tenant {
        NewTenant::Organization { name, slug, currency, timezone } => {
            let slug = match slug {
                Some(slug) => slug.clone(),
                None => free_slug(tx, name, parties::is_organization_slug)?,
            };
            let (name, currency, timezone) = (name.clone(), *currency, *timezone);
            let new = NewOrganization { name, slug, currency, timezone, confirmed: false };
            let made = parties::create_organization(tx, &new)?;
            (Tenant::Organization(made.id), made.name, made.slug)
        }
        NewTenant::Channel { name, slug } => {
            let slug = match slug {
                Some(slug) => slug.clone(),
                None => free_slug(tx, name, parties::is_channel_slug)?,
            };
            let new = NewChannel { name: name.clone(), slug, confirmed: false };
            let made = parties::create_channel(tx, &new)?;
            (Tenant::Channel(made.id), made.name, made.slug)
        }
    })
}

/// A slug from a name, with a tail when it is taken.
fn free_slug(
    tx: &mut Tx<'_>,
    name: &str,
    taken: fn(&mut Tx<'_>, &str) -> Result<bool>,
) -> Result<String> {
    let slug = Slug::from_name(name);
    if !slug.is_empty() && !taken(tx, &slug)? {
        return Ok(slug);
    }
    let id: UserId = tx.id();
    let tail: String = id.to_string().chars().rev().take(8).collect();
    Ok(format!("{slug}-{tail}").trim_matches('-').to_owned())
}

/// A user who has not confirmed their e-mail.
pub(super) fn new_user(tx: &Tx<'_>, (email, name, password_hash): (&str, &str, &str)) -> User {
    User {
        id: tx.id(),
        email: email.to_owned(),
        name: name.to_owned(),
        password_hash: password_hash.to_owned(),
        confirmed_at: None,
        totp_id: None,
        totp_since: None,
        totp_step: 0,
        created_at: tx.now(),
        updated_at: tx.now(),
    }
}

/// A place in a tenant.
pub(super) fn new_member(tx: &mut Tx<'_>, tenant: Tenant, user: &UserId, role: Role) -> Member {
    let (id, created_at) = (tx.id(), tx.now());
    let member = Member { id, tenant, user_id: user.clone(), role, created_at };
    store::append_member(tx, &member);
    member
}
