//! Operations on events.

mod read;
mod rules;

use serde_json::Value;

use super::own_organization;
use crate::catalog::input::event::EventFields;
use crate::catalog::model::offer::event_cancelled;
use crate::catalog::store::events as store;
use crate::catalog::store::events::Hold;
use crate::catalog::{Event, EventStatus, EventView, Visibility};
use crate::db::Tx;
use crate::db::types::Json;
use crate::inventory;
use crate::kernel::ids::{EventId, Id};
use crate::kernel::input::{Patch, Slug};
use crate::kernel::{Currency, Error, Result};
use crate::outbox::{ChangeKind, Emit, NewChange};

pub(super) use read::find_held;
pub use read::{
    check_not_cancelled, find, list, meant_by, of_row, of_row_held, published_events, read,
    read_by_slug,
};
use rules::{check_currency, check_slug, lay_over};
pub(super) use rules::{check_never_sold, check_still_publishable};

pub use crate::catalog::store::events::{EventFilter, EventRef, StartsAt};

/// Creates a draft, with a first rate when a price is sent. 400 on faults, 409 `slug_taken`, 422
/// `currency_missing`.
pub fn create(tx: &mut Tx<'_>, fields: &EventFields) -> Result<EventView> {
    let organization = own_organization(tx)?;
    let id: EventId = tx.id();
    let number = store::next_number(tx, &organization.id, &id)?;
    let currency = organization.currency.as_deref().and_then(Currency::parse);
    let mut event = Event {
        organization_id: organization.id.clone(),
        mode: tx.mode()?,
        number,
        status: EventStatus::Draft,
        title: String::new(),
        slug: String::new(),
        description: None,
        start_date: None,
        end_date: None,
        display_date: None,
        timezone: organization.timezone,
        venue: None,
        capacity: None,
        currency,
        age: None,
        outfit: None,
        image_url: None,
        artists: Json(Value::Array(Vec::new())),
        music_genres: Json(Value::Array(Vec::new())),
        ambiences: Json(Value::Array(Vec::new())),
        visibility: Visibility::Public,
        language: None,
        metadata: Json(Value::Object(serde_json::Map::new())),
        location_id: None,
        start_day: None,
        search_text: String::new(),
        revision: 1,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        id,
    };
    lay_over(tx, &mut event, fields)?;
    if event.slug.is_empty() {
        event.slug =
            format!("{}-{number}", Slug::from_name(&event.title)).trim_matches('-').to_owned();
        if store::slug_taken(tx, &event.organization_id, &event.slug, None)? {
            let tail: String = event.id.as_str().chars().rev().take(6).collect();
            event.slug = format!("{}-{tail}", event.slug);
        }
    }
    check_slug(tx, &event, None)?;
    inventory::ops::create_counter(tx, &organization.id, &event.id.to_string(), event.capacity);
    tx.append(event.clone());
    let rates = match &fields.price {
        Patch::Set(price) => vec![super::rates::create_first(tx, &event, price)?],
        Patch::Absent | Patch::Clear => Vec::new(),
    };
    let location = super::locations::of_events(tx, &[&event])?.pop();
    let view = EventView::new(event.clone(), rates, location.as_ref(), true);
    announce(tx, &event, ChangeKind::EventCreated, &view)?;
    Ok(view)
}

/// Changes an event. 409 `event_cancelled`, `slug_taken`, `currency_fixed`; 422 `below_committed`.
pub fn update(tx: &mut Tx<'_>, id: &str, fields: &EventFields) -> Result<EventView> {
    let before = find_to_change(tx, id)?;
    if fields.price != Patch::Absent {
        let reason = "is for creating an event; change its ticket rates instead";
        return Err(Error::invalid_field("price", reason));
    }
    if before.status == EventStatus::Cancelled {
        return Err(event_cancelled());
    }
    let mut event = before.clone();
    lay_over(tx, &mut event, fields)?;
    if event.slug != before.slug {
        check_slug(tx, &event, Some(&before.id))?;
    }
    if event.currency != before.currency {
        check_currency(tx, &before, event.currency)?;
    }
    if event.status == EventStatus::Published {
        check_still_publishable(tx, &event)?;
    }
    change(tx, before, event, ChangeKind::EventUpdated)
}

/// Puts a draft on sale. 409 unless it is a draft; 422 `not_publishable` with all that is missing.
pub fn publish(tx: &mut Tx<'_>, id: &str) -> Result<EventView> {
    let before = find_to_change(tx, id)?;
    if before.status != EventStatus::Draft {
        return Err(wrong_status(before.status));
    }
    check_still_publishable(tx, &before)?;
    let mut event = before.clone();
    event.status = EventStatus::Published;
    change(tx, before, event, ChangeKind::EventPublished)
}

/// Calls an event off: from this commit on nothing is sold or paid and nobody is let in. Its
/// pending payments are cancelled by a job that listens to the change.
pub fn cancel(tx: &mut Tx<'_>, id: &str) -> Result<EventView> {
    let before = find_to_change(tx, id)?;
    if before.status == EventStatus::Cancelled {
        return Err(wrong_status(before.status));
    }
    let mut event = before.clone();
    event.status = EventStatus::Cancelled;
    change(tx, before, event, ChangeKind::EventCancelled)
}

/// Deletes an event of which nothing was ever sold or held, with its rates. 409 `has_sales`.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<EventId> {
    let event = find_to_change(tx, id)?;
    check_never_sold(tx, &event.organization_id, event.id.as_str())?;
    for rate in crate::catalog::store::rates::of_events(tx, &[&event])? {
        super::rates::remove(tx, &rate)?;
    }
    inventory::ops::delete_counter(tx, &event.organization_id, event.id.as_str())?;
    store::delete(tx, &event)?;
    let gone = serde_json::json!({"_id": event.id, "id": event.id, "deleted": true});
    let gone_at = Event { version: event.version + 1, ..event.clone() };
    announce_as(tx, &gone_at, (ChangeKind::EventDeleted, gone))?;
    Ok(event.id)
}

/// An event of the caller's own, to be changed: nobody else relies on it or changes it meanwhile.
fn find_to_change(tx: &mut Tx<'_>, id: &str) -> Result<Event> {
    let seen = find(tx, id)?;
    store::hold(tx, &seen.organization_id, &seen.id, Hold::Change)?;
    of_row(tx, &seen.organization_id, &seen.id)
}

/// Writes an event back with a new version and revision, on its row and on its counter.
fn change(tx: &mut Tx<'_>, before: Event, mut event: Event, kind: ChangeKind) -> Result<EventView> {
    event.revision = before.revision + 1;
    event.version = before.version + 1;
    event.updated_at = tx.now();
    if !store::update(tx, &event, before.version)? {
        return Err(Error::rerun("the event was changed meanwhile"));
    }
    let (organization, counter) = (&event.organization_id, event.id.to_string());
    let requoted =
        inventory::ops::requote(tx, organization, &counter, event.capacity, event.revision)?;
    if !requoted {
        return Err(below_committed("capacity"));
    }
    let view = read::view(tx, event.clone())?;
    announce(tx, &event, kind, &view)?;
    Ok(view)
}

/// 422: more is sold or held than the new limit would allow.
pub(super) fn below_committed(field: impl Into<String>) -> Error {
    let message = "More tickets are sold or held than that.";
    Error::unprocessable("below_committed", message).on_field(field, "is below what is committed")
}

fn wrong_status(status: EventStatus) -> Error {
    let allowed: &[&str] = match status {
        EventStatus::Draft => &["update", "publish", "cancel"],
        EventStatus::Published => &["update", "cancel"],
        EventStatus::Cancelled => &[],
    };
    Error::conflict("wrong_status", format!("The event is {} already.", status.as_str()))
        .with("current_status", status.as_str())
        .with("allowed_actions", allowed.to_vec())
}

fn announce(tx: &mut Tx<'_>, event: &Event, kind: ChangeKind, view: &EventView) -> Result<()> {
    let object = serde_json::to_value(view).map_err(Error::internal)?;
    announce_as(tx, event, (kind, object))
}

fn announce_as(tx: &mut Tx<'_>, event: &Event, (kind, object): (ChangeKind, Value)) -> Result<()> {
    tx.emit(NewChange {
        kind,
        mode: event.mode,
        organization: event.organization_id.clone(),
        channel: None,
        event: Some(event.id.clone()),
        object_id: event.id.to_string(),
        sequence: event.version,
        for_organization: object,
        for_channel: None,
    })
}
