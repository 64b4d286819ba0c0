//! `/v1/tickets`.

use actix_web::{HttpResponse, get, web::Path};
use deserr::Deserr;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::TicketView;
use super::store::{Filter, TicketStatus};
use super::{ops, qr};
use crate::catalog;
use crate::db::Tx;
use crate::kernel::Result;
use crate::kernel::ids::{Id, PaymentId};
use crate::kernel::input::{Faults, Text};
use crate::web::permission::Read;
use crate::web::query::{NoFilter, PagedQuery, Paging};
use crate::web::{Actor, Data, List, ReadErrors, state::State};

/// Mounts this slice's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(of_event).service(picture).service(read);
}

/// Which tickets.
#[derive(Deserr, IntoParams, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Of this payment.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    payment_id: Option<Text<1, 60>>,
    /// Of this event: id or number.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    event_id: Option<Text<1, 60>>,
    /// In this state.
    #[deserr(default)]
    status: Option<TicketStatus>,
}

/// List tickets
///
/// An organization's of all channels, or a channel's own. Newest first.
#[utoipa::path(operation_id = "tickets.list", tag = "tickets", params(ListParams, Paging),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<TicketView>, example = json!({"success": true,
            "data": [super::example()],
            "pagination": {"limit": 50, "next_cursor": null, "has_more": false}})),
        ReadErrors,
    ))]
#[get("/tickets")]
pub async fn list(
    state: State,
    actor: Actor<Read>,
    query: PagedQuery<ListParams>,
) -> Result<HttpResponse> {
    let (ListParams { payment_id, event_id, status }, page) = query.into_inner()?;
    let payment = payment_id.map(|text| PaymentId::from_text(text.0));
    let find = move |tx: &mut Tx<'_>| {
        let meant = |text: &Text<1, 60>| catalog::ops::events::meant_by(tx, &text.0);
        let event = event_id.as_ref().map(meant).transpose()?;
        ops::list(tx, Filter { payment: payment.clone(), event, status }, &page)
    };
    let page = state.db.read(actor.scope(), find).await?;
    Ok(HttpResponse::Ok().json(List::from(page)))
}

/// List the tickets of an event
///
/// An organization's of all channels, or a channel's own. Newest first.
#[utoipa::path(operation_id = "events.tickets", tag = "events", params(Paging,
        ("id" = String, Path, description = "The event: id or number.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<TicketView>, example = json!({"success": true,
            "data": [super::example()],
            "pagination": {"limit": 50, "next_cursor": null, "has_more": false}})),
        ReadErrors,
    ))]
#[get("/events/{id}/tickets")]
pub async fn of_event(
    state: State,
    actor: Actor<Read>,
    path: Path<String>,
    query: PagedQuery<NoFilter>,
) -> Result<HttpResponse> {
    let (NoFilter {}, page) = query.into_inner()?;
    let find = move |tx: &mut Tx<'_>| {
        let event = Some(catalog::ops::events::find(tx, &path)?.id);
        ops::list(tx, Filter { event, ..Filter::default() }, &page)
    };
    Ok(HttpResponse::Ok().json(List::from(state.db.read(actor.scope(), find).await?)))
}

/// Read a ticket
///
/// By its id.
#[utoipa::path(operation_id = "tickets.read", tag = "tickets",
    params(("id" = String, Path, description = "The ticket.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = Data<TicketView>,
            example = json!({"success": true, "data": super::example()})),
        ReadErrors,
    ))]
#[get("/tickets/{id}")]
pub async fn read(state: State, actor: Actor<Read>, path: Path<String>) -> Result<HttpResponse> {
    let view = move |tx: &mut Tx<'_>| {
        let ticket = ops::find(tx, &path)?;
        ops::view(tx, ticket)
    };
    Ok(HttpResponse::Ok().json(Data::new(state.db.read(actor.scope(), view).await?)))
}

/// The QR code of a ticket
///
/// An SVG picture of `qr_code`.
#[utoipa::path(operation_id = "tickets.qr", tag = "tickets",
    params(("id" = String, Path, description = "The ticket.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = String, content_type = "image/svg+xml",
            example = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        ReadErrors,
    ))]
#[get("/tickets/{id}/qr.svg")]
pub async fn picture(state: State, actor: Actor<Read>, path: Path<String>) -> Result<HttpResponse> {
    let ticket = state.db.glance(actor.scope(), move |tx| ops::find(tx, &path)).await?;
    Ok(HttpResponse::Ok().content_type("image/svg+xml").body(qr::svg(&ticket.code)?))
}
