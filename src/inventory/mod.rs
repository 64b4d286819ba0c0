//! Stock: opaque counters and the holds on them. Knows nothing of events or payments.
//!
//! A *counter* has a capacity (or none) and says how much of it is `taken`: everything sold and
//! everything held that has not been released. A *hold* takes from several counters at once and
//! moves `held -> sold`, `held -> released` or, while a provider is being asked,
//! `held -> settling -> sold | held`; `sold -> released` when what was sold is given back, all or
//! part of it; `released -> sold` when money comes late and there is still enough.
//!
//! Guarantees: `taken` never exceeds the capacity (a conditional update, and a CHECK behind it);
//! the hold's one row decides between paying and expiring; an overdue hold counts as available
//! at once, and a purchase that needs it releases it itself, with no sweeper involved.
//!
//! Lock order: counters in id order, last in a transaction; overdue holds of others are taken only
//! when nobody else has them. Giving back goes through the same sorted list as taking.

mod model;
pub mod ops;
mod store;

pub use model::{Key, Level, Line};
pub use ops::Counters;
pub use store::checks;
