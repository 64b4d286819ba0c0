//! The form of API keys, and telling whose one is.
//!
//! `sk_test_` or `sk_live_` (`pk_` for publishable ones, which everybody may know), 40 characters
//! (200 random bits), 6 characters of checksum.

use secrecy::{ExposeSecret, SecretString};

use super::known::{self, Known};
use super::model::KeyKind;
use crate::db::Tx;
use crate::kernel::ids::base32;
use crate::kernel::{Mode, Result, secret};
use crate::web::auth::{Authenticate, Credential, Principal, mode_mismatch};

const RANDOM_BYTES: usize = 25;
const RANDOM_CHARS: usize = 40;
const CHECKSUM_CHARS: usize = 6;

/// A whole secret key.
#[derive(Clone, Debug)]
pub struct KeySecret(SecretString);

impl KeySecret {
    /// A new random secret key of a mode.
    pub fn generate(mode: Mode) -> Self {
        Self::generate_of(KeyKind::Secret, mode)
    }

    /// A new random key of a kind and mode.
    pub fn generate_of(kind: KeyKind, mode: Mode) -> Self {
        let body = format!("{}{}", prefix(kind, mode), base32(&secret::random::<RANDOM_BYTES>()));
        let sum = checksum(&body);
        Self(format!("{body}{sum}").into())
    }

    /// Reads a key; `None` when its form or its checksum is wrong.
    pub fn parse(text: &str) -> Option<Self> {
        let known = PREFIXES.iter().find(|known| text.starts_with(**known))?;
        let length = known.len() + RANDOM_CHARS;
        let (body, sum) = text.split_at_checked(length)?;
        let sound = sum.len() == CHECKSUM_CHARS
            && bool::from(subtle::ConstantTimeEq::ct_eq(checksum(body).as_bytes(), sum.as_bytes()));
        sound.then(|| Self(text.to_owned().into()))
    }

    /// The key itself: to be shown once.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What is stored. The secret is long and random, so a plain hash is enough.
    pub fn hash(&self) -> String {
        secret::sha256_hex(self.expose().as_bytes())
    }
}

const PREFIXES: [&str; 4] = ["sk_live_", "sk_test_", "pk_live_", "pk_test_"];

fn prefix(kind: KeyKind, mode: Mode) -> &'static str {
    match (kind, mode) {
        (KeyKind::Secret, Mode::Live) => "sk_live_",
        (KeyKind::Secret, Mode::Test) => "sk_test_",
        (KeyKind::Publishable, Mode::Live) => "pk_live_",
        (KeyKind::Publishable, Mode::Test) => "pk_test_",
    }
}

fn checksum(body: &str) -> String {
    let hash = secret::sha256_hex(format!("rialto key {body}").as_bytes());
    hash.chars().take(CHECKSUM_CHARS).collect()
}

/// Knows API keys.
pub struct KeyAuthenticator;

impl Authenticate for KeyAuthenticator {
    fn recognizes(&self, credential: &Credential) -> bool {
        let text = credential.expose();
        text.starts_with("sk_") || text.starts_with("pk_")
    }

    fn authenticate(
        &self,
        tx: &mut Tx<'_>,
        credential: &Credential,
        wanted: Option<Mode>,
    ) -> Result<Option<Principal>> {
        let Some(secret) = KeySecret::parse(credential.expose()) else {
            return Ok(None);
        };
        let now = tx.now();
        let found = known::key_by_hash(tx, &secret.hash())?;
        let Some(key) = found.filter(|key| key.works_at(now)) else {
            return Ok(None);
        };
        if wanted.is_some_and(|wanted| wanted != key.mode) {
            return Err(mode_mismatch());
        }
        tx.environment().get::<Known>()?.note_use(&key.id, now);
        let (tenant, mode, scopes) = (key.tenant, key.mode, key.scopes);
        Ok(Some(Principal { tenant, mode, scopes, member: None, confirmed: true }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_key_is_refused_by_its_form() {
        let key = KeySecret::generate(Mode::Test);
        assert!(KeySecret::parse(key.expose()).is_some());
        for index in 0..key.expose().len() {
            let mut wrong = key.expose().to_owned();
            let other = if &wrong[index..=index] == "x" { "y" } else { "x" };
            wrong.replace_range(index..=index, other);
            assert!(KeySecret::parse(&wrong).is_none(), "{wrong}");
        }
        assert!(KeySecret::parse("sk_test_").is_none());
        assert!(KeySecret::parse("sk_test_é").is_none());
    }
}
