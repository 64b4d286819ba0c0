//! Routes of the catalogue.

mod events;
mod examples;
mod locations;
mod rates;

use utoipa_actix_web::service_config::ServiceConfig;

/// Mounts this slice's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(events::create)
        .service(events::list)
        .service(events::by_slug)
        .service(events::read)
        .service(events::update)
        .service(events::patch)
        .service(events::publish)
        .service(events::cancel)
        .service(events::remove)
        .service(locations::create)
        .service(locations::list)
        .service(locations::read)
        .service(locations::update)
        .service(locations::patch)
        .service(locations::remove)
        .service(rates::create)
        .service(rates::list)
        .service(rates::by_slug)
        .service(rates::read)
        .service(rates::update)
        .service(rates::patch)
        .service(rates::remove);
}
