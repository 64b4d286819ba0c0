//! What a browser on another origin may do: come with a key, and without cookies.
//!
//! A publishable key is for the shop's own pages, which are elsewhere. Every origin is let in,
//! since nothing but the credential it brings opens anything; cookies are not sent along, so a
//! page cannot act for whoever is logged in here. Pages of this server itself, captured mail among
//! them, stay closed: this is around `/v1` only.

use actix_cors::Cors;

/// The answer to "may I ask?" is good for so many seconds, the most Chromium keeps it.
const ALLOWED_FOR_SECONDS: usize = 7_200;

/// What this API is asked with.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// What a page's script may read beside the body.
const EXPOSED: [&str; 4] =
    ["x-request-id", "retry-after", "idempotent-replayed", "content-disposition"];

/// Lets every origin ask, without cookies.
pub fn cors() -> Cors {
    Cors::default()
        .allow_any_origin()
        .send_wildcard()
        .allowed_methods(METHODS)
        .allow_any_header()
        .expose_headers(EXPOSED)
        .max_age(ALLOWED_FOR_SECONDS)
}
