//! Asking the provider to give money back, by a job and, when that has given up, by a sweep.

use std::time::Duration;

use serde_json::Value;

use super::{announce, payload, reload, tell, write_back};
use crate::db::{Db, Outcome, Scope, Tx};
use crate::kernel::fail_point::{Step, around_call};
use crate::kernel::ids::{Id, OrganizationId, RefundId, TicketId};
use crate::kernel::{Error, Money, Result};
use crate::outbox::ChangeKind;
use crate::payments::providers::{GiveBack, Provider, Verdict};
use crate::payments::store::{self, Refund, RefundState};
use crate::tickets;

/// A refund whose provider has not answered for so long is asked about beside its job: longer than
/// all of the job's tries.
const ASK_AFTER_SECONDS: i64 = 26 * 3600;
/// The provider is given so long to say what it did.
const ASK_TIME_MAX: Duration = Duration::from_secs(10);
/// Refunds asked about in one turn.
const ASK_MAX: i64 = 20;

/// Asks the provider to give the money back, and records what it says. What it does not say is
/// asked again, under the same id.
pub async fn ask(db: &Db, provider: &dyn Provider, payload: &Value) -> Result<()> {
    let text = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or_default();
    let organization = OrganizationId::parse(text("organization_id"));
    let (Some(organization), Some(id)) = (organization, RefundId::parse(text("refund_id"))) else {
        return Err(Error::internal("a job without its refund"));
    };
    let scope = Scope::platform("giving money back through its provider");
    let read = move |tx: &mut Tx<'_>| store::refund_of_row(tx, &organization, &id);
    let Some(refund) = db.read(&scope, read).await? else {
        return Err(Error::internal("a refund has gone"));
    };
    let (Some(attempt), RefundState::Pending) = (refund.attempt_id.clone(), refund.state) else {
        return Ok(());
    };
    let amount = Money::new(refund.amount_minor, refund.currency);
    let order = GiveBack { refund: refund.id.clone(), attempt, amount };
    let asking = tokio::time::timeout(ASK_TIME_MAX, provider.give_back(order));
    let unanswered = |_| Error::unavailable("The provider did not answer in time.");
    let verdict = around_call(Step::ProviderRefund, asking).await.map_err(unanswered)??;
    let write = move |tx: &mut Tx<'_>| conclude(tx, &refund, &verdict).map(Outcome::Done);
    db.write(&scope, write).await.map(|_| ())
}

/// Asks about refunds that have been pending for long: their jobs may have used up their tries, and
/// money that is booked as given back must get there. The same id every time.
pub async fn ask_about_stale(db: &Db, provider: &dyn Provider) -> Result<usize> {
    let scope = Scope::platform("giving back money that has waited for long");
    let stale = db.read(&scope, |tx| {
        let (now, page) = (tx.now(), ASK_MAX);
        store::stale_refunds(tx, now.plus_seconds(-ASK_AFTER_SECONDS), page)
    });
    let mut told = 0;
    for refund in stale.await? {
        match ask(db, provider, &payload(&refund)).await {
            Ok(()) => told += 1,
            Err(error) => {
                tracing::warn!(refund = %refund.id, code = error.code(), "still not given back");
                // Later again, behind the others.
                let write =
                    move |tx: &mut Tx<'_>| store::postpone_refund(tx, &refund).map(Outcome::Done);
                db.write(&scope, write).await?;
            }
        }
    }
    Ok(told)
}

/// What the provider said is on record once.
fn conclude(tx: &mut Tx<'_>, refund: &Refund, verdict: &Verdict) -> Result<()> {
    let (state, failure) = match verdict {
        Verdict::Succeeded => (RefundState::Succeeded, None),
        Verdict::Failed { code, .. } => (RefundState::Failed, Some(*code)),
    };
    let payment = store::of_row(tx, &refund.organization_id, &refund.payment_id)?;
    let payment = payment.ok_or_else(|| Error::internal("a payment has gone"))?;
    store::hold(tx, &payment)?;
    let mut payment = reload(tx, &payment)?;
    if !store::finish_refund(tx, refund, (state, failure))? {
        return Ok(());
    }
    if state == RefundState::Failed {
        // The money is still here: it can be given back another way.
        payment.refunded_minor -= refund.amount_minor;
        write_back(tx, &mut payment)?;
        tickets::ops::fail_refund(tx, &refund.organization_id, &refund.id)?;
        announce(tx, &payment, ChangeKind::PaymentUpdated)?;
    }
    let ids = tickets::ops::of_refunds(tx, &[(&refund.organization_id, &refund.id)])?;
    let ids: Vec<TicketId> = ids.into_iter().map(|(_, ticket)| ticket).collect();
    let told = Refund {
        state,
        failure_code: failure.map(str::to_owned),
        version: refund.version + 1,
        processed_at: Some(tx.now()),
        ..refund.clone()
    };
    tell(tx, &told, &ids, ChangeKind::RefundProcessed)
}
