//! `/v1/events`.

use actix_web::{HttpResponse, delete, get, patch, post, put, web::Path};
use deserr::Deserr;
use utoipa::IntoParams;

use crate::catalog::input::event::{EventFields, NewEvent};
use crate::catalog::ops::events::{self as ops, EventFilter, StartsAt};
use crate::catalog::{EventStatus, EventView};
use crate::db::Outcome;
use crate::kernel::Result;
use crate::kernel::ids::{Id, LocationId, OrganizationId};
use crate::kernel::input::{DayOr, Faults, LocalDayOrInstant, Text};
use crate::web::answer::{Answer, Data, Deleted, List, Reply};
use crate::web::permission::{ReadPublic, WriteEvents};
use crate::web::query::{PagedQuery, Paging};
use crate::web::{Actor, Body, Empty, Once, Query, ReadErrors, WriteErrors, state::State};

/// Create an event
///
/// Makes a draft that only the organization sees. Give it ticket rates, then publish it; with
/// `price` it has its first one at once. Time zone and currency default to the location's and the
/// organization's. 409 `slug_taken`; 422 `currency_missing`.
#[utoipa::path(operation_id = "events.create", tag = "events",
    security(("api_key" = ["write:events"]), ("bearer" = ["write:events"]),
        ("basic" = ["write:events"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    request_body(content = NewEvent, example = json!({
        "title": "Opening Night", "start_date": "2030-12-31T22:00:00Z", "venue": "Sala Apolo",
        "timezone": "Europe/Madrid", "currency": "EUR", "capacity": 500})),
    responses(
        (status = 201, body = Data<EventView>, example = json!(super::examples::event("draft"))),
        WriteErrors,
    ))]
#[post("/events")]
pub async fn create(
    actor: Actor<WriteEvents>,
    once: Once,
    body: Body<NewEvent>,
) -> Result<HttpResponse> {
    let (NewEvent(fields), canonical) = body.into_parts()?;
    let run = move |tx: &mut crate::db::Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::created(ops::create(tx, &fields)?)?)))
    };
    once.write(&actor, &canonical, run).await
}

/// Which events.
#[derive(Deserr, IntoParams, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Events of this organization only.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    organization_id: Option<Text<1, 60>>,
    /// At this location.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    location_id: Option<Text<1, 60>>,
    /// Beginning then or later: an instant, or a day where the event is.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    start_date: Option<LocalDayOrInstant>,
    /// Beginning before.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    end_date: Option<LocalDayOrInstant>,
    /// Words in title, venue or artists; all of them, in any order and case.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    search: Option<Text<1, 100>>,
    /// In this state.
    #[deserr(default)]
    status: Option<EventStatus>,
}

/// List events
///
/// An organization's own, or the published and cancelled public events of a channel's partners.
/// Newest first.
#[utoipa::path(operation_id = "events.list", tag = "events", params(ListParams, Paging),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<EventView>, example = json!(super::examples::events())),
        ReadErrors,
    ))]
#[get("/events")]
pub async fn list(
    state: State,
    actor: Actor<ReadPublic>,
    query: PagedQuery<ListParams>,
) -> Result<HttpResponse> {
    let (wanted, page) = query.into_inner()?;
    let filter = EventFilter {
        organization: wanted.organization_id.map(|text| OrganizationId::from_text(text.0)),
        location: wanted.location_id.map(|text| LocationId::from_text(text.0)),
        from: wanted.start_date.map(starts_at),
        until: wanted.end_date.map(starts_at),
        search: wanted.search.map(|text| text.0),
        status: wanted.status,
    };
    let page = state.db.read(actor.scope(), move |tx| ops::list(tx, &filter, &page));
    Ok(HttpResponse::Ok().json(List::from(page.await?)))
}

fn starts_at(bound: LocalDayOrInstant) -> StartsAt {
    match bound.0 {
        DayOr::Day(day) => StartsAt::Day(day),
        DayOr::Instant(at) => StartsAt::Instant(at),
    }
}

/// Which of several.
#[derive(Deserr, IntoParams, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SlugParams {
    /// Whose, when a channel's partners share the slug.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    organization_id: Option<Text<1, 60>>,
}

/// Read an event by its slug
///
/// 409 `ambiguous_slug` when several partners of a channel use it; pass `organization_id`.
#[utoipa::path(operation_id = "events.read_by_slug", tag = "events", params(SlugParams,
        ("slug" = String, Path, description = "The slug.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = Data<EventView>,
            example = json!(super::examples::event("published"))),
        (status = 409, body = crate::web::ErrorBody, description = "`ambiguous_slug`."),
        ReadErrors,
    ))]
#[get("/events/by-slug/{slug}")]
pub async fn by_slug(
    state: State,
    actor: Actor<ReadPublic>,
    path: Path<String>,
    query: Query<SlugParams>,
) -> Result<HttpResponse> {
    let organization =
        query.into_inner()?.organization_id.map(|text| OrganizationId::from_text(text.0));
    let find =
        move |tx: &mut crate::db::Tx<'_>| ops::read_by_slug(tx, &path, organization.as_ref());
    let view = state.db.read(actor.scope(), find).await?;
    Ok(HttpResponse::Ok().json(Data::new(view)))
}

/// Read an event
///
/// By its id or its number, with its ticket rates and what is left of them.
#[utoipa::path(operation_id = "events.read", tag = "events",
    params(("id" = String, Path, description = "Id or number.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = Data<EventView>,
            example = json!(super::examples::event("published"))),
        ReadErrors,
    ))]
#[get("/events/{id}")]
pub async fn read(
    state: State,
    actor: Actor<ReadPublic>,
    path: Path<String>,
) -> Result<HttpResponse> {
    let view = state.db.glance(actor.scope(), move |tx| ops::read(tx, &path)).await?;
    Ok(HttpResponse::Ok().json(Data::new(view)))
}

/// Change an event
///
/// A partial update: absent fields are left, null clears. 409 `event_cancelled`, `slug_taken`,
/// `currency_fixed`; 422 `below_committed`, `not_publishable` (a published event must keep what
/// publication asks for).
#[utoipa::path(operation_id = "events.update", tag = "events",
    params(("id" = String, Path, description = "Id or number.")),
    security(("api_key" = ["write:events"]), ("bearer" = ["write:events"]),
        ("basic" = ["write:events"])),
    request_body(content = EventFields, example = json!({"venue": "Sala Razzmatazz"})),
    responses(
        (status = 200, body = Data<EventView>,
            example = json!(super::examples::event("draft"))),
        WriteErrors,
    ))]
#[put("/events/{id}")]
pub async fn update(
    actor: Actor<WriteEvents>,
    once: Once,
    path: Path<String>,
    body: Body<EventFields>,
) -> Result<HttpResponse> {
    change(actor, once, path.into_inner(), body).await
}

/// Change an event
///
/// The same as PUT.
#[utoipa::path(operation_id = "events.patch", tag = "events",
    params(("id" = String, Path, description = "Id or number.")),
    security(("api_key" = ["write:events"]), ("bearer" = ["write:events"]),
        ("basic" = ["write:events"])),
    request_body(content = EventFields, example = json!({"description": null})),
    responses(
        (status = 200, body = Data<EventView>,
            example = json!(super::examples::event("draft"))),
        WriteErrors,
    ))]
#[patch("/events/{id}")]
pub async fn patch(
    actor: Actor<WriteEvents>,
    once: Once,
    path: Path<String>,
    body: Body<EventFields>,
) -> Result<HttpResponse> {
    change(actor, once, path.into_inner(), body).await
}

async fn change(
    actor: Actor<WriteEvents>,
    once: Once,
    id: String,
    body: Body<EventFields>,
) -> Result<HttpResponse> {
    let (fields, canonical) = body.into_parts()?;
    let run = move |tx: &mut crate::db::Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::ok(ops::update(tx, &id, &fields)?)?)))
    };
    once.write(&actor, &canonical, run).await
}

/// Publish an event
///
/// Puts a draft on sale. 422 `not_publishable` lists every unmet prerequisite at once: a future
/// `start_date`, `timezone`, `currency`, `venue`, a rate with a price. 409 `wrong_status` unless it
/// is a draft.
#[utoipa::path(operation_id = "events.publish", tag = "events",
    params(("id" = String, Path, description = "Id or number."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:events"]), ("bearer" = ["write:events"]),
        ("basic" = ["write:events"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<EventView>,
            example = json!(super::examples::event("published"))),
        WriteErrors,
    ))]
#[post("/events/{id}/publish")]
pub async fn publish(
    actor: Actor<WriteEvents>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run = move |tx: &mut crate::db::Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::ok(ops::publish(tx, &path)?)?)))
    };
    once.write(&actor, &body.into_parts()?.1, run).await
}

/// Cancel an event
///
/// From this answer on nothing of it is sold or paid and nobody is let in (409
/// `event_cancelled`). Pending payments are cancelled shortly after; paid ones wait for their
/// refund. Whoever had a valid ticket is told by mail, unless `send_resources` was false.
/// 409 `wrong_status` when it is cancelled already.
#[utoipa::path(operation_id = "events.cancel", tag = "events",
    params(("id" = String, Path, description = "Id or number."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:events"]), ("bearer" = ["write:events"]),
        ("basic" = ["write:events"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<EventView>,
            example = json!(super::examples::event("cancelled"))),
        WriteErrors,
    ))]
#[post("/events/{id}/cancel")]
pub async fn cancel(
    actor: Actor<WriteEvents>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run = move |tx: &mut crate::db::Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::ok(ops::cancel(tx, &path)?)?)))
    };
    once.write(&actor, &body.into_parts()?.1, run).await
}

/// Delete an event
///
/// One of which nothing was ever sold or held, with its ticket rates: 409 `has_sales`, cancel it
/// instead.
#[utoipa::path(operation_id = "events.delete", tag = "events",
    params(("id" = String, Path, description = "Id or number.")),
    security(("api_key" = ["write:events"]), ("bearer" = ["write:events"]),
        ("basic" = ["write:events"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<Deleted>,
            example = json!({"success": true, "data": {"_id": "evt_01", "deleted": true}})),
        WriteErrors,
    ))]
#[delete("/events/{id}")]
pub async fn remove(
    actor: Actor<WriteEvents>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run = move |tx: &mut crate::db::Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::ok(Deleted::of(ops::delete(tx, &path)?))?)))
    };
    once.write(&actor, &body.into_parts()?.1, run).await
}
