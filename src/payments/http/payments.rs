//! `/v1/payments`: create, list, read.

use actix_web::{HttpResponse, get, post, web::Path};
use deserr::Deserr;
use utoipa::IntoParams;

use super::charging::{take, without_card};
use super::examples;
use super::methods::asking;
use crate::catalog;
use crate::db::{Outcome, Tx};
use crate::kernel::ids::{ChannelId, CustomerId, Id, OrganizationId, PaymentId};
use crate::kernel::input::{DayOrInstant, Faults, Text};
use crate::kernel::secret::ServerKey;
use crate::kernel::{Error, Result};
use crate::outbox::ChangeView;
use crate::payments::input::{NewPayment, Reference};
use crate::payments::ops::create::charge;
use crate::payments::ops::read::PaymentFilter;
use crate::payments::providers::Provider;
use crate::payments::{CreatedPaymentView, PaymentStatus, PaymentView, client_secret, ops};
use crate::web::answer::{Answer, Data, List, Reply};
use crate::web::idempotency::respond;
use crate::web::permission::{Read, ReadPublic, WritePayments};
use crate::web::query::{NoFilter, PagedQuery, Paging};
use crate::web::{
    Actor, Body, ErrorBody, Once, Principal, Query, ReadErrors, WriteErrors, state::State,
};

/// Create a payment
///
/// Prices what is wanted, holds its stock until `expires_at` and makes its tickets, which are
/// worth nothing until it is paid. The server prices everything; pass `expected_total` to be told
/// when it is not what you showed. With `client_secret` and a publishable key the buyer's browser
/// can read the payment and pay it.
///
/// An organization's plain charge, with `amount`, `currency` and `payment_method` (as in
/// `/payments/{id}/pay`), is `paid` when it is answered. A refused card answers 402 with the
/// `payment_id`, leaves that payment `cancelled` and the key free; nothing else was charged. Its
/// receipt is mailed when the buyer's e-mail is known, unless `send_resources` is false.
///
/// 403 `wrong_principal` for a channel with `amount`; 404 for a rate you cannot sell; 409
/// `event_cancelled`, `price_changed` (with `total`), `reference_taken` (with `payment_id`); 422
/// `sold_out` and `buyer_limit` (with `left`), `not_on_sale`, `price_unavailable`,
/// `quantity_out_of_range` (with `min` and `max`),
/// `amount_too_large`, `no_provider` (a charge in live mode without one); 400 `raw_card_refused`.
#[utoipa::path(operation_id = "payments.create", tag = "payments",
    security(("api_key" = ["write:payments"]), ("bearer" = ["write:payments"]),
        ("basic" = ["write:payments"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    request_body(content = NewPayment, example = json!({
        "rate_id": "rate_01k0000000000000000000000", "quantity": 1, "expires_in": 900,
        "buyer": {"name": "Ana Lopez", "email": "ana@example.com"},
        "metadata": {"user_id": "u-1"}, "send_resources": true, "expected_total": 20.6})),
    responses(
        (status = 201, body = Data<CreatedPaymentView>, example = json!(examples::created())),
        (status = 402, body = ErrorBody, description = "`card_declined`, `expired_card`, \
            `incorrect_cvc`, `processing_error`: the card of a plain charge was refused; \
            `decline_code` says why where it is known.", example = json!(examples::declined())),
        WriteErrors,
    ))]
#[post("/payments")]
pub async fn create(
    state: State,
    provider: actix_web::web::Data<dyn Provider>,
    actor: Actor<WritePayments>,
    mut once: Once,
    body: Body<NewPayment>,
) -> Result<HttpResponse> {
    let (new, canonical) = body.into_parts()?;
    let canonical = without_card(canonical);
    if let Some(ordered) = charge::read(&asking(&state, actor.principal())?, &new)? {
        let claim = once.claim(&actor, &canonical)?;
        let running = once.enter(claim.as_ref())?;
        let (db, by, hold) = (state.db.clone(), provider.name(), state.sales.hold_seconds);
        let begin =
            move |tx: &mut Tx<'_>| charge::begin(tx, (&new, &ordered, hold), (claim.as_ref(), by));
        let (kept, replayed) = take((state, actor, running), provider.into_inner(), begin).await?;
        let body = client_secret::reveal(db.environment().get()?, kept.body);
        return Ok(respond(Answer { body, ..kept }, replayed));
    }
    let limits = state.sales.clone();
    let run = move |tx: &mut Tx<'_>| {
        let view = ops::create::create(tx, &new, &limits)?;
        let secret = ops::client_secret(tx, &view)?;
        let kept = Answer::created(CreatedPaymentView::new(view))?;
        let body = client_secret::shown(kept.body.clone(), &secret);
        Ok(Outcome::Done(Reply::Good(Answer { body, ..kept.clone() }.kept_as(kept))))
    };
    once.revealing(client_secret::reveal).write_planned(&actor, &canonical, run).await
}

/// Which payments.
#[derive(Deserr, IntoParams, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// For this event: id or number.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    event_id: Option<Text<1, 60>>,
    /// In this state, as it reads now.
    #[deserr(default)]
    status: Option<PaymentStatus>,
    /// With this reference of yours.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    reference: Option<Reference>,
    /// On events of this organization.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    organization_id: Option<Text<1, 60>>,
    /// Sold by this channel.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    channel_id: Option<Text<1, 60>>,
    /// Created then or later; a date is its midnight in UTC.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    start_date: Option<DayOrInstant>,
    /// Created before; a date is its midnight in UTC.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    end_date: Option<DayOrInstant>,
    /// Of this customer of yours.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    customer_id: Option<Text<1, 60>>,
}

/// List payments
///
/// An organization's of all channels, or a channel's own. Newest first.
#[utoipa::path(operation_id = "payments.list", tag = "payments", params(ListParams, Paging),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<PaymentView>, example = json!(examples::payments())),
        ReadErrors,
    ))]
#[get("/payments")]
pub async fn list(
    state: State,
    actor: Actor<Read>,
    query: PagedQuery<ListParams>,
) -> Result<HttpResponse> {
    let (wanted, page) = query.into_inner()?;
    let filter = PaymentFilter {
        event: None,
        status: wanted.status,
        reference: wanted.reference.map(|text| text.0),
        organization: wanted.organization_id.map(|text| OrganizationId::from_text(text.0)),
        channel: wanted.channel_id.map(|text| ChannelId::from_text(text.0)),
        from: wanted.start_date.map(|at| at.0),
        until: wanted.end_date.map(|at| at.0),
        customer: wanted.customer_id.map(|text| CustomerId::from_text(text.0)),
    };
    let event_id = wanted.event_id;
    let find = move |tx: &mut Tx<'_>| {
        let meant = |text: &Text<1, 60>| catalog::ops::events::meant_by(tx, &text.0);
        let event = event_id.as_ref().map(meant).transpose()?;
        ops::read::list(tx, PaymentFilter { event, ..filter.clone() }, &page)
    };
    let page = state.db.read(actor.scope(), find).await?;
    Ok(HttpResponse::Ok().json(List::from(page)))
}

/// With what a payment is read.
#[derive(Deserr, IntoParams, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReadParams {
    /// The payment's own, required with a publishable key.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    client_secret: Option<Text<1, 200>>,
}

/// A publishable key opens one payment, with that payment's secret. 400 without one; 404 with
/// another one, as for a payment that is not there.
pub(super) fn admit_browser(
    state: &State,
    principal: &Principal,
    id: &str,
    secret: Option<&Text<1, 200>>,
) -> Result<()> {
    if !principal.is_publishable() {
        return Ok(());
    }
    let reason = "is required with a publishable key";
    let secret = secret.ok_or_else(|| Error::invalid_field("client_secret", reason))?;
    let payment = PaymentId::parse(id).ok_or_else(Error::not_found)?;
    let key: &ServerKey = state.db.environment().get()?;
    match client_secret::opens(key, &payment, &secret.0) {
        true => Ok(()),
        false => Err(Error::not_found()),
    }
}

/// Read a payment
///
/// As it stands at this instant: a pending payment whose time has run out reads `expired`. With a
/// publishable key and the payment's `client_secret` (400 without, 404 with another one) the
/// buyer's browser reads it without what its creator wrote on it.
#[utoipa::path(operation_id = "payments.read", tag = "payments",
    params(ReadParams, ("id" = String, Path, description = "The payment.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = Data<PaymentView>, example = json!(examples::payment("paid"))),
        ReadErrors,
    ))]
#[get("/payments/{id}")]
pub async fn read(
    state: State,
    actor: Actor<ReadPublic>,
    path: Path<String>,
    query: Query<ReadParams>,
) -> Result<HttpResponse> {
    let secret = query.into_inner()?.client_secret;
    admit_browser(&state, actor.principal(), &path, secret.as_ref())?;
    let view = state.db.glance(actor.scope(), move |tx| ops::read::read(tx, &path)).await?;
    Ok(HttpResponse::Ok().json(Data::new(view)))
}

/// The history of a payment
///
/// The changes of the payment and of its refunds, oldest first, as your side sees them; the same
/// ids and bodies as in `GET /changes`.
#[utoipa::path(operation_id = "payments.timeline", tag = "payments", params(Paging,
        ("id" = String, Path, description = "The payment.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<ChangeView>, example = json!({"success": true, "data": [{
            "id": "chg_01", "type": "payment.created", "created_at": "2026-01-01T00:00:00.000Z",
            "mode": "test", "organization_id": "org_01", "channel_id": "ch_01",
            "event_id": "evt_01", "sequence": 1, "data": {"object": {"_id": "pay_01"}}}],
            "pagination": {"limit": 50, "next_cursor": null, "has_more": false}})),
        ReadErrors,
    ))]
#[get("/payments/{id}/timeline")]
pub async fn timeline(
    state: State,
    actor: Actor<Read>,
    path: Path<String>,
    query: PagedQuery<NoFilter>,
) -> Result<HttpResponse> {
    let (NoFilter {}, page) = query.into_inner()?;
    let find = move |tx: &mut Tx<'_>| ops::timeline::read(tx, &path, &page);
    let page = state.db.read(actor.scope(), find).await?;
    Ok(HttpResponse::Ok().json(List::from(page.map(ChangeView::from))))
}
