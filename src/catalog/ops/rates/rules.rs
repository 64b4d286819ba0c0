//! What a ticket rate may be.

use crate::catalog::input::rate::{PriceFields, RateFields, TICKETS_MAX};
use crate::catalog::model::offer::event_cancelled;
use crate::catalog::store::rates as store;
use crate::catalog::{Event, EventStatus, FeeType, Price, Rate, RateKind};
use crate::db::Tx;
use crate::kernel::ids::{Id, PriceId};
use crate::kernel::input::{DecimalInput, Faults, Patch};
use crate::kernel::{Currency, Error, Money, Percent, Result};

/// Lays the fields over a rate, checks the result as a whole, and answers the new list of tiers
/// when one was sent.
pub(super) fn lay_over(
    tx: &Tx<'_>,
    event: &Event,
    rate: &mut Rate,
    fields: &RateFields,
    old: &[Price],
) -> Result<Option<Vec<Price>>> {
    if event.status == EventStatus::Cancelled {
        return Err(event_cancelled());
    }
    let mut faults = Faults::default();
    let f = fields.clone();
    match f.name {
        Patch::Set(name) => rate.name = name.0,
        Patch::Clear => faults.add("name", "cannot be cleared"),
        Patch::Absent => {}
    }
    match f.slug {
        Patch::Set(slug) => rate.slug = slug.0,
        Patch::Clear => faults.add("slug", "cannot be cleared"),
        Patch::Absent => {}
    }
    f.description.apply(&mut rate.description, |text| text.0);
    f.r#type.apply_or(&mut rate.kind, RateKind::Limited, |kind| kind);
    f.valid_from.apply(&mut rate.valid_from, |at| at.0);
    f.valid_until.apply(&mut rate.valid_until, |at| at.0);
    f.complete.apply_or(&mut rate.complete, false, |flag| flag);
    f.min.apply_or(&mut rate.min_quantity, 1, |count| count.0);
    f.max.apply_or(&mut rate.max_quantity, TICKETS_MAX, |count| count.0);
    f.max_per_buyer.apply(&mut rate.max_per_buyer, |count| count.0);
    f.capacity.apply(&mut rate.capacity, |count| count.0);
    f.hidden.apply_or(&mut rate.hidden, false, |flag| flag);
    faults.check(rate.min_quantity <= rate.max_quantity, "max", "must not be below min");
    if let (Some(from), Some(until)) = (rate.valid_from, rate.valid_until) {
        faults.check(from < until, "valid_until", "must be after valid_from");
    }
    let prices = match (f.prices, event.currency) {
        (Patch::Absent, _) => None,
        (Patch::Clear, _) => {
            faults.add("prices", "cannot be cleared");
            None
        }
        (Patch::Set(_), None) => {
            faults.finish()?;
            let message = "Set the event's currency first.";
            return Err(Error::unprocessable("currency_missing", message)
                .on_field("event_id", "is an event without a currency"));
        }
        (Patch::Set(prices), Some(currency)) => {
            let tier = |(index, fields): (usize, PriceFields)| {
                price(tx, rate, (index, fields), currency, (old, &mut faults))
            };
            Some(prices.0.into_iter().enumerate().map(tier).collect())
        }
    };
    faults.finish()?;
    Ok(prices)
}

/// One tier from its fields.
fn price(
    tx: &Tx<'_>,
    rate: &Rate,
    (index, fields): (usize, PriceFields),
    currency: Currency,
    (old, faults): (&[Price], &mut Faults),
) -> Price {
    let at = |field: &str| format!("prices[{index}].{field}");
    let before = fields._id.value().and_then(|id| {
        let found = old.iter().find(|price| price.id.as_str() == id.0);
        faults.check(found.is_some(), at("_id"), "is not a tier of this rate");
        found
    });
    let mut money = |field: &str, amount: DecimalInput| {
        let found = Money::from_decimal(amount.0, currency);
        let reason = format!("must have at most {} decimals", currency.exponent());
        faults.check(found.is_some(), at(field), reason);
        found.map_or(0, |money| money.minor)
    };
    let price_minor = money("price", fields.price);
    let fee_type = fields.fee_type.value().unwrap_or(FeeType::Percentage);
    let fee_quantity = match (fields.fee_quantity.value(), fee_type) {
        (None, _) => 0,
        (Some(amount), FeeType::Fixed) => money("fee_quantity", amount),
        (Some(percent), FeeType::Percentage) => {
            let found = Percent::from_decimal(percent.0);
            let reason = "must be a percentage from 0 to 100 with at most 4 decimals";
            faults.check(found.is_some(), at("fee_quantity"), reason);
            found.map_or(0, Percent::e4)
        }
    };
    Price {
        organization_id: rate.organization_id.clone(),
        id: before.map_or_else(|| tx.id::<PriceId>(), |price| price.id.clone()),
        rate_id: rate.id.clone(),
        position: i64::try_from(index).unwrap_or(i64::MAX),
        name: fields.name.value().map_or_else(|| rate.name.clone(), |name| name.0),
        price_minor,
        valid_until: fields.valid_until.value().map(|at| at.0),
        quantity: fields.quantity.value().map(|count| count.0),
        fee_type,
        fee_quantity,
        includes: fields.includes.value().map(|text| text.0),
        additional_info: fields.additional_info.value().map(|text| text.0),
        active: true,
    }
}

pub(super) fn check_slug(tx: &mut Tx<'_>, rate: &Rate) -> Result<()> {
    if store::slug_taken(tx, rate)? {
        let error = Error::conflict("slug_taken", "Another rate of this event has this slug.");
        return Err(error.on_field("slug", "is taken"));
    }
    Ok(())
}
