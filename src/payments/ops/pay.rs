//! Paying through a provider, in three steps: commit the attempt, ask, commit the result.

use std::time::Duration;

use crate::db::types::Json;
use crate::db::{Db, Outcome, Scope, Tx};
use crate::kernel::fail_point::{Step, around_call};
use crate::kernel::ids::AttemptId;
use crate::kernel::{Error, Kind, Result};
use crate::outbox::ChangeKind;
use crate::parties::Collects;
use crate::payments::CreatedPaymentView;
use crate::payments::means::Means;
use crate::payments::model::PaymentType;
use crate::payments::providers::{Charge, Provider, Verdict, card_summary};
use crate::payments::store::{self, Attempt, AttemptState, Payment};
use crate::web::answer::{Answer, Reply};
use crate::web::idempotency::{self, Claim, Found, Name};

use super::settle::{check_event, complete, reload, zero_amount};
use super::{announce, check_creator, check_open, end, find, late, stock, view, write_back};

/// An attempt that has been processing so long is asked about.
pub const ASK_AFTER_SECONDS: i64 = 60;
/// Attempts asked about in one turn, all at once.
const ASK_MAX: i64 = 20;
/// The provider is given so long to say what it knows.
const ASK_TIME_MAX: Duration = Duration::from_secs(5);

/// What the first step came to.
#[derive(Clone, Debug)]
pub enum Begun {
    /// The key's stored answer.
    Replay(Answer),
    /// The provider is to be asked for this.
    Charge(Box<(Charge, Attempt)>),
}

/// Step one: the attempt is on record, the hold cannot run out, the key is claimed.
pub fn begin(
    tx: &mut Tx<'_>,
    id: &str,
    means: &Means,
    (claim, charged_by): (Option<&Claim>, &'static str),
) -> Result<Outcome<Begun>> {
    if let Some(replay) = replay(tx, claim)? {
        return Ok(Outcome::Done(replay));
    }
    means.check_in_time(tx.now())?;
    let mut payment = find(tx, id)?;
    check_creator(tx, &payment)?;
    if payment.collects != Collects::Platform {
        let message = format!("The {} collects this payment's money.", payment.collects.as_str());
        let error = Error::wrong_principal(message);
        return Err(error.with("collects", payment.collects.as_str()));
    }
    check_open(tx, &payment)?;
    check_event(tx, &payment)?;
    if payment.amount_minor == 0 {
        return Err(zero_amount());
    }
    stock::begin_settling(tx, &payment)?;
    let attempt = attempt(tx, &payment, means, (claim, charged_by));
    payment.processing_attempt_id = Some(attempt.id.clone());
    // Under the same version: nothing is announced yet, and versions are what changes count.
    // Whoever else writes payments back moves their hold first, or holds their row (`edit`).
    if !store::update(tx, &payment, payment.version)? {
        return Err(Error::rerun("the payment was changed meanwhile"));
    }
    Ok(Outcome::Done(begun(tx, attempt, &payment, (means, claim))))
}

/// The key's stored answer, if there is one.
pub(super) fn replay(tx: &mut Tx<'_>, claim: Option<&Claim>) -> Result<Option<Begun>> {
    let Some(claim) = claim else { return Ok(None) };
    Ok(match idempotency::look_up(tx, claim)? {
        Found::Answer(answer) => Some(Begun::Replay(answer)),
        Found::Nothing | Found::OtherRequest | Found::Owed => None,
    })
}

/// An attempt at all that a payment costs.
pub(super) fn attempt(
    tx: &Tx<'_>,
    payment: &Payment,
    means: &Means,
    (claim, charged_by): (Option<&Claim>, &'static str),
) -> Attempt {
    let card = means.card;
    Attempt {
        organization_id: payment.organization_id.clone(),
        id: tx.id::<AttemptId>(),
        payment_id: payment.id.clone(),
        provider: charged_by.to_owned(),
        state: AttemptState::Processing,
        amount_minor: payment.amount_minor,
        card: Json(card_summary(card.brand(), card.last4(), means.exp_month, means.exp_year)),
        code: None,
        decline_code: None,
        idempotency_key: claim.map(|claim| claim.name.key.clone()),
        created_at: tx.now(),
        finished_at: None,
        confirmed_at: None,
    }
}

/// The attempt goes on record with the claim of its key, and the provider is to be asked.
pub(super) fn begun(
    tx: &mut Tx<'_>,
    attempt: Attempt,
    payment: &Payment,
    (means, claim): (&Means, Option<&Claim>),
) -> Begun {
    if let Some(claim) = claim {
        idempotency::open(tx, claim);
    }
    tx.append(attempt.clone());
    let charge = Charge { attempt: attempt.id.clone(), amount: payment.amount(), card: means.card };
    Begun::Charge(Box::new((charge, attempt)))
}

/// Step three: what the provider said, on record together with the answer.
pub fn conclude(tx: &mut Tx<'_>, attempt: &Attempt, verdict: &Verdict) -> Result<Outcome<Reply>> {
    let found = store::attempt(tx, &attempt.organization_id, &attempt.id)?;
    let attempt = found.ok_or_else(|| Error::internal("an attempt has gone"))?;
    let payment = store::of_row(tx, &attempt.organization_id, &attempt.payment_id)?;
    let payment = payment.ok_or_else(|| Error::internal("a payment has gone"))?;
    match verdict {
        Verdict::Succeeded => succeed(tx, &attempt, payment),
        Verdict::Failed { code, decline_code } => {
            decline(tx, &attempt, payment, (*code, *decline_code))
        }
    }
}

fn succeed(tx: &mut Tx<'_>, attempt: &Attempt, mut payment: Payment) -> Result<Outcome<Reply>> {
    let first = store::finish_attempt(tx, attempt, AttemptState::Succeeded, (None, None))?;
    if first {
        stock::finish_settling(tx, &payment)?;
        payment.paid_at = Some(tx.now());
        payment.kind = Some(PaymentType::Card);
        payment.card = Some(attempt.card.clone());
        complete(tx, &mut payment)?;
    } else {
        payment = reload(tx, &payment)?;
    }
    let shown = view(tx, &payment)?;
    // A plain charge is paid by the request that creates it.
    let answer = match payment.event_id {
        Some(_) => Answer::ok(shown)?,
        None => Answer::created(CreatedPaymentView::new(shown))?,
    };
    if first && let Some(name) = key_of(attempt, &payment) {
        idempotency::close(tx, &name, &answer)?;
    }
    Ok(Outcome::Done(Reply::Good(answer)))
}

fn decline(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    mut payment: Payment,
    (code, decline_code): (&'static str, Option<&'static str>),
) -> Result<Outcome<Reply>> {
    let reasons = (Some(code), decline_code);
    if store::finish_attempt(tx, attempt, AttemptState::Failed, reasons)? {
        stock::abandon_settling(tx, &payment)?;
        payment.processing_attempt_id = None;
        write_back(tx, &mut payment)?;
        announce(tx, &payment, ChangeKind::PaymentFailed)?;
        // The event was called off meanwhile, and its job passed this payment by; or it is a plain
        // charge, and refused as a whole.
        let off = check_event(tx, &payment).is_err_and(|error| error.code() == "event_cancelled");
        if off || payment.event_id.is_none() {
            end::cancel_in(tx, &mut payment)?;
        }
        if let Some(name) = key_of(attempt, &payment) {
            idempotency::free(tx, &name)?;
        }
    }
    let refused = card_refused(code, decline_code).with("payment_id", payment.id.to_string());
    Ok(Outcome::Refused(Reply::Bad(refused)))
}

/// The key a payment's creator sent with an attempt.
fn key_of(attempt: &Attempt, payment: &Payment) -> Option<Name> {
    let key = attempt.idempotency_key.clone()?;
    let creator = payment.creator();
    Some(Name { tenant: creator.as_str().to_owned(), mode: payment.mode, key })
}

/// 402: the card was refused.
fn card_refused(code: &'static str, decline_code: Option<&'static str>) -> Error {
    let message = match code {
        "expired_card" => "The card has expired.",
        "incorrect_cvc" => "The card's security code is wrong.",
        "processing_error" => "The card could not be processed; try again.",
        _ => "The card was declined.",
    };
    Error::new(Kind::Card, code, message).with("decline_code", decline_code)
}

/// Asks the provider about attempts whose answer never came, until it knows. What it never heard
/// of was not charged. An attempt it cannot tell about yet keeps no other from being asked.
pub async fn ask_about_stale(db: &Db, provider: &dyn Provider) -> Result<usize> {
    let scope = Scope::platform("asking a provider about unanswered attempts");
    let stale = db.read(&scope, |tx| {
        let before = tx.now().plus_seconds(-ASK_AFTER_SECONDS);
        store::stale_attempts(tx, before, ASK_MAX)
    });
    let asking = stale.await?.into_iter().map(|attempt| ask(db, provider, attempt));
    let told = futures_util::future::join_all(asking).await;
    Ok(told.into_iter().filter(|told| *told).count())
}

/// Whether the provider knew and it is on record.
async fn ask(db: &Db, provider: &dyn Provider, attempt: Attempt) -> bool {
    let id = attempt.id.clone();
    let asked = async {
        let known = verdict_of(provider, &attempt).await?;
        let unheard = Verdict::Failed { code: "processing_error", decline_code: None };
        let verdict = known.unwrap_or(unheard);
        let scope = Scope::platform("recording what a provider said when it was asked");
        db.write(&scope, move |tx| conclude(tx, &attempt, &verdict)).await
    };
    match asked.await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(attempt = %id, code = error.code(), "an attempt is still unanswered");
            false
        }
    }
}

/// Asks once more about refusals that the provider was not sure of: what it took after all is
/// money, in time or late. Whatever it says then is the end of it.
pub async fn confirm_unsure(db: &Db, provider: &dyn Provider) -> Result<usize> {
    let scope = Scope::platform("asking a provider once more about what it was not sure of");
    let unsure = db.read(&scope, |tx| {
        let before = tx.now().plus_seconds(-ASK_AFTER_SECONDS);
        store::unsure_attempts(tx, before, ASK_MAX)
    });
    let asking = unsure.await?.into_iter().map(|attempt| confirm(db, provider, attempt));
    let told = futures_util::future::join_all(asking).await;
    Ok(told.into_iter().filter(|told| *told).count())
}

async fn confirm(db: &Db, provider: &dyn Provider, attempt: Attempt) -> bool {
    let id = attempt.id.clone();
    let asked = async {
        let verdict = verdict_of(provider, &attempt).await?;
        let scope = Scope::platform("recording what a provider took after all");
        let write = move |tx: &mut Tx<'_>| notice(tx, &attempt, verdict.as_ref());
        db.write(&scope, write).await
    };
    match asked.await {
        Ok(told) => told.into_inner(),
        Err(error) => {
            tracing::warn!(attempt = %id, code = error.code(), "an attempt is still unsure");
            false
        }
    }
}

/// What a provider says about a refused attempt. `false` when it must be asked again, because the
/// payment is just being paid otherwise.
fn notice(tx: &mut Tx<'_>, attempt: &Attempt, verdict: Option<&Verdict>) -> Result<Outcome<bool>> {
    let payment = store::of_row(tx, &attempt.organization_id, &attempt.payment_id)?;
    let mut payment = payment.ok_or_else(|| Error::internal("a payment has gone"))?;
    let state = match verdict {
        Some(Verdict::Succeeded) if payment.processing_attempt_id.is_some() => {
            return Ok(Outcome::Done(false));
        }
        Some(Verdict::Succeeded) => AttemptState::Succeeded,
        Some(Verdict::Failed { .. }) | None => AttemptState::Failed,
    };
    if store::confirm_attempt(tx, attempt, state)? && state == AttemptState::Succeeded {
        late::by_provider(tx, &mut payment, attempt)?;
    }
    Ok(Outcome::Done(true))
}

/// What a provider knows of an attempt, if it says so in time.
async fn verdict_of(provider: &dyn Provider, attempt: &Attempt) -> Result<Option<Verdict>> {
    let asking = tokio::time::timeout(ASK_TIME_MAX, provider.verdict(attempt.id.clone()));
    let unanswered = |_| Error::unavailable("The provider did not answer in time.");
    around_call(Step::ProviderVerdict, asking).await.map_err(unanswered)?
}
