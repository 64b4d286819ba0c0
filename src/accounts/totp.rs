//! One-time passwords (RFC 6238): six digits, 30 seconds, one step of tolerance.
//!
//! The seed is derived from the server's key and the enrolment: nobody reads it in the database.

use totp_rs::{Builder, Totp};

use super::store::User;
use crate::kernel::ids::Id;
use crate::kernel::secret::ServerKey;
use crate::kernel::{Error, Result, Timestamp};

/// The generator of a user's enrolment.
pub fn of(key: &ServerKey, user: &User, enrolment: &str) -> Result<Totp> {
    let parts = [user.id.as_str().as_bytes(), enrolment.as_bytes()];
    let seed = key.mac("one-time-password", &parts);
    Builder::new()
        .with_secret(seed.to_vec())
        .with_account_name(user.email.clone())
        .with_issuer(Some("Rialto"))
        .build()
        .map_err(Error::internal)
}

/// The step that a code belongs to, if it is the code of now and was not used before.
pub fn step(key: &ServerKey, user: &User, code: &str, now: Timestamp) -> Result<Option<i64>> {
    let Some(enrolment) = &user.totp_id else {
        return Ok(None);
    };
    let step = of(key, user, enrolment)?.check(code, now.unix().0);
    let step = step.and_then(|step| i64::try_from(step).ok());
    Ok(step.filter(|step| *step > user.totp_step))
}
