//! `/v1/members`.

use actix_web::{HttpResponse, delete, get, patch, web::Path};

use super::super::input::MemberBody;
use super::super::ops::members as ops;
use super::passwords::member_of;
use super::view::{MemberView, member_object};
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::web::answer::{Answer, Deleted, Reply};
use crate::web::permission::{Manager, Owner};
use crate::web::query::{NoFilter, PagedQuery, Paging};
use crate::web::{Actor, Body, Data, Empty, List, Once, ReadErrors, State, WriteErrors};

/// List members
///
/// Newest first.
#[utoipa::path(operation_id = "members.list", tag = "members", params(NoFilter, Paging),
    security(("session" = ["manager"])),
    responses(
        (status = 200, body = List<MemberView>, example = json!({"success": true,
            "data": [member_object()],
            "pagination": {"limit": 50, "next_cursor": null, "has_more": false}})),
        ReadErrors,
    ))]
#[get("/members")]
pub async fn list(
    state: State,
    actor: Actor<Manager>,
    query: PagedQuery<NoFilter>,
) -> Result<HttpResponse> {
    let (NoFilter {}, page) = query.into_inner()?;
    let found = state.db.read(actor.scope(), move |tx| ops::list(tx, &page)).await?;
    Ok(HttpResponse::Ok().json(List::from(found.map(MemberView::from))))
}

/// Read a member
///
/// One of the tenant's own.
#[utoipa::path(operation_id = "members.read", tag = "members",
    params(("id" = String, Path, description = "The member.")),
    security(("session" = ["manager"])),
    responses(
        (status = 200, body = Data<MemberView>,
            example = json!({"success": true, "data": member_object()})),
        ReadErrors,
    ))]
#[get("/members/{id}")]
pub async fn read(state: State, actor: Actor<Manager>, path: Path<String>) -> Result<HttpResponse> {
    let found = state.db.read(actor.scope(), move |tx| ops::read(tx, &path)).await?;
    Ok(HttpResponse::Ok().json(Data::new(MemberView::from(found))))
}

/// Give a member another role
///
/// Effective on every server within a second. 403 `wrong_principal` above oneself: an admin makes
/// nobody an owner and changes no owner. 409 `last_owner`.
#[utoipa::path(operation_id = "members.update", tag = "members",
    params(("id" = String, Path, description = "The member.")),
    security(("session" = ["manager"])),
    request_body(content = MemberBody, example = json!({"role": "viewer"})),
    responses(
        (status = 200, body = Data<MemberView>,
            example = json!({"success": true, "data": member_object()})),
        WriteErrors,
    ))]
#[patch("/members/{id}")]
pub async fn change(
    actor: Actor<Manager>,
    once: Once,
    path: Path<String>,
    body: Body<MemberBody>,
) -> Result<HttpResponse> {
    let (MemberBody { role }, canonical) = body.into_parts()?;
    let member = member_of(&actor)?;
    let run = move |tx: &mut Tx<'_>| {
        let changed = ops::set_role(tx, &member, &path, role)?;
        Ok(Outcome::Done(Reply::Good(Answer::ok(MemberView::from(changed))?)))
    };
    once.write(&actor, &canonical, run).await
}

/// Remove a member
///
/// Owners only. Their sessions in this tenant end within a second. 409 `last_owner`.
#[utoipa::path(operation_id = "members.delete", tag = "members",
    params(("id" = String, Path, description = "The member.")),
    security(("session" = ["owner"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<Deleted>,
            example = json!({"success": true, "data": {"_id": "mem_01", "deleted": true}})),
        WriteErrors,
    ))]
#[delete("/members/{id}")]
pub async fn remove(
    actor: Actor<Owner>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run = move |tx: &mut Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::ok(Deleted::of(ops::remove(tx, &path)?))?)))
    };
    once.write(&actor, &body.into_parts()?.1, run).await
}
