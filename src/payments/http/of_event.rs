//! `/v1/events/{id}/...`: an event's payments, and tickets the organization gives out itself.

use actix_web::{HttpResponse, get, post, web::Path};

use super::examples;
use crate::catalog;
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::payments::input::DirectIssue;
use crate::payments::ops::create::direct::{self, IssuedTickets};
use crate::payments::ops::read::PaymentFilter;
use crate::payments::{PaymentView, ops};
use crate::web::answer::{Answer, Data, List, Reply};
use crate::web::permission::{IssueTickets, Read};
use crate::web::query::{NoFilter, PagedQuery, Paging};
use crate::web::{Actor, Body, Once, ReadErrors, State, WriteErrors};

/// List the payments of an event
///
/// An organization's of all channels, or a channel's own. Newest first.
#[utoipa::path(operation_id = "events.payments", tag = "events", params(Paging,
        ("id" = String, Path, description = "The event: id or number.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<PaymentView>, example = json!(examples::payments())),
        ReadErrors,
    ))]
#[get("/events/{id}/payments")]
pub async fn payments(
    state: State,
    actor: Actor<Read>,
    path: Path<String>,
    query: PagedQuery<NoFilter>,
) -> Result<HttpResponse> {
    let (NoFilter {}, page) = query.into_inner()?;
    let find = move |tx: &mut Tx<'_>| {
        let event = Some(catalog::ops::events::find(tx, &path)?.id);
        ops::read::list(tx, PaymentFilter { event, ..PaymentFilter::default() }, &page)
    };
    Ok(HttpResponse::Ok().json(List::from(state.db.read(actor.scope(), find).await?)))
}

/// Give out tickets
///
/// The organization gives valid tickets of its own event, a draft too, outside of any sale: no
/// window, minimum or limit per buyer binds it, stock does. It makes a paid payment of type
/// `direct` and answers the first ticket, with all of them in `tickets`. They are mailed to
/// `attendee_email`. 404 for a rate of another event; 409 `event_cancelled`; 422 `sold_out` (with
/// `left`), `not_on_sale` (no price).
#[utoipa::path(operation_id = "events.issue_tickets", tag = "events",
    params(("id" = String, Path, description = "The event: id or number."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:tickets"]), ("bearer" = ["write:tickets"]),
        ("basic" = ["write:tickets"])),
    request_body(content = DirectIssue, example = json!({"attendee_name": "Ana Lopez",
        "attendee_email": "ana@example.com", "quantity": 2})),
    responses(
        (status = 201, body = Data<IssuedTickets>, example = json!(examples::issued())),
        WriteErrors,
    ))]
#[post("/events/{id}/tickets")]
pub async fn issue(
    actor: Actor<IssueTickets>,
    once: Once,
    path: Path<String>,
    body: Body<DirectIssue>,
) -> Result<HttpResponse> {
    let (input, canonical) = body.into_parts()?;
    let run = move |tx: &mut Tx<'_>| {
        let issued = direct::issue(tx, &path, &input)?;
        Ok(Outcome::Done(Reply::Good(Answer::created(issued)?)))
    };
    once.write(&actor, &canonical, run).await
}
