//! Passwords forgotten, reset and changed.

use super::super::known;
use super::super::store::{self, Ending, LetterKind, User};
use super::{letters, wrong_credentials};
use crate::db::Tx;
use crate::kernel::ids::UserId;
use crate::kernel::{Error, Result};
use crate::web::auth::Membership;

/// Has a reset mailed to whoever has this e-mail. For nobody the same is done, and nothing mailed.
pub fn forgot(tx: &mut Tx<'_>, email: &str) -> Result<()> {
    let user = store::lock_user_by_email(tx, email)?;
    letters::send(tx, LetterKind::Reset, user.as_ref().map(|user| &user.id));
    Ok(())
}

/// Sets a new password by the token in a letter: every session ends, every other reset is
/// worthless, and the e-mail is confirmed, because its reader did it. 400 `invalid_token`.
pub fn reset(tx: &mut Tx<'_>, text: &str, password_hash: &str) -> Result<()> {
    let id = letters::take(tx, LetterKind::Reset, text)?;
    store::use_letters_of(tx, &id, LetterKind::Reset)?;
    set(tx, &id, None, password_hash)?;
    store::end_sessions(tx, Ending::OfUser(&id))?;
    letters::prove(tx, &id)
}

/// The user behind a session.
pub fn user_of(tx: &mut Tx<'_>, member: &Membership) -> Result<User> {
    store::user(tx, &member.user)?.ok_or_else(Error::not_found)
}

/// Sets a new password and ends every other session. 401 when the old one has changed meanwhile.
pub fn change(
    tx: &mut Tx<'_>,
    member: &Membership,
    old_hash: &str,
    password_hash: &str,
) -> Result<()> {
    set(tx, &member.user, Some(old_hash), password_hash)?;
    store::use_letters_of(tx, &member.user, LetterKind::Reset)?;
    store::end_sessions(tx, Ending::OfUserBut(&member.user, &member.session))?;
    known::forget(tx)
}

fn set(tx: &mut Tx<'_>, id: &UserId, old_hash: Option<&str>, password_hash: &str) -> Result<()> {
    let user = store::user(tx, id)?.ok_or_else(Error::not_found)?;
    if old_hash.is_some_and(|old| old != user.password_hash) {
        return Err(wrong_credentials());
    }
    let read_at = user.updated_at;
    let (password_hash, updated_at) = (password_hash.to_owned(), tx.now());
    let user = User { password_hash, updated_at, ..user };
    if store::save_user(tx, &user, read_at)? {
        return Ok(());
    }
    Err(Error::rerun("the user has changed"))
}
