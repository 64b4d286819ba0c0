//! The database: connections, the write path, tenancy, migrations.
//!
//! [`Db::write`] is the only way to change anything and [`Db::read`] the only way to look; both
//! hand a [`Tx`] to a closure. One binary serves embedded SQLite and PostgreSQL; which one is
//! decided by the address. This room names no table of a slice: slices buffer their append-only
//! rows on the `Tx` and register what they take from stock, and executors run them: alone, or as
//! plans that are recorded together (`plan`).
//!
//! Guarantees: what was acknowledged is durable; an operation is applied whole or not at all; an
//! operation that fails does not harm the others that shared its transaction.

mod among;
pub mod append;
pub mod audit;
mod checkpoint;
mod conn;
mod database_clock;
mod guard;
mod lane;
mod migrate;
mod plan;
mod pool;
mod postgres;
pub mod prepared;
mod readers;
mod sales_lane;
pub mod schema;
mod scope;
mod server_key;
mod sqlite_lane;
pub mod statistics;
mod stock;
mod tx;
pub mod types;
mod work;

pub use among::{AMONG_ARRAYS, AMONG_JSON, Keys, among};
pub use append::Append;
pub use conn::{AnyConnection, Backend, DatabaseUrl, MultiBackend, Purpose};
pub use guard::{Guard, Verdict};
pub use migrate::{migrate, revert_all};
pub use pool::{Db, DbOptions, Environment};
pub use prepared::{Prepared, literally};
pub use scope::{Scope, Tenant};
pub use server_key::server_key;
pub use stock::{Shortage, Stock, StockError, Take};
pub use tx::{Outcome, Tx};
pub use work::QUEUE_MAX;
