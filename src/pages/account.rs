//! What the links in letters about accounts open: confirm, reset, accept.
//!
//! The token stands behind the hash of the address, so that it reaches neither logs nor other
//! sites, and nothing is done before a button is pressed.

use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType};
use actix_web::{HttpResponse, web};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// Mounts the page and its assets.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/account/{kind:confirm|reset|invitation}", web::get().to(page))
        .route("/assets/account.js", web::get().to(script))
        .route("/assets/account.css", web::get().to(style));
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(include_str!("../../templates/pages/account.html"))
}

async fn script() -> HttpResponse {
    let kind = "text/javascript; charset=utf-8";
    HttpResponse::Ok().content_type(kind).body(include_str!("../../templates/assets/account.js"))
}

async fn style() -> HttpResponse {
    let kind = "text/css; charset=utf-8";
    HttpResponse::Ok().content_type(kind).body(include_str!("../../templates/assets/account.css"))
}
