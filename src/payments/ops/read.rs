//! Reading payments.

use std::collections::BTreeMap;

use super::{find, view};
use crate::db::Tx;
use crate::kernel::Result;
use crate::kernel::ids::{EventId, OrganizationId, PaymentId, TicketId};
use crate::kernel::page::{Page, PageRequest};
use crate::payments::model::PaymentView;
use crate::payments::store::{self, Filter, Item, Payment};
use crate::tickets;

pub use crate::payments::store::Filter as PaymentFilter;

/// A payment the caller may see, as it stands at this instant.
pub fn read(tx: &mut Tx<'_>, id: &str) -> Result<PaymentView> {
    let payment = find(tx, id)?;
    view(tx, &payment)
}

/// Payments the caller may see, newest first.
pub fn list(tx: &mut Tx<'_>, filter: Filter, page: &PageRequest) -> Result<Page<PaymentView>> {
    let reader = tx.tenant()?;
    let found = store::list(tx, filter, page)?;
    let keys: Vec<_> = found.rows.iter().map(|found| (&found.organization_id, &found.id)).collect();
    let mut items: BTreeMap<PaymentId, Vec<Item>> = BTreeMap::new();
    for item in store::items_of_all(tx, &found.rows)? {
        items.entry(item.payment_id.clone()).or_default().push(item);
    }
    let mut of_payment: BTreeMap<PaymentId, Vec<TicketId>> = BTreeMap::new();
    for (payment, ticket) in tickets::ops::ids_of_payments(tx, &keys)? {
        of_payment.entry(payment).or_default().push(ticket);
    }
    let now = tx.now();
    Ok(found.map(|payment| {
        let items = items.remove(&payment.id).unwrap_or_default();
        let tickets = of_payment.remove(&payment.id).unwrap_or_default();
        PaymentView::new(&payment, &items, tickets, (Some(&reader), now))
    }))
}

/// Money of the caller's payments for an event that came in and was not given back, in minor units.
pub fn revenue(tx: &mut Tx<'_>, event: &EventId) -> Result<i64> {
    store::revenue(tx, event)
}

/// A payment with its items, by its whole key: for slices that were told of it by a change.
pub fn whole(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &PaymentId,
) -> Result<Option<(Payment, Vec<Item>)>> {
    let Some(payment) = store::of_row(tx, organization, id)? else {
        return Ok(None);
    };
    let items = store::items(tx, &payment)?;
    Ok(Some((payment, items)))
}
