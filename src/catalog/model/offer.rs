//! When a rate can be sold, and for how much.

use crate::catalog::{Event, EventStatus, FeeType, Price, Rate};
use crate::kernel::{Currency, Error, Money, Percent, Result, Timestamp};

/// A rate at one of its prices, at one instant.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The event.
    pub event: Event,
    /// The rate.
    pub rate: Rate,
    /// The tier.
    pub price: Price,
    /// The event's currency.
    pub currency: Currency,
}

impl Offer {
    /// The price of one ticket, without its fee.
    pub fn unit(&self) -> Money {
        Money::new(self.price.price_minor, self.currency)
    }

    /// The fee of one ticket, rounded half up to the minor unit.
    pub fn fee(&self) -> Result<Money> {
        match self.price.fee_type {
            FeeType::Percentage => self.unit().percent(Percent::from_e4(self.price.fee_quantity)),
            FeeType::Fixed => Ok(Money::new(self.price.fee_quantity, self.currency)),
        }
    }
}

/// Why a rate is not sold now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SaleBar {
    /// The event was called off.
    Cancelled,
    /// The event is a draft.
    NotPublished,
    /// `valid_from` is still to come.
    NotYet,
    /// Its sales have ended.
    Over,
    /// It was declared sold out.
    Complete,
    /// It has no price in sale.
    NoPrice,
}

impl SaleBar {
    /// What the buyer's side is told: 409 `event_cancelled`, else 422 `not_on_sale`.
    pub fn error(self) -> Error {
        let reason = match self {
            Self::Cancelled => return event_cancelled(),
            Self::NotPublished => "the event is not published",
            Self::NotYet => "its sale has not begun",
            Self::Over => "its sale has ended",
            Self::Complete => "it is complete",
            Self::NoPrice => "it has no price in sale",
        };
        let message = format!("This ticket rate is not on sale: {reason}.");
        Error::unprocessable("not_on_sale", message).on_field("rate_id", reason)
    }
}

/// 409: the event was called off.
pub fn event_cancelled() -> Error {
    Error::conflict("event_cancelled", "The event is cancelled.")
        .with("current_status", "cancelled")
}

/// When the sale of a rate ends: its own end, else the event's end, else the event's start.
pub fn sale_end(event: &Event, rate: &Rate) -> Option<Timestamp> {
    rate.valid_until.or(event.end_date).or(event.start_date)
}

/// The tiers that are in time at an instant, in the order in which they are sold.
pub fn in_time(prices: &[Price], now: Timestamp) -> impl Iterator<Item = &Price> {
    prices.iter().filter(move |price| price.valid_until.is_none_or(|until| now < until))
}

/// Why a rate is not sold at an instant; stock apart.
pub fn sale_bar(event: &Event, rate: &Rate, prices: &[Price], now: Timestamp) -> Option<SaleBar> {
    match event.status {
        EventStatus::Cancelled => return Some(SaleBar::Cancelled),
        EventStatus::Draft => return Some(SaleBar::NotPublished),
        EventStatus::Published => {}
    }
    let bars = [
        (rate.complete, SaleBar::Complete),
        (rate.valid_from.is_some_and(|from| now < from), SaleBar::NotYet),
        (sale_end(event, rate).is_some_and(|end| now >= end), SaleBar::Over),
        (in_time(prices, now).next().is_none(), SaleBar::NoPrice),
    ];
    bars.into_iter().find(|(holds, _)| *holds).map(|(_, bar)| bar)
}

/// What publication asks for and this event lacks: field and reason, all at once.
pub fn unmet_prerequisites(
    event: &Event,
    has_priced_rate: bool,
    now: Timestamp,
) -> Vec<(&'static str, &'static str)> {
    let wants = [
        (event.start_date.is_some_and(|at| at > now), "start_date", "must be set, in the future"),
        (event.timezone.is_some(), "timezone", "must be set"),
        (event.currency.is_some(), "currency", "must be set"),
        (
            event.venue.is_some() || event.location_id.is_some(),
            "venue",
            "must be set, or location_id",
        ),
        (has_priced_rate, "ticket_rates", "must have at least one rate with a price"),
    ];
    wants.into_iter().filter(|want| !want.0).map(|(_, field, reason)| (field, reason)).collect()
}
