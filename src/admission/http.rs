//! `/v1/tickets/{id}/checkin`, `/exit`, `/undo-checkin`, and `/v1/checkins` by code.

use actix_web::{HttpResponse, post, web::Path};
use deserr::Deserr;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::ops;
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::kernel::input::{Faults, Text};
use crate::tickets::{self, TicketView};
use crate::web::answer::{Answer, Data, Reply};
use crate::web::permission::WriteCheckins;
use crate::web::{Actor, Body, Empty, Once, WriteErrors};

/// Mounts this slice's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(check_in).service(exit).service(undo).service(check_in_code);
}

/// Check a ticket in
///
/// Lets one person of the ticket in: `enter` and `entry_time` move, `status` does not. 409
/// `already_checked_in` says when (`checked_in_at`) once everybody of the ticket is inside, 409
/// `ticket_not_valid` when it is not `active` (`current_status`), 409 `event_cancelled`.
#[utoipa::path(operation_id = "tickets.check_in", tag = "tickets",
    params(("id" = String, Path, description = "The ticket."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:checkins"]), ("bearer" = ["write:checkins"]),
        ("basic" = ["write:checkins"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<TicketView>,
            example = json!({"success": true, "data": tickets::example()})),
        WriteErrors,
    ))]
#[post("/tickets/{id}/checkin")]
pub async fn check_in(
    actor: Actor<WriteCheckins>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run = move |tx: &mut Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::ok(ops::check_in(tx, &path)?)?)))
    };
    once.write(&actor, &body.into_parts()?.1, run).await
}

/// Let somebody out
///
/// One of those who came in with the ticket goes out and may come in again: `enter` moves. 409
/// `ticket_not_valid`, `not_inside`.
#[utoipa::path(operation_id = "tickets.exit", tag = "tickets",
    params(("id" = String, Path, description = "The ticket."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:checkins"]), ("bearer" = ["write:checkins"]),
        ("basic" = ["write:checkins"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<TicketView>,
            example = json!({"success": true, "data": tickets::example()})),
        WriteErrors,
    ))]
#[post("/tickets/{id}/exit")]
pub async fn exit(
    actor: Actor<WriteCheckins>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run =
        move |tx: &mut Tx<'_>| Ok(Outcome::Done(Reply::Good(Answer::ok(ops::exit(tx, &path)?)?)));
    once.write(&actor, &body.into_parts()?.1, run).await
}

/// Undo a check-in
///
/// The last way in was a mistake: `enter` moves back and, when nobody else has ever come in with
/// the ticket, `entry_time` is cleared as if it had not been used. 409 `ticket_not_valid`,
/// `not_inside`.
#[utoipa::path(operation_id = "tickets.undo", tag = "tickets",
    params(("id" = String, Path, description = "The ticket."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:checkins"]), ("bearer" = ["write:checkins"]),
        ("basic" = ["write:checkins"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<TicketView>,
            example = json!({"success": true, "data": tickets::example()})),
        WriteErrors,
    ))]
#[post("/tickets/{id}/undo-checkin")]
pub async fn undo(
    actor: Actor<WriteCheckins>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run =
        move |tx: &mut Tx<'_>| Ok(Outcome::Done(Reply::Good(Answer::ok(ops::undo(tx, &path)?)?)));
    once.write(&actor, &body.into_parts()?.1, run).await
}

/// What a scanner reads.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct ScannedCode {
    /// What the QR code says; case does not matter.
    #[schema(inline)]
    code: Text<1, 100>,
}

/// Check in by code
///
/// Lets one person in by what the QR code says. 404 for a code that is none of yours, which a
/// transferred ticket's old one is too; else as by id: 409 `already_checked_in` (with
/// `checked_in_at`), `ticket_not_valid` (with `current_status`), `event_cancelled`.
#[utoipa::path(operation_id = "checkins.create", tag = "tickets",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:checkins"]), ("bearer" = ["write:checkins"]),
        ("basic" = ["write:checkins"])),
    request_body(content = ScannedCode,
        example = json!({"code": "DMBVH6R0AH1VG5M7W2K9T4N8Q3XB6C5E"})),
    responses(
        (status = 201, body = Data<TicketView>,
            example = json!({"success": true, "data": tickets::example()})),
        WriteErrors,
    ))]
#[post("/checkins")]
pub async fn check_in_code(
    actor: Actor<WriteCheckins>,
    once: Once,
    body: Body<ScannedCode>,
) -> Result<HttpResponse> {
    let (ScannedCode { code }, canonical) = body.into_parts()?;
    let code = code.0.to_ascii_uppercase();
    let run = move |tx: &mut Tx<'_>| {
        let view = ops::check_in_code(tx, &code)?;
        Ok(Outcome::Done(Reply::Good(Answer::created(view)?)))
    };
    once.write(&actor, &canonical, run).await
}
