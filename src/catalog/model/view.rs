//! Events and rates as they are shown.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Number, Value};
use utoipa::ToSchema;

use super::offer::{in_time, sale_bar};
use crate::catalog::{
    Event, EventStatus, FeeType, Location, LocationView, Price, Rate, RateKind, Visibility,
};
use crate::inventory::Level;
use crate::kernel::ids::Id;
use crate::kernel::{Currency, Money, Percent, Timestamp};

/// What is said by counters, by counter.
pub type Levels = BTreeMap<String, Level>;

/// A price tier.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct PriceView {
    _id: String,
    id: String,
    name: String,
    /// Decimal, without the fee.
    #[schema(value_type = f64)]
    price: Number,
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
    /// Tickets at this price; null is as many as the rate has.
    quantity: Option<i64>,
    /// Sold or held at this price.
    used: i64,
    fee_type: FeeType,
    /// Decimal percent, or a decimal amount per ticket.
    #[schema(value_type = f64)]
    fee_quantity: Number,
    includes: Option<String>,
    additional_info: Option<String>,
}

/// What is left of a rate. Holds that have run out count as available.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct AvailabilityView {
    /// Sold for good.
    sold: i64,
    /// Held by pending payments.
    held: i64,
    /// What can be bought now under every limit (event, rate, all tiers in time together); null is
    /// unlimited.
    available: Option<i64>,
}

/// A ticket rate.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct RateView {
    _id: String,
    id: String,
    organization_id: String,
    event_id: String,
    name: String,
    slug: String,
    description: Option<String>,
    #[serde(rename = "type")]
    kind: RateKind,
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
    /// Declared sold out.
    complete: bool,
    /// Fewest in one payment.
    min: i64,
    /// Most in one payment.
    max: i64,
    max_per_buyer: Option<i64>,
    capacity: Option<i64>,
    hidden: bool,
    /// Decimal amounts below are in this currency.
    currency: Option<String>,
    prices: Vec<PriceView>,
    /// The tier a buyer pays now: the first that is in time and not used up; null when none is.
    current_price: Option<PriceView>,
    /// Whether `min` tickets can be bought now.
    available: bool,
    availability: AvailabilityView,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// An event.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct EventView {
    _id: String,
    id: String,
    organization_id: String,
    /// Accepted wherever an event id is.
    number: i64,
    status: EventStatus,
    title: String,
    /// The title again.
    name: String,
    slug: String,
    description: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    start_date: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    end_date: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    display_date: Option<Timestamp>,
    timezone: Option<String>,
    venue: Option<String>,
    location_id: Option<String>,
    location: Option<LocationView>,
    capacity: Option<i64>,
    currency: Option<String>,
    age: Option<String>,
    outfit: Option<String>,
    image_url: Option<String>,
    #[schema(value_type = Vec<Object>)]
    artists: Value,
    #[schema(value_type = Vec<String>)]
    music_genres: Value,
    #[schema(value_type = Vec<String>)]
    ambiences: Value,
    visibility: Visibility,
    language: Option<String>,
    /// The organization's own; null for channels.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    ticket_rates: Vec<RateView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl PriceView {
    fn new(price: &Price, currency: Option<Currency>, levels: &Levels) -> Self {
        let decimal = |minor: i64| {
            currency.map_or(Number::from(minor), |currency| Money::new(minor, currency).number())
        };
        let id = price.id.to_string();
        Self {
            _id: id.clone(),
            used: levels.get(&id).map_or(0, Level::committed),
            id,
            name: price.name.clone(),
            price: decimal(price.price_minor),
            valid_until: price.valid_until,
            quantity: price.quantity,
            fee_type: price.fee_type,
            fee_quantity: match price.fee_type {
                FeeType::Percentage => Percent::from_e4(price.fee_quantity).number(),
                FeeType::Fixed => decimal(price.fee_quantity),
            },
            includes: price.includes.clone(),
            additional_info: price.additional_info.clone(),
        }
    }
}

impl RateView {
    /// A rate with its tiers and the levels of its counters at an instant.
    pub fn new(
        event: &Event,
        (rate, prices): (&Rate, &[Price]),
        levels: &Levels,
        now: Timestamp,
    ) -> Self {
        let left_of = |id: &str| levels.get(id).and_then(Level::available);
        let level = levels.get(rate.id.as_str()).copied().unwrap_or_default();
        let current = in_time(prices, now).find(|price| left_of(price.id.as_str()) != Some(0));
        // As many as all tiers in time have together, under the limits of rate and event.
        let tiers = in_time(prices, now).map(|price| left_of(price.id.as_str()));
        let tiers: Option<i64> = tiers.map(|left| left.map(|left| left.max(0))).sum();
        let limits = [left_of(event.id.as_str()), level.available(), tiers];
        let left = limits.into_iter().flatten().min().map(|left| left.max(0));
        let on_sale = sale_bar(event, rate, prices, now).is_none();
        let id = rate.id.to_string();
        Self {
            _id: id.clone(),
            id,
            organization_id: rate.organization_id.to_string(),
            event_id: rate.event_id.to_string(),
            name: rate.name.clone(),
            slug: rate.slug.clone(),
            description: rate.description.clone(),
            kind: rate.kind,
            valid_from: rate.valid_from,
            valid_until: rate.valid_until,
            complete: rate.complete,
            min: rate.min_quantity,
            max: rate.max_quantity,
            max_per_buyer: rate.max_per_buyer,
            capacity: rate.capacity,
            hidden: rate.hidden,
            currency: event.currency.map(|currency| currency.code().to_owned()),
            prices: prices.iter().map(|p| PriceView::new(p, event.currency, levels)).collect(),
            current_price: current.map(|p| PriceView::new(p, event.currency, levels)),
            available: on_sale && left.is_none_or(|left| left >= rate.min_quantity),
            availability: AvailabilityView { sold: level.sold, held: level.held, available: left },
            created_at: rate.created_at,
            updated_at: rate.updated_at,
        }
    }
}

impl EventView {
    /// An event with its rates and where it is, as its organization (`own`) or a channel sees it.
    pub fn new(
        event: Event,
        ticket_rates: Vec<RateView>,
        location: Option<&Location>,
        own: bool,
    ) -> Self {
        let id = event.id.to_string();
        Self {
            _id: id.clone(),
            id,
            organization_id: event.organization_id.to_string(),
            number: event.number,
            status: event.status,
            name: event.title.clone(),
            title: event.title,
            slug: event.slug,
            description: event.description,
            start_date: event.start_date,
            end_date: event.end_date,
            display_date: event.display_date,
            timezone: event.timezone,
            venue: event.venue,
            location_id: event.location_id.map(|id| id.to_string()),
            location: location.map(LocationView::from),
            capacity: event.capacity,
            currency: event.currency.map(|currency| currency.code().to_owned()),
            age: event.age,
            outfit: event.outfit,
            image_url: event.image_url,
            artists: event.artists.0,
            music_genres: event.music_genres.0,
            ambiences: event.ambiences.0,
            visibility: event.visibility,
            language: event.language,
            metadata: own.then_some(event.metadata.0),
            ticket_rates,
            created_at: event.created_at,
            updated_at: event.updated_at,
        }
    }
}

/// A price tier as it is kept on a ticket: what was bought, whatever becomes of the tier.
pub fn price_snapshot(price: &Price, currency: Currency) -> Value {
    let view = PriceView::new(price, Some(currency), &Levels::new());
    let mut value = serde_json::to_value(view).unwrap_or(Value::Null);
    if let Some(fields) = value.as_object_mut() {
        // A count of the moment, not part of what was bought.
        fields.remove("used");
    }
    value
}
