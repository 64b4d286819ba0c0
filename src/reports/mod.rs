//! Figures. A reader: it has no table of its own and asks the slices whose rows they are.
//!
//! On shared events a channel sees the figures of its own sales only.

pub mod http;
mod ops;
