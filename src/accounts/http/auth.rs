//! Signing up, logging in, refreshing, logging out.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post};

use super::super::input::{LogInBody, LogOutBody, RefreshBody, SignUpBody};
use super::super::ops::log_in::{self as log_in_ops, LogIn};
use super::super::ops::sessions::{self, Opened};
use super::super::ops::sign_up::{self as sign_up_ops, NewTenant, SignUp};
use super::super::ops::wrong_credentials;
use super::super::passwords::Passwords;
use super::super::throttle::{Counted, Throttle};
use super::view::{SessionView, answer, session_example};
use super::{admit, cookie, nobody};
use crate::db::{Outcome, Tx};
use crate::kernel::{Error, Result};
use crate::web::address::caller;
use crate::web::auth::unauthorized;
use crate::web::{Body, Data, PublicErrors, State};

/// Sign up
///
/// Founds an organization or a channel with its first owner, and begins a session. A confirmation
/// is mailed; until it is used the tenant works in test mode only (`Rialto-Mode: test`, else 403
/// `email_unconfirmed`). An e-mail that has an account can found another tenant: it joins that
/// account when the e-mail is confirmed, and the answer does not tell.
#[utoipa::path(operation_id = "auth.sign_up", tag = "auth", security(()),
    request_body(content = SignUpBody, example = json!({"email": "ana@example.com",
        "password": "correct horse battery", "name": "Ana Lopez",
        "organization": {"name": "Sala Apolo", "currency": "EUR", "timezone": "Europe/Madrid"}})),
    responses(
        (status = 201, body = Data<SessionView>, example = json!(session_example())),
        (status = 409, body = crate::web::ErrorBody, description = "`slug_taken`."),
        PublicErrors,
    ))]
#[post("/auth/sign-up")]
pub async fn sign_up(
    state: State,
    request: HttpRequest,
    body: Body<SignUpBody>,
) -> Result<HttpResponse> {
    let (body, _) = body.into_parts()?;
    let (in_cookie, password) = (body.cookie.unwrap_or(false), body.password.clone());
    let tenant = tenant_of(&body)?;
    admit(&state, &caller(&request, state.http.trusted_proxies.into()))?;
    let passwords: &Passwords = state.db.environment().get()?;
    let new = SignUp {
        email: body.email.0.to_lowercase(),
        name: body.name.0,
        password_hash: passwords.hash(password.0).await?,
        tenant,
    };
    let write = move |tx: &mut Tx<'_>| sign_up_ops::sign_up(tx, &new).map(Outcome::Done);
    let opened = state.db.write(&nobody(), write).await?.into_inner();
    answer(&state, opened, StatusCode::CREATED, in_cookie)
}

fn tenant_of(body: &SignUpBody) -> Result<NewTenant> {
    match (body.organization.clone(), body.channel.clone()) {
        (Some(new), None) => Ok(NewTenant::Organization {
            name: new.name.0,
            slug: new.slug.map(|slug| slug.0),
            currency: new.currency.map(|currency| currency.0),
            timezone: new.timezone.map(|zone| zone.0),
        }),
        (None, Some(new)) => {
            Ok(NewTenant::Channel { name: new.name.0, slug: new.slug.map(|slug| slug.0) })
        }
        (Some(_), Some(_)) => {
            Err(Error::invalid_field("channel", "must not be sent with organization"))
        }
        (None, None) => Err(Error::invalid_field("organization", "is required, or channel")),
    }
}

/// Log in
///
/// For who has confirmed their e-mail. 401 `wrong_credentials` whether there is such an account or
/// not; `code_required` when the
/// password is right and the account asks for a one-time password in `code`. A member of several
/// tenants says which in `tenant_id`, else 409 `tenant_required` with the list in `tenants`; 403
/// `no_membership` when it is none of theirs. Ten wrong passwords for an account from one address
/// within ten minutes: 429; from elsewhere the right one still works.
#[utoipa::path(operation_id = "auth.log_in", tag = "auth", security(()),
    request_body(content = LogInBody, example = json!({"email": "ana@example.com",
        "password": "correct horse battery"})),
    responses(
        (status = 200, body = Data<SessionView>, example = json!(session_example())),
        (status = 401, body = crate::web::ErrorBody,
            description = "`wrong_credentials`, `code_required`."),
        (status = 403, body = crate::web::ErrorBody, description = "`no_membership`."),
        (status = 409, body = crate::web::ErrorBody, description = "`tenant_required`."),
        PublicErrors,
    ))]
#[post("/auth/log-in")]
pub async fn log_in(
    state: State,
    request: HttpRequest,
    body: Body<LogInBody>,
) -> Result<HttpResponse> {
    let (body, _) = body.into_parts()?;
    let (email, in_cookie) = (body.email.0.to_lowercase(), body.cookie.unwrap_or(false));
    let from = caller(&request, state.http.trusted_proxies.into());
    let account = format!("{email} {from}");
    let throttle: &Throttle = state.db.environment().get()?;
    let check = || -> Result<()> {
        throttle.check(Counted::WrongPassword, &account, state.db.now())?;
        throttle.check(Counted::WrongPasswords, &from, state.db.now())
    };
    check()?;
    let user = state.db.read(&nobody(), move |tx| log_in_ops::candidate(tx, &email)).await?;
    let passwords: &Passwords = state.db.environment().get()?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = passwords.verify(body.password.0, hash).await?;
    // Many at once have all passed the check before the first was counted.
    check()?;
    let opened = match user.filter(|_| right) {
        None => Err(wrong_credentials()),
        Some(user) => {
            let (tenant, code) = (body.tenant_id, body.code);
            let (tenant, code) = (tenant.map(|text| text.0), code.map(|code| code.0));
            enter(&state, LogIn { user, tenant, code }).await
        }
    };
    if opened.as_ref().is_err_and(|error| error.code() == "wrong_credentials") {
        throttle.count(Counted::WrongPassword, &account, state.db.now());
        throttle.count(Counted::WrongPasswords, &from, state.db.now());
    }
    answer(&state, opened?, StatusCode::OK, in_cookie)
}

/// Begins the session. Codes are counted for the account, wherever they come from: whoever
/// sends them knows the password, and a code has but a million values.
async fn enter(state: &State, wanted: LogIn) -> Result<Opened> {
    let throttle: &Throttle = state.db.environment().get()?;
    let (who, asked) = (format!("code {}", wanted.user.id), wanted.code.is_some());
    if asked {
        throttle.pass(Counted::WrongPassword, &who, state.db.now())?;
    }
    let write = move |tx: &mut Tx<'_>| log_in_ops::log_in(tx, &wanted).map(Outcome::Done);
    Ok(state.db.write(&nobody(), write).await?.into_inner())
}

/// Refresh a session
///
/// Exchanges the refresh token (in the body, or the browser's cookie) for an access token and the
/// next refresh token. A retry within 10 seconds gets the same refresh token again; a token that
/// was used before that ends the session, because somebody else has it. A session ends 12 hours
/// after its last refresh and 7 days after its log-in. 401 `unauthorized`; 403 `cross_site`: the
/// cookie came from another site.
#[utoipa::path(operation_id = "auth.refresh", tag = "auth", security(()),
    request_body(content = RefreshBody, example = json!({"refresh_token": "rt.ses_01.0.c2ln"})),
    responses(
        (status = 200, body = Data<SessionView>, example = json!(session_example())),
        (status = 401, body = crate::web::ErrorBody, description = "`unauthorized`."),
        (status = 403, body = crate::web::ErrorBody, description = "`cross_site`."),
        PublicErrors,
    ))]
#[post("/auth/refresh")]
pub async fn refresh(
    state: State,
    request: HttpRequest,
    body: Body<RefreshBody>,
) -> Result<HttpResponse> {
    let (body, _) = body.into_parts()?;
    let (token, in_cookie) = token_of(&request, body.refresh_token.map(|token| token.0))?;
    let token = token.ok_or_else(unauthorized)?;
    let write = move |tx: &mut Tx<'_>| sessions::refresh(tx, &token).map(Outcome::Done);
    let opened = state.db.write(&nobody(), write).await?.into_inner();
    answer(&state, opened.ok_or_else(unauthorized)?, StatusCode::OK, in_cookie)
}

/// Log out
///
/// Ends the session of the refresh token (in the body, or the browser's cookie), or with
/// `"all": true` every session of its user. A session that has ended already answers the same. 401
/// `unauthorized`: no refresh token of ours; 403 `cross_site`: the cookie came from another site.
#[utoipa::path(operation_id = "auth.log_out", tag = "auth", security(()),
    request_body(content = LogOutBody, example = json!({"refresh_token": "rt.ses_01.0.c2ln"})),
    responses(
        (status = 204, description = "It has ended."),
        (status = 401, body = crate::web::ErrorBody, description = "`unauthorized`."),
        (status = 403, body = crate::web::ErrorBody, description = "`cross_site`."),
        PublicErrors,
    ))]
#[post("/auth/log-out")]
pub async fn log_out(
    state: State,
    request: HttpRequest,
    body: Body<LogOutBody>,
) -> Result<HttpResponse> {
    let (body, _) = body.into_parts()?;
    let (token, in_cookie) = token_of(&request, body.refresh_token.map(|token| token.0))?;
    let (token, all) = (token.ok_or_else(unauthorized)?, body.all.unwrap_or(false));
    let write = move |tx: &mut Tx<'_>| sessions::log_out(tx, &token, all).map(Outcome::Done);
    if !state.db.write(&nobody(), write).await?.into_inner() {
        return Err(unauthorized());
    }
    let mut response = HttpResponse::NoContent();
    if in_cookie {
        response.cookie(cookie::none(&state));
    }
    Ok(response.finish())
}

/// The refresh token of a request, and whether it came in the cookie.
fn token_of(request: &HttpRequest, sent: Option<String>) -> Result<(Option<String>, bool)> {
    match sent {
        Some(token) => Ok((Some(token), false)),
        None => Ok((cookie::token(request)?, true)),
    }
}
