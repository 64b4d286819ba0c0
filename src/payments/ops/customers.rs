//! Operations on customers: the buyers a tenant knows.

use serde_json::Value;

use super::store::{self, Customer};
use crate::db::Tx;
use crate::db::types::Json;
use crate::kernel::ids::{CustomerId, Id};
use crate::kernel::input::Patch;
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Result};
use crate::outbox::{ChangeKind, Emit, NewChange};
use crate::payments::input::{CustomerFields, NewCustomer};
use crate::payments::model::CustomerView;

fn nothing() -> Json {
    Json(Value::Object(serde_json::Map::new()))
}

/// Creates a customer. 409 `email_taken`.
pub fn create(tx: &mut Tx<'_>, new: &NewCustomer) -> Result<CustomerView> {
    let email = new.email.0.to_lowercase();
    check_email(tx, &email)?;
    let new = new.clone();
    let customer = Customer {
        owner_id: tx.tenant()?.as_str().to_owned(),
        id: tx.id(),
        mode: tx.mode()?,
        email,
        name: new.name.map(|text| text.0),
        phone: new.phone.map(|text| text.0),
        address: new.address.map(|address| Json(address.to_json())),
        metadata: new.metadata.map_or_else(nothing, |metadata| Json(metadata.0)),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    tx.append(customer.clone());
    if let Some(organization) = tx.scope().organization().cloned() {
        let view = serde_json::to_value(CustomerView::from(customer.clone()));
        tx.emit(NewChange {
            kind: ChangeKind::CustomerCreated,
            mode: customer.mode,
            organization,
            channel: None,
            event: None,
            object_id: customer.id.to_string(),
            sequence: customer.version,
            for_organization: view.map_err(Error::internal)?,
            for_channel: None,
        })?;
    }
    Ok(customer.into())
}

/// Changes a customer. 409 `email_taken`.
pub fn update(tx: &mut Tx<'_>, id: &str, fields: &CustomerFields) -> Result<CustomerView> {
    let mut customer = find(tx, id)?;
    let before = customer.version;
    let f = fields.clone();
    match f.email {
        Patch::Set(email) => {
            let email = email.0.to_lowercase();
            if email != customer.email {
                check_email(tx, &email)?;
                customer.email = email;
            }
        }
        Patch::Clear => return Err(Error::invalid_field("email", "cannot be cleared")),
        Patch::Absent => {}
    }
    f.name.apply(&mut customer.name, |text| text.0);
    f.phone.apply(&mut customer.phone, |text| text.0);
    f.address.apply(&mut customer.address, |address| Json(address.to_json()));
    f.metadata.apply_or(&mut customer.metadata, nothing(), |metadata| Json(metadata.0));
    customer.version += 1;
    customer.updated_at = tx.now();
    if !store::update_customer(tx, &customer, before)? {
        return Err(Error::rerun("the customer was changed meanwhile"));
    }
    Ok(customer.into())
}

/// Forgets a customer. Their payments stay, and name nobody.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<CustomerId> {
    let customer = find(tx, id)?;
    store::delete_customer(tx, &customer)?;
    Ok(customer.id)
}

/// A customer of one's own.
pub fn read(tx: &mut Tx<'_>, id: &str) -> Result<CustomerView> {
    find(tx, id).map(CustomerView::from)
}

/// One's own customers, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    email: Option<&str>,
    page: &PageRequest,
) -> Result<Page<CustomerView>> {
    let email = email.map(str::to_lowercase);
    Ok(store::list_customers(tx, email, page)?.map(CustomerView::from))
}

/// A customer that a payment is to name, who stays until the end of this transaction. 400 when it
/// is not one's own.
pub(super) fn to_be_named(tx: &mut Tx<'_>, (field, id): (&str, &str)) -> Result<Customer> {
    let none = || Error::invalid_field(field, "is no customer of yours");
    let id = CustomerId::parse(id).ok_or_else(none)?;
    if tx.is_plan() {
        return Err(Error::rerun("a customer is named under a lock"));
    }
    let customer = store::customer(tx, &id)?.ok_or_else(none)?;
    store::hold_customer(tx, &customer)?;
    Ok(customer)
}

fn find(tx: &mut Tx<'_>, id: &str) -> Result<Customer> {
    let id = CustomerId::parse(id).ok_or_else(Error::not_found)?;
    store::customer(tx, &id)?.ok_or_else(Error::not_found)
}

fn check_email(tx: &mut Tx<'_>, email: &str) -> Result<()> {
    if let Some(other) = store::customer_with(tx, email)? {
        return Err(Error::conflict("email_taken", "Another customer has this e-mail.")
            .on_field("email", "is taken")
            .with("customer_id", other.id.to_string()));
    }
    Ok(())
}
