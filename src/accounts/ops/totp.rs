//! One-time passwords: begun, confirmed by a first code, given up.

use super::super::store::{self, User};
use super::super::totp;
use super::server_key;
use crate::db::Tx;
use crate::kernel::ids::{Id, LetterId, UserId};
use crate::kernel::{Error, Result};
use crate::web::auth::email_unconfirmed;

/// What an authenticator app is given.
pub struct Enrolment {
    /// The seed, in base32.
    pub secret: String,
    /// The same as an address, for a QR code.
    pub url: String,
}

/// Makes a seed. It is asked for at log-in when a first code has confirmed it. 409 `totp_active`.
/// Not for an e-mail that may be somebody else's: 403 `email_unconfirmed`.
pub fn begin(tx: &mut Tx<'_>, user: &UserId) -> Result<Enrolment> {
    let before = store::user(tx, user)?.ok_or_else(Error::not_found)?;
    if before.confirmed_at.is_none() {
        return Err(email_unconfirmed());
    }
    if before.totp_since.is_some() {
        return Err(Error::conflict("totp_active", "One-time passwords are on already."));
    }
    let enrolment: LetterId = tx.id();
    let enrolment = enrolment.as_str().to_owned();
    let after = User { totp_id: Some(enrolment.clone()), ..before.clone() };
    save(tx, &before, after)?;
    let generator = totp::of(server_key(tx)?, &before, &enrolment)?;
    let url = generator.to_url().map_err(Error::internal)?;
    Ok(Enrolment { secret: generator.secret().to_base32(), url })
}

/// Turns one-time passwords on by a first code. 422 `wrong_code`, 409 `totp_active`.
pub fn confirm(tx: &mut Tx<'_>, user: &UserId, code: &str) -> Result<()> {
    let before = store::user(tx, user)?.ok_or_else(Error::not_found)?;
    if before.totp_since.is_some() {
        return Err(Error::conflict("totp_active", "One-time passwords are on already."));
    }
    let step = totp::step(server_key(tx)?, &before, code, tx.now())?.ok_or_else(wrong_code)?;
    let after = User { totp_since: Some(tx.now()), totp_step: step, ..before.clone() };
    save(tx, &before, after)
}

/// Turns them off, by a last code. 422 `wrong_code`, 409 `totp_inactive`.
pub fn end(tx: &mut Tx<'_>, user: &UserId, code: &str) -> Result<()> {
    let before = store::user(tx, user)?.ok_or_else(Error::not_found)?;
    if before.totp_since.is_none() {
        return Err(Error::conflict("totp_inactive", "One-time passwords are off."));
    }
    let step = totp::step(server_key(tx)?, &before, code, tx.now())?.ok_or_else(wrong_code)?;
    let after = User { totp_id: None, totp_since: None, totp_step: step, ..before.clone() };
    save(tx, &before, after)
}

fn save(tx: &mut Tx<'_>, before: &User, after: User) -> Result<()> {
    let after = User { updated_at: tx.now(), ..after };
    if store::save_user(tx, &after, before.updated_at)? {
        return Ok(());
    }
    Err(Error::rerun("the user has changed"))
}

fn wrong_code() -> Error {
    let message = "This is not the code of now, or it was used before.";
    Error::unprocessable("wrong_code", message).on_field("code", "is wrong")
}
