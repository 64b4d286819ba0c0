//! Mail to buyers and holders: receipts, tickets, refunds; and letters to people with accounts.
//!
//! A listener: the job is written in the transaction of the sale and nobody imports this room.
//! One job looks at what happened and writes a *delivery* for each recipient, so that a mail that
//! cannot be sent never delays or repeats another's: `queued -> sent | failed`, tried nine times in
//! 25 hours. `send_resources: false` mails nobody. Resending makes another delivery: together they
//! are the history of what went where.
//!
//! Guarantees: a dead mail server never fails a sale; a retried mail has the same Message-ID; test
//! mode is always captured to files and never leaves the machine.

pub mod accounts;
pub mod called_off;
pub mod captured;
mod compose;
pub mod http;
mod model;
pub mod ops;
pub mod partners;
mod store;
mod template;
mod transport;

pub use ops::{DELIVER, FAN_OUT, on_change};
pub use store::checks;
pub use template::render;
pub use transport::Transport;
