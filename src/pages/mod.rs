//! Pages: the API reference, offline at `/docs`, what links in letters open, and captured mail.

mod account;
mod mail;

use actix_web::web;
use utoipa_swagger_ui::{Config, SwaggerUi};

pub use mail::CapturedMail;

/// Mounts the pages.
pub fn routes(config: &mut web::ServiceConfig) {
    account::routes(config);
    mail::routes(config);
    let reference = Config::from("/openapi.json").try_it_out_enabled(true);
    config
        .service(web::redirect("/docs", "/docs/"))
        .service(SwaggerUi::new("/docs/{_:.*}").config(reference));
}
