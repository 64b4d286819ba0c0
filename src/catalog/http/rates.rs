//! `/v1/ticket-rates`.

use actix_web::{HttpResponse, get, patch, post, put, web::Path};
use deserr::Deserr;
use utoipa::IntoParams;

use crate::catalog::RateView;
use crate::catalog::input::rate::{NewRate, RateFields};
use crate::catalog::ops::rates as ops;
use crate::db::Outcome;
use crate::kernel::Result;
use crate::kernel::input::{Faults, Text};
use crate::kernel::page::{self, Page};
use crate::web::answer::{Answer, Data, List, Reply};
use crate::web::permission::{Read, WriteEvents};
use crate::web::{Actor, Body, Once, Query, ReadErrors, WriteErrors, state::State};

/// Create a ticket rate
///
/// A kind of ticket of an event, with one or more price tiers. The first tier is the one in sale.
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
    actor: Actor<Read>,
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
pub async fn read(state: State, actor: Actor<Read>, path: Path<String>) -> Result<HttpResponse> {
    let view = state.db.glance(actor.scope(), move |tx| ops::read(tx, &path)).await?;
    Ok(HttpResponse::Ok().json(Data::new(view)))
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
