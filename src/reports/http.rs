//! `/v1/events/{id}/analytics`.

use actix_web::{HttpResponse, get, web::Path};
use utoipa_actix_web::service_config::ServiceConfig;

use super::ops::{self, Analytics};
use crate::kernel::Result;
use crate::web::permission::Read;
use crate::web::{Actor, Data, ReadErrors, state::State};

/// Mounts this slice's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(analytics);
}

/// The figures of an event
///
/// As they are now: an organization's of all channels, or those of a channel's own sales.
#[utoipa::path(operation_id = "events.analytics", tag = "events",
    params(("id" = String, Path, description = "The event: id or number.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = Data<Analytics>, example = json!({"success": true, "data": {
            "event_id": "evt_01", "total_tickets": 500, "sold_tickets": 310, "revenue": 6386,
            "currency": "EUR", "check_ins": 0}})),
        ReadErrors,
    ))]
#[get("/events/{id}/analytics")]
pub async fn analytics(
    state: State,
    actor: Actor<Read>,
    path: Path<String>,
) -> Result<HttpResponse> {
    let figures = state.db.read(actor.scope(), move |tx| ops::analytics(tx, &path)).await?;
    Ok(HttpResponse::Ok().json(Data::new(figures)))
}
