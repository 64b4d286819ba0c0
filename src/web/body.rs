//! Reading JSON bodies: bounded in size, time and depth, with every fault reported at once.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest};
use deserr::Deserr;
use futures_util::StreamExt;
use serde_json::Value;

use crate::kernel::input::Faults;
use crate::kernel::{Error, Fault, Kind, Result};

/// Most bytes in a body.
pub const BODY_MAX_BYTES: usize = 64 * 1024;
/// A body must have arrived after so long.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// Deepest nesting of a body (serde_json's own limit is 128).
const DEPTH_MAX: usize = 32;

/// A request body, and its canonical form for the idempotency fingerprint. Its faults are told
/// when it is opened: extractors run side by side, and who calls is looked at first.
#[derive(Debug)]
pub struct Body<T>(Result<(T, Value)>);

/// A body without fields: nothing, or `{}`.
#[derive(Deserr, Debug, utoipa::ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Empty {}

impl<T> Body<T> {
    /// The value and the canonical form, or everything that is wrong with it.
    pub fn into_parts(self) -> Result<(T, Value)> {
        self.0
    }
}

impl<T: Deserr<Faults> + 'static> FromRequest for Body<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let json = is_json(request);
        let mut payload = payload.take();
        Box::pin(async move { Ok(Self(read(&mut payload, json).await)) })
    }
}

async fn read<T: Deserr<Faults>>(payload: &mut Payload, json: bool) -> Result<(T, Value)> {
    let bytes = tokio::time::timeout(BODY_TIME_MAX, collect(payload)).await;
    let bytes = bytes.map_err(|_| {
        Error::new(Kind::Invalid, "body_too_slow", "The body took too long to arrive.")
    })??;
    let canonical = parse(&bytes, json)?;
    let value = deserr::deserialize::<T, _, Faults>(canonical.clone())
        .map_err(|faults| Error::invalid(faults.0))?;
    Ok((value, canonical))
}

async fn collect(payload: &mut Payload) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            let reason = "The body could not be read to its end.";
            Error::new(Kind::Invalid, "body_incomplete", reason).because(error)
        })?;
        if bytes.len() + chunk.len() > BODY_MAX_BYTES {
            let message = format!("The body has more than {BODY_MAX_BYTES} bytes.");
            return Err(Error::new(Kind::TooLarge, "body_too_large", message));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn parse(bytes: &[u8], json: bool) -> Result<Value> {
    if bytes.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    if !json {
        let message = "The body must be sent as application/json.";
        return Err(Error::new(Kind::UnsupportedMedia, "unsupported_media_type", message));
    }
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Error::invalid(vec![Fault::new("", format!("is not JSON: {error}"))]))?;
    if depth(&value) > DEPTH_MAX {
        let reason = format!("is nested deeper than {DEPTH_MAX} levels");
        return Err(Error::invalid(vec![Fault::new("", reason)]));
    }
    if holds_nul(&value) {
        return Err(Error::invalid(vec![Fault::new("", "must not contain the character NUL")]));
    }
    Ok(value)
}

fn is_json(request: &HttpRequest) -> bool {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| name.contains('\0') || holds_nul(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The same text for every body that means the same: members sorted by name.
pub fn canonical_text(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            let member = |name: &String| {
                let value = fields.get(name).map(canonical_text).unwrap_or_default();
                format!("{}:{value}", Value::String(name.clone()))
            };
            format!("{{{}}}", names.into_iter().map(member).collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => {
            format!("[{}]", values.iter().map(canonical_text).collect::<Vec<_>>().join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}
