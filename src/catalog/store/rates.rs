//! The tables `ticket_rates` and `rate_prices`.

use diesel::prelude::*;

use crate::catalog::Event;
use crate::db::schema::{rate_prices, ticket_rates};
use crate::db::{Keys, Tx, among};
use crate::kernel::ids::{EventId, OrganizationId, PriceId, RateId};
use crate::kernel::{Mode, Result, Timestamp};
use crate::{append_only, on_each, text_enum};

text_enum! {
    /// What kind of rate it is, for display.
    pub enum RateKind {
        /// Limited.
        Limited = "limited",
        /// Open to all.
        Public = "public",
    }
}

text_enum! {
    /// How a fee is reckoned.
    pub enum FeeType {
        /// Percent of the price.
        Percentage = "percentage",
        /// An amount per ticket.
        Fixed = "fixed",
    }
}

/// A ticket rate, as it is stored.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone, Debug)]
#[diesel(table_name = ticket_rates)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)]
pub struct Rate {
    pub organization_id: OrganizationId,
    pub id: RateId,
    pub mode: Mode,
    pub event_id: EventId,
    pub name: String,
    pub slug: String,
    pub description: Option<String>,
    pub kind: RateKind,
    pub valid_from: Option<Timestamp>,
    pub valid_until: Option<Timestamp>,
    pub complete: bool,
    pub min_quantity: i64,
    pub max_quantity: i64,
    pub max_per_buyer: Option<i64>,
    pub capacity: Option<i64>,
    pub hidden: bool,
    pub revision: i64,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
append_only!(
    Rate,
    ticket_rates,
    16,
    [
        organization_id,
        id,
        mode,
        event_id,
        name,
        slug,
        description,
        kind,
        valid_from,
        valid_until,
        complete,
        min_quantity,
        max_quantity,
        max_per_buyer,
        capacity,
        hidden,
        revision,
        version,
        created_at,
        updated_at,
    ]
);

/// One price tier, as it is stored. Amounts are minor units of the event's currency.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone, Debug)]
#[diesel(table_name = rate_prices)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)]
pub struct Price {
    pub organization_id: OrganizationId,
    pub id: PriceId,
    pub rate_id: RateId,
    pub position: i64,
    pub name: String,
    pub price_minor: i64,
    pub valid_until: Option<Timestamp>,
    pub quantity: Option<i64>,
    pub fee_type: FeeType,
    pub fee_quantity: i64,
    pub includes: Option<String>,
    pub additional_info: Option<String>,
    pub active: bool,
}
append_only!(
    Price,
    rate_prices,
    17,
    [
        organization_id,
        id,
        rate_id,
        position,
        name,
        price_minor,
        valid_until,
        quantity,
        fee_type,
        fee_quantity,
        includes,
        additional_info,
        active,
    ]
);

/// A rate of the mode by its id, whoever owns it: the caller checks the event it belongs to.
pub(in crate::catalog) fn find(tx: &mut Tx<'_>, id: &RateId) -> Result<Option<Rate>> {
    let mode = tx.mode()?;
    let query =
        ticket_rates::table.filter(ticket_rates::id.eq(id)).filter(ticket_rates::mode.eq(mode));
    Ok(on_each!(tx.conn()?, |c| query.first(c)).optional()?)
}

/// A rate of an organization, whatever the scope: for slices whose row says whose it is.
pub(in crate::catalog) fn of_organization(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &RateId,
) -> Result<Option<Rate>> {
    let query = ticket_rates::table.find((organization, id));
    Ok(on_each!(tx.conn()?, |c| query.first(c)).optional()?)
}

/// The rates of some events, oldest first.
pub(in crate::catalog) fn of_events(tx: &mut Tx<'_>, events: &[&Event]) -> Result<Vec<Rate>> {
    let keys: Keys<'_> = events.iter().map(|event| (&event.organization_id, &event.id)).collect();
    let query = ticket_rates::table
        .filter(among((ticket_rates::organization_id, ticket_rates::event_id), keys))
        .order(ticket_rates::id);
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}

/// The tiers in sale of some rates, in order.
pub(in crate::catalog) fn prices(tx: &mut Tx<'_>, rates: &[&Rate]) -> Result<Vec<Price>> {
    let keys: Keys<'_> = rates.iter().map(|rate| (&rate.organization_id, &rate.id)).collect();
    let query = rate_prices::table
        .filter(among((rate_prices::organization_id, rate_prices::rate_id), keys))
        .filter(rate_prices::active.eq(true))
        .order(rate_prices::position);
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}

pub(in crate::catalog) fn slug_taken(tx: &mut Tx<'_>, rate: &Rate) -> Result<bool> {
    let query = ticket_rates::table
        .filter(ticket_rates::organization_id.eq(&rate.organization_id))
        .filter(ticket_rates::event_id.eq(&rate.event_id))
        .filter(ticket_rates::slug.eq(&rate.slug))
        .filter(ticket_rates::id.ne(&rate.id))
        .select(ticket_rates::id);
    Ok(on_each!(tx.conn()?, |c| query.first::<RateId>(c)).optional()?.is_some())
}

/// Writes a rate back if nobody has changed it since it was read.
pub(in crate::catalog) fn update(tx: &mut Tx<'_>, rate: &Rate, version: i64) -> Result<bool> {
    let updated = diesel::update(ticket_rates::table.find((&rate.organization_id, &rate.id)))
        .filter(ticket_rates::version.eq(version))
        .set(rate)
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

pub(in crate::catalog) fn update_price(tx: &mut Tx<'_>, price: &Price) -> Result<()> {
    diesel::update(rate_prices::table.find((&price.organization_id, &price.id)))
        .set(price)
        .execute(tx.conn()?)?;
    Ok(())
}

/// A rate of an event by its slug.
pub(in crate::catalog) fn by_slug(
    tx: &mut Tx<'_>,
    event: &Event,
    slug: &str,
) -> Result<Option<Rate>> {
    let query = ticket_rates::table
        .filter(ticket_rates::organization_id.eq(&event.organization_id))
        .filter(ticket_rates::event_id.eq(&event.id))
        .filter(ticket_rates::slug.eq(slug));
    Ok(on_each!(tx.conn()?, |c| query.first(c)).optional()?)
}

/// Deletes the tiers of a rate, those no longer in sale too. Returns their ids, in order.
pub(in crate::catalog) fn delete_prices(tx: &mut Tx<'_>, rate: &Rate) -> Result<Vec<PriceId>> {
    let of_rate = || {
        rate_prices::table
            .filter(rate_prices::organization_id.eq(&rate.organization_id))
            .filter(rate_prices::rate_id.eq(&rate.id))
    };
    let ids = of_rate().order(rate_prices::id).select(rate_prices::id).load(tx.conn()?)?;
    diesel::delete(of_rate()).execute(tx.conn()?)?;
    Ok(ids)
}

pub(in crate::catalog) fn delete(tx: &mut Tx<'_>, rate: &Rate) -> Result<()> {
    diesel::delete(ticket_rates::table.find((&rate.organization_id, &rate.id)))
        .execute(tx.conn()?)?;
    Ok(())
}
