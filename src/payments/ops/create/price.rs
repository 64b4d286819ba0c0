//! What is wanted, at its prices: the server prices everything.

use std::collections::BTreeMap;

use super::count_of;
use super::hold::sold_out;
use super::wanted::{Holder, Wanted};
use crate::catalog::ops::offers::{OnSale, count_tiers, on_sale};
use crate::catalog::{Offer, Unmet};
use crate::db::{Shortage, Tx};
use crate::kernel::ids::{Id, PriceId, RateId};
use crate::kernel::{Error, Kind, Money, Result};

/// So many tickets of one rate at one price.
pub(super) struct Priced {
    pub(super) offer: Offer,
    pub(super) holders: Vec<Holder>,
    pub(super) field: String,
    pub(super) unit: Money,
    pub(super) fee: Money,
    /// The price depends on what was left of its tier, and another one may follow.
    pub(super) goes_on: bool,
}

/// Asks the catalogue for each rate and prices the lines in their order: what one line takes of a
/// tier is not there for the next.
pub(super) fn price(tx: &mut Tx<'_>, wanted: Vec<Wanted>) -> Result<Vec<Priced>> {
    let mut rates: BTreeMap<RateId, OnSale> = BTreeMap::new();
    let mut event = None;
    for want in &wanted {
        let id = RateId::parse(&want.rate).ok_or_else(|| no_such_rate(&want.field))?;
        if rates.contains_key(&id) {
            continue;
        }
        let rate = on_sale(tx, &id).map_err(|error| match error.kind() {
            Kind::NotFound => no_such_rate(&want.field),
            _ => error,
        })?;
        if event.get_or_insert_with(|| rate.event.id.clone()) != &rate.event.id {
            let reason = "belongs to another event: one payment, one event";
            return Err(Error::invalid_field(want.field.clone(), reason));
        }
        rates.insert(id, rate);
    }
    check_quantities(&wanted, &rates)?;
    count_tiers(tx, &mut rates.values_mut().collect::<Vec<_>>())?;
    let mut lines = Vec::new();
    for want in wanted {
        let rate = RateId::parse(&want.rate).and_then(|id| rates.get_mut(&id));
        let rate = rate.ok_or_else(|| Error::internal("a line without its rate"))?;
        price_one(rate, want, &mut lines)?;
    }
    Ok(lines)
}

pub(super) fn price_one(rate: &mut OnSale, want: Wanted, lines: &mut Vec<Priced>) -> Result<()> {
    let pinned = want.price.as_deref().map(|text| PriceId::from_text(text.to_owned()));
    let parts = rate.allot(count_of(&want.holders), pinned.as_ref());
    let parts = parts.map_err(|unmet| match unmet {
        Unmet::Short(left) => sold_out(want.field.clone())(Shortage { left }),
        Unmet::NotPinned => price_unavailable(&want.field),
    })?;
    let goes_on = rate.goes_on();
    let mut holders = want.holders.into_iter();
    for (offer, count) in parts {
        let holders = holders.by_ref().take(usize::try_from(count).unwrap_or(0)).collect();
        let (unit, fee) = (offer.unit(), offer.fee()?);
        lines.push(Priced { offer, holders, field: want.field.clone(), unit, fee, goes_on });
    }
    Ok(())
}

/// 404 would not say which of several rates is meant.
fn no_such_rate(field: &str) -> Error {
    Error::not_found().on_field(field, "is no ticket rate that you can sell")
}

/// 422: the tier that was shown is not the one in sale, or has fewer than that.
fn price_unavailable(field: &str) -> Error {
    let message = "This price is not in sale for so many tickets.";
    Error::unprocessable("price_unavailable", message)
        .on_field(format!("{field}.price_id"), "is not in sale for so many tickets")
}

/// The rates' own minimum and maximum, over all lines of a rate.
fn check_quantities(wanted: &[Wanted], rates: &BTreeMap<RateId, OnSale>) -> Result<()> {
    for (id, OnSale { rate, .. }) in rates {
        let lines = || wanted.iter().filter(|want| want.rate == id.as_str());
        let count: i64 = lines().map(|want| count_of(&want.holders)).sum();
        if count < rate.min_quantity || count > rate.max_quantity {
            let field = lines().next().map_or("", |want| want.field.as_str());
            let range = format!("{} to {}", rate.min_quantity, rate.max_quantity);
            let message = format!("This rate sells {range} tickets at once.");
            return Err(Error::unprocessable("quantity_out_of_range", message)
                .on_field(field, format!("must be {range} tickets"))
                .with("min", rate.min_quantity)
                .with("max", rate.max_quantity));
        }
    }
    Ok(())
}
