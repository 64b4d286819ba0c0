//! Operations on events.

use serde_json::Value;

use super::{event_ref, hosts};
use crate::catalog::input::event::EventFields;
use crate::catalog::model::offer::{event_cancelled, unmet_prerequisites};
use crate::catalog::store::events::Hold;
use crate::catalog::store::{events as store, rates as rate_store};
use crate::catalog::{Event, EventStatus, EventView, Visibility};
use crate::db::Tx;
use crate::db::types::Json;
use crate::inventory;
use crate::kernel::ids::{EventId, Id, OrganizationId};
use crate::kernel::input::{Faults, Patch, Slug};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Currency, Error, Result};
use crate::outbox::{ChangeKind, Emit, NewChange};
use crate::parties;

pub use crate::catalog::store::events::EventRef;

/// Creates a draft. 400 on faults, 409 `slug_taken`.
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
    let view = EventView::new(event.clone(), Vec::new(), true);
    announce(tx, &event, ChangeKind::EventCreated, &view)?;
    Ok(view)
}

/// Changes an event. 409 `event_cancelled`, `slug_taken`, `currency_fixed`; 422 `below_committed`.
pub fn update(tx: &mut Tx<'_>, id: &str, fields: &EventFields) -> Result<EventView> {
    let before = find_to_change(tx, id)?;
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
pub fn list(
    tx: &mut Tx<'_>,
    organization: Option<&OrganizationId>,
    page: &PageRequest,
) -> Result<Page<EventView>> {
    let hosts = hosts(tx)?;
    let Page { rows, limit, next } = store::list(tx, &hosts, organization, page)?;
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
pub(super) fn find_held(tx: &mut Tx<'_>, id: &str) -> Result<Event> {
    let seen = find(tx, id)?;
    of_row_held(tx, &seen.organization_id, &seen.id)
}

/// An event of the caller's own, to be changed: nobody else relies on it or changes it meanwhile.
fn find_to_change(tx: &mut Tx<'_>, id: &str) -> Result<Event> {
    let seen = find(tx, id)?;
    store::hold(tx, &seen.organization_id, &seen.id, Hold::Change)?;
    of_row(tx, &seen.organization_id, &seen.id)
}

/// 409 `event_cancelled` when it is.
pub fn check_not_cancelled(event: &Event) -> Result<()> {
    match event.status {
        EventStatus::Cancelled => Err(event_cancelled()),
        EventStatus::Draft | EventStatus::Published => Ok(()),
    }
}

/// 409 `has_sales` when anything was ever sold or held of a counter; nothing will be until the end
/// of this transaction.
pub(super) fn check_never_sold(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    counter: &str,
) -> Result<()> {
    inventory::ops::lock(tx, &[(organization, counter)])?;
    let levels = inventory::ops::levels(tx, &[(organization, counter)])?;
    if levels.get(counter).is_some_and(|level| level.ever_taken) {
        let message = "Something of it was sold or held; declare it complete or cancel it instead.";
        return Err(Error::conflict("has_sales", message));
    }
    Ok(())
}

fn own_organization(tx: &mut Tx<'_>) -> Result<parties::Organization> {
    let id = tx.scope().organization();
    let id = id.ok_or_else(|| Error::internal("only organizations write the catalogue"))?;
    parties::ops::organization(tx, id)
}

fn view(tx: &mut Tx<'_>, event: Event) -> Result<EventView> {
    let view = views(tx, vec![event])?.pop();
    view.ok_or_else(|| Error::internal("an event without a view"))
}

fn views(tx: &mut Tx<'_>, events: Vec<Event>) -> Result<Vec<EventView>> {
    let mut rates = super::rates::views_of(tx, &events.iter().collect::<Vec<_>>())?;
    let own = tx.scope().organization().is_some();
    let view = |event: Event| {
        let rates = rates.remove(&event.id).unwrap_or_default();
        EventView::new(event, rates, own)
    };
    Ok(events.into_iter().map(view).collect())
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
    let view = view(tx, event.clone())?;
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

/// Lays the fields over an event and checks the result as a whole.
fn lay_over(tx: &Tx<'_>, event: &mut Event, fields: &EventFields) -> Result<()> {
    let mut faults = Faults::default();
    let f = fields.clone();
    let new_start = matches!(f.start_date, Patch::Set(_));
    match f.title {
        Patch::Set(title) => event.title = title.0,
        Patch::Clear => faults.add("title", "cannot be cleared"),
        Patch::Absent => {}
    }
    match f.slug {
        Patch::Set(slug) => event.slug = slug.0,
        Patch::Clear => faults.add("slug", "cannot be cleared"),
        Patch::Absent => {}
    }
    let list = |values: Vec<Value>| Json(Value::Array(values));
    let slugs = |tags: crate::catalog::input::event::Tags| {
        list(tags.0.into_iter().map(|slug| slug.0.into()).collect())
    };
    f.description.apply(&mut event.description, |text| text.0);
    f.start_date.apply(&mut event.start_date, |at| at.0);
    f.end_date.apply(&mut event.end_date, |at| at.0);
    f.display_date.apply(&mut event.display_date, |at| at.0);
    f.timezone.apply(&mut event.timezone, |zone| zone.0.name().to_owned());
    f.venue.apply(&mut event.venue, |text| text.0);
    f.capacity.apply(&mut event.capacity, |count| count.0);
    f.currency.apply(&mut event.currency, |code| code.0);
    f.age.apply(&mut event.age, |text| text.0);
    f.outfit.apply(&mut event.outfit, |text| text.0);
    f.image_url.apply(&mut event.image_url, |address| address.0);
    f.artists.apply_or(&mut event.artists, list(Vec::new()), |artists| {
        list(artists.0.iter().map(crate::catalog::input::event::Artist::to_json).collect())
    });
    f.music_genres.apply_or(&mut event.music_genres, list(Vec::new()), slugs);
    f.ambiences.apply_or(&mut event.ambiences, list(Vec::new()), slugs);
    f.visibility.apply_or(&mut event.visibility, Visibility::Public, |visibility| visibility);
    f.language.apply(&mut event.language, |language| language.0);
    let empty = Json(Value::Object(serde_json::Map::new()));
    f.metadata.apply_or(&mut event.metadata, empty, |metadata| Json(metadata.0));
    if new_start {
        let future = event.start_date.is_some_and(|at| at > tx.now());
        faults.check(future, "start_date", "must be in the future");
    }
    if let Some(end) = event.end_date {
        let after = event.start_date.is_none_or(|start| start < end);
        faults.check(after, "end_date", "must be after start_date");
    }
    faults.finish()
}

fn check_slug(tx: &mut Tx<'_>, event: &Event, besides: Option<&EventId>) -> Result<()> {
    if store::slug_taken(tx, &event.organization_id, &event.slug, besides)? {
        let error = Error::conflict("slug_taken", "Another event has this slug.");
        return Err(error.on_field("slug", "is taken"));
    }
    Ok(())
}

/// A currency is fixed by the first payment, and prices already set must keep their digits.
fn check_currency(tx: &mut Tx<'_>, before: &Event, to: Option<Currency>) -> Result<()> {
    let fixed = || {
        Error::conflict("currency_fixed", "The currency of this event cannot be changed any more.")
            .on_field("currency", "is fixed by the event's payments or prices")
    };
    let counter = before.id.to_string();
    // A purchase that is being made holds it; one that comes later finds its quote stale.
    inventory::ops::lock(tx, &[(&before.organization_id, &counter)])?;
    let levels = inventory::ops::levels(tx, &[(&before.organization_id, &counter)])?;
    if levels.get(&counter).is_some_and(|level| level.ever_taken) {
        return Err(fixed());
    }
    let same_digits = to.map(Currency::exponent) == before.currency.map(Currency::exponent);
    let priced = !rate_store::of_events(tx, &[before])?.is_empty();
    if priced && !same_digits { Err(fixed()) } else { Ok(()) }
}

/// 422 `not_publishable` when a published event lacks what it was published with.
pub(super) fn check_still_publishable(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    let rates = rate_store::of_events(tx, &[event])?;
    let priced = !rate_store::prices(tx, &rates.iter().collect::<Vec<_>>())?.is_empty();
    // A published event may have begun; only its publication asks for a future start.
    let asked_at = match event.status {
        EventStatus::Published => crate::kernel::Timestamp::from_unix_micros(0),
        EventStatus::Draft | EventStatus::Cancelled => tx.now(),
    };
    let unmet = unmet_prerequisites(event, priced, asked_at);
    if unmet.is_empty() {
        return Ok(());
    }
    let message = "The event lacks what publication asks for.";
    let error = Error::unprocessable("not_publishable", message);
    Err(unmet.into_iter().fold(error, |error, (field, reason)| error.on_field(field, reason)))
}
