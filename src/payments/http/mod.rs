//! Routes of payments.

use utoipa_actix_web::service_config::ServiceConfig;

mod actions;
mod changes;
mod charging;
mod customers;
mod examples;
mod methods;
mod of_event;
mod payments;
mod refunds;

/// Mounts this slice's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(payments::create)
        .service(payments::list)
        .service(payments::read)
        .service(changes::extend)
        .service(changes::update)
        .service(changes::patch)
        .service(methods::create)
        .service(actions::pay)
        .service(actions::mark_paid)
        .service(actions::finalize)
        .service(actions::authorize)
        .service(actions::cancel)
        .service(of_event::payments)
        .service(of_event::issue)
        .service(payments::timeline)
        .service(customers::create)
        .service(customers::list)
        .service(customers::read)
        .service(customers::update)
        .service(customers::patch)
        .service(customers::remove)
        .service(refunds::create)
        .service(refunds::list_of)
        .service(refunds::list)
        .service(refunds::read)
        .service(refunds::of_ticket)
        .service(refunds::of_event);
}
