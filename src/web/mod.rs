//! The edge: credentials become actors, bodies become values, errors become answers.
//!
//! Guarantees: every request has an id; every error has the documented shape; no handler is
//! reached without a declared permission; a POST under an idempotency key has its effect once.

pub mod address;
pub mod answer;
pub mod auth;
pub mod body;
pub mod connection;
mod cors;
pub mod documents;
mod errors;
pub mod health;
pub mod idempotency;
pub mod permission;
mod polish;
pub mod query;
pub mod request;
pub mod router;
pub mod state;

pub use answer::{Answer, Data, List, Pagination, Reply};
pub use auth::{Actor, Authenticate, Credential, Principal};
pub use body::{Body, Empty};
pub use documents::{ErrorBody, PublicErrors, ReadErrors, WriteErrors};
pub use idempotency::Once;
pub use permission::KeyScope;
pub use query::Query;
pub use state::State;
