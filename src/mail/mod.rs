//! Mail to buyers: receipt and tickets, when a payment is paid; and to people with accounts.
//!
//! A listener: the job is written in the transaction of the sale and nobody imports this room.
//! One job looks at the payment and writes one job per recipient, so that a mail that cannot be
//! sent never delays or repeats another's. `send_resources: false` mails nobody.
//!
//! Guarantees: a dead mail server never fails a sale; a retried mail has the same Message-ID; test
//! mode is always captured to files and never leaves the machine.

pub mod accounts;
mod compose;
pub mod ops;
mod template;
mod transport;

pub use ops::{DELIVER, FAN_OUT, on_change};
pub use transport::Transport;
