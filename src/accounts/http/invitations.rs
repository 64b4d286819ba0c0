//! `/v1/members/invitations`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web::Path};

use super::super::input::{AcceptBody, InviteBody};
use super::super::ops::invitations::{self as ops, Invitee};
use super::super::passwords::Passwords;
use super::passwords::member_of;
use super::view::{InvitationView, SessionView, answer, invitation_object, session_example};
use super::{admit, nobody};
use crate::db::{Outcome, Tx};
use crate::kernel::input::Faults;
use crate::kernel::{Error, Result};
use crate::web::address::caller;
use crate::web::answer::{Answer, Deleted, Reply};
use crate::web::auth::email_unconfirmed;
use crate::web::permission::{Manager, Member};
use crate::web::query::{NoFilter, PagedQuery, Paging};
use crate::web::{
    Actor, Body, Data, Empty, List, Once, PublicErrors, ReadErrors, State, WriteErrors,
};

/// Invite a member
///
/// Mails an invitation, good for 72 hours and once; an open one to the same e-mail is withdrawn.
/// 403 `wrong_principal` above oneself, `email_unconfirmed` before an owner has confirmed theirs;
/// 409 `already_member`.
#[utoipa::path(operation_id = "invitations.create", tag = "members",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("session" = ["manager"])),
    request_body(content = InviteBody,
        example = json!({"email": "eva@example.com", "role": "scanner"})),
    responses(
        (status = 201, body = Data<InvitationView>,
            example = json!({"success": true, "data": invitation_object()})),
        WriteErrors,
    ))]
#[post("/members/invitations")]
pub async fn invite(
    actor: Actor<Manager>,
    once: Once,
    body: Body<InviteBody>,
) -> Result<HttpResponse> {
    let (InviteBody { email, role }, canonical) = body.into_parts()?;
    if !actor.principal().confirmed {
        return Err(email_unconfirmed());
    }
    let (member, email) = (member_of(&actor)?, email.0.to_lowercase());
    let run = move |tx: &mut Tx<'_>| {
        let made = ops::invite(tx, &member, &email, role)?;
        Ok(Outcome::Done(Reply::Good(Answer::created(InvitationView::from(made))?)))
    };
    once.write(&actor, &canonical, run).await
}

/// List invitations
///
/// Newest first; those that were accepted or withdrawn too.
#[utoipa::path(operation_id = "invitations.list", tag = "members", params(NoFilter, Paging),
    security(("session" = ["manager"])),
    responses(
        (status = 200, body = List<InvitationView>, example = json!({"success": true,
            "data": [invitation_object()],
            "pagination": {"limit": 50, "next_cursor": null, "has_more": false}})),
        ReadErrors,
    ))]
#[get("/members/invitations")]
pub async fn list(
    state: State,
    actor: Actor<Manager>,
    query: PagedQuery<NoFilter>,
) -> Result<HttpResponse> {
    let (NoFilter {}, page) = query.into_inner()?;
    let found = state.db.read(actor.scope(), move |tx| ops::list(tx, &page)).await?;
    Ok(HttpResponse::Ok().json(List::from(found.map(InvitationView::from))))
}

/// Withdraw an invitation
///
/// Its letter is worthless from now on. 409 `wrong_status` unless it is open.
#[utoipa::path(operation_id = "invitations.delete", tag = "members",
    params(("id" = String, Path, description = "The invitation.")),
    security(("session" = ["manager"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<Deleted>,
            example = json!({"success": true, "data": {"_id": "inv_01", "deleted": true}})),
        WriteErrors,
    ))]
#[delete("/members/invitations/{id}")]
pub async fn withdraw(
    actor: Actor<Manager>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run = move |tx: &mut Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::ok(Deleted::of(ops::withdraw(tx, &path)?))?)))
    };
    once.write(&actor, &body.into_parts()?.1, run).await
}

/// Accept an invitation
///
/// By the token in the letter: with `name` and `password`, which makes an account whose e-mail is
/// confirmed, or, who has an account, in their own session. Begins a session in the tenant. 400
/// `invalid_token`: not one, used, withdrawn or too old; 403 `other_email`: the session is somebody
/// else's; 409 `account_exists`, `already_member`.
#[utoipa::path(operation_id = "invitations.accept", tag = "members",
    security((), ("session" = ["member"])),
    request_body(content = AcceptBody, example = json!({"token": "inv_01.c2ln", "name": "Eva Ruiz",
        "password": "another horse battery"})),
    responses(
        (status = 200, body = Data<SessionView>, example = json!(session_example())),
        (status = 401, body = crate::web::ErrorBody, description = "`unauthorized`."),
        (status = 403, body = crate::web::ErrorBody,
            description = "`other_email`, `wrong_principal`."),
        (status = 409, body = crate::web::ErrorBody,
            description = "`account_exists`, `already_member`."),
        PublicErrors,
    ))]
#[post("/members/invitations/accept")]
pub async fn accept(
    state: State,
    request: HttpRequest,
    session: Result<Actor<Member>, Error>,
    body: Body<AcceptBody>,
) -> Result<HttpResponse> {
    let names = ["authorization", "x-api-key"];
    let session = match names.iter().any(|name| request.headers().contains_key(*name)) {
        true => Some(session?),
        false => None,
    };
    let (body, _) = body.into_parts()?;
    let in_cookie = body.cookie.unwrap_or(false);
    let invitee = match session {
        Some(actor) => {
            let mut faults = Faults::default();
            faults.check(body.name.is_none(), "name", "must not be sent in a session");
            faults.check(body.password.is_none(), "password", "must not be sent in a session");
            faults.finish()?;
            Invitee::Known(member_of(&actor)?.user)
        }
        None => {
            let mut faults = Faults::default();
            faults.check(body.name.is_some(), "name", "is required without a session");
            faults.check(body.password.is_some(), "password", "is required without a session");
            faults.finish()?;
            admit(&state, &caller(&request, state.http.trusted_proxies.into()))?;
            let (name, password) = (body.name.map(|name| name.0), body.password);
            let passwords: &Passwords = state.db.environment().get()?;
            let password = password.map(|password| password.0).unwrap_or_default();
            let password_hash = passwords.hash(password).await?;
            Invitee::New { name: name.unwrap_or_default(), password_hash }
        }
    };
    let token = body.token.0;
    let write = move |tx: &mut Tx<'_>| ops::accept(tx, &token, &invitee).map(Outcome::Done);
    let opened = state.db.write(&nobody(), write).await?.into_inner();
    answer(&state, opened, StatusCode::OK, in_cookie)
}
