//! Reading events.

use crate::catalog::model::offer::event_cancelled;
use crate::catalog::ops::{event_ref, hosts, locations, rates};
use crate::catalog::store::events::{self as store, EventFilter, EventRef, Hold};
use crate::catalog::{Event, EventStatus, EventView};
use crate::db::{Tenant, Tx};
use crate::kernel::ids::{EventId, Id, OrganizationId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Result};

/// An event the caller may see, with its rates.
pub fn read(tx: &mut Tx<'_>, id: &str) -> Result<EventView> {
    let event = find(tx, id)?;
    view(tx, event)
}

/// An event by its slug. 409 `ambiguous_slug` when partners of a channel share it.
pub fn read_by_slug(
    tx: &mut Tx<'_>,
    slug: &str,
    organization: Option<&OrganizationId>,
) -> Result<EventView> {
    let hosts = hosts(tx)?;
    let mut found = store::find_by_slug(tx, &hosts, slug, organization)?;
    if found.len() > 1 {
        let message = "Several organizations use this slug; pass organization_id.";
        return Err(Error::conflict("ambiguous_slug", message));
    }
    let event = found.pop().ok_or_else(Error::not_found)?;
    view(tx, event)
}

/// Events the caller may see, newest first.
pub fn list(tx: &mut Tx<'_>, filter: &EventFilter, page: &PageRequest) -> Result<Page<EventView>> {
    let hosts = hosts(tx)?;
    let Page { rows, limit, next } = store::list(tx, &hosts, filter, page)?;
    Ok(Page { rows: views(tx, rows)?, limit, next })
}

/// An event the caller may see, by id or number.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Event> {
    let wanted = event_ref(id).ok_or_else(Error::not_found)?;
    let hosts = hosts(tx)?;
    store::find(tx, &hosts, &wanted)?.ok_or_else(Error::not_found)
}

/// The id that a filter means by an event's id or number; for what the caller cannot see, one
/// that matches nothing.
pub fn meant_by(tx: &mut Tx<'_>, text: &str) -> Result<EventId> {
    match event_ref(text) {
        Some(EventRef::Id(id)) => Ok(id),
        Some(EventRef::Number(_)) => match find(tx, text) {
            Ok(event) => Ok(event.id),
            Err(error) if error.kind() == crate::kernel::Kind::NotFound => {
                Ok(EventId::from_text(String::new()))
            }
            Err(error) => Err(error),
        },
        None => Ok(EventId::from_text(String::new())),
    }
}

/// The event of a row whose owner is known already (a payment's, a ticket's).
pub fn of_row(tx: &mut Tx<'_>, organization: &OrganizationId, id: &EventId) -> Result<Event> {
    let found = store::of_organization(tx, organization, id)?;
    found.ok_or_else(|| Error::internal("a row names an event that is not there"))
}

/// An event that stays as it is until the end of this transaction: whoever relies on it not being
/// cancelled reads it so.
pub fn of_row_held(tx: &mut Tx<'_>, organization: &OrganizationId, id: &EventId) -> Result<Event> {
    store::hold(tx, organization, id, Hold::Share)?;
    of_row(tx, organization, id)
}

/// An event the caller may see, which stays as it is until the end of this transaction.
pub(in crate::catalog::ops) fn find_held(tx: &mut Tx<'_>, id: &str) -> Result<Event> {
    let seen = find(tx, id)?;
    of_row_held(tx, &seen.organization_id, &seen.id)
}

/// What a tenant still owes: its live events that are published and not over.
pub fn published_events(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<(&'static str, i64)> {
    let count = match tenant {
        Tenant::Organization(id) => store::count_to_come(tx, id)?,
        Tenant::Channel(_) => 0,
    };
    Ok(("published_events", count))
}

/// 409 `event_cancelled` when it is.
pub fn check_not_cancelled(event: &Event) -> Result<()> {
    match event.status {
        EventStatus::Cancelled => Err(event_cancelled()),
        EventStatus::Draft | EventStatus::Published => Ok(()),
    }
}

pub(super) fn view(tx: &mut Tx<'_>, event: Event) -> Result<EventView> {
    let view = views(tx, vec![event])?.pop();
    view.ok_or_else(|| Error::internal("an event without a view"))
}

fn views(tx: &mut Tx<'_>, events: Vec<Event>) -> Result<Vec<EventView>> {
    let mut rates = rates::views_of(tx, &events.iter().collect::<Vec<_>>())?;
    let locations = locations::of_events(tx, &events.iter().collect::<Vec<_>>())?;
    let own = tx.scope().owner().is_some();
    let view = |event: Event| {
        let rates = rates.remove(&event.id).unwrap_or_default();
        let location = locations.iter().find(|known| Some(&known.id) == event.location_id.as_ref());
        EventView::new(event, rates, location, own)
    };
    Ok(events.into_iter().map(view).collect())
}
