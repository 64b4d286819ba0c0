//! The tables, as both migration trees make them (`tests/it/schema.rs` compares all three).
//!
//! Written by hand: a generator would print the types of one database. Only this room and the
//! `store.rs` files name these tables.

#![allow(missing_docs)]

mod accounts;
mod catalog;
mod doors;
mod inventory;
mod outbox;
mod parties;
mod platform;
mod sales;

pub use accounts::*;
pub use catalog::*;
pub use doors::*;
pub use inventory::*;
pub use outbox::*;
pub use parties::*;
pub use platform::*;
pub use sales::*;

diesel::allow_tables_to_appear_in_same_query!(
    server_settings,
    idempotency_keys,
    changes,
    changes_pending,
    feed,
    feed_heads,
    jobs,
    organizations,
    channels,
    partnerships,
    api_keys,
    users,
    members,
    sessions,
    account_letters,
    invitations,
    counters,
    holds,
    hold_lines,
    locations,
    event_numbers,
    events,
    ticket_rates,
    rate_prices,
    payments,
    payment_items,
    payment_references,
    payment_attempts,
    sandbox_charges,
    refunds,
    sandbox_refunds,
    tickets,
    ticket_refunds,
    admissions,
    deliveries,
    customers,
);
