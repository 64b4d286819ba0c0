//! Passwords forgotten, reset and changed; e-mails confirmed.

use actix_web::{HttpRequest, HttpResponse, post};
use secrecy::SecretString;

use super::super::input::{ChangePasswordBody, ConfirmBody, ForgotBody, ResetBody};
use super::super::ops::{letters, passwords as ops, wrong_credentials};
use super::super::passwords::Passwords;
use super::super::throttle::{Counted, Throttle};
use super::{admit, nobody};
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::web::address::caller;
use crate::web::auth::{Membership, unauthorized};
use crate::web::permission::Member;
use crate::web::{Actor, Body, Empty, PublicErrors, State, WriteErrors};

/// The member behind a session.
pub(super) fn member_of<P>(actor: &Actor<P>) -> Result<Membership> {
    actor.principal().member.clone().ok_or_else(unauthorized)
}

/// Looks at the password of a session's user once more, and answers its hash. 401
/// `wrong_credentials`, 429 after ten within ten minutes.
pub(super) async fn prove_password<P>(
    state: &State,
    actor: &Actor<P>,
    password: SecretString,
) -> Result<String> {
    let member = member_of(actor)?;
    let throttle: &Throttle = state.db.environment().get()?;
    // Before it is looked at: many at once are counted too.
    throttle.pass(Counted::WrongPassword, &member.user.to_string(), state.db.now())?;
    let user = state.db.read(actor.scope(), move |tx| ops::user_of(tx, &member)).await?;
    let (passwords, hash) = (state.db.environment().get::<Passwords>()?, user.password_hash);
    match passwords.verify(password, Some(hash.clone())).await? {
        true => Ok(hash),
        false => Err(wrong_credentials()),
    }
}

/// Forgot the password
///
/// Mails a reset, good for 30 minutes, if there is such an account. The answer is the same when
/// there is none, and when too many were asked for.
#[utoipa::path(operation_id = "auth.forgot_password", tag = "auth", security(()),
    request_body(content = ForgotBody, example = json!({"email": "ana@example.com"})),
    responses((status = 202, description = "If there is such an account, a letter is on its way."),
        PublicErrors))]
#[post("/auth/password/forgot")]
pub async fn forgot(
    state: State,
    request: HttpRequest,
    body: Body<ForgotBody>,
) -> Result<HttpResponse> {
    let (body, _) = body.into_parts()?;
    admit(&state, &caller(&request, state.http.trusted_proxies.into()))?;
    let email = body.email.0.to_lowercase();
    let throttle: &Throttle = state.db.environment().get()?;
    if throttle.pass(Counted::Letter, &email, state.db.now()).is_ok() {
        let write = move |tx: &mut Tx<'_>| ops::forgot(tx, &email).map(Outcome::Done);
        state.db.write(&nobody(), write).await?;
    }
    Ok(HttpResponse::Accepted().finish())
}

/// Reset the password
///
/// Sets a new password by the token in the letter. Every session of the account ends, and the
/// e-mail is confirmed. 400 `invalid_token`: not one, used, or too old.
#[utoipa::path(operation_id = "auth.reset_password", tag = "auth", security(()),
    request_body(content = ResetBody,
        example = json!({"token": "let_01.c2ln", "password": "a better horse battery"})),
    responses((status = 204, description = "It is set."), PublicErrors))]
#[post("/auth/password/reset")]
pub async fn reset(
    state: State,
    request: HttpRequest,
    body: Body<ResetBody>,
) -> Result<HttpResponse> {
    let (body, _) = body.into_parts()?;
    admit(&state, &caller(&request, state.http.trusted_proxies.into()))?;
    let passwords: &Passwords = state.db.environment().get()?;
    let hash = passwords.hash(body.password.0).await?;
    let token = body.token.0;
    let write = move |tx: &mut Tx<'_>| ops::reset(tx, &token, &hash).map(Outcome::Done);
    state.db.write(&nobody(), write).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Change the password
///
/// By the one until now. Every other session of the account ends. 401 `wrong_credentials`; 429
/// after ten wrong ones.
#[utoipa::path(operation_id = "auth.change_password", tag = "auth",
    security(("session" = ["member"])),
    request_body(content = ChangePasswordBody, example = json!({
        "current_password": "correct horse battery", "password": "a better horse battery"})),
    responses((status = 204, description = "It is set."),
        (status = 429, body = crate::web::ErrorBody, description = "`rate_limited`."),
        WriteErrors))]
#[post("/auth/password/change")]
pub async fn change(
    state: State,
    actor: Actor<Member>,
    body: Body<ChangePasswordBody>,
) -> Result<HttpResponse> {
    let (body, _) = body.into_parts()?;
    let member = member_of(&actor)?;
    let old = prove_password(&state, &actor, body.current_password.0).await?;
    let passwords: &Passwords = state.db.environment().get()?;
    let hash = passwords.hash(body.password.0).await?;
    let write = move |tx: &mut Tx<'_>| ops::change(tx, &member, &old, &hash).map(Outcome::Done);
    state.db.write(actor.scope(), write).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Confirm an e-mail
///
/// By the token in the letter and the password of the sign-up: whoever reads the letter must also
/// be who signed up, else a stranger's sign-up would become theirs. What they founded may work in
/// live mode from now on, and they may log in. 400 `invalid_token`: not one, used, or too old; 401
/// `wrong_credentials`; 429 after ten passwords.
#[utoipa::path(operation_id = "auth.confirm_email", tag = "auth", security(()),
    request_body(content = ConfirmBody,
        example = json!({"token": "let_01.c2ln", "password": "correct horse battery"})),
    responses((status = 204, description = "It is confirmed."),
        (status = 401, body = crate::web::ErrorBody, description = "`wrong_credentials`."),
        PublicErrors))]
#[post("/auth/email/confirm")]
pub async fn confirm(
    state: State,
    request: HttpRequest,
    body: Body<ConfirmBody>,
) -> Result<HttpResponse> {
    let (body, _) = body.into_parts()?;
    admit(&state, &caller(&request, state.http.trusted_proxies.into()))?;
    let token = body.token.0.clone();
    let read = move |tx: &mut Tx<'_>| letters::signed_up(tx, &token);
    let user = state.db.read(&nobody(), read).await?;
    let throttle: &Throttle = state.db.environment().get()?;
    throttle.pass(Counted::WrongPassword, &user.id.to_string(), state.db.now())?;
    let passwords: &Passwords = state.db.environment().get()?;
    if !passwords.verify(body.password.0, Some(user.password_hash)).await? {
        return Err(wrong_credentials());
    }
    let write = move |tx: &mut Tx<'_>| letters::confirm(tx, &body.token.0).map(Outcome::Done);
    state.db.write(&nobody(), write).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Send the confirmation again
///
/// To the e-mail of the session's user. Nothing is sent when it is confirmed already.
#[utoipa::path(operation_id = "auth.resend_confirmation", tag = "auth",
    security(("session" = ["member"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses((status = 202, description = "A letter is on its way."),
        (status = 429, body = crate::web::ErrorBody, description = "`rate_limited`."),
        WriteErrors))]
#[post("/auth/email/resend")]
pub async fn resend(state: State, actor: Actor<Member>, body: Body<Empty>) -> Result<HttpResponse> {
    body.into_parts()?;
    let member = member_of(&actor)?;
    let throttle: &Throttle = state.db.environment().get()?;
    throttle.pass(Counted::Letter, &member.user.to_string(), state.db.now())?;
    let write =
        move |tx: &mut Tx<'_>| letters::resend_confirmation(tx, &member.user).map(Outcome::Done);
    state.db.write(actor.scope(), write).await?;
    Ok(HttpResponse::Accepted().finish())
}
