//! `/v1/deliveries` and `/v1/tickets/{id}/resend`.

use actix_web::{HttpResponse, get, post, web::Path};
use deserr::Deserr;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::DeliveryView;
use super::ops;
use super::store::{DeliveryFilter, DeliveryState};
use crate::catalog;
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::kernel::ids::{Id, PaymentId};
use crate::kernel::input::{Email, Faults, Text};
use crate::web::answer::{Answer, Data, List, Reply};
use crate::web::permission::{Read, WriteTickets};
use crate::web::query::{PagedQuery, Paging};
use crate::web::{Actor, Body, Empty, Once, ReadErrors, WriteErrors, state::State};

/// Mounts this slice's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(read).service(resend).service(resend_ticket);
}

fn object() -> Value {
    json!({"_id": "dlv_01", "id": "dlv_01", "organization_id": "org_01", "channel_id": "ch_01",
        "event_id": "evt_01", "payment_id": "pay_01", "refund_id": null, "mode": "test",
        "recipient": "ana@example.com", "artefacts": ["receipt", "tickets"],
        "ticket_ids": ["tkt_01"], "language": "en", "status": "sent", "reason": null,
        "attempts": 1, "resent_from": null, "created_at": "2026-01-01T00:05:00.000Z",
        "sent_at": "2026-01-01T00:05:01.000Z", "updated_at": "2026-01-01T00:05:01.000Z"})
}

/// Which deliveries.
#[derive(Deserr, IntoParams, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// About this payment.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    payment_id: Option<Text<1, 60>>,
    /// About this event: id or number.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    event_id: Option<Text<1, 60>>,
    /// In this state.
    #[deserr(default)]
    status: Option<DeliveryState>,
    /// To this address.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    recipient: Option<Email>,
}

/// List deliveries
///
/// Messages to buyers and holders, an organization's of all channels or those about a channel's
/// own sales. Newest first.
#[utoipa::path(operation_id = "deliveries.list", tag = "deliveries", params(ListParams, Paging),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<DeliveryView>, example = json!({"success": true,
            "data": [object()],
            "pagination": {"limit": 50, "next_cursor": null, "has_more": false}})),
        ReadErrors,
    ))]
#[get("/deliveries")]
pub async fn list(
    state: State,
    actor: Actor<Read>,
    query: PagedQuery<ListParams>,
) -> Result<HttpResponse> {
    let (wanted, page) = query.into_inner()?;
    let filter = DeliveryFilter {
        payment: wanted.payment_id.map(|text| PaymentId::from_text(text.0)),
        event: None,
        state: wanted.status,
        recipient: wanted.recipient.map(|email| email.0),
    };
    let event_id = wanted.event_id;
    let find = move |tx: &mut Tx<'_>| {
        let meant = |text: &Text<1, 60>| catalog::ops::events::meant_by(tx, &text.0);
        let event = event_id.as_ref().map(meant).transpose()?;
        ops::list(tx, DeliveryFilter { event, ..filter.clone() }, &page)
    };
    Ok(HttpResponse::Ok().json(List::from(state.db.read(actor.scope(), find).await?)))
}

/// Read a delivery
///
/// A message to one recipient: `queued` until it is `sent` or, after the last of nine tries in 25
/// hours, `failed` (then `delivery.failed` says so). Of a failure only a code is kept.
#[utoipa::path(operation_id = "deliveries.read", tag = "deliveries",
    params(("id" = String, Path, description = "The delivery.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = Data<DeliveryView>,
            example = json!({"success": true, "data": object()})),
        ReadErrors,
    ))]
#[get("/deliveries/{id}")]
pub async fn read(state: State, actor: Actor<Read>, path: Path<String>) -> Result<HttpResponse> {
    let view = state.db.read(actor.scope(), move |tx| ops::read(tx, &path)).await?;
    Ok(HttpResponse::Ok().json(Data::new(view)))
}

/// Send a delivery again
///
/// To the same address, with what it carries as it is now; it is another delivery. 409
/// `wrong_status` while it is queued.
#[utoipa::path(operation_id = "deliveries.resend", tag = "deliveries",
    params(("id" = String, Path, description = "The delivery."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:tickets"]), ("bearer" = ["write:tickets"]),
        ("basic" = ["write:tickets"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 201, body = Data<DeliveryView>,
            example = json!({"success": true, "data": object()})),
        WriteErrors,
    ))]
#[post("/deliveries/{id}/resend")]
pub async fn resend(
    actor: Actor<WriteTickets>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run = move |tx: &mut Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::created(ops::resend(tx, &path)?)?)))
    };
    once.write(&actor, &body.into_parts()?.1, run).await
}

/// Where to send it.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Resend {
    /// The holder's corrected e-mail, kept on the ticket.
    #[deserr(default)]
    #[schema(inline)]
    email: Option<Email>,
}

/// Send a ticket again
///
/// To its holder's e-mail, which `email` corrects, else to the buyer's, also where nothing was sent
/// at first. What was sent when, and where to, is in the deliveries. 409 `ticket_not_valid`; 422
/// `no_recipient`.
#[utoipa::path(operation_id = "tickets.resend", tag = "tickets",
    params(("id" = String, Path, description = "The ticket."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:tickets"]), ("bearer" = ["write:tickets"]),
        ("basic" = ["write:tickets"])),
    request_body(content = Resend, example = json!({"email": "ana@example.com"})),
    responses(
        (status = 201, body = Data<DeliveryView>,
            example = json!({"success": true, "data": object()})),
        WriteErrors,
    ))]
#[post("/tickets/{id}/resend")]
pub async fn resend_ticket(
    actor: Actor<WriteTickets>,
    once: Once,
    path: Path<String>,
    body: Body<Resend>,
) -> Result<HttpResponse> {
    let (Resend { email }, canonical) = body.into_parts()?;
    let run = move |tx: &mut Tx<'_>| {
        let email = email.as_ref().map(|email| email.0.as_str());
        let view = ops::resend_ticket(tx, &path, email)?;
        Ok(Outcome::Done(Reply::Good(Answer::created(view)?)))
    };
    once.write(&actor, &canonical, run).await
}
