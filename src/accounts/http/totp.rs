//! One-time passwords as a second factor.

use actix_web::{HttpResponse, delete, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::input::{CodeBody, PasswordBody};
use super::super::ops::totp as ops;
use super::super::throttle::{Counted, Throttle};
use super::passwords::{member_of, prove_password};
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::kernel::ids::UserId;
use crate::web::permission::Member;
use crate::web::{Actor, Body, Data, State, WriteErrors};

/// What an authenticator app is given.
#[derive(Serialize, ToSchema)]
pub struct EnrolmentView {
    /// The seed, in base32, to be typed.
    secret: String,
    /// The same as an address, to be shown as a QR code.
    url: String,
}

/// Begin with one-time passwords
///
/// By the password. Answers what an authenticator app needs; they are asked for when a first code
/// has confirmed it. 401 `wrong_credentials`; 403 `email_unconfirmed`; 409 `totp_active`.
#[utoipa::path(operation_id = "auth.begin_totp", tag = "auth", security(("session" = ["member"])),
    request_body(content = PasswordBody, example = json!({"password": "correct horse battery"})),
    responses((status = 429, body = crate::web::ErrorBody, description = "`rate_limited`."),
        (status = 201, body = Data<EnrolmentView>, example = json!({"success": true,
            "data": {"secret": "JBSWY3DPEHPK3PXP",
                "url": "otpauth://totp/Rialto:ana%40example.com?secret=JBSWY3DPEHPK3PXP"}})),
        WriteErrors))]
#[post("/auth/totp")]
pub async fn begin(
    state: State,
    actor: Actor<Member>,
    body: Body<PasswordBody>,
) -> Result<HttpResponse> {
    let (body, _) = body.into_parts()?;
    let member = member_of(&actor)?;
    prove_password(&state, &actor, body.password.0).await?;
    let write = move |tx: &mut Tx<'_>| ops::begin(tx, &member.user).map(Outcome::Done);
    let made = state.db.write(actor.scope(), write).await?.into_inner();
    let view = EnrolmentView { secret: made.secret, url: made.url };
    Ok(HttpResponse::Created().json(Data::new(view)))
}

/// Confirm one-time passwords
///
/// By a first code; from now on log-in asks for one. 422 `wrong_code`, 409 `totp_active`.
#[utoipa::path(operation_id = "auth.confirm_totp", tag = "auth",
    security(("session" = ["member"])),
    request_body(content = CodeBody, example = json!({"code": "123456"})),
    responses((status = 204, description = "They are on."),
        (status = 429, body = crate::web::ErrorBody, description = "`rate_limited`."),
        WriteErrors))]
#[post("/auth/totp/confirm")]
pub async fn confirm(
    state: State,
    actor: Actor<Member>,
    body: Body<CodeBody>,
) -> Result<HttpResponse> {
    with_code(state, actor, body, ops::confirm).await
}

/// Give one-time passwords up
///
/// By a last code. 422 `wrong_code`, 409 `totp_inactive`.
#[utoipa::path(operation_id = "auth.end_totp", tag = "auth", security(("session" = ["member"])),
    request_body(content = CodeBody, example = json!({"code": "123456"})),
    responses((status = 204, description = "They are off."),
        (status = 429, body = crate::web::ErrorBody, description = "`rate_limited`."),
        WriteErrors))]
#[delete("/auth/totp")]
pub async fn end(state: State, actor: Actor<Member>, body: Body<CodeBody>) -> Result<HttpResponse> {
    with_code(state, actor, body, ops::end).await
}

async fn with_code(
    state: State,
    actor: Actor<Member>,
    body: Body<CodeBody>,
    run: fn(&mut Tx<'_>, &UserId, &str) -> Result<()>,
) -> Result<HttpResponse> {
    let (body, _) = body.into_parts()?;
    let member = member_of(&actor)?;
    let throttle: &Throttle = state.db.environment().get()?;
    // A code has a million values: guessing is stopped as it is for passwords.
    let who = format!("code {}", member.user);
    // Before it is looked at: many at once are counted too.
    throttle.pass(Counted::WrongPassword, &who, state.db.now())?;
    let write = move |tx: &mut Tx<'_>| run(tx, &member.user, &body.code.0).map(Outcome::Done);
    state.db.write(actor.scope(), write).await?;
    Ok(HttpResponse::NoContent().finish())
}
