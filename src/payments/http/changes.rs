//! `/v1/payments/{id}/extend` and what its creator may change of a payment.

use actix_web::{HttpResponse, patch, post, put, web::Path};

use super::examples;
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::payments::input::{Extend, PaymentFields};
use crate::payments::{PaymentView, ops};
use crate::web::answer::{Answer, Data, Reply};
use crate::web::permission::WritePayments;
use crate::web::{Actor, Body, ErrorBody, Once, State, WriteErrors};

/// Extend a payment
///
/// Its creator holds the stock for longer: later than now, and at most 7,200 seconds (unless
/// configured) from when the payment was created. 403 `wrong_principal` for the other side; 409
/// `wrong_status`, `payment_processing`, `event_cancelled`.
#[utoipa::path(operation_id = "payments.extend", tag = "payments",
    params(("id" = String, Path, description = "The payment."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:payments"]), ("bearer" = ["write:payments"]),
        ("basic" = ["write:payments"])),
    request_body(content = Extend, example = json!({"expires_in": 1800})),
    responses(
        (status = 200, body = Data<PaymentView>, example = json!(examples::payment("pending"))),
        (status = 410, body = ErrorBody, description = "`payment_expired`: too late."),
        WriteErrors,
    ))]
#[post("/payments/{id}/extend")]
pub async fn extend(
    state: State,
    actor: Actor<WritePayments>,
    once: Once,
    path: Path<String>,
    body: Body<Extend>,
) -> Result<HttpResponse> {
    let (input, canonical) = body.into_parts()?;
    let limits = state.sales.clone();
    let run = move |tx: &mut Tx<'_>| {
        let view = ops::change::extend(tx, &path, &input, &limits)?;
        Ok(Outcome::Done(Reply::Good(Answer::ok(view)?)))
    };
    once.write(&actor, &canonical, run).await
}

/// Change a payment
///
/// What its creator wrote on it, whatever its status: `metadata`, `description`, `reference`,
/// `customer_id`; absent fields are left, null clears. 403 `wrong_principal` for the other side;
/// 409 `reference_taken`.
#[utoipa::path(operation_id = "payments.update", tag = "payments",
    params(("id" = String, Path, description = "The payment.")),
    security(("api_key" = ["write:payments"]), ("bearer" = ["write:payments"]),
        ("basic" = ["write:payments"])),
    request_body(content = PaymentFields, example = json!({"metadata": {"user_id": "u-2"}})),
    responses(
        (status = 200, body = Data<PaymentView>, example = json!(examples::payment("pending"))),
        WriteErrors,
    ))]
#[put("/payments/{id}")]
pub async fn update(
    actor: Actor<WritePayments>,
    once: Once,
    path: Path<String>,
    body: Body<PaymentFields>,
) -> Result<HttpResponse> {
    change(actor, once, path, body).await
}

/// Change a payment
///
/// The same as PUT.
#[utoipa::path(operation_id = "payments.patch", tag = "payments",
    params(("id" = String, Path, description = "The payment.")),
    security(("api_key" = ["write:payments"]), ("bearer" = ["write:payments"]),
        ("basic" = ["write:payments"])),
    request_body(content = PaymentFields, example = json!({"description": "Birthday present"})),
    responses(
        (status = 200, body = Data<PaymentView>, example = json!(examples::payment("pending"))),
        WriteErrors,
    ))]
#[patch("/payments/{id}")]
pub async fn patch(
    actor: Actor<WritePayments>,
    once: Once,
    path: Path<String>,
    body: Body<PaymentFields>,
) -> Result<HttpResponse> {
    change(actor, once, path, body).await
}

async fn change(
    actor: Actor<WritePayments>,
    once: Once,
    path: Path<String>,
    body: Body<PaymentFields>,
) -> Result<HttpResponse> {
    let (fields, canonical) = body.into_parts()?;
    let run = move |tx: &mut Tx<'_>| {
        let view = ops::change::edit(tx, &path, &fields)?;
        Ok(Outcome::Done(Reply::Good(Answer::ok(view)?)))
    };
    once.write(&actor, &canonical, run).await
}
