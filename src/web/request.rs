//! Around every request: an id, one log line, one measurement, safe headers.

use std::time::Instant;

use actix_web::ResponseError;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;

use super::connection::{self, Guarded};
use super::state::State;
use crate::kernel::Error;
use crate::kernel::ids::{Id, RequestId};

tokio::task_local! {
    static REQUEST_ID: String;
}

/// The id of the request this task works on; empty outside of one.
pub fn current_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Middleware around everything.
pub async fn accompany<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody + use<B>>, actix_web::Error> {
    let in_use = connection::in_use(&request);
    let id = new_id(&request);
    let started = Instant::now();
    let method = known_method(request.method());
    let path = request.path().to_owned();
    let answered = REQUEST_ID.scope(id.clone(), async {
        // What no text of ours can be called is not there; neither database must be asked.
        if !is_plain(request.path()) {
            let response = Error::not_found().error_response();
            return Ok(request.into_response(response).map_into_boxed_body());
        }
        next.call(request).await.map(|response| response.map_into_boxed_body())
    });
    let mut response = answered.await?;
    let pattern = response.request().match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    let labels =
        [("method", method.to_owned()), ("path", pattern.clone()), ("status", status.to_string())];
    metrics::histogram!("rialto_http_request_seconds", &labels).record(elapsed.as_secs_f64());
    // The pattern, not the path: ids and slugs stay out of the log at this level.
    tracing::info!(
        request_id = id,
        method,
        path = pattern,
        status,
        micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    tracing::trace!(request_id = id, path, "request path");
    decorate(&mut response, &id);
    Ok(response.map_body(|_, body| Guarded::new(body, in_use)))
}

/// A caller may send any word as a method; the measurements keep a few.
fn known_method(method: &Method) -> &'static str {
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    known.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
}

/// Whether a path decodes to text without control characters.
fn is_plain(path: &str) -> bool {
    let pairs = path.split('%').skip(1).map(|part| part.get(..2).unwrap_or(""));
    let control = |pair: &str| u8::from_str_radix(pair, 16).is_ok_and(|byte| byte < 0x20);
    let decoded = url::form_urlencoded::parse(path.as_bytes()).all(|(name, value)| {
        !name.contains(char::REPLACEMENT_CHARACTER) && !value.contains(char::REPLACEMENT_CHARACTER)
    });
    decoded && !pairs.into_iter().any(control)
}

fn new_id(request: &ServiceRequest) -> String {
    match request.app_data::<State>() {
        Some(state) => {
            let environment = state.db.environment();
            environment.ids.next::<RequestId>(environment.clock.now()).as_str().to_owned()
        }
        None => RequestId::from_uuid(uuid::Uuid::new_v4()).as_str().to_owned(),
    }
}

fn decorate<B>(response: &mut ServiceResponse<B>, id: &str) {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    let fixed = [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ];
    for (name, value) in fixed {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
