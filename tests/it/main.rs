//! Behaviour of the whole service over HTTP, on both databases, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    missing_docs
)]

// Shared with `tests/fire`, which uses other parts of it.
#[allow(dead_code)]
mod support;

mod accounts;
mod admission;
mod browsers;
mod catalog;
mod changes;
mod changing;
mod charges;
mod commands;
mod contention;
mod contract;
mod customers;
mod deliveries;
mod departure;
mod documented;
mod doors;
mod edge;
mod events;
mod every_operation;
mod idempotency;
mod isolation;
mod keys;
mod late;
mod mail;
mod main_job;
mod partnerships;
mod payments;
mod plans;
mod positions;
mod providers;
mod publishable;
mod races;
mod refunds;
mod sales;
mod schema;
mod sessions;
mod settle;
mod sqlite;
mod statistics;
mod stubborn;
mod tidy;
mod tiers;
mod tokens;
mod write_path;
