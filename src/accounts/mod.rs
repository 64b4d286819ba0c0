//! People: who logs in, where, and as what.
//!
//! A *user* is an e-mail with a password. A *member* is a user's place in a tenant, with a role. A
//! *session* is a log-in as one member: an access token (a JWT of ten minutes) and a refresh token
//! that is exchanged for its successor. An *invitation* offers a role to an e-mail for 72 hours.
//!
//! Guarantees:
//!
//! - Nothing that opens a door is stored: passwords as argon2id, tokens not at all. Refresh tokens
//!   and mailed tokens are an id and its HMAC under the server's key, made again when needed.
//! - A refresh token works once. Within [`model::GRACE_SECONDS`] a retry gets the same successor;
//!   later it has been stolen, and the whole session ends.
//! - A role or session that changes has changed on every server within a second: an access token
//!   says who, the database says what they may do.
//! - Who has no account cannot be told from who has, by answer or by time. An e-mail belongs to
//!   whoever confirms it: signing up with somebody else's takes nothing from them.
//! - Passwords are hashed by threads of their own, so that log-ins do not slow sales.

mod authenticator;
pub mod http;
pub mod input;
mod known;
pub mod model;
pub mod ops;
mod passwords;
mod store;
mod throttle;
mod token;
mod totp;

pub use authenticator::SessionAuthenticator;
pub use known::Known;
pub use passwords::Passwords;
pub use store::{Invitation, LetterKind, checks};
pub use throttle::Throttle;
