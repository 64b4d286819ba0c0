//! `/v1/locations`.

use actix_web::{HttpResponse, delete, get, patch, post, put, web::Path};

use crate::catalog::LocationView;
use crate::catalog::input::location::LocationFields;
use crate::catalog::ops::locations as ops;
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::web::answer::{Answer, Data, Deleted, List, Reply};
use crate::web::permission::{ReadOwnCatalogue, WriteEvents};
use crate::web::query::{NoFilter, PagedQuery, Paging};
use crate::web::{Actor, Body, Empty, Once, ReadErrors, WriteErrors, state::State};

/// Create a location
///
/// Where events are. Events name it by `location_id` and show it as it is.
#[utoipa::path(operation_id = "locations.create", tag = "locations",
    security(("api_key" = ["write:events"]), ("bearer" = ["write:events"]),
        ("basic" = ["write:events"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    request_body(content = LocationFields, example = json!({"name": "Sala Apolo",
        "address": "Nou de la Rambla 113", "city": "Barcelona", "country": "ES",
        "latitude": 41.3745, "longitude": 2.1697, "timezone": "Europe/Madrid"})),
    responses(
        (status = 201, body = Data<LocationView>, example = json!(super::examples::location())),
        WriteErrors,
    ))]
#[post("/locations")]
pub async fn create(
    actor: Actor<WriteEvents>,
    once: Once,
    body: Body<LocationFields>,
) -> Result<HttpResponse> {
    let (fields, canonical) = body.into_parts()?;
    let run = move |tx: &mut Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::created(ops::create(tx, &fields)?)?)))
    };
    once.write(&actor, &canonical, run).await
}

/// List locations
///
/// The organization's own, newest first. Channels see a location on its events.
#[utoipa::path(operation_id = "locations.list", tag = "locations", params(Paging),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<LocationView>, example = json!(super::examples::locations())),
        ReadErrors,
    ))]
#[get("/locations")]
pub async fn list(
    state: State,
    actor: Actor<ReadOwnCatalogue>,
    query: PagedQuery<NoFilter>,
) -> Result<HttpResponse> {
    let (NoFilter {}, page) = query.into_inner()?;
    let page = state.db.read(actor.scope(), move |tx| ops::list(tx, &page)).await?;
    Ok(HttpResponse::Ok().json(List::from(page)))
}

/// Read a location
///
/// By its id.
#[utoipa::path(operation_id = "locations.read", tag = "locations",
    params(("id" = String, Path, description = "The location.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = Data<LocationView>, example = json!(super::examples::location())),
        ReadErrors,
    ))]
#[get("/locations/{id}")]
pub async fn read(
    state: State,
    actor: Actor<ReadOwnCatalogue>,
    path: Path<String>,
) -> Result<HttpResponse> {
    let view = state.db.read(actor.scope(), move |tx| ops::read(tx, &path)).await?;
    Ok(HttpResponse::Ok().json(Data::new(view)))
}

/// Change a location
///
/// A partial update: absent fields are left, null clears. Its events show it so at once.
#[utoipa::path(operation_id = "locations.update", tag = "locations",
    params(("id" = String, Path, description = "The location.")),
    security(("api_key" = ["write:events"]), ("bearer" = ["write:events"]),
        ("basic" = ["write:events"])),
    request_body(content = LocationFields, example = json!({"city": "Madrid"})),
    responses(
        (status = 200, body = Data<LocationView>, example = json!(super::examples::location())),
        WriteErrors,
    ))]
#[put("/locations/{id}")]
pub async fn update(
    actor: Actor<WriteEvents>,
    once: Once,
    path: Path<String>,
    body: Body<LocationFields>,
) -> Result<HttpResponse> {
    change(actor, once, path, body).await
}

/// Change a location
///
/// The same as PUT.
#[utoipa::path(operation_id = "locations.patch", tag = "locations",
    params(("id" = String, Path, description = "The location.")),
    security(("api_key" = ["write:events"]), ("bearer" = ["write:events"]),
        ("basic" = ["write:events"])),
    request_body(content = LocationFields, example = json!({"address_line2": null})),
    responses(
        (status = 200, body = Data<LocationView>, example = json!(super::examples::location())),
        WriteErrors,
    ))]
#[patch("/locations/{id}")]
pub async fn patch(
    actor: Actor<WriteEvents>,
    once: Once,
    path: Path<String>,
    body: Body<LocationFields>,
) -> Result<HttpResponse> {
    change(actor, once, path, body).await
}

async fn change(
    actor: Actor<WriteEvents>,
    once: Once,
    path: Path<String>,
    body: Body<LocationFields>,
) -> Result<HttpResponse> {
    let (fields, canonical) = body.into_parts()?;
    let run = move |tx: &mut Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::ok(ops::update(tx, &path, &fields)?)?)))
    };
    once.write(&actor, &canonical, run).await
}

/// Delete a location
///
/// One no event is at: 409 `in_use`.
#[utoipa::path(operation_id = "locations.delete", tag = "locations",
    params(("id" = String, Path, description = "The location.")),
    security(("api_key" = ["write:events"]), ("bearer" = ["write:events"]),
        ("basic" = ["write:events"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<Deleted>,
            example = json!({"success": true, "data": {"_id": "loc_01", "deleted": true}})),
        WriteErrors,
    ))]
#[delete("/locations/{id}")]
pub async fn remove(
    actor: Actor<WriteEvents>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run = move |tx: &mut Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::ok(Deleted::of(ops::delete(tx, &path)?))?)))
    };
    once.write(&actor, &body.into_parts()?.1, run).await
}
