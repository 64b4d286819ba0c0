//! What the sale asks of the catalogue.

use super::quotes::{Quote, quote};
use crate::catalog::model::offer::{in_time, sale_bar};
use crate::catalog::model::tiers::{Tier, Unmet, allot};
use crate::catalog::store::rates;
use crate::catalog::{Event, EventStatus, Offer, Rate, SaleBar};
use crate::db::{Tenant, Tx};
use crate::inventory::{self, Key};
use crate::kernel::ids::{Id, OrganizationId, PriceId, RateId};
use crate::kernel::{Currency, Error, Result};
use crate::parties;

/// A rate that is on sale, with the tiers a buyer may come to.
pub struct OnSale {
    /// The event.
    pub event: Event,
    /// The rate.
    pub rate: Rate,
    currency: Currency,
    tiers: Vec<Tier>,
}

/// A rate on sale to the caller, now. 404 when the caller may not see it, 409 `event_cancelled`,
/// 422 `not_on_sale`.
pub fn on_sale(tx: &mut Tx<'_>, rate: &RateId) -> Result<OnSale> {
    let quote = quote(tx, rate)?.ok_or_else(Error::not_found)?;
    if !may_see(tx, &quote)? {
        return Err(Error::not_found());
    }
    let Quote { event, rate, prices } = &*quote;
    if let Some(bar) = sale_bar(event, rate, prices, tx.now()) {
        return Err(bar.error());
    }
    let currency = event.currency.ok_or_else(|| Error::internal("a sale without a currency"))?;
    let tier = |price: &crate::catalog::Price| Tier { price: price.clone(), left: None };
    let tiers = in_time(prices, tx.now()).map(tier).collect();
    Ok(OnSale { event: event.clone(), rate: rate.clone(), currency, tiers })
}

/// A rate of an event as its organization may give tickets of it: whenever it likes, a draft's too.
/// Without an id, the event's first. 404, 409 `event_cancelled`, 422 `not_on_sale` without a price.
pub fn direct(tx: &mut Tx<'_>, event: &Event, rate: Option<&RateId>) -> Result<OnSale> {
    let first = match rate {
        Some(rate) => Some(rate.clone()),
        None => rates::of_events(tx, &[event])?.into_iter().next().map(|rate| rate.id),
    };
    let Some(id) = first else { return Err(SaleBar::NoPrice.error()) };
    let quote = quote(tx, &id)?.filter(|quote| quote.rate.event_id == event.id);
    let quote = quote
        .ok_or_else(|| Error::not_found().on_field("rate_id", "is no ticket rate of this event"))?;
    let Quote { event, rate, prices } = &*quote;
    if event.status == EventStatus::Cancelled {
        return Err(SaleBar::Cancelled.error());
    }
    let currency = event.currency.ok_or_else(|| SaleBar::NoPrice.error())?;
    let tier = |price: &crate::catalog::Price| Tier { price: price.clone(), left: None };
    let tiers: Vec<Tier> = in_time(prices, tx.now()).map(tier).collect();
    if tiers.is_empty() {
        return Err(SaleBar::NoPrice.error());
    }
    Ok(OnSale { event: event.clone(), rate: rate.clone(), currency, tiers })
}

impl OnSale {
    /// Whether what is left of its tiers decides about the price: another one follows. Else the
    /// take itself says when there is too little.
    pub fn goes_on(&self) -> bool {
        self.tiers.len() > 1 && self.tiers.first().is_some_and(|tier| tier.price.quantity.is_some())
    }

    /// So many tickets, each part of them at its price.
    pub fn allot(
        &mut self,
        count: i64,
        pinned: Option<&PriceId>,
    ) -> std::result::Result<Vec<(Offer, i64)>, Unmet> {
        let parts = allot(&mut self.tiers, count, pinned)?;
        let part = |(index, count): (usize, i64)| {
            let price = self.tiers.get(index)?.price.clone();
            let (event, rate) = (self.event.clone(), self.rate.clone());
            Some((Offer { event, rate, price, currency: self.currency }, count))
        };
        Ok(parts.into_iter().filter_map(part).collect())
    }
}

/// Looks up what is left of the tiers of rates of one event, where that decides about the price.
/// In a transaction it stays so until its end; a plan relies on its takes.
pub fn count_tiers(tx: &mut Tx<'_>, rates: &mut [&mut OnSale]) -> Result<()> {
    if !rates.iter().any(|rate| rate.goes_on()) {
        return Ok(());
    }
    let ids: Vec<(OrganizationId, String)> = rates
        .iter()
        .flat_map(|rate| {
            let own = [rate.event.id.to_string(), rate.rate.id.to_string()];
            let ids = own.into_iter().chain(rate.tiers.iter().map(|t| t.price.id.to_string()));
            ids.map(|id| (rate.event.organization_id.clone(), id)).collect::<Vec<_>>()
        })
        .collect();
    let keys: Vec<Key<'_>> = ids.iter().map(|(owner, id)| (owner, id.as_str())).collect();
    if !tx.is_plan() {
        inventory::ops::lock(tx, &keys)?;
    }
    let levels = inventory::ops::levels(tx, &keys)?;
    for tier in rates.iter_mut().filter(|rate| rate.goes_on()).flat_map(|rate| &mut rate.tiers) {
        tier.left = levels.get(tier.price.id.as_str()).and_then(|level| level.available());
    }
    Ok(())
}

/// Its own organization, or a partner channel once it is published.
fn may_see(tx: &mut Tx<'_>, quote: &Quote) -> Result<bool> {
    let owner = &quote.event.organization_id;
    let channel = match tx.scope().tenant() {
        Some(Tenant::Organization(id)) => return Ok(id == owner),
        Some(Tenant::Channel(channel)) => channel,
        None => return Err(Error::internal("offers are made to tenants")),
    };
    let shown = match quote.event.status {
        EventStatus::Draft => false,
        EventStatus::Published | EventStatus::Cancelled => !quote.rate.hidden,
    };
    let partnership = parties::ops::active_partnership(tx, owner, channel)?;
    Ok(shown && partnership.is_some_and(|partnership| partnership.sells(&quote.rate.id)))
}

/// How many of a rate one buyer may have today.
pub fn limit_per_buyer(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    rate: &RateId,
) -> Result<Option<i64>> {
    let rate = rates::of_organization(tx, organization, rate)?;
    Ok(rate.and_then(|rate| rate.max_per_buyer))
}
