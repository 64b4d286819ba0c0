//! The vocabulary every other room speaks: identifiers, money, time, modes, pages and errors.
//!
//! Nothing here knows a table, a route or a tenant. It imports no other module of this crate.

pub mod error;
pub mod fail_point;
pub mod ids;
pub mod input;
pub mod mode;
pub mod money;
pub mod page;
pub mod secret;
mod text_enum;
pub mod time;

pub use error::{Error, Fault, Kind, Result};
pub use mode::Mode;
pub use money::{Currency, Money, Percent};
pub use time::{Clock, Timestamp};
