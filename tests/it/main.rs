//! Behaviour of the whole service over HTTP, on both databases, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    missing_docs
)]

mod support;

mod admission;
mod catalog;
mod changes;
mod commands;
mod contention;
mod contract;
mod documented;
mod edge;
mod idempotency;
mod isolation;
mod mail;
mod main_job;
mod payments;
mod providers;
mod races;
mod sales;
mod schema;
mod settle;
mod tidy;
mod write_path;
