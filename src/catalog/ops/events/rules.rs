//! What an event may be, and when it may become so.

use serde_json::Value;

use crate::catalog::input::event::EventFields;
use crate::catalog::model::offer::unmet_prerequisites;
use crate::catalog::ops::locations;
use crate::catalog::store::{events as store, rates as rate_store};
use crate::catalog::{Event, EventStatus, Visibility};
use crate::db::Tx;
use crate::db::types::Json;
use crate::inventory;
use crate::kernel::ids::{EventId, OrganizationId};
use crate::kernel::input::{Faults, Patch};
use crate::kernel::{Currency, Error, Result};

/// Lays the fields over an event and checks the result as a whole.
pub(super) fn lay_over(tx: &mut Tx<'_>, event: &mut Event, fields: &EventFields) -> Result<()> {
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
    match f.location_id {
        Patch::Set(id) => {
            let location = locations::to_be_named(tx, &id.0)?;
            // Where it is says when its clocks strike, unless the event does.
            if event.version == 1 && matches!(fields.timezone, Patch::Absent) {
                event.timezone = location.timezone.clone().or(event.timezone.take());
            }
            event.location_id = Some(location.id);
        }
        Patch::Clear => event.location_id = None,
        Patch::Absent => {}
    }
    if new_start {
        let future = event.start_date.is_some_and(|at| at > tx.now());
        faults.check(future, "start_date", "must be in the future");
    }
    if let Some(end) = event.end_date {
        let after = event.start_date.is_none_or(|start| start < end);
        faults.check(after, "end_date", "must be after start_date");
    }
    event.start_day = event.start_date.map(|at| at.local_day(event.timezone.as_deref()));
    event.search_text = search_text(event);
    faults.finish()
}

/// What an event is found by: its title, venue and artists, in lower case.
fn search_text(event: &Event) -> String {
    let artists = event.artists.0.as_array().into_iter().flatten();
    let artists = artists.filter_map(|artist| artist.get("name").and_then(Value::as_str));
    let words = [Some(event.title.as_str()), event.venue.as_deref()].into_iter().flatten();
    words.chain(artists).collect::<Vec<_>>().join(" ").to_lowercase()
}

pub(super) fn check_slug(tx: &mut Tx<'_>, event: &Event, besides: Option<&EventId>) -> Result<()> {
    if store::slug_taken(tx, &event.organization_id, &event.slug, besides)? {
        let error = Error::conflict("slug_taken", "Another event has this slug.");
        return Err(error.on_field("slug", "is taken"));
    }
    Ok(())
}

/// A currency is fixed by the first payment, and prices already set must keep their digits.
pub(super) fn check_currency(tx: &mut Tx<'_>, before: &Event, to: Option<Currency>) -> Result<()> {
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
pub(in crate::catalog::ops) fn check_still_publishable(
    tx: &mut Tx<'_>,
    event: &Event,
) -> Result<()> {
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

/// 409 `has_sales` when anything was ever sold or held of a counter; nothing will be until the end
/// of this transaction.
pub(in crate::catalog::ops) fn check_never_sold(
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
