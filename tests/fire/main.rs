//! The spine under fire: many at once, at the edge of time, killed at any moment, against a model.
//!
//! A binary of its own, one test after the other: each uses all cores, and some look at how long
//! something takes. Short forms run with `cargo test`; `RIALTO_TEST_LONG=1` runs the long ones.
//! Every run prints its seed; `RIALTO_TEST_SEED=n` runs that one again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    missing_docs
)]

#[path = "../it/support/mod.rs"]
#[allow(dead_code, unused_macros)]
mod support;

/// As the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod answers;
mod crash;
mod expiry;
#[cfg(debug_assertions)]
mod fail_points;
mod flush;
mod follower;
mod hostile;
mod idempotency;
mod jobs;
mod ledger;
mod log_in;
mod model;
mod play;
mod provider;
mod restart;
mod server;
mod stock;
