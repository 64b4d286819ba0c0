//! The stock a payment holds: every counter it touches, each once.

use std::collections::BTreeMap;

use super::{Priced, count_of};
use crate::db::{Shortage, Tx};
use crate::inventory::{self, Line};
use crate::kernel::ids::{Id, RateId};
use crate::kernel::secret::ServerKey;
use crate::kernel::{Error, Result};
use crate::payments::store::Payment;

/// Holds the stock of every counter the payment touches, each once.
pub(super) fn hold(tx: &mut Tx<'_>, payment: &Payment, lines: &[Priced]) -> Result<()> {
    let wanted = wanted(tx, payment, (lines, true))?;
    let organization = &payment.organization_id;
    inventory::ops::hold(tx, organization, payment.id.as_str(), payment.expires_at, wanted);
    Ok(())
}

/// Sells it at once. How many one buyer may have is not asked: the organization gives them.
pub(super) fn sell(tx: &mut Tx<'_>, payment: &Payment, lines: &[Priced]) -> Result<()> {
    let wanted = wanted(tx, payment, (lines, false))?;
    inventory::ops::sell_now(tx, &payment.organization_id, payment.id.as_str(), wanted);
    Ok(())
}

fn wanted(
    tx: &mut Tx<'_>,
    payment: &Payment,
    (lines, limit_buyers): (&[Priced], bool),
) -> Result<Vec<Line>> {
    let mut wanted: BTreeMap<String, Line> = BTreeMap::new();
    for line in lines {
        let (event, rate, price) = (&line.offer.event, &line.offer.rate, &line.offer.price);
        let count = count_of(&line.holders);
        let field = &line.field;
        add(&mut wanted, (event.id.to_string(), Some(event.revision)), (count, field));
        add(&mut wanted, (rate.id.to_string(), Some(rate.revision)), (count, field));
        let tier = add(&mut wanted, (price.id.to_string(), None), (count, field));
        if line.goes_on && tx.is_plan() {
            // Fewer than when it was planned: the rest is in the next tier.
            tier.shortage = Box::new(|_| Error::rerun("a tier has less than was planned"));
        }
        if let Some(limit) = rate.max_per_buyer.filter(|_| limit_buyers) {
            let counter = buyer_counter(tx, payment, &rate.id)?;
            let line = wanted.entry(counter.clone()).or_insert_with(|| Line {
                counter,
                count: 0,
                at_most: Some(limit),
                revision: None,
                shortage: Box::new(buyer_limit(field.clone())),
            });
            line.count += count;
        }
    }
    Ok(wanted.into_values().collect())
}

fn add<'a>(
    wanted: &'a mut BTreeMap<String, Line>,
    (counter, revision): (String, Option<i64>),
    (count, field): (i64, &str),
) -> &'a mut Line {
    let line = wanted.entry(counter.clone()).or_insert_with(|| Line {
        counter,
        count: 0,
        at_most: None,
        revision,
        shortage: Box::new(sold_out(field.to_owned())),
    });
    line.count += count;
    line
}

pub(super) fn sold_out(field: String) -> impl Fn(Shortage) -> Error + Send {
    move |shortage| {
        let message = match shortage.left {
            0 => "It is sold out.".to_owned(),
            left => format!("Only {left} are left."),
        };
        Error::unprocessable("sold_out", message)
            .on_field(field.clone(), "asks for more than is left")
            .with("left", shortage.left)
    }
}

fn buyer_limit(field: String) -> impl Fn(Shortage) -> Error + Send {
    move |shortage| {
        let message = format!("This buyer can have {} more.", shortage.left);
        Error::unprocessable("buyer_limit", message)
            .on_field(field.clone(), "asks for more than one buyer may have")
            .with("left", shortage.left)
    }
}

/// The counter of what one buyer has of a rate. The e-mail stands in it under the server's key
/// only.
pub(in crate::payments::ops) fn buyer_counter(
    tx: &Tx<'_>,
    payment: &Payment,
    rate: &RateId,
) -> Result<String> {
    let email = payment.buyer_email.as_ref().ok_or_else(|| {
        let reason = "is required: this rate limits how many one buyer may have";
        Error::invalid_field("buyer.email", reason)
    })?;
    let key: &ServerKey = tx.environment().get()?;
    let mac = key.mac("buyer-limit", &[email.to_lowercase().as_bytes()]);
    Ok(format!("{rate}/{}", data_encoding::HEXLOWER.encode(&mac)))
}
