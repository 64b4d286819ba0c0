//! What is sold, and where: events at locations, and their ticket rates.
//!
//! An *event* is `draft`, `published` or `cancelled`. It is sold from its publication until its
//! sales end; a cancelled one admits nobody and sells nothing, from the same instant. Its currency
//! is fixed by its first payment. A *ticket rate* is a kind of ticket of an event, with ordered
//! *price tiers*.
//!
//! Owned tables: an organization sees its own events of the mode; a channel sees published and
//! cancelled ones of organizations it has an active partnership with.
//!
//! Guarantees: whatever a price, window, capacity or publication changes gives the event or rate a
//! new `revision`, on its row and on its counter together, so that no purchase can be made at a
//! quote that no longer holds.

pub mod http;
pub mod input;
mod model;
pub mod ops;
mod store;

pub use model::location::LocationView;
pub use model::offer::{Offer, SaleBar};
pub use model::tiers::Unmet;
pub use model::view::{EventView, RateView, price_snapshot};
pub use ops::quotes::Quotes;
pub use store::checks;
pub use store::events::{Event, EventStatus, Visibility};
pub use store::locations::Location;
pub use store::rates::{FeeType, Price, Rate, RateKind};
