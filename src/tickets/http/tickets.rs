//! `/v1/tickets`.

use actix_web::{HttpResponse, get, post, web::Path};
use deserr::Deserr;
use utoipa::IntoParams;

use crate::catalog;
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::kernel::ids::{ChannelId, Id, PaymentId, RateId};
use crate::kernel::input::{DayOrInstant, Email, Faults, Text};
use crate::tickets::input::Transfer;
use crate::tickets::store::{Filter, TicketStatus};
use crate::tickets::{TicketView, example, ops, qr};
use crate::web::answer::{Answer, Reply};
use crate::web::permission::{Read, WriteTickets};
use crate::web::query::{FlagText, NoFilter, PagedQuery, Paging};
use crate::web::{Actor, Body, Data, List, Once, ReadErrors, WriteErrors, state::State};

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
    /// Of this rate.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    ticket_rate_id: Option<Text<1, 60>>,
    /// Sold by this channel.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    channel_id: Option<Text<1, 60>>,
    /// Of the holder with this e-mail, written as on the ticket.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    email: Option<Email>,
    /// Whether somebody has come in with it.
    #[deserr(default)]
    #[param(value_type = Option<bool>)]
    checked_in: Option<FlagText>,
    /// Made then or later; a date is its midnight in UTC.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    start_date: Option<DayOrInstant>,
    /// Made before; a date is its midnight in UTC.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    end_date: Option<DayOrInstant>,
}

/// List tickets
///
/// An organization's of all channels, or a channel's own. Newest first.
#[utoipa::path(operation_id = "tickets.list", tag = "tickets", params(ListParams, Paging),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<TicketView>, example = json!({"success": true,
            "data": [example()],
            "pagination": {"limit": 50, "next_cursor": null, "has_more": false}})),
        ReadErrors,
    ))]
#[get("/tickets")]
pub async fn list(
    state: State,
    actor: Actor<Read>,
    query: PagedQuery<ListParams>,
) -> Result<HttpResponse> {
    let (wanted, page) = query.into_inner()?;
    let event_id = wanted.event_id;
    let filter = Filter {
        payment: wanted.payment_id.map(|text| PaymentId::from_text(text.0)),
        event: None,
        status: wanted.status,
        rate: wanted.ticket_rate_id.map(|text| RateId::from_text(text.0)),
        channel: wanted.channel_id.map(|text| ChannelId::from_text(text.0)),
        email: wanted.email.map(|email| email.0),
        checked_in: wanted.checked_in.map(|flag| flag.0),
        from: wanted.start_date.map(|at| at.0),
        until: wanted.end_date.map(|at| at.0),
    };
    let find = move |tx: &mut Tx<'_>| {
        let meant = |text: &Text<1, 60>| catalog::ops::events::meant_by(tx, &text.0);
        let event = event_id.as_ref().map(meant).transpose()?;
        ops::list(tx, Filter { event, ..filter.clone() }, &page)
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
            "data": [example()],
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
            example = json!({"success": true, "data": example()})),
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

/// Transfer a ticket
///
/// A valid ticket that nobody has used gets another holder and another code; the old code admits
/// nobody from then on. Where the payment's tickets are mailed, the new holder gets it by mail. By
/// the organization or the channel that sold it. 409 `ticket_not_valid`, `already_checked_in`.
#[utoipa::path(operation_id = "tickets.transfer", tag = "tickets",
    params(("id" = String, Path, description = "The ticket."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:tickets"]), ("bearer" = ["write:tickets"]),
        ("basic" = ["write:tickets"])),
    request_body(content = Transfer, example = json!({"full_name": "Ben Ruiz",
        "email": "ben@example.com"})),
    responses(
        (status = 200, body = Data<TicketView>,
            example = json!({"success": true, "data": example()})),
        WriteErrors,
    ))]
#[post("/tickets/{id}/transfer")]
pub async fn transfer(
    actor: Actor<WriteTickets>,
    once: Once,
    path: Path<String>,
    body: Body<Transfer>,
) -> Result<HttpResponse> {
    let (to, canonical) = body.into_parts()?;
    let run = move |tx: &mut Tx<'_>| {
        let ticket = ops::holder::transfer(tx, &path, &to)?;
        let view = ops::view(tx, ticket)?;
        Ok(Outcome::Done(Reply::Good(Answer::ok(view)?)))
    };
    once.write(&actor, &canonical, run).await
}
