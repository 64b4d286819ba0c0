//! `/v1/payments/{id}/...`: what moves a payment.

use actix_web::{HttpResponse, post, web::Path};

use super::charging::{take, without_card};
use super::examples;
use super::methods::asking;
use super::payments::admit_browser;
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::payments::input::{Finalize, MarkPaid, Pay};
use crate::payments::means::Means;
use crate::payments::providers::Provider;
use crate::payments::{PaymentView, ops};
use crate::web::answer::{Answer, Data, Reply};
use crate::web::idempotency::respond;
use crate::web::permission::{self, WritePayments};
use crate::web::{Actor, Body, Empty, ErrorBody, Once, WriteErrors, state::State};

/// Pay a payment
///
/// Where the platform collects; by its creator, or by the buyer's browser with a publishable key
/// and the payment's `client_secret` (400 without, 404 with another one).
///
/// In test mode with one of the test numbers: 4242 4242 4242 4242 and 5555 5555 5555 4444 are
/// taken; 4000 0000 0000 0002 (`card_declined`, `generic_decline`), 4000 0000 0000 9995
/// (`card_declined`, `insufficient_funds`), 4000 0000 0000 0069 (`expired_card`), 4000 0000 0000
/// 0127 (`incorrect_cvc`) and 4000 0000 0000 0119 (`processing_error`) are refused. A refusal
/// leaves the payment pending and the key free.
/// 4000 0000 0000 5126 is taken, and refuses to be refunded. 4000 0000 0000 0259 is refused
/// (`processing_error`) and turns out a minute later to have been charged after all: the payment
/// is paid then, or, when it has ended and there is not enough left, or it was paid otherwise
/// meanwhile, refunded by itself.
///
/// 400 `raw_card_refused` for any other number and in live mode; 403 `wrong_principal` where
/// somebody else collects or made the payment; 409 `wrong_status`, `payment_processing`,
/// `event_cancelled`; 410 `payment_expired`, nothing charged; 422 `zero_amount` (finalize it),
/// `no_provider` (live mode without one).
#[utoipa::path(operation_id = "payments.pay", tag = "payments",
    params(("id" = String, Path, description = "The payment."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:payments"]), ("bearer" = ["write:payments"]),
        ("basic" = ["write:payments"])),
    request_body(content = Pay, example = json!({"payment_method": {"type": "card", "card": {
        "number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}}})),
    responses(
        (status = 200, body = Data<PaymentView>, example = json!(examples::payment("paid"))),
        (status = 402, body = ErrorBody, description = "`card_declined`, `expired_card`, \
            `incorrect_cvc`, `processing_error`: the card was refused; `decline_code` says why \
            where it is known.", example = json!(examples::declined())),
        (status = 410, body = ErrorBody, description = "`payment_expired`: too late, nothing was \
            charged."),
        WriteErrors,
    ))]
#[post("/payments/{id}/pay")]
pub async fn pay(
    state: State,
    provider: actix_web::web::Data<dyn Provider>,
    actor: Actor<permission::Pay>,
    mut once: Once,
    path: Path<String>,
    body: Body<Pay>,
) -> Result<HttpResponse> {
    let (input, canonical) = body.into_parts()?;
    admit_browser(&state, actor.principal(), &path, input.client_secret.as_ref())?;
    if actor.principal().is_publishable() {
        once = once.apart(&format!("browser/{path}"));
    }
    let claim = once.claim(&actor, &without_card(canonical))?;
    let running = once.enter(claim.as_ref())?;
    let method = Means::read(&asking(&state, actor.principal())?, &input.payment_method)?;
    let (id, by) = (path.into_inner(), provider.name());
    let begin = move |tx: &mut Tx<'_>| ops::pay::begin(tx, &id, &method, (claim.as_ref(), by));
    let (answer, replayed) = take((state, actor, running), provider.into_inner(), begin).await?;
    Ok(respond(answer, replayed))
}

/// Mark a payment as paid
///
/// By who collects its money: the channel or the organization. 403 `wrong_principal` where the
/// platform collects. An authorized payment becomes paid.
///
/// Late money is decided once, and a `payment.late` change says how: a payment that has expired is
/// held again at its prices and paid if there is still enough of everything, its event is neither
/// cancelled nor over, and no other payment has its reference; else, and for a cancelled one, it
/// answers 409 `refund_buyer` from then on: the buyer must get the money back. 409
/// `wrong_status`, `payment_processing`, `event_cancelled`; 422 `zero_amount`.
#[utoipa::path(operation_id = "payments.mark_paid", tag = "payments",
    params(("id" = String, Path, description = "The payment."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:payments"]), ("bearer" = ["write:payments"]),
        ("basic" = ["write:payments"])),
    request_body(content = MarkPaid, example = json!({"type": "cash"})),
    responses(
        (status = 200, body = Data<PaymentView>, example = json!(examples::payment("paid"))),
        WriteErrors,
    ))]
#[post("/payments/{id}/mark-paid")]
pub async fn mark_paid(
    actor: Actor<WritePayments>,
    once: Once,
    path: Path<String>,
    body: Body<MarkPaid>,
) -> Result<HttpResponse> {
    let (input, canonical) = body.into_parts()?;
    let run = move |tx: &mut Tx<'_>| {
        Ok(match ops::settle::mark_paid(tx, &path, &input)? {
            Outcome::Done(marked) | Outcome::Refused(marked) => match marked {
                Ok(view) => Outcome::Done(Reply::Good(Answer::ok(view)?)),
                Err(refusal) => Outcome::Refused(Reply::Bad(refusal)),
            },
        })
    };
    once.write(&actor, &canonical, run).await
}

/// Finalize a payment
///
/// Completes a payment that owes nothing. 422 `nonzero_amount` otherwise; 409 `wrong_status`,
/// `event_cancelled`; 410 `payment_expired`.
#[utoipa::path(operation_id = "payments.finalize", tag = "payments",
    params(("id" = String, Path, description = "The payment."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:payments"]), ("bearer" = ["write:payments"]),
        ("basic" = ["write:payments"])),
    request_body(content = Finalize, example = json!({"accepted_terms_and_conditions": true})),
    responses(
        (status = 200, body = Data<PaymentView>, example = json!(examples::payment("paid"))),
        (status = 410, body = ErrorBody, description = "`payment_expired`: too late."),
        WriteErrors,
    ))]
#[post("/payments/{id}/finalize")]
pub async fn finalize(
    actor: Actor<WritePayments>,
    once: Once,
    path: Path<String>,
    body: Body<Finalize>,
) -> Result<HttpResponse> {
    let (input, canonical) = body.into_parts()?;
    let run = move |tx: &mut Tx<'_>| {
        let view = ops::settle::finalize(tx, &path, &input)?;
        Ok(Outcome::Done(Reply::Good(Answer::ok(view)?)))
    };
    once.write(&actor, &canonical, run).await
}

/// Authorize a payment
///
/// Bought on account: the tickets are valid and sent now, the money comes later (`mark-paid`). By
/// the organization, or by a channel whose partnership says `on_account`; only where the
/// organization or the channel collects. 403 `wrong_principal`; 409 `wrong_status`,
/// `event_cancelled`; 410 `payment_expired`; 422 `zero_amount`.
#[utoipa::path(operation_id = "payments.authorize", tag = "payments",
    params(("id" = String, Path, description = "The payment."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:payments"]), ("bearer" = ["write:payments"]),
        ("basic" = ["write:payments"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<PaymentView>, example = json!(examples::payment("authorized"))),
        (status = 410, body = ErrorBody, description = "`payment_expired`: too late."),
        WriteErrors,
    ))]
#[post("/payments/{id}/authorize")]
pub async fn authorize(
    actor: Actor<WritePayments>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run = move |tx: &mut Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::ok(ops::settle::authorize(tx, &path)?)?)))
    };
    once.write(&actor, &body.into_parts()?.1, run).await
}

/// Cancel a payment
///
/// Its creator gives a pending payment up; the organization calls back an authorized or paid one.
/// Its stock is for sale again, its tickets are void. No money is moved: refund it if any was paid.
/// 403 `wrong_principal` for the other side; 409 `wrong_status`, `payment_processing`,
/// `already_checked_in` when somebody has come in with one of its tickets.
#[utoipa::path(operation_id = "payments.cancel", tag = "payments",
    params(("id" = String, Path, description = "The payment."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:payments"]), ("bearer" = ["write:payments"]),
        ("basic" = ["write:payments"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<PaymentView>, example = json!(examples::payment("cancelled"))),
        WriteErrors,
    ))]
#[post("/payments/{id}/cancel")]
pub async fn cancel(
    actor: Actor<WritePayments>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run = move |tx: &mut Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::ok(ops::end::cancel(tx, &path)?)?)))
    };
    once.write(&actor, &body.into_parts()?.1, run).await
}
