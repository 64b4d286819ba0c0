//! What is written about events and rates, as it arrives.

pub mod event;
pub mod location;
pub mod rate;
