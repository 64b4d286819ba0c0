//! Is it alive, does it want work, how is it doing.

use std::sync::atomic::Ordering;

use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::state::State;
use crate::kernel::{Error, Result};

/// How the service is.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `live` or `ready`.
    #[schema(example = "ready")]
    pub status: &'static str,
}

/// Liveness
///
/// Answers as long as the process can answer at all.
#[utoipa::path(operation_id = "health.live", tag = "service",
    responses((status = 200, body = Health, example = json!({"status": "live"}))))]
#[get("/health/live")]
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "live" })
}

/// Readiness
///
/// 503 while the database cannot be reached and from the moment the server is told to stop.
#[utoipa::path(operation_id = "health.ready", tag = "service",
    responses(
        (status = 200, body = Health, example = json!({"status": "ready"})),
        (status = 503, body = super::ErrorBody, description = "`unavailable`: not now."),
    ))]
#[get("/health/ready")]
pub async fn ready(state: State) -> Result<HttpResponse> {
    if !state.ready.load(Ordering::SeqCst) {
        return Err(Error::unavailable("This server is stopping."));
    }
    state.db.ping().await?;
    Ok(HttpResponse::Ok().json(Health { status: "ready" }))
}

/// Metrics
///
/// Prometheus text. Request times by method, path pattern and status.
#[utoipa::path(operation_id = "service.metrics", tag = "service",
    responses((status = 200, body = String, content_type = "text/plain",
        example = "# TYPE rialto_http_request_seconds summary")))]
#[get("/metrics")]
pub async fn metrics(state: State) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(state.metrics.render())
}
