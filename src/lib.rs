//! Rialto: a multi-tenant channel (reseller) marketplace for tickets.
//!
//! The map, in the order in which rooms may use each other: each uses only rooms above it, and
//! another slice's `ops` and model, never its `store` or `http`. `tests/it/tidy.rs` holds that.

#![recursion_limit = "256"]

pub mod kernel;

pub mod config;
pub mod db;

pub mod outbox;
pub mod web;

pub mod parties;

pub mod accounts;

pub mod inventory;

pub mod catalog;

pub mod tickets;

pub mod payments;

pub mod admission;

pub mod mail;

pub mod reports;

pub mod app;
pub mod commands;
pub mod pages;
