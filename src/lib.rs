pub mod kernel;
pub mod db;
pub mod config;
pub mod inventory;
pub mod outbox;
pub mod parties;
pub mod web;
pub mod catalog;
pub mod tickets;
macro_rules! stub { ($($n:ident)*) => { $(pub mod $n { pub mod http { pub fn routes(_: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {} } })* } }
stub!(payments admission);
