//! A rate with its event and its prices, remembered: what every sale asks for.
//!
//! A remembered quote is never trusted: whoever plans on it takes stock at the revisions it was
//! read at, and a counter with another revision sends the operation back to the database. So
//! nothing has to be told when a quote changes. Revisions are read before what they vouch for.

use std::sync::Arc;

use moka::sync::Cache;

use crate::catalog::store::{events, rates};
use crate::catalog::{Event, Price, Rate};
use crate::db::Tx;
use crate::kernel::ids::RateId;
use crate::kernel::{Mode, Result};

/// Most quotes remembered.
const QUOTES_MAX: u64 = 10_000;

/// What this server remembers of the catalogue; part of the environment.
pub struct Quotes(Cache<(Mode, RateId), Arc<Quote>>);

impl Default for Quotes {
    fn default() -> Self {
        Self(Cache::new(QUOTES_MAX))
    }
}

/// A rate, its event and its tiers in sale.
pub(super) struct Quote {
    pub(super) event: Event,
    pub(super) rate: Rate,
    pub(super) prices: Vec<Price>,
}

impl Quote {
    fn revisions(&self) -> (i64, i64) {
        (self.event.revision, self.rate.revision)
    }
}

/// The quote of a rate, whoever owns it: the caller checks who may see it.
pub(super) fn quote(tx: &mut Tx<'_>, rate: &RateId) -> Result<Option<Arc<Quote>>> {
    let quotes: &Quotes = tx.environment().get()?;
    let key = (tx.mode()?, rate.clone());
    if tx.is_plan()
        && let Some(known) = quotes.0.get(&key)
    {
        return Ok(Some(known));
    }
    let found = load(tx, rate)?.map(Arc::new);
    match &found {
        Some(quote) if tx.is_plan() => quotes.0.insert(key, quote.clone()),
        // What a transaction sees may never be committed, so it is not remembered here.
        _ => {
            let now = found.as_deref().map(Quote::revisions);
            if quotes.0.get(&key).is_some_and(|known| Some(known.revisions()) != now) {
                quotes.0.invalidate(&key);
            }
        }
    }
    Ok(found)
}

fn load(tx: &mut Tx<'_>, id: &RateId) -> Result<Option<Quote>> {
    let Some(rate) = rates::find(tx, id)? else {
        return Ok(None);
    };
    let Some(event) = events::of_organization(tx, &rate.organization_id, &rate.event_id)? else {
        return Ok(None);
    };
    let prices = rates::prices(tx, &[&rate])?;
    Ok(Some(Quote { event, rate, prices }))
}
