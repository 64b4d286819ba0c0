//! What happened, in order, and what is to be done about it.
//!
//! [`Emit::emit`] records a change and the jobs its listeners want, in the transaction that makes
//! the change: nothing is announced that did not happen, nothing that happened goes unannounced.
//! The *feed* numbers committed changes per tenant, so that a reader who continues after the last
//! number it saw skips nothing. *Jobs* are work after the commit: claimed with a lease, tried
//! again with growing pauses, kept as failed when all tries are used up.

pub mod feed;
pub mod http;
pub mod jobs;
mod model;
mod sides;
mod store;
mod worker;

pub use feed::{Entry, after, sequence};
pub use http::ChangeView;
pub use jobs::Job;
pub use model::{Change, ChangeKind, Emit, Listener, Listeners, NewChange};
pub use store::checks;
pub use worker::{Handler, Handlers, Sweep, Worker};
