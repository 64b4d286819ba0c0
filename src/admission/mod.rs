//! The door: letting people in, once each.
//!
//! A ticket admits while it is `active` and its event is not cancelled. Two doors that scan the
//! same ticket at once are told apart by one conditional update; the second is told when the first
//! let them in. Every passage is kept for good.

pub mod http;
mod ops;
mod store;

pub use store::checks;
