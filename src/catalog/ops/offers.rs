//! What the sale asks of the catalogue.

use super::quotes::{Quote, quote};
use crate::catalog::model::offer::{current_price, sale_bar};
use crate::catalog::store::rates;
use crate::catalog::{EventStatus, Offer};
use crate::db::{Tenant, Tx};
use crate::kernel::ids::{OrganizationId, RateId};
use crate::kernel::{Error, Result};
use crate::parties;

/// The offer of a rate to the caller, now. 404 when the caller may not see it, 409
/// `event_cancelled`, 422 `not_on_sale`.
pub fn offer(tx: &mut Tx<'_>, rate: &RateId) -> Result<Offer> {
    let quote = quote(tx, rate)?.ok_or_else(Error::not_found)?;
    if !may_see(tx, &quote)? {
        return Err(Error::not_found());
    }
    let Quote { event, rate, prices } = &*quote;
    if let Some(bar) = sale_bar(event, rate, prices, tx.now()) {
        return Err(bar.error());
    }
    let price = current_price(prices, tx.now()).cloned();
    let price = price.ok_or_else(|| Error::internal("an offer without a price"))?;
    let currency = event.currency.ok_or_else(|| Error::internal("a sale without a currency"))?;
    Ok(Offer { event: event.clone(), rate: rate.clone(), price, currency })
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
    Ok(shown && parties::ops::active_partnership(tx, owner, channel)?.is_some())
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
