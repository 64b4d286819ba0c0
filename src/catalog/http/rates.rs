//! `/v1/ticket-rates`.

use actix_web::{HttpResponse, delete, get, patch, post, put, web::Path};
use deserr::Deserr;
use utoipa::IntoParams;

use crate::catalog::RateView;
use crate::catalog::input::rate::{NewRate, RateFields};
use crate::catalog::ops::rates as ops;
use crate::db::Outcome;
use crate::kernel::Result;
use crate::kernel::input::{Faults, Text};
use crate::kernel::page::{self, Page};
use crate::web::answer::{Answer, Data, Deleted, List, Reply};
use crate::web::permission::{ReadPublic, WriteEvents};
use crate::web::{Actor, Body, Empty, Once, Query, ReadErrors, WriteErrors, state::State};

/// Create a ticket rate
///
/// A kind of ticket of an event, with one or more price tiers, sold in their order: each until its
/// `valid_until` or until its `quantity` is sold or held. What is given back opens its tier again
/// while it is in time.
/// 404 when the event is not yours; 409 `event_cancelled`, `slug_taken`; 422 `currency_missing`.
#[utoipa::path(operation_id = "ticket_rates.create", tag = "ticket rates",
    security(("api_key" = ["write:events"]), ("bearer" = ["write:events"]),
        ("basic" = ["write:events"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    request_body(content = NewRate, example = json!({
        "event_id": "evt_01k0000000000000000000000", "name": "General admission", "capacity": 300,
        "prices": [{"price": 20, "fee_type": "percentage", "fee_quantity": 3}]})),
    responses(
        (status = 201, body = Data<RateView>, example = json!(super::examples::rate())),
        WriteErrors,
    ))]
#[post("/ticket-rates")]
pub async fn create(
    actor: Actor<WriteEvents>,
    once: Once,
    body: Body<NewRate>,
) -> Result<HttpResponse> {
    let (NewRate(fields), canonical) = body.into_parts()?;
    let run = move |tx: &mut crate::db::Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::created(ops::create(tx, &fields)?)?)))
    };
    once.write(&actor, &canonical, run).await
}

/// Whose rates.
#[derive(Deserr, IntoParams, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// The event: id or number.
    #[param(value_type = String)]
    event_id: Text<1, 60>,
}

/// List the ticket rates of an event
///
/// All of them, oldest first, with what is left. Channels do not see hidden ones.
#[utoipa::path(operation_id = "ticket_rates.list", tag = "ticket rates", params(ListParams),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<RateView>, example = json!(super::examples::rates())),
        ReadErrors,
    ))]
#[get("/ticket-rates")]
pub async fn list(
    state: State,
    actor: Actor<ReadPublic>,
    query: Query<ListParams>,
) -> Result<HttpResponse> {
    let event = query.into_inner()?.event_id;
    let rows = state.db.read(actor.scope(), move |tx| ops::list(tx, &event.0)).await?;
    Ok(HttpResponse::Ok().json(List::from(Page { rows, limit: page::LIMIT_MAX, next: None })))
}

/// Read a ticket rate
///
/// With its tiers, its current price and what is left of it at this instant.
#[utoipa::path(operation_id = "ticket_rates.read", tag = "ticket rates",
    params(("id" = String, Path, description = "The rate.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = Data<RateView>, example = json!(super::examples::rate())),
        ReadErrors,
    ))]
#[get("/ticket-rates/{id}")]
pub async fn read(
    state: State,
    actor: Actor<ReadPublic>,
    path: Path<String>,
) -> Result<HttpResponse> {
    let view = state.db.glance(actor.scope(), move |tx| ops::read(tx, &path)).await?;
    Ok(HttpResponse::Ok().json(Data::new(view)))
}

/// Read a ticket rate by its slug
///
/// Slugs are unique in an event.
#[utoipa::path(operation_id = "ticket_rates.read_by_slug", tag = "ticket rates",
    params(ListParams, ("slug" = String, Path, description = "The slug.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = Data<RateView>, example = json!(super::examples::rate())),
        ReadErrors,
    ))]
#[get("/ticket-rates/by-slug/{slug}")]
pub async fn by_slug(
    state: State,
    actor: Actor<ReadPublic>,
    path: Path<String>,
    query: Query<ListParams>,
) -> Result<HttpResponse> {
    let event = query.into_inner()?.event_id;
    let find = move |tx: &mut crate::db::Tx<'_>| ops::read_by_slug(tx, &event.0, &path);
    Ok(HttpResponse::Ok().json(Data::new(state.db.read(actor.scope(), find).await?)))
}

/// Delete a ticket rate
///
/// One of which nothing was ever sold or held: 409 `has_sales`, declare it `complete` instead. 422
/// `not_publishable` when a published event would be left without a price.
#[utoipa::path(operation_id = "ticket_rates.delete", tag = "ticket rates",
    params(("id" = String, Path, description = "The rate.")),
    security(("api_key" = ["write:events"]), ("bearer" = ["write:events"]),
        ("basic" = ["write:events"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<Deleted>,
            example = json!({"success": true, "data": {"_id": "rate_01", "deleted": true}})),
        WriteErrors,
    ))]
#[delete("/ticket-rates/{id}")]
pub async fn remove(
    actor: Actor<WriteEvents>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run = move |tx: &mut crate::db::Tx<'_>| {
        let id = ops::delete(tx, &path)?;
        Ok(Outcome::Done(Reply::Good(Answer::ok(Deleted::of(id))?)))
    };
    once.write(&actor, &body.into_parts()?.1, run).await
}

/// Change a ticket rate
///
/// A partial update: absent fields are left, null clears. `event_id` cannot be changed. Payments
/// keep the prices they were made at. 409 `event_cancelled`, `slug_taken`; 422 `below_committed`.
#[utoipa::path(operation_id = "ticket_rates.update", tag = "ticket rates",
    params(("id" = String, Path, description = "The rate.")),
    security(("api_key" = ["write:events"]), ("bearer" = ["write:events"]),
        ("basic" = ["write:events"])),
    request_body(content = RateFields, example = json!({"capacity": 400})),
    responses(
        (status = 200, body = Data<RateView>, example = json!(super::examples::rate())),
        WriteErrors,
    ))]
#[put("/ticket-rates/{id}")]
pub async fn update(
    actor: Actor<WriteEvents>,
    once: Once,
    path: Path<String>,
    body: Body<RateFields>,
) -> Result<HttpResponse> {
    change(actor, once, path.into_inner(), body).await
}

/// Change a ticket rate
///
/// The same as PUT.
#[utoipa::path(operation_id = "ticket_rates.patch", tag = "ticket rates",
    params(("id" = String, Path, description = "The rate.")),
    security(("api_key" = ["write:events"]), ("bearer" = ["write:events"]),
        ("basic" = ["write:events"])),
    request_body(content = RateFields, example = json!({"complete": true})),
    responses(
        (status = 200, body = Data<RateView>, example = json!(super::examples::rate())),
        WriteErrors,
    ))]
#[patch("/ticket-rates/{id}")]
pub async fn patch(
    actor: Actor<WriteEvents>,
    once: Once,
    path: Path<String>,
    body: Body<RateFields>,
) -> Result<HttpResponse> {
    change(actor, once, path.into_inner(), body).await
}

async fn change(
    actor: Actor<WriteEvents>,
    once: Once,
    id: String,
    body: Body<RateFields>,
) -> Result<HttpResponse> {
    let (fields, canonical) = body.into_parts()?;
    let run = move |tx: &mut crate::db::Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::ok(ops::update(tx, &id, &fields)?)?)))
    };
    once.write(&actor, &canonical, run).await
}
