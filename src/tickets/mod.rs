//! Tickets: one admission each (or `for` several people), with its own code and state.
//!
//! `pending_payment -> active -> voided`, or straight to `voided` when the payment ends unpaid.
//! A ticket is made with its payment and is worth nothing until that is paid; its 128-bit code
//! admits only while `active`. Letting somebody in moves `enter` and `entry_time`, never `status`.
//!
//! Shared tables: a ticket belongs to the event's organization and to the channel that sold it;
//! either side may read it, only the organization may let somebody in.

pub mod http;
pub mod input;
mod model;
pub mod ops;
pub mod qr;
mod store;

pub use model::{AttendeeView, TicketView, example};
pub use store::{Ticket, TicketStatus, checks};
