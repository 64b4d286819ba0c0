//! What the sale asks of the catalogue.

use crate::catalog::Offer;
use crate::catalog::model::offer::{current_price, sale_bar};
use crate::catalog::store::rates as store;
use crate::db::Tx;
use crate::kernel::ids::RateId;
use crate::kernel::{Error, Result};

/// The offer of a rate to the caller, now. 404 when the caller may not see it, 409
/// `event_cancelled`, 422 `not_on_sale`.
pub fn offer(tx: &mut Tx<'_>, rate: &RateId) -> Result<Offer> {
    let (event, rate) = super::rates::find(tx, rate.to_string().as_str())?;
    let prices = store::prices(tx, &rate.organization_id, &rate.id)?;
    if let Some(bar) = sale_bar(&event, &rate, &prices, tx.now()) {
        return Err(bar.error());
    }
    let price = current_price(&prices, tx.now()).cloned();
    let price = price.ok_or_else(|| Error::internal("an offer without a price"))?;
    let currency = event.currency.ok_or_else(|| Error::internal("a sale without a currency"))?;
    Ok(Offer { event, rate, price, currency })
}
