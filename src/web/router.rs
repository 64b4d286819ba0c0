//! Every route, and with it the API document: what is mounted is documented.

use actix_web::{HttpRequest, HttpResponse, web};
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_actix_web::{AppExt, scope};

use super::documents::Head;
use super::health;
use super::polish::polish;
use crate::kernel::{Error, Kind, Result};
use crate::{admission, catalog, outbox, parties, payments, tickets};

/// Mounts everything that is documented.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(health::live).service(health::ready).service(health::metrics);
    config.service(
        scope("/v1")
            .configure(parties::http::routes)
            .configure(catalog::http::routes)
            .configure(tickets::http::routes)
            .configure(payments::http::routes)
            .configure(admission::http::routes)
            .configure(outbox::http::routes),
    );
}

/// The API document.
pub fn document() -> serde_json::Value {
    use utoipa::OpenApi;
    let app = actix_web::App::new().into_utoipa_app().openapi(Head::openapi()).configure(routes);
    // The document is plain data; a failure to write it would be found by every test.
    let mut document = serde_json::to_value(app.split_for_parts().1).unwrap_or_default();
    polish(&mut document);
    document
}

/// The API document as it is committed and served.
pub fn document_json() -> String {
    format!("{:#}\n", document())
}

/// What no route matches. A path that exists answers 405 to other methods.
pub async fn unmatched(request: HttpRequest) -> Result<HttpResponse> {
    if request.match_pattern().is_some() {
        let message = "This path does not know that method.";
        return Err(Error::new(Kind::MethodNotAllowed, "method_not_allowed", message));
    }
    Err(Error::not_found())
}

/// The route of the API document itself.
pub fn document_route(json: &'static str) -> actix_web::Resource {
    web::resource("/openapi.json").route(
        web::get().to(move || async move {
            HttpResponse::Ok().content_type("application/json").body(json)
        }),
    )
}
