//! Payments: one purchase each, with its items, its hold on stock, its money and its state.
//!
//! ```text
//! pending --pay, mark-paid, finalize-----> paid
//! pending --authorize----> authorized ---> paid (mark-paid)
//! pending --its time runs out------------> expired
//! pending --cancel-----------------------> cancelled
//! authorized, paid --cancel by the organization--> cancelled
//! expired --money that comes late--------> paid, if there is still enough of everything
//! ```
//!
//! A pending payment holds its stock until `expires_at`; from that instant on it reads as
//! `expired` and its stock is for sale, whether or not a sweep has been by. While a provider is
//! being asked (`processing_attempt_id`) it neither expires nor can it be cancelled or paid twice.
//! The hold's one row decides every race.
//!
//! Money is given back by *refunds*, never by a status: those that name tickets void them and free
//! their stock, others void nothing. The provider is asked by a job. No money is ever taken with
//! neither tickets nor refund: what comes late is decided once (`ops/late.rs`).
//!
//! Shared tables: a payment belongs to the event's organization and to the channel that made it.
//! Either side may read it; `metadata` and `reference` are its creator's alone. The creator pays,
//! finalizes and cancels; only who collects the money may mark it as paid. Money is given back by
//! who collects it, the platform's by the organization.

pub mod client_secret;
pub mod http;
pub mod input;
pub mod means;
mod model;
pub mod ops;
pub mod providers;
mod store;

pub use model::{
    CreatedPaymentView, CustomerView, LateOutcome, PaymentStatus, PaymentType, PaymentView,
    RefundView, Timing,
};
pub use store::{Item, Payment, Refund, RefundState, checks};
