//! `/v1/partnerships`.

use actix_web::{HttpResponse, get, patch, post, web::Path};
use deserr::Deserr;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::super::input::{AcceptTermsBody, NewPartnershipBody, TermsBody};
use super::super::model::{PartnershipStatus, Terms};
use super::super::ops::{self, ChannelRef, NewTerms};
use super::super::view::PartnershipView;
use crate::db::{Outcome, Tx};
use crate::kernel::input::Faults;
use crate::kernel::{Error, Result};
use crate::web::answer::{Answer, Reply};
use crate::web::auth::email_unconfirmed;
use crate::web::permission::{ChannelManager, Manager, OrganizationManager, Permission, Read};
use crate::web::query::{PagedQuery, Paging};
use crate::web::{Actor, Body, Data, Empty, List, Once, ReadErrors, State, WriteErrors};

fn object(status: &str) -> Value {
    json!({"_id": "prt_01", "id": "prt_01",
        "organization": {"_id": "org_01", "id": "org_01", "name": "Sala Apolo",
            "slug": "sala-apolo"},
        "channel": {"_id": "ch_01", "id": "ch_01", "name": "Night Guide", "slug": "night-guide"},
        "status": status, "collects": "platform",
        "commission": {"type": "percentage", "quantity": 5}, "on_account": false,
        "proposed": null, "suspended_by": null, "rate_ids": null, "version": 1,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z"})
}

fn example(status: &str) -> Value {
    json!({"success": true, "data": object(status)})
}

/// Offer a partnership
///
/// To a channel by its id or slug; it sells when it has accepted. One that has ended can be offered
/// anew. Its owners and admins are told by mail, once a day at most. With `rate_ids` it sees and
/// sells those rates only; it sees all published events all the same. 404 without such a channel;
/// 409 `partnership_exists`.
#[utoipa::path(operation_id = "partnerships.create", tag = "partnerships",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("session" = ["manager"])),
    request_body(content = NewPartnershipBody, example = json!({"channel_slug": "night-guide",
        "collects": "platform", "commission": {"type": "percentage", "quantity": 5}})),
    responses(
        (status = 201, body = Data<PartnershipView>, example = json!(example("invited"))),
        WriteErrors,
    ))]
#[post("/partnerships")]
pub async fn create(
    actor: Actor<OrganizationManager>,
    once: Once,
    body: Body<NewPartnershipBody>,
) -> Result<HttpResponse> {
    let (body, canonical) = body.into_parts()?;
    check_confirmed(&actor)?;
    let channel = match (&body.channel_id, &body.channel_slug) {
        (Some(id), None) => ChannelRef::Id(id.0.clone()),
        (None, Some(slug)) => ChannelRef::Slug(slug.0.clone()),
        (Some(_), Some(_)) => {
            return Err(Error::invalid_field("channel_slug", "must not be sent with channel_id"));
        }
        (None, None) => {
            return Err(Error::invalid_field("channel_id", "is required, or channel_slug"));
        }
    };
    let run = move |tx: &mut Tx<'_>| {
        let organization = ops::acting_organization(tx)?;
        let mut faults = Faults::default();
        let commission = body.commission.read(&organization, &mut faults);
        faults.finish()?;
        let commission = commission.ok_or_else(|| Error::internal("a fault was found"))?;
        let on_account = body.on_account.unwrap_or(false);
        let terms = Terms { collects: body.collects, commission, on_account };
        let view = ops::invite(tx, &channel, (terms, body.rate_ids.as_ref()))?;
        Ok(Outcome::Done(Reply::Good(Answer::created(view)?)))
    };
    once.write(&actor, &canonical, run).await
}

/// Which partnerships.
#[derive(Deserr, IntoParams, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// In this status.
    #[deserr(default)]
    status: Option<PartnershipStatus>,
}

/// List partnerships
///
/// One's own, newest first, whatever their status.
#[utoipa::path(operation_id = "partnerships.list", tag = "partnerships",
    params(ListParams, Paging),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<PartnershipView>, example = json!({"success": true,
            "data": [object("active")],
            "pagination": {"limit": 50, "next_cursor": null, "has_more": false}})),
        ReadErrors,
    ))]
#[get("/partnerships")]
pub async fn list(
    state: State,
    actor: Actor<Read>,
    query: PagedQuery<ListParams>,
) -> Result<HttpResponse> {
    let (ListParams { status }, page) = query.into_inner()?;
    let find = move |tx: &mut Tx<'_>| ops::list_partnerships(tx, status, &page);
    Ok(HttpResponse::Ok().json(List::from(state.db.read(actor.scope(), find).await?)))
}

/// Read a partnership
///
/// Both sides see the same.
#[utoipa::path(operation_id = "partnerships.read", tag = "partnerships",
    params(("id" = String, Path, description = "The partnership.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = Data<PartnershipView>, example = json!(example("active"))),
        ReadErrors,
    ))]
#[get("/partnerships/{id}")]
pub async fn read(state: State, actor: Actor<Read>, path: Path<String>) -> Result<HttpResponse> {
    let view = state.db.read(actor.scope(), move |tx| ops::read_partnership(tx, &path)).await?;
    Ok(HttpResponse::Ok().json(Data::new(view)))
}

/// Propose other terms
///
/// Of an offer that was not accepted yet they hold at once; of a partnership they wait in
/// `proposed` for the channel's acceptance. Payments keep the terms they were made under. Which
/// rates the channel sells (`rate_ids`) is the organization's to say, and holds at once. 409
/// `wrong_status` when it has ended.
#[utoipa::path(operation_id = "partnerships.update", tag = "partnerships",
    params(("id" = String, Path, description = "The partnership.")),
    security(("session" = ["manager"])),
    request_body(content = TermsBody,
        example = json!({"commission": {"type": "percentage", "quantity": 7.5}})),
    responses(
        (status = 200, body = Data<PartnershipView>, example = json!(example("active"))),
        WriteErrors,
    ))]
#[patch("/partnerships/{id}")]
pub async fn update(
    actor: Actor<OrganizationManager>,
    once: Once,
    path: Path<String>,
    body: Body<TermsBody>,
) -> Result<HttpResponse> {
    let (body, canonical) = body.into_parts()?;
    check_confirmed(&actor)?;
    let run = move |tx: &mut Tx<'_>| {
        let organization = ops::acting_organization(tx)?;
        let mut faults = Faults::default();
        let commission = match &body.commission {
            Some(commission) => commission.read(&organization, &mut faults),
            None => None,
        };
        faults.finish()?;
        let (collects, on_account) = (body.collects, body.on_account);
        let new = NewTerms { collects, commission, on_account };
        let view = ops::propose(tx, &path, (new, &body.rate_ids))?;
        Ok(Outcome::Done(Reply::Good(Answer::ok(view)?)))
    };
    once.write(&actor, &canonical, run).await
}

/// Accept a partnership
///
/// An offer, or terms that wait in `proposed`; channels only. With `version`, only what was seen:
/// else 409 `terms_changed`. 409 `wrong_status` when nothing waits.
#[utoipa::path(operation_id = "partnerships.accept", tag = "partnerships",
    params(("id" = String, Path, description = "The partnership."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("session" = ["manager"])),
    request_body(content = AcceptTermsBody, example = json!({"version": 1})),
    responses(
        (status = 200, body = Data<PartnershipView>, example = json!(example("active"))),
        WriteErrors,
    ))]
#[post("/partnerships/{id}/accept")]
pub async fn accept(
    actor: Actor<ChannelManager>,
    once: Once,
    path: Path<String>,
    body: Body<AcceptTermsBody>,
) -> Result<HttpResponse> {
    let (body, canonical) = body.into_parts()?;
    check_confirmed(&actor)?;
    let run = move |tx: &mut Tx<'_>| {
        let view = ops::accept(tx, &path, body.version)?;
        Ok(Outcome::Done(Reply::Good(Answer::ok(view)?)))
    };
    once.write(&actor, &canonical, run).await
}

/// Partnerships are of both modes, and so not for who may work in test mode only.
fn check_confirmed<P>(actor: &Actor<P>) -> Result<()> {
    if actor.principal().confirmed { Ok(()) } else { Err(email_unconfirmed()) }
}

async fn act<P: Permission>(
    actor: Actor<P>,
    once: Once,
    (path, body): (Path<String>, Body<Empty>),
    run: fn(&mut Tx<'_>, &str) -> Result<PartnershipView>,
) -> Result<HttpResponse> {
    let run = move |tx: &mut Tx<'_>| Ok(Outcome::Done(Reply::Good(Answer::ok(run(tx, &path)?)?)));
    once.write(&actor, &body.into_parts()?.1, run).await
}

/// Suspend a partnership
///
/// By either side: the channel sees nothing of the organization's catalogue and sells nothing new
/// (404), pending payments may finish, its own sales stay readable. 409 `wrong_status` unless it is
/// active.
#[utoipa::path(operation_id = "partnerships.suspend", tag = "partnerships",
    params(("id" = String, Path, description = "The partnership."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("session" = ["manager"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<PartnershipView>, example = json!(example("suspended"))),
        WriteErrors,
    ))]
#[post("/partnerships/{id}/suspend")]
pub async fn suspend(
    actor: Actor<Manager>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    act(actor, once, (path, body), ops::suspend).await
}

/// Resume a partnership
///
/// By the side that has suspended it; 403 `wrong_principal` for the other one. 409 `wrong_status`
/// unless it is suspended.
#[utoipa::path(operation_id = "partnerships.resume", tag = "partnerships",
    params(("id" = String, Path, description = "The partnership."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("session" = ["manager"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<PartnershipView>, example = json!(example("active"))),
        WriteErrors,
    ))]
#[post("/partnerships/{id}/resume")]
pub async fn resume(
    actor: Actor<Manager>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    check_confirmed(&actor)?;
    act(actor, once, (path, body), ops::resume).await
}

/// End a partnership
///
/// By either side, for good; an offer is declined or taken back so. Pending payments may finish,
/// own sales stay readable. 409 `wrong_status` when it has ended.
#[utoipa::path(operation_id = "partnerships.end", tag = "partnerships",
    params(("id" = String, Path, description = "The partnership."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("session" = ["manager"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<PartnershipView>, example = json!(example("ended"))),
        WriteErrors,
    ))]
#[post("/partnerships/{id}/end")]
pub async fn end(
    actor: Actor<Manager>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    act(actor, once, (path, body), ops::end).await
}
