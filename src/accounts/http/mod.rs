//! `/v1/auth` and `/v1/members`.

mod auth;
mod cookie;
mod invitations;
mod members;
mod passwords;
mod tenant;
mod totp;
mod view;
mod who;

use utoipa_actix_web::service_config::ServiceConfig;

use super::throttle::{Counted, Throttle};
use crate::db::Scope;
use crate::kernel::Result;
use crate::web::state::State;

/// Mounts this slice's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(who::auth);
    config.service(auth::sign_up).service(auth::log_in);
    config.service(auth::refresh).service(auth::log_out);
    config.service(passwords::forgot).service(passwords::reset).service(passwords::change);
    config.service(passwords::confirm).service(passwords::resend);
    config.service(totp::begin).service(totp::confirm).service(totp::end);
    config.service(invitations::invite).service(invitations::list);
    config.service(invitations::accept).service(invitations::withdraw);
    config.service(members::list).service(members::read);
    config.service(members::change).service(members::remove);
    config.service(tenant::remove);
}

/// The scope of whoever is nobody yet: tokens and passwords are looked at with it.
fn nobody() -> Scope {
    Scope::platform("somebody who is not logged in")
}

/// Counts a request of an address. 429.
fn admit(state: &State, from: &str) -> Result<()> {
    let throttle: &Throttle = state.db.environment().get()?;
    throttle.pass(Counted::Request, from, state.db.now())
}
