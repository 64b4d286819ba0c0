//! Invitations to become a member.

use super::super::model::INVITATION_SECONDS;
use super::super::store::{self, Invitation, InvitationStatus, User};
use super::super::token;
use super::members::above_oneself;
use super::sessions::{self, Opened};
use super::sign_up::{new_member, new_user};
use super::{bad_token, letters, server_key};
use crate::db::{Tenant, Tx};
use crate::kernel::ids::{Id, InvitationId, MemberId, UserId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Kind, Result};
use crate::web::auth::Membership;
use crate::web::permission::Role;

/// Invites an e-mail; an open invitation of the same e-mail is withdrawn. 403 above oneself, 409
/// `already_member`.
pub fn invite(tx: &mut Tx<'_>, actor: &Membership, email: &str, role: Role) -> Result<Invitation> {
    if !actor.role.may_appoint(role) {
        return Err(above_oneself());
    }
    let tenant = tx.tenant()?;
    offer(tx, tenant, (email, role), Some(actor.id.clone()))
}

/// The same by the operator, for any tenant and role; and the token, to be handed over where no
/// mail is sent.
pub fn invite_as_operator(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    email: &str,
    role: Role,
) -> Result<(Invitation, String)> {
    let invitation = offer(tx, tenant, (email, role), None)?;
    let token = token::mailed(server_key(tx)?, &invitation.id);
    Ok((invitation, token))
}

fn offer(
    tx: &mut Tx<'_>,
    tenant: Tenant,
    (email, role): (&str, Role),
    invited_by: Option<MemberId>,
) -> Result<Invitation> {
    if store::has_member(tx, &tenant, email)? {
        let error = Error::conflict("already_member", "They are a member already.");
        return Err(error.on_field("email", "is a member's"));
    }
    for open in store::open_invitations(tx, &tenant, email)? {
        store::close_invitation(tx, &open, InvitationStatus::Withdrawn)?;
    }
    let invitation = Invitation {
        id: tx.id(),
        tenant,
        email: email.to_owned(),
        role,
        invited_by,
        status: InvitationStatus::Open,
        created_at: tx.now(),
        expires_at: tx.now().plus_seconds(INVITATION_SECONDS),
    };
    store::append_invitation(tx, &invitation);
    letters::send_invitation(tx, &invitation);
    Ok(invitation)
}

/// The invitations, newest first.
pub fn list(tx: &mut Tx<'_>, page: &PageRequest) -> Result<Page<Invitation>> {
    let tenant = tx.tenant()?;
    store::list_invitations(tx, &tenant, page)
}

/// Takes an open invitation back. 409 `wrong_status`.
pub fn withdraw(tx: &mut Tx<'_>, id: &str) -> Result<InvitationId> {
    let tenant = tx.tenant()?;
    let id = InvitationId::parse(id).ok_or_else(Error::not_found)?;
    let invitation = store::own_invitation(tx, &tenant, &id)?.ok_or_else(Error::not_found)?;
    if store::close_invitation(tx, &id, InvitationStatus::Withdrawn)? {
        return Ok(id);
    }
    let error = Error::conflict("wrong_status", "Only an open invitation can be withdrawn.");
    let none: [&str; 0] = [];
    Err(error
        .with("current_status", invitation.status.as_str())
        .with("allowed_actions", none.as_slice()))
}

/// Who accepts an invitation.
pub enum Invitee {
    /// Somebody new.
    New {
        /// Their name.
        name: String,
        /// Their password, hashed.
        password_hash: String,
    },
    /// The user of a session.
    Known(UserId),
}

/// Accepts an invitation by its token and begins a session. Its reader has shown that the e-mail is
/// theirs. 400 `invalid_token`; 409 `account_exists`, `already_member`; 403 `other_email`.
pub fn accept(tx: &mut Tx<'_>, text: &str, invitee: &Invitee) -> Result<Opened> {
    let id: InvitationId = token::read_mailed(server_key(tx)?, text).ok_or_else(bad_token)?;
    let now = tx.now();
    let found = store::invitation(tx, &id)?;
    let invitation = found.filter(|found| found.is_open_at(now)).ok_or_else(bad_token)?;
    check_inviter(tx, &invitation)?;
    let user = match invitee {
        Invitee::Known(user) => known_invitee(tx, user, &invitation)?,
        Invitee::New { name, password_hash } => {
            let email = &invitation.email;
            if store::confirmed_user(tx, email)?.is_some() {
                let message = "This e-mail has an account: log in and accept in its session.";
                return Err(Error::conflict("account_exists", message));
            }
            let user = new_user(tx, (email, name, password_hash));
            let user = User { confirmed_at: Some(now), ..user };
            store::append_user(tx, &user);
            user
        }
    };
    if !store::close_invitation(tx, &id, InvitationStatus::Accepted)? {
        return Err(bad_token());
    }
    let member = new_member(tx, invitation.tenant, &user.id, invitation.role);
    sessions::open(tx, &user, member)
}

/// An invitation is worth what whoever sent it may still do.
fn check_inviter(tx: &mut Tx<'_>, invitation: &Invitation) -> Result<()> {
    let Some(inviter) = &invitation.invited_by else {
        return Ok(());
    };
    let inviter = store::own_member(tx, &invitation.tenant, inviter)?;
    match inviter.is_some_and(|inviter| inviter.role.may_appoint(invitation.role)) {
        true => Ok(()),
        false => Err(bad_token()),
    }
}

fn known_invitee(tx: &mut Tx<'_>, user: &UserId, invitation: &Invitation) -> Result<User> {
    let user = store::lock_user(tx, user)?.ok_or_else(Error::not_found)?;
    if user.email != invitation.email || user.confirmed_at.is_none() {
        let message = "This invitation was sent to another e-mail, or yours is not confirmed.";
        return Err(Error::new(Kind::Forbidden, "other_email", message));
    }
    if store::has_member(tx, &invitation.tenant, &user.email)? {
        return Err(Error::conflict("already_member", "You are a member already."));
    }
    Ok(user)
}
