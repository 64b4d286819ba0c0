//! Payments: one purchase each, with its items, its hold on stock, its money and its state.
//!
//! ```text
//! pending --pay, mark-paid, finalize--> paid
//! pending --its time runs out--------> expired
//! pending --cancel-------------------> cancelled
//! ```
//!
//! A pending payment holds its stock until `expires_at`; from that instant on it reads as
//! `expired` and its stock is for sale, whether or not a sweep has been by. While a provider is
//! being asked (`processing_attempt_id`) it neither expires nor can it be cancelled or paid twice.
//! The hold's one row decides every race.
//!
//! Shared tables: a payment belongs to the event's organization and to the channel that made it.
//! Either side may read it; `metadata` and `reference` are its creator's alone. The creator pays,
//! finalizes and cancels; only who collects the money may mark it as paid.

pub mod http;
pub mod input;
mod model;
pub mod ops;
pub mod providers;
mod store;

pub use model::{PaymentStatus, PaymentType, PaymentView, Timing};
pub use store::{Item, Payment, checks};
