//! Reading figures.

use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;

use crate::catalog;
use crate::db::Tx;
use crate::kernel::{Money, Result};
use crate::{payments, tickets};

/// What became of an event's tickets so far.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct Analytics {
    event_id: String,
    /// The event's capacity; null is unlimited.
    total_tickets: Option<i64>,
    /// Valid tickets.
    sold_tickets: i64,
    /// Decimal: money that came in and was not given back, wherever it was collected.
    #[schema(value_type = f64)]
    revenue: Number,
    /// Null as long as the event has none.
    currency: Option<String>,
    /// Tickets somebody has come in with.
    check_ins: i64,
}

/// The figures of an event the caller may see.
pub fn analytics(tx: &mut Tx<'_>, id: &str) -> Result<Analytics> {
    let event = catalog::ops::events::find(tx, id)?;
    let (sold_tickets, check_ins) = tickets::ops::figures(tx, &event.id)?;
    let revenue_minor = payments::ops::read::revenue(tx, &event.id)?;
    let revenue = event.currency.map(|currency| Money::new(revenue_minor, currency).number());
    Ok(Analytics {
        event_id: event.id.to_string(),
        total_tickets: event.capacity,
        sold_tickets,
        revenue: revenue.unwrap_or_else(|| Number::from(0)),
        currency: event.currency.map(|currency| currency.code().to_owned()),
        check_ins,
    })
}
