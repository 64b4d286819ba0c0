//! The rules of the catalogue, and how it is shown.

pub mod location;
pub mod offer;
pub mod tiers;
pub mod view;
