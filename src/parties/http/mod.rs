//! `/v1/api-keys` and `/v1/partnerships`.

mod keys;
mod partnerships;

use utoipa_actix_web::service_config::ServiceConfig;

/// Mounts this slice's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(keys::create).service(keys::list).service(keys::read);
    config.service(keys::update).service(keys::rotate).service(keys::revoke);
    config.service(partnerships::create).service(partnerships::list).service(partnerships::read);
    config.service(partnerships::update).service(partnerships::accept);
    config.service(partnerships::suspend).service(partnerships::resume);
    config.service(partnerships::end);
}
