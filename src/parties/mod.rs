//! Tenants and what connects them.
//!
//! An *organization* owns events and the money of their sales. A *channel* resells. A
//! *partnership* lets one channel sell for one organization: `invited -> active <-> suspended`,
//! and any of them `-> ended`. Without an active one the channel does not see that the
//! organization exists; sales made before stay readable. Terms that the organization changes hold
//! once the channel has accepted them, and never for payments that exist.
//!
//! An *API key* belongs to one tenant and one mode. Only its SHA-256 is kept. A checksum in the key
//! refuses a mistyped one before any look-up; a revoked one is refused within a second. Rotated, it
//! has two secrets for a day. Nobody mints, changes or rotates a key that may do more than they.

pub mod departure;
pub mod http;
pub mod input;
mod key;
mod known;
mod model;
pub mod ops;
mod store;
mod view;

pub use key::{KeyAuthenticator, KeySecret};
pub use known::Known;
pub use model::{
    ApiKey, Collects, Commission, CommissionType, KeyKind, Partnership, PartnershipStatus,
    PartySide, Terms,
};
pub use store::{Channel, Organization, checks};
