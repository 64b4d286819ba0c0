//! A plain charge: an organization takes an amount for nothing that is sold here. It is paid or
//! refused at once; what is refused is cancelled.

use super::{inscribed, take_reference};
use crate::db::{Outcome, Tx};
use crate::kernel::input::Faults;
use crate::kernel::{Currency, Error, Money, Result};
use crate::outbox::ChangeKind;
use crate::parties::Collects;
use crate::payments::input::NewPayment;
use crate::payments::means::{Asking, Means};
use crate::payments::ops::announce_with;
use crate::payments::ops::pay::{self, Begun};
use crate::payments::store::Payment;
use crate::web::idempotency::Claim;

/// What is to be charged, and how.
#[derive(Clone, Debug)]
pub struct Ordered {
    amount: Money,
    means: Means,
}

/// Reads a plain charge; `None` for a payment that buys something. 400 for what belongs to the
/// other.
pub fn read(asking: &Asking<'_>, new: &NewPayment) -> Result<Option<Ordered>> {
    let mut faults = Faults::default();
    let twice = new.customer.is_some() && new.customer_id.is_some();
    faults.check(!twice, "customer", "cannot be sent beside customer_id");
    let Some(amount) = &new.amount else {
        faults.check(new.currency.is_none(), "currency", "goes with amount");
        faults.check(new.payment_method.is_none(), "payment_method", "goes with amount");
        return faults.finish().map(|()| None);
    };
    let of_tickets = [
        ("rate_id", new.rate_id.is_some()),
        ("quantity", new.quantity.is_some()),
        ("items", new.items.is_some()),
        ("tickets", new.tickets.is_some()),
        ("expires_in", new.expires_in.is_some()),
        ("expires_at", new.expires_at.is_some()),
        ("expected_total", new.expected_total.is_some()),
    ];
    for (field, sent) in of_tickets {
        faults.check(!sent, field, "cannot be sent with amount");
    }
    let ours = matches!(new.collects, None | Some(Collects::Platform));
    faults.check(ours, "collects", "must be platform: the card is charged here");
    faults.check(new.currency.is_some(), "currency", "is required with amount");
    faults.check(new.payment_method.is_some(), "payment_method", "is required with amount");
    let buyer = new.buyer.as_ref().map(|buyer| buyer.email.is_some());
    let mailed = new.send_resources == Some(true);
    let known = buyer.unwrap_or(new.customer().is_some());
    faults.check(!mailed || known, "buyer.email", "is required to send the receipt");
    let (currency, method) = (new.currency.as_ref(), new.payment_method.as_ref());
    let (Some(currency), Some(method)) = (currency, method) else {
        return faults.finish().map(|()| None);
    };
    faults.finish()?;
    let currency: Currency = currency.0;
    let means = Means::read(asking, method)?;
    Ok(Some(Ordered { amount: Money::new(amount.0, currency), means }))
}

/// Step one: payment and attempt are on record, the key is claimed.
pub fn begin(
    tx: &mut Tx<'_>,
    (new, ordered, hold_seconds): (&NewPayment, &Ordered, i64),
    (claim, charged_by): (Option<&Claim>, &'static str),
) -> Result<Outcome<Begun>> {
    if let Some(replay) = pay::replay(tx, claim)? {
        return Ok(Outcome::Done(replay));
    }
    ordered.means.check_in_time(tx.now())?;
    let Some(organization) = tx.scope().organization().cloned() else {
        let message = "Only organizations charge an amount; a channel sells tickets.";
        return Err(Error::wrong_principal(message));
    };
    let nothing = Money::zero(ordered.amount.currency);
    let payment = Payment::begun(tx, organization, (ordered.amount, nothing))?;
    let mut payment = inscribed(tx, payment, new)?;
    payment.expires_at = tx.now().plus_seconds(hold_seconds);
    payment.send_resources = new.send_resources.unwrap_or(payment.buyer_email.is_some());
    take_reference(tx, &payment)?;
    let attempt = pay::attempt(tx, &payment, &ordered.means, (claim, charged_by));
    payment.processing_attempt_id = Some(attempt.id.clone());
    tx.append(payment.clone());
    announce_with(tx, &payment, ChangeKind::PaymentCreated, (&[], Vec::new()))?;
    Ok(Outcome::Done(pay::begun(tx, attempt, &payment, (&ordered.means, claim))))
}
