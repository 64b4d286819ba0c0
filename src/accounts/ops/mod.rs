//! Operations on accounts.

pub mod departure;
pub mod invitations;
pub mod letters;
pub mod log_in;
pub mod members;
pub mod passwords;
pub mod sessions;
pub mod sign_up;
pub mod totp;

use super::store;
use crate::db::{Db, Outcome, Scope, Tx};
use crate::kernel::secret::ServerKey;
use crate::kernel::{Error, Kind, Result};

fn server_key<'c>(tx: &Tx<'c>) -> Result<&'c ServerKey> {
    tx.environment().get()
}

/// 401: the same whatever of e-mail, password and code was wrong.
pub fn wrong_credentials() -> Error {
    let message = "E-mail, password or code is wrong.";
    Error::new(Kind::Unauthenticated, "wrong_credentials", message)
}

/// 400: a mailed token that is not one, or not any more.
fn bad_token() -> Error {
    let message = "This link is not valid any more. Ask for a new one.";
    Error::new(Kind::Invalid, "invalid_token", message).on_field("token", "is not valid any more")
}

/// Forgets what ended long ago; answers how much there was.
pub async fn sweep(db: &Db) -> Result<usize> {
    let scope = Scope::platform("forgetting sessions and letters that ended long ago");
    let any = db.read(&scope, |tx| {
        let before = tx.now().plus_seconds(-super::model::KEPT_SECONDS);
        store::any_old_session(tx, before)
    });
    if !any.await? {
        return Ok(0);
    }
    let write = |tx: &mut Tx<'_>| {
        let before = tx.now().plus_seconds(-super::model::KEPT_SECONDS);
        let sessions = store::forget_sessions(tx, before)?;
        Ok(Outcome::Done(sessions + store::forget_letters(tx, before)?))
    };
    Ok(db.write(&scope, write).await?.into_inner())
}
