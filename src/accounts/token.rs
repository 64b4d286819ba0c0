//! Tokens, none of which is stored.
//!
//! An access token is a JWT (HS256, `typ` `at+jwt`). Its key is derived from the server's key and
//! the quarter of a year that `kid` names; two quarters are known at any time. Everything is
//! checked against the operation's clock. A refresh token is a session, a generation and their
//! HMAC; a mailed token is a row's id and its HMAC.

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::model::ACCESS_SECONDS;
use crate::kernel::ids::{Id, MemberId, SessionId, UserId};
use crate::kernel::secret::ServerKey;
use crate::kernel::{Error, Result, Timestamp};

const TYPE: &str = "at+jwt";
/// Issuer and audience: nobody else makes or takes these.
const ISSUER: &str = "rialto";
/// Clocks of servers may differ by so much.
const LEEWAY_SECONDS: i64 = 30;
/// A key signs for so long.
const KEY_SECONDS: i64 = 90 * 24 * 3600;

/// What an access token says: who, not what they may do.
#[derive(Serialize, Deserialize, Debug)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    org: String,
    mem: String,
    sid: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
}

/// Who an access token was given to.
pub struct Access {
    /// The user.
    pub user: UserId,
    /// The tenant, as text.
    pub tenant: String,
    /// The member.
    pub member: MemberId,
    /// The session.
    pub session: SessionId,
}

fn unix(at: Timestamp) -> i64 {
    at.unix_micros() / 1_000_000
}

fn key_number(now: Timestamp) -> i64 {
    unix(now) / KEY_SECONDS
}

fn key_of(key: &ServerKey, number: i64) -> [u8; 32] {
    key.mac("access-token", &[&number.to_be_bytes()])
}

impl Access {
    /// A token of its own kind, for [`ACCESS_SECONDS`].
    pub fn sign(&self, key: &ServerKey, now: Timestamp) -> Result<String> {
        let number = key_number(now);
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(number.to_string());
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: self.user.to_string(),
            org: self.tenant.clone(),
            mem: self.member.to_string(),
            sid: self.session.to_string(),
            iat: unix(now),
            nbf: unix(now),
            exp: unix(now) + ACCESS_SECONDS,
            jti: uuid::Uuid::new_v4().to_string(),
        };
        let signing = EncodingKey::from_secret(&key_of(key, number));
        jsonwebtoken::encode(&header, &claims, &signing).map_err(Error::internal)
    }

    /// Reads a token; `None` for everything that is not one of ours and of now.
    pub fn read(key: &ServerKey, text: &str, now: Timestamp) -> Option<Self> {
        let header = jsonwebtoken::decode_header(text).ok()?;
        let current = key_number(now);
        let known = [current, current - 1];
        let number = known.into_iter().find(|n| header.kid == Some(n.to_string()))?;
        if header.typ.as_deref() != Some(TYPE) || header.crit.is_some() {
            return None;
        }
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[ISSUER]);
        rules.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // Looked at below, by the operation's clock instead of the system's.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let secret = DecodingKey::from_secret(&key_of(key, number));
        let claims = jsonwebtoken::decode::<Claims>(text, &secret, &rules).ok()?.claims;
        let at = unix(now);
        let in_time = claims.nbf - LEEWAY_SECONDS <= at && at < claims.exp + LEEWAY_SECONDS;
        let ours = claims.exp - claims.iat == ACCESS_SECONDS && claims.nbf == claims.iat;
        if !in_time || !ours {
            return None;
        }
        Some(Self {
            user: UserId::parse(&claims.sub)?,
            tenant: claims.org,
            member: MemberId::parse(&claims.mem)?,
            session: SessionId::parse(&claims.sid)?,
        })
    }
}

fn mac(key: &ServerKey, purpose: &str, parts: &[&[u8]]) -> String {
    BASE64URL_NOPAD.encode(&key.mac(purpose, parts))
}

fn same(a: &str, b: &str) -> bool {
    bool::from(a.as_bytes().ct_eq(b.as_bytes()))
}

/// A session's refresh token of a generation.
pub fn refresh(key: &ServerKey, session: &SessionId, generation: i64) -> String {
    let sum = mac(key, "refresh-token", &[session.as_str().as_bytes(), &generation.to_be_bytes()]);
    format!("rt.{session}.{generation}.{sum}")
}

/// Reads a refresh token.
pub fn read_refresh(key: &ServerKey, text: &str) -> Option<(SessionId, i64)> {
    let mut parts = text.strip_prefix("rt.")?.split('.');
    let session = SessionId::parse(parts.next()?)?;
    let generation: i64 = parts.next()?.parse().ok()?;
    same(text, &refresh(key, &session, generation)).then_some((session, generation))
}

/// The token in a letter about a row.
pub fn mailed<T: Id>(key: &ServerKey, id: &T) -> String {
    let sum = mac(key, "mailed-token", &[id.as_str().as_bytes()]);
    format!("{}.{sum}", id.as_str())
}

/// Reads the token in a letter about a row of a kind.
pub fn read_mailed<T: Id>(key: &ServerKey, text: &str) -> Option<T> {
    let id = T::parse(text.split('.').next()?)?;
    same(text, &mailed(key, &id)).then_some(id)
}
