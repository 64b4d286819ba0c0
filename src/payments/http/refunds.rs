//! Giving money back.

use actix_web::{HttpResponse, get, post, put, web::Path};
use deserr::Deserr;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::examples;
use crate::catalog;
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::kernel::ids::{Id, PaymentId};
use crate::kernel::input::{Faults, Text};
use crate::payments::input::{NewRefund, RefundTicket};
use crate::payments::ops::refund::RefundFilter;
use crate::payments::{RefundState, RefundView, ops};
use crate::tickets::{self, TicketView};
use crate::web::answer::{Answer, Data, List, Reply};
use crate::web::permission::{Read, WriteEventRefunds, WriteRefunds};
use crate::web::query::{NoFilter, PagedQuery, Paging};
use crate::web::{Actor, Body, Empty, Once, ReadErrors, State, WriteErrors};

/// Refund a payment
///
/// Gives back `amount`, or the rest: of the tickets named, else of the payment. Tickets that are
/// named admit nobody from then on and their places are for sale again; without any, no ticket is
/// touched. By who collects the money: the platform's and its own by the organization, the
/// channel's by the channel. Where the platform took it, the refund is `pending` until the provider
/// has answered; `refund.processed` says how it ended. A payment's refunds are never a status of
/// it: see `amount_refunded`.
///
/// `Idempotency-Key` is required: 400 `idempotency_key_required`. 403 `wrong_principal` where it
/// is not yours to give; 409 `payment_processing`, `already_checked_in` (somebody came in with a
/// ticket that is named); 422 `over_refund` (with `left`, in minor units).
#[utoipa::path(operation_id = "refunds.create", tag = "refunds",
    params(("id" = String, Path, description = "The payment."),
        ("Idempotency-Key" = String, Header, description = "Makes a retry safe. Required.")),
    security(("api_key" = ["write:refunds"]), ("bearer" = ["write:refunds"]),
        ("basic" = ["write:refunds"])),
    request_body(content = NewRefund, example = json!({
        "tickets": ["tkt_01k0000000000000000000000"], "reason": "Ill"})),
    responses(
        (status = 201, body = Data<RefundView>, example = json!(examples::refund())),
        WriteErrors,
    ))]
#[post("/payments/{id}/refunds")]
pub async fn create(
    actor: Actor<WriteRefunds>,
    once: Once,
    path: Path<String>,
    body: Body<NewRefund>,
) -> Result<HttpResponse> {
    let (input, canonical) = body.into_parts()?;
    let run = move |tx: &mut Tx<'_>| {
        let view = ops::refund::create(tx, &path, &input)?;
        Ok(Outcome::Done(Reply::Good(Answer::created(view)?)))
    };
    once.required()?.write(&actor, &canonical, run).await
}

/// List the refunds of a payment
///
/// Newest first.
#[utoipa::path(operation_id = "refunds.list_of_payment", tag = "refunds", params(Paging,
        ("id" = String, Path, description = "The payment.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<RefundView>, example = json!(examples::refunds())),
        ReadErrors,
    ))]
#[get("/payments/{id}/refunds")]
pub async fn list_of(
    state: State,
    actor: Actor<Read>,
    path: Path<String>,
    query: PagedQuery<NoFilter>,
) -> Result<HttpResponse> {
    let (NoFilter {}, page) = query.into_inner()?;
    let find = move |tx: &mut Tx<'_>| ops::refund::list_of(tx, &path, &page);
    Ok(HttpResponse::Ok().json(List::from(state.db.read(actor.scope(), find).await?)))
}

/// Which refunds.
#[derive(Deserr, IntoParams, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Of this payment.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    payment_id: Option<Text<1, 60>>,
    /// On this event: id or number.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    event_id: Option<Text<1, 60>>,
    /// In this state.
    #[deserr(default)]
    status: Option<RefundState>,
}

/// List refunds
///
/// An organization's of all channels, or those of a channel's own sales. Newest first.
#[utoipa::path(operation_id = "refunds.list", tag = "refunds", params(ListParams, Paging),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<RefundView>, example = json!(examples::refunds())),
        ReadErrors,
    ))]
#[get("/refunds")]
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
        let filter = RefundFilter { payment: payment.clone(), event, state: status };
        ops::refund::list(tx, filter, &page)
    };
    Ok(HttpResponse::Ok().json(List::from(state.db.read(actor.scope(), find).await?)))
}

/// Read a refund
///
/// By its id.
#[utoipa::path(operation_id = "refunds.read", tag = "refunds",
    params(("id" = String, Path, description = "The refund.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = Data<RefundView>, example = json!(examples::refund())),
        ReadErrors,
    ))]
#[get("/refunds/{id}")]
pub async fn read(state: State, actor: Actor<Read>, path: Path<String>) -> Result<HttpResponse> {
    let view = state.db.read(actor.scope(), move |tx| ops::refund::read(tx, &path)).await?;
    Ok(HttpResponse::Ok().json(Data::new(view)))
}

/// Refund a ticket
///
/// Gives back an amount for one ticket. The first time it is void from then on and its place is for
/// sale again; it may be repeated until all of the ticket's price and fee is given back. The same
/// rules as for refunding a payment: 403 `wrong_principal`; 409 `payment_processing`,
/// `already_checked_in`; 422 `over_refund` (with `left`, in minor units).
#[utoipa::path(operation_id = "tickets.refund", tag = "refunds",
    params(("id" = String, Path, description = "The ticket."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe: without \
            one, the same request again gives back the same amount again.")),
    security(("api_key" = ["write:refunds"]), ("bearer" = ["write:refunds"]),
        ("basic" = ["write:refunds"])),
    request_body(content = RefundTicket, example = json!({"amount": 10.3})),
    responses(
        (status = 200, body = Data<TicketView>,
            example = json!({"success": true, "data": tickets::example()})),
        WriteErrors,
    ))]
#[put("/tickets/{id}/refund")]
pub async fn of_ticket(
    actor: Actor<WriteRefunds>,
    once: Once,
    path: Path<String>,
    body: Body<RefundTicket>,
) -> Result<HttpResponse> {
    let (input, canonical) = body.into_parts()?;
    let run = move |tx: &mut Tx<'_>| {
        let view = ops::refund::of_ticket(tx, &path, &input)?;
        Ok(Outcome::Done(Reply::Good(Answer::ok(view)?)))
    };
    once.write(&actor, &canonical, run).await
}

/// What is going to be refunded.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct EventRefund {
    event_id: String,
    /// Paid payments that wait for it.
    payments: i64,
}

/// Refund a cancelled event
///
/// Every paid payment of the event is cancelled and refunded in full, one after the other, by a
/// job: those the channel collected are cancelled, and the channel gives the money back. Payments
/// with a ticket somebody has come in with stay as they are. May be repeated. `Idempotency-Key`
/// is required: 400 `idempotency_key_required`. 409 `wrong_status` unless the event is cancelled.
#[utoipa::path(operation_id = "events.refund", tag = "refunds",
    params(("id" = String, Path, description = "The event: id or number."),
        ("Idempotency-Key" = String, Header, description = "Makes a retry safe. Required.")),
    security(("api_key" = ["write:refunds"]), ("bearer" = ["write:refunds"]),
        ("basic" = ["write:refunds"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<EventRefund>,
            example = json!({"success": true, "data": {"event_id": "evt_01", "payments": 310}})),
        WriteErrors,
    ))]
#[post("/events/{id}/refunds")]
pub async fn of_event(
    actor: Actor<WriteEventRefunds>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run = move |tx: &mut Tx<'_>| {
        let (event_id, payments) = ops::called_off::refund_event(tx, &path)?;
        let answer = EventRefund { event_id: event_id.to_string(), payments };
        Ok(Outcome::Done(Reply::Good(Answer::ok(answer)?)))
    };
    let canonical = body.into_parts()?.1;
    once.required()?.write(&actor, &canonical, run).await
}
