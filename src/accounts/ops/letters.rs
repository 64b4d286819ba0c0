//! Letters about accounts: asked for here, written and sent by the mail room.

use serde_json::json;

use super::super::model::{CONFIRM_SECONDS, RESET_SECONDS};
use super::super::store::{self, AccountLetter, Invitation, LetterKind};
use super::super::{known, token};
use super::sessions::tenant_name;
use super::{bad_token, server_key};
use crate::db::Tx;
use crate::kernel::ids::{InvitationId, LetterId, UserId};
use crate::kernel::{Error, Result};
use crate::outbox::Job;
use crate::outbox::jobs;
use crate::parties;
use crate::web::permission::Role;

/// The kind of the job that mails a confirmation or a reset.
pub const LETTER: &str = "accounts.letter";
/// The kind of the job that mails an invitation.
pub const INVITATION: &str = "accounts.invitation";

/// What a letter says.
pub struct Wording {
    /// Which letter.
    pub kind: &'static str,
    /// To whom.
    pub email: String,
    /// Their name, where it is known.
    pub name: Option<String>,
    /// The tenant, in an invitation.
    pub tenant: Option<String>,
    /// The role, in an invitation.
    pub role: Option<Role>,
    /// What opens the door.
    pub token: String,
}

/// Has a letter sent to a user; for nobody the same is done, and nothing sent.
pub(super) fn send(tx: &mut Tx<'_>, kind: LetterKind, user: Option<&UserId>) {
    let seconds = match kind {
        LetterKind::Confirm => CONFIRM_SECONDS,
        LetterKind::Reset => RESET_SECONDS,
    };
    let letter = AccountLetter {
        id: tx.id(),
        kind,
        user_id: user.cloned(),
        created_at: tx.now(),
        expires_at: tx.now().plus_seconds(seconds),
        used_at: None,
    };
    jobs::enqueue(tx, Job::now(LETTER, json!({"letter_id": letter.id})));
    store::append_letter(tx, letter);
}

/// Has an invitation sent.
pub(super) fn send_invitation(tx: &mut Tx<'_>, invitation: &Invitation) {
    jobs::enqueue(tx, Job::now(INVITATION, json!({"invitation_id": invitation.id})));
}

/// What a letter says; `None` when it is for nobody, or worthless by now.
pub fn wording(tx: &mut Tx<'_>, id: &LetterId) -> Result<Option<Wording>> {
    let now = tx.now();
    let letter = store::letter(tx, id)?;
    let Some(letter) = letter.filter(|l| l.used_at.is_none() && now < l.expires_at) else {
        return Ok(None);
    };
    let Some(user) = letter.user_id else {
        return Ok(None);
    };
    let Some(user) = store::user(tx, &user)? else {
        return Ok(None);
    };
    Ok(Some(Wording {
        kind: letter.kind.as_str(),
        email: user.email,
        name: Some(user.name),
        tenant: None,
        role: None,
        token: token::mailed(server_key(tx)?, id),
    }))
}

/// What an invitation says; `None` when it cannot be accepted any more.
pub fn invitation_wording(tx: &mut Tx<'_>, id: &InvitationId) -> Result<Option<Wording>> {
    let now = tx.now();
    let found = store::invitation(tx, id)?;
    let Some(invitation) = found.filter(|found| found.is_open_at(now)) else {
        return Ok(None);
    };
    Ok(Some(Wording {
        kind: "invitation",
        email: invitation.email,
        name: None,
        tenant: Some(tenant_name(tx, &invitation.tenant)?.0),
        role: Some(invitation.role),
        token: token::mailed(server_key(tx)?, id),
    }))
}

/// Takes the token of a letter, once. 400 `invalid_token`.
pub(super) fn take(tx: &mut Tx<'_>, kind: LetterKind, text: &str) -> Result<UserId> {
    let id: LetterId = token::read_mailed(server_key(tx)?, text).ok_or_else(bad_token)?;
    let now = tx.now();
    let letter = store::letter(tx, &id)?;
    let letter = letter.filter(|letter| letter.kind == kind && now < letter.expires_at);
    let user = letter.and_then(|letter| letter.user_id).ok_or_else(bad_token)?;
    if store::use_letter(tx, &id)? { Ok(user) } else { Err(bad_token()) }
}

/// Has the confirmation sent once more, unless there is nothing to confirm.
pub fn resend_confirmation(tx: &mut Tx<'_>, user: &UserId) -> Result<()> {
    let user = store::lock_user(tx, user)?.ok_or_else(Error::not_found)?;
    if user.confirmed_at.is_none() {
        send(tx, LetterKind::Confirm, Some(&user.id));
    }
    Ok(())
}

/// Who signed up, by the token in their letter. 400 `invalid_token`.
pub fn signed_up(tx: &mut Tx<'_>, text: &str) -> Result<store::User> {
    let id: LetterId = token::read_mailed(server_key(tx)?, text).ok_or_else(bad_token)?;
    let now = tx.now();
    let open = |letter: &AccountLetter| {
        letter.kind == LetterKind::Confirm && letter.used_at.is_none() && now < letter.expires_at
    };
    let letter = store::letter(tx, &id)?.filter(open);
    let user = letter.and_then(|letter| letter.user_id).ok_or_else(bad_token)?;
    store::user(tx, &user)?.ok_or_else(bad_token)
}

/// Confirms an e-mail by the token in its letter, whose reader has shown the password. 400
/// `invalid_token`.
pub fn confirm(tx: &mut Tx<'_>, text: &str) -> Result<()> {
    let user = take(tx, LetterKind::Confirm, text)?;
    prove(tx, &user)
}

/// A user has shown that they read this e-mail: it is theirs, and what they own may go live. Where
/// somebody has confirmed it before, that is the same person, who gets what this user founded.
pub(super) fn prove(tx: &mut Tx<'_>, id: &UserId) -> Result<()> {
    let user = store::user(tx, id)?.ok_or_else(Error::not_found)?;
    let mine = store::members_of_user(tx, id)?;
    for member in mine.iter().filter(|member| member.role == Role::Owner) {
        parties::ops::confirm(tx, &member.tenant)?;
    }
    known::forget(tx)?;
    if user.confirmed_at.is_some() {
        return Ok(());
    }
    let Some(before) = store::confirmed_user(tx, &user.email)? else {
        let read_at = user.updated_at;
        let now = tx.now();
        let user = store::User { confirmed_at: Some(now), updated_at: now, ..user };
        return match store::save_user(tx, &user, read_at)? {
            true => Ok(()),
            false => Err(Error::rerun("the user has changed")),
        };
    };
    store::end_sessions(tx, store::Ending::OfUser(id))?;
    let theirs = store::members_of_user(tx, &before.id)?;
    for member in mine {
        match theirs.iter().find(|place| place.tenant == member.tenant) {
            None => store::hand_over(tx, &member.id, &before.id)?,
            // They have a place there already: one is enough, with the higher role.
            Some(place) => {
                let higher = place.role.min(member.role);
                store::set_role(tx, &place.id, place.role, higher)?;
                store::delete_member(tx, &member.id)?;
            }
        }
    }
    Ok(())
}
