//! Operations on ticket rates.

mod rules;

use std::collections::BTreeMap;

use rules::{check_slug, lay_over};

use super::events::below_committed;
use crate::catalog::input::rate::{PriceFields, Prices, RateFields, TICKETS_MAX};
use crate::catalog::model::view::Levels;
use crate::catalog::store::rates as store;
use crate::catalog::{Event, EventStatus, Price, Rate, RateKind, RateView};
use crate::db::Tx;
use crate::inventory::{self, Level};
use crate::kernel::ids::{EventId, Id, OrganizationId, RateId};
use crate::kernel::input::{DecimalInput, Patch, Slug, Text};
use crate::kernel::{Error, Money, Result};
use crate::outbox::{ChangeKind, Emit, NewChange};
use crate::parties;

/// The name of a rate that was made with its event.
const FIRST_RATE: &str = "General admission";

/// Creates a rate with its tiers. 404 when the event is not one's own; 409 `event_cancelled`,
/// `slug_taken`; 422 `currency_missing`.
pub fn create(tx: &mut Tx<'_>, fields: &RateFields) -> Result<RateView> {
    let event_id = fields.event_id.clone().value().map(|text| text.0).unwrap_or_default();
    let event = super::events::find_held(tx, &event_id)?;
    create_in(tx, &event, fields)
}

/// The first rate of an event that is just being made: one price, as many as the event has.
pub(super) fn create_first(
    tx: &mut Tx<'_>,
    event: &Event,
    price: &DecimalInput,
) -> Result<RateView> {
    let Some(currency) = event.currency else {
        let message = "A price needs a currency: the event's or the organization's.";
        return Err(Error::unprocessable("currency_missing", message)
            .on_field("currency", "must be set for a price"));
    };
    if Money::from_decimal(price.0, currency).is_none() {
        let reason = format!("must have at most {} decimals", currency.exponent());
        return Err(Error::invalid_field("price", reason));
    }
    let name = Patch::Set(Text(FIRST_RATE.to_owned()));
    let tier = PriceFields { price: *price, ..PriceFields::default() };
    let prices = Patch::Set(Prices(vec![tier]));
    create_in(tx, event, &RateFields { name, prices, ..RateFields::default() })
}

fn create_in(tx: &mut Tx<'_>, event: &Event, fields: &RateFields) -> Result<RateView> {
    let id: RateId = tx.id();
    let mut rate = Rate {
        organization_id: event.organization_id.clone(),
        mode: event.mode,
        event_id: event.id.clone(),
        name: String::new(),
        slug: String::new(),
        description: None,
        kind: RateKind::Limited,
        valid_from: None,
        valid_until: None,
        complete: false,
        min_quantity: 1,
        max_quantity: TICKETS_MAX,
        max_per_buyer: None,
        capacity: None,
        hidden: false,
        revision: 1,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        id,
    };
    let prices = lay_over(tx, event, &mut rate, fields, &[])?.unwrap_or_default();
    if rate.slug.is_empty() {
        let made = Slug::from_name(&rate.name);
        rate.slug = if made.is_empty() { "rate".to_owned() } else { made };
        if store::slug_taken(tx, &rate)? {
            let tail: String = rate.id.as_str().chars().rev().take(6).collect();
            rate.slug = format!("{}-{tail}", rate.slug);
        }
    }
    check_slug(tx, &rate)?;
    inventory::ops::create_counter(tx, &rate.organization_id, rate.id.as_str(), rate.capacity);
    for price in &prices {
        create_price(tx, price);
    }
    tx.append(rate.clone());
    let levels = with_new(levels_of(tx, event, &rate, &[])?, (event, &rate), &prices);
    let view = RateView::new(event, (&rate, &prices), &levels, tx.now());
    announce(tx, &rate, &view)?;
    Ok(view)
}

/// Levels with those of counters that are only just being made.
fn with_new(mut levels: Levels, (event, rate): (&Event, &Rate), prices: &[Price]) -> Levels {
    let made = prices.iter().map(|price| (price.id.to_string(), price.quantity));
    let own = [(event.id.to_string(), event.capacity), (rate.id.to_string(), rate.capacity)];
    for (id, capacity) in made.chain(own) {
        levels.entry(id).or_insert(Level { capacity, ..Level::default() });
    }
    levels
}

/// Changes a rate. 409 `event_cancelled`, `slug_taken`; 422 `below_committed`.
pub fn update(tx: &mut Tx<'_>, id: &str, fields: &RateFields) -> Result<RateView> {
    let (event, before) = find(tx, id)?;
    if !matches!(fields.event_id, Patch::Absent) {
        return Err(Error::invalid_field("event_id", "cannot be changed"));
    }
    let old = store::prices(tx, &[&before])?;
    let mut rate = before.clone();
    let new = lay_over(tx, &event, &mut rate, fields, &old)?;
    if rate.slug != before.slug {
        check_slug(tx, &rate)?;
    }
    rate.revision = before.revision + 1;
    rate.version = before.version + 1;
    rate.updated_at = tx.now();
    if !store::update(tx, &rate, before.version)? {
        return Err(Error::rerun("the rate was changed meanwhile"));
    }
    let (kept, added) = match new {
        Some(new) => replace_prices(tx, &old, new)?,
        None => (old, Vec::new()),
    };
    // After its tiers' counters: everybody locks counters in the order of their ids.
    let (organization, counter) = (&rate.organization_id, rate.id.as_str());
    if !inventory::ops::requote(tx, organization, counter, rate.capacity, rate.revision)? {
        return Err(below_committed("capacity"));
    }
    let prices: Vec<Price> = {
        let mut prices: Vec<Price> = kept.into_iter().chain(added).collect();
        prices.sort_by_key(|price| price.position);
        prices
    };
    let levels = with_new(levels_of(tx, &event, &rate, &prices)?, (&event, &rate), &prices);
    let view = RateView::new(&event, (&rate, &prices), &levels, tx.now());
    announce(tx, &rate, &view)?;
    Ok(view)
}

/// A rate the caller may see.
pub fn read(tx: &mut Tx<'_>, id: &str) -> Result<RateView> {
    let (event, rate) = find(tx, id)?;
    let prices = store::prices(tx, &[&rate])?;
    let levels = levels_of(tx, &event, &rate, &prices)?;
    Ok(RateView::new(&event, (&rate, &prices), &levels, tx.now()))
}

/// A rate of an event the caller may see, by its slug.
pub fn read_by_slug(tx: &mut Tx<'_>, event_id: &str, slug: &str) -> Result<RateView> {
    let event = super::events::find(tx, event_id)?;
    let rate = store::by_slug(tx, &event, slug)?.ok_or_else(Error::not_found)?;
    read(tx, rate.id.as_str())
}

/// Deletes a rate of which nothing was ever sold or held. 409 `has_sales`; 422 `not_publishable`
/// when a published event would be left without a price.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<RateId> {
    let (event, rate) = find(tx, id)?;
    let event = super::events::of_row_held(tx, &event.organization_id, &event.id)?;
    super::events::check_never_sold(tx, &rate.organization_id, rate.id.as_str())?;
    remove(tx, &rate)?;
    if event.status == EventStatus::Published {
        super::events::check_still_publishable(tx, &event)?;
    }
    let gone = serde_json::json!({"_id": rate.id, "id": rate.id, "deleted": true});
    announce_as(
        tx,
        &Rate { version: rate.version + 1, ..rate.clone() },
        (ChangeKind::TicketRateDeleted, gone),
    )?;
    Ok(rate.id)
}

/// Removes a rate with its tiers and their counters.
pub(super) fn remove(tx: &mut Tx<'_>, rate: &Rate) -> Result<()> {
    for price in store::delete_prices(tx, rate)? {
        inventory::ops::delete_counter(tx, &rate.organization_id, price.as_str())?;
    }
    inventory::ops::delete_counter(tx, &rate.organization_id, rate.id.as_str())?;
    store::delete(tx, rate)
}

/// The rates of an event the caller may see, oldest first.
pub fn list(tx: &mut Tx<'_>, event_id: &str) -> Result<Vec<RateView>> {
    let event = super::events::find(tx, event_id)?;
    Ok(views_of(tx, &[&event])?.remove(&event.id).unwrap_or_default())
}

/// A rate the caller may see, with its event.
pub(super) fn find(tx: &mut Tx<'_>, id: &str) -> Result<(Event, Rate)> {
    let id = RateId::parse(id).ok_or_else(Error::not_found)?;
    let rate = store::find(tx, &id)?.ok_or_else(Error::not_found)?;
    let event = super::events::find(tx, rate.event_id.as_str())?;
    let rates = visible(tx, vec![rate])?;
    let own = rates.into_iter().find(|rate| event.organization_id == rate.organization_id);
    own.map(|rate| (event, rate)).ok_or_else(Error::not_found)
}

/// What the caller may see of the rates of some events, by event, oldest first.
pub(super) fn views_of(
    tx: &mut Tx<'_>,
    events: &[&Event],
) -> Result<BTreeMap<EventId, Vec<RateView>>> {
    let rates = store::of_events(tx, events)?;
    let rates = visible(tx, rates)?;
    let mut prices: BTreeMap<RateId, Vec<Price>> = BTreeMap::new();
    for price in store::prices(tx, &rates.iter().collect::<Vec<_>>())? {
        prices.entry(price.rate_id.clone()).or_default().push(price);
    }
    let counters = events.iter().map(|event| (&event.organization_id, event.id.as_str()));
    let counters =
        counters.chain(rates.iter().map(|rate| (&rate.organization_id, rate.id.as_str())));
    let tiers = prices.values().flatten();
    let tiers = tiers.map(|price| (&price.organization_id, price.id.as_str()));
    let levels = inventory::ops::levels(tx, &counters.chain(tiers).collect::<Vec<_>>())?;
    let mut views: BTreeMap<EventId, Vec<RateView>> = BTreeMap::new();
    for rate in &rates {
        let Some(event) = events.iter().find(|event| event.id == rate.event_id) else { continue };
        let prices = prices.get(&rate.id).map_or(&[][..], Vec::as_slice);
        let view = RateView::new(event, (rate, prices), &levels, tx.now());
        views.entry(rate.event_id.clone()).or_default().push(view);
    }
    Ok(views)
}

/// Those that the caller sees: its own, else neither hidden nor kept from the channel.
fn visible(tx: &mut Tx<'_>, rates: Vec<Rate>) -> Result<Vec<Rate>> {
    if tx.scope().owner().is_some() {
        return Ok(rates);
    }
    let limits = match tx.scope().channel() {
        Some(channel) => parties::ops::limits(tx, channel)?,
        None => BTreeMap::new(),
    };
    let sells = |rate: &Rate| {
        limits.get(&rate.organization_id).is_none_or(|limited| limited.sells(&rate.id))
    };
    Ok(rates.into_iter().filter(|rate| !rate.hidden && sells(rate)).collect())
}

/// Whether a rate is an organization's own, in either mode.
pub fn is_own(tx: &mut Tx<'_>, owner: &OrganizationId, id: &RateId) -> Result<bool> {
    Ok(store::of_organization(tx, owner, id)?.is_some())
}

fn levels_of(tx: &mut Tx<'_>, event: &Event, rate: &Rate, prices: &[Price]) -> Result<Levels> {
    let organization = &rate.organization_id;
    let own = [event.id.as_str(), rate.id.as_str()];
    let ids = own.into_iter().chain(prices.iter().map(|price| price.id.as_str()));
    let counters: Vec<_> = ids.map(|id| (organization, id)).collect();
    inventory::ops::levels(tx, &counters)
}

fn create_price(tx: &mut Tx<'_>, price: &Price) {
    let (organization, counter) = (&price.organization_id, price.id.as_str());
    inventory::ops::create_counter(tx, organization, counter, price.quantity);
    tx.append(price.clone());
}

/// Keeps the tiers that are named again, retires the others, adds the new ones.
fn replace_prices(
    tx: &mut Tx<'_>,
    old: &[Price],
    new: Vec<Price>,
) -> Result<(Vec<Price>, Vec<Price>)> {
    let known = |price: &Price| old.iter().any(|before| before.id == price.id);
    let (kept, added): (Vec<Price>, Vec<Price>) = new.into_iter().partition(known);
    for before in old {
        let Some(price) = kept.iter().find(|price| price.id == before.id) else {
            store::update_price(tx, &Price { active: false, ..before.clone() })?;
            continue;
        };
        store::update_price(tx, price)?;
        let (organization, counter) = (&price.organization_id, price.id.as_str());
        if !inventory::ops::requote(tx, organization, counter, price.quantity, 1)? {
            return Err(below_committed(format!("prices[{}].quantity", price.position)));
        }
    }
    added.iter().for_each(|price| create_price(tx, price));
    Ok((kept, added))
}

fn announce(tx: &mut Tx<'_>, rate: &Rate, view: &RateView) -> Result<()> {
    let object = serde_json::to_value(view).map_err(Error::internal)?;
    announce_as(tx, rate, (ChangeKind::TicketRateUpdated, object))
}

fn announce_as(
    tx: &mut Tx<'_>,
    rate: &Rate,
    (kind, object): (ChangeKind, serde_json::Value),
) -> Result<()> {
    tx.emit(NewChange {
        kind,
        mode: rate.mode,
        organization: rate.organization_id.clone(),
        channel: None,
        event: Some(rate.event_id.clone()),
        object_id: rate.id.to_string(),
        sequence: rate.version,
        for_organization: object,
        for_channel: None,
    })
}
