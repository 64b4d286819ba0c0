//! Routes of tickets and of the people on them.

use utoipa_actix_web::service_config::ServiceConfig;

mod attendees;
mod tickets;

/// Mounts this slice's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(tickets::list)
        .service(tickets::of_event)
        .service(tickets::picture)
        .service(tickets::transfer)
        .service(tickets::read)
        .service(attendees::of_event)
        .service(attendees::read)
        .service(attendees::update)
        .service(attendees::patch);
}
