//! Changing a payment without moving it: more time, and what its creator wrote on it.

use super::{
    announce, check_creator, check_open, create, customers, find, settle, stock, store, view,
    write_back,
};
use crate::config::SalesSettings;
use crate::db::Tx;
use crate::db::types::Json;
use crate::kernel::input::Patch;
use crate::kernel::{Error, Result, Timestamp};
use crate::outbox::ChangeKind;
use crate::payments::input::{Extend, PaymentFields};
use crate::payments::model::{PaymentStatus, PaymentView};
use crate::payments::store::Payment;

/// The creator holds the stock for longer: within the limit, which counts from the hold's start.
/// 409 `wrong_status`, `event_cancelled`; 410 `payment_expired`.
pub fn extend(
    tx: &mut Tx<'_>,
    id: &str,
    input: &Extend,
    limits: &SalesSettings,
) -> Result<PaymentView> {
    let mut payment = find(tx, id)?;
    check_creator(tx, &payment)?;
    check_open(tx, &payment)?;
    settle::check_event(tx, &payment)?;
    let until = new_end(tx, &payment, input, limits)?;
    stock::extend(tx, &payment, until)?;
    payment.expires_at = until;
    write_back(tx, &mut payment)?;
    announce(tx, &payment, ChangeKind::PaymentExtended)?;
    view(tx, &payment)
}

fn new_end(
    tx: &Tx<'_>,
    payment: &Payment,
    input: &Extend,
    limits: &SalesSettings,
) -> Result<Timestamp> {
    let (field, until) = match (&input.expires_in, &input.expires_at) {
        (Some(seconds), None) => ("expires_in", tx.now().plus_seconds(seconds.0)),
        (None, Some(at)) => ("expires_at", at.0),
        (None, None) => {
            return Err(Error::invalid_field("expires_in", "is required, or expires_at"));
        }
        (Some(_), Some(_)) => {
            let reason = "cannot be sent beside expires_in";
            return Err(Error::invalid_field("expires_at", reason));
        }
    };
    let latest = payment.created_at.plus_seconds(limits.hold_seconds_max);
    if until <= payment.expires_at || until > latest {
        let (from, to) = (payment.expires_at.rfc3339(), latest.rfc3339());
        return Err(Error::invalid_field(field, format!("must lie after {from}, until {to}")));
    }
    Ok(until)
}

/// The creator changes what they wrote on a payment, whatever its status. 409 `reference_taken`.
pub fn edit(tx: &mut Tx<'_>, id: &str, fields: &PaymentFields) -> Result<PaymentView> {
    let seen = find(tx, id)?;
    check_creator(tx, &seen)?;
    // As it is now that nobody begins to pay it: the whole row is written back.
    store::hold(tx, &seen)?;
    let mut payment = settle::reload(tx, &seen)?;
    let PaymentFields { metadata, description, reference, customer_id } = fields.clone();
    let nothing = Json(serde_json::Value::Object(serde_json::Map::new()));
    metadata.apply_or(&mut payment.metadata, nothing, |metadata| Json(metadata.0));
    description.apply(&mut payment.description, |text| text.0);
    match customer_id {
        Patch::Set(id) => {
            payment.customer_id = Some(customers::to_be_named(tx, ("customer_id", &id.0))?.id)
        }
        Patch::Clear => payment.customer_id = None,
        Patch::Absent => {}
    }
    if reference != Patch::Absent {
        rename(tx, &mut payment, reference.value().map(|reference| reference.0))?;
    }
    write_back(tx, &mut payment)?;
    announce(tx, &payment, ChangeKind::PaymentUpdated)?;
    view(tx, &payment)
}

/// Frees the reference and takes another. One that has ended has no claim on its own.
fn rename(tx: &mut Tx<'_>, payment: &mut Payment, reference: Option<String>) -> Result<()> {
    if payment.reference == reference {
        return Ok(());
    }
    let claims = match payment.status {
        PaymentStatus::Pending | PaymentStatus::Authorized | PaymentStatus::Paid => true,
        PaymentStatus::Expired | PaymentStatus::Cancelled => false,
    };
    if claims {
        store::free_reference(tx, payment)?;
    }
    payment.reference = reference;
    if claims {
        create::take_reference(tx, payment)?;
    }
    Ok(())
}
