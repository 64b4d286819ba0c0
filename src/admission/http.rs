//! `/v1/tickets/{id}/checkin`.

use actix_web::{HttpResponse, post, web::Path};
use utoipa_actix_web::service_config::ServiceConfig;

use super::ops;
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::tickets::{self, TicketView};
use crate::web::answer::{Answer, Data, Reply};
use crate::web::permission::WriteCheckins;
use crate::web::{Actor, Body, Empty, Once, WriteErrors};

/// Mounts this slice's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(check_in);
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
