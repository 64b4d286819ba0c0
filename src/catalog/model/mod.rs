//! The rules of the catalogue, and how it is shown.

pub mod offer;
pub mod tiers;
pub mod view;
