//! Pages: the API reference, offline at `/docs`, and what links in letters open.

mod account;

use actix_web::web;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Mounts the pages.
pub fn routes(config: &mut web::ServiceConfig) {
    account::routes(config);
    let reference = Config::from("/openapi.json").try_it_out_enabled(true);
    config
        .service(web::redirect("/docs", "/docs/"))
        .service(SwaggerUi::new("/docs/{_:.*}").config(reference));
}
