//! `/v1/attendees`: the people on tickets.

use actix_web::{HttpResponse, get, patch, put, web::Path};
use serde_json::{Value, json};

use crate::catalog;
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::tickets::input::AttendeeFields;
use crate::tickets::store::Filter;
use crate::tickets::{AttendeeView, ops};
use crate::web::answer::{Answer, Reply};
use crate::web::permission::{Read, WriteAttendees};
use crate::web::query::{NoFilter, PagedQuery, Paging};
use crate::web::{Actor, Body, Data, List, Once, ReadErrors, WriteErrors, state::State};

fn object() -> Value {
    json!({"_id": "atd_01", "id": "atd_01", "ticket_id": "tkt_01", "payment_id": "pay_01",
        "organization_id": "org_01", "event_id": "evt_01", "ticket_rate_id": "rate_01",
        "channel_id": "ch_01", "full_name": "Ana Lopez", "email": "ana@example.com",
        "phone": null, "status": "active", "checked_in": false, "entry_time": null,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z"})
}

/// List the attendees of an event
///
/// One for each ticket, an organization's of all channels or a channel's own. Newest first.
#[utoipa::path(operation_id = "events.attendees", tag = "attendees", params(Paging,
        ("id" = String, Path, description = "The event: id or number.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<AttendeeView>, example = json!({"success": true,
            "data": [object()],
            "pagination": {"limit": 50, "next_cursor": null, "has_more": false}})),
        ReadErrors,
    ))]
#[get("/events/{id}/attendees")]
pub async fn of_event(
    state: State,
    actor: Actor<Read>,
    path: Path<String>,
    query: PagedQuery<NoFilter>,
) -> Result<HttpResponse> {
    let (NoFilter {}, page) = query.into_inner()?;
    let find = move |tx: &mut Tx<'_>| {
        let event = Some(catalog::ops::events::find(tx, &path)?.id);
        ops::rows(tx, Filter { event, ..Filter::default() }, &page)
    };
    let page = state.db.read(actor.scope(), find).await?;
    Ok(HttpResponse::Ok().json(List::from(page.map(AttendeeView::from))))
}

/// Read an attendee
///
/// The person on a ticket.
#[utoipa::path(operation_id = "attendees.read", tag = "attendees",
    params(("id" = String, Path, description = "The attendee.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = Data<AttendeeView>,
            example = json!({"success": true, "data": object()})),
        ReadErrors,
    ))]
#[get("/attendees/{id}")]
pub async fn read(state: State, actor: Actor<Read>, path: Path<String>) -> Result<HttpResponse> {
    let find = move |tx: &mut Tx<'_>| ops::holder::of_attendee(tx, &path);
    let ticket = state.db.read(actor.scope(), find).await?;
    Ok(HttpResponse::Ok().json(Data::new(AttendeeView::from(ticket))))
}

/// Change an attendee
///
/// A partial update: absent fields are left, null clears. The ticket keeps its code; to give it to
/// somebody else, transfer it.
#[utoipa::path(operation_id = "attendees.update", tag = "attendees",
    params(("id" = String, Path, description = "The attendee.")),
    security(("api_key" = ["write:attendees"]), ("bearer" = ["write:attendees"]),
        ("basic" = ["write:attendees"])),
    request_body(content = AttendeeFields, example = json!({"full_name": "Ana López"})),
    responses(
        (status = 200, body = Data<AttendeeView>,
            example = json!({"success": true, "data": object()})),
        WriteErrors,
    ))]
#[put("/attendees/{id}")]
pub async fn update(
    actor: Actor<WriteAttendees>,
    once: Once,
    path: Path<String>,
    body: Body<AttendeeFields>,
) -> Result<HttpResponse> {
    change(actor, once, path, body).await
}

/// Change an attendee
///
/// The same as PUT.
#[utoipa::path(operation_id = "attendees.patch", tag = "attendees",
    params(("id" = String, Path, description = "The attendee.")),
    security(("api_key" = ["write:attendees"]), ("bearer" = ["write:attendees"]),
        ("basic" = ["write:attendees"])),
    request_body(content = AttendeeFields, example = json!({"phone": null})),
    responses(
        (status = 200, body = Data<AttendeeView>,
            example = json!({"success": true, "data": object()})),
        WriteErrors,
    ))]
#[patch("/attendees/{id}")]
pub async fn patch(
    actor: Actor<WriteAttendees>,
    once: Once,
    path: Path<String>,
    body: Body<AttendeeFields>,
) -> Result<HttpResponse> {
    change(actor, once, path, body).await
}

async fn change(
    actor: Actor<WriteAttendees>,
    once: Once,
    path: Path<String>,
    body: Body<AttendeeFields>,
) -> Result<HttpResponse> {
    let (fields, canonical) = body.into_parts()?;
    let run = move |tx: &mut Tx<'_>| {
        let view = AttendeeView::from(ops::holder::update(tx, &path, &fields)?);
        Ok(Outcome::Done(Reply::Good(Answer::ok(view)?)))
    };
    once.write(&actor, &canonical, run).await
}
