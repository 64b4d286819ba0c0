//! `/v1/payment-methods`.

use actix_web::{HttpResponse, post};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::{Mode, Result, Timestamp};
use crate::payments::input::{MethodType, NewMethod};
use crate::payments::means::{Asking, Means, TOKEN_SECONDS};
use crate::web::permission::Pay;
use crate::web::{Actor, Body, Data, Once, Principal, WriteErrors, state::State};

/// What is kept of a card.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct CardView {
    #[schema(example = "visa")]
    brand: &'static str,
    #[schema(example = "4242")]
    last4: &'static str,
    exp_month: i64,
    exp_year: i64,
}

/// A means of paying, behind a token.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct MethodView {
    /// The token: what is sent as `payment_method.token`.
    _id: String,
    id: String,
    #[serde(rename = "type")]
    kind: MethodType,
    card: CardView,
    mode: Mode,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The token is good until then.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Who asks.
pub(super) fn asking<'a>(state: &'a State, principal: &'a Principal) -> Result<Asking<'a>> {
    let key = state.db.environment().get()?;
    Ok(Asking { key, tenant: &principal.tenant, mode: principal.mode })
}

/// Make a payment method token
///
/// For the buyer's browser, with a publishable key: the card goes from the buyer to here, and the
/// shop's server sees the token only, which `pay` and a plain charge take as
/// `payment_method.token`. Good for an hour, for this tenant, in this mode; nothing is stored, and
/// an `Idempotency-Key` changes nothing. In test mode for the listed test numbers. 400
/// `raw_card_refused` for any other number and in live mode, where the provider's own page makes
/// tokens.
#[utoipa::path(operation_id = "payment_methods.create", tag = "payments",
    security(("api_key" = ["write:payments"]), ("bearer" = ["write:payments"]),
        ("basic" = ["write:payments"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Changes nothing.")),
    request_body(content = NewMethod, example = json!({"type": "card", "card": {
        "number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}})),
    responses(
        (status = 201, body = Data<MethodView>, example = json!({"success": true, "data": {
            "_id": "pm_4242_12_2030_1767225600_0abc", "id": "pm_4242_12_2030_1767225600_0abc",
            "type": "card", "mode": "test", "card": {"brand": "visa", "last4": "4242",
                "exp_month": 12, "exp_year": 2030},
            "created_at": "2025-12-31T23:00:00.000Z",
            "expires_at": "2026-01-01T00:00:00.000Z"}})),
        WriteErrors,
    ))]
#[post("/payment-methods")]
pub async fn create(
    state: State,
    actor: Actor<Pay>,
    once: Once,
    body: Body<NewMethod>,
) -> Result<HttpResponse> {
    once.unneeded()?;
    let (NewMethod { kind, card }, _) = body.into_parts()?;
    let asking = asking(&state, actor.principal())?;
    let means = Means::of_card(asking.mode, &card, "card.number")?;
    let created_at = state.db.now();
    let expires_at = created_at.plus_seconds(TOKEN_SECONDS);
    let id = means.token(&asking, expires_at);
    let Means { card, exp_month, exp_year, .. } = means;
    let card = CardView { brand: card.brand(), last4: card.last4(), exp_month, exp_year };
    let mode = asking.mode;
    let view = MethodView { _id: id.clone(), id, kind, card, mode, created_at, expires_at };
    Ok(HttpResponse::Created().json(Data::new(view)))
}
