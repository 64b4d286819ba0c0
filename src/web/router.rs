//! Every route, and with it the API document: what is mounted is documented.

use actix_web::{HttpRequest, HttpResponse, web};
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_actix_web::{AppExt, scope};

use super::cors::cors;
use super::documents::Head;
use super::health;
use super::polish::polish;
use crate::kernel::{Error, Kind, Result};
use crate::{accounts, admission, catalog, mail, outbox, parties, payments, reports, tickets};

/// Mounts everything that is documented.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(health::live).service(health::ready).service(health::metrics);
    config.service(
        // Paths are tried one after the other: first what is asked most; but the catalogue before
        // payments, for `/events/by-slug/payments` is an event.
        scope("/v1")
            .configure(catalog::http::routes)
            .configure(payments::http::routes)
            .configure(tickets::http::routes)
            .configure(admission::http::routes)
            .configure(outbox::http::routes)
            .configure(parties::http::routes)
            .configure(accounts::http::routes)
            .configure(mail::http::routes)
            .configure(reports::http::routes)
            .wrap(cors()),
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

/// The API document as a server at a public address serves it.
pub fn served_document(base_url: Option<&url::Url>) -> String {
    let mut document = document();
    if let (Some(base), Some(fields)) = (base_url, document.as_object_mut()) {
        let server = serde_json::json!([{"url": base.as_str().trim_end_matches('/')}]);
        fields.insert("servers".to_owned(), server);
    }
    document.to_string()
}

/// The route of the API document itself.
pub fn document_route(json: web::Bytes) -> actix_web::Resource {
    let answer = move || {
        let json = json.clone();
        async move { HttpResponse::Ok().content_type("application/json").body(json) }
    };
    web::resource("/openapi.json").route(web::get().to(answer))
}
