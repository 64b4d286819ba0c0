//! Errors on the wire, once for the whole service.

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value, json};

use super::request;
use crate::kernel::{Error, Kind};

/// Where the codes are explained.
const DOC_URL: &str = "/docs";

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        log(self);
        let mut response = HttpResponse::build(self.status_code());
        if let Some(seconds) = self.retry_after_seconds() {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if self.kind() == Kind::Unauthenticated {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        response.json(body(self))
    }
}

fn body(error: &Error) -> Value {
    let fault =
        |fault: &crate::kernel::Fault| json!({"field": fault.field, "reason": fault.reason});
    let faults: Vec<Value> = error.faults().iter().map(fault).collect();
    let mut inner = Map::new();
    inner.insert("type".into(), error.type_name().into());
    inner.insert("code".into(), error.code().into());
    inner.insert("message".into(), error.message().into());
    inner.insert("details".into(), faults.first().cloned().unwrap_or(Value::Null));
    inner.insert("errors".into(), faults.into());
    inner.insert("retryable".into(), error.retryable().into());
    inner.insert("request_id".into(), request::current_id().into());
    inner.insert("doc_url".into(), DOC_URL.into());
    inner.extend(error.extra().clone());
    json!({"success": false, "error": inner})
}

/// Defects and overload are logged with their hidden cause; a caller's mistakes are not.
fn log(error: &Error) {
    let request_id = request::current_id();
    let cause = error.source_chain().unwrap_or_default();
    match error.kind() {
        Kind::Internal | Kind::Lost => {
            tracing::error!(request_id, code = error.code(), cause, "a request failed");
        }
        Kind::Unavailable | Kind::Retry => {
            tracing::warn!(request_id, code = error.code(), cause, "a request was put off");
        }
        Kind::Invalid
        | Kind::Unauthenticated
        | Kind::Card
        | Kind::Forbidden
        | Kind::NotFound
        | Kind::Conflict
        | Kind::Gone
        | Kind::MethodNotAllowed
        | Kind::TooLarge
        | Kind::UnsupportedMedia
        | Kind::Unprocessable
        | Kind::RateLimited => {}
    }
}
