//! The table `customers`. Owned by the tenant that knows the buyer, organization or channel.

use diesel::prelude::*;

use crate::db::schema::{customers, payments};
use crate::db::types::Json;
use crate::db::{AnyConnection, MultiBackend, Tx};
use crate::kernel::ids::{CustomerId, Id};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Mode, Result, Timestamp};
use crate::{append_only, on_each};

/// A buyer a tenant knows, as it is stored. The e-mail is in lower case.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone, Debug)]
#[diesel(table_name = customers, primary_key(owner_id, id))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)]
pub struct Customer {
    pub owner_id: String,
    pub id: CustomerId,
    pub mode: Mode,
    pub email: String,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub address: Option<Json>,
    pub metadata: Json,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
append_only!(
    Customer,
    customers,
    39,
    [owner_id, id, mode, email, name, phone, address, metadata, version, created_at, updated_at,]
);

/// The base query: the acting tenant's own of the mode.
fn own<'a>(tx: &Tx<'_>) -> Result<customers::BoxedQuery<'a, MultiBackend>> {
    let owner = tx.tenant()?.as_str().to_owned();
    let query = customers::table.filter(customers::owner_id.eq(owner));
    Ok(query.filter(customers::mode.eq(tx.mode()?)).into_boxed())
}

pub(in crate::payments) fn customer(tx: &mut Tx<'_>, id: &CustomerId) -> Result<Option<Customer>> {
    let query = own(tx)?.filter(customers::id.eq(id.clone()));
    Ok(query.first(tx.conn()?).optional()?)
}

/// One's own customer with an e-mail, which is given in lower case.
pub(in crate::payments) fn customer_with(tx: &mut Tx<'_>, email: &str) -> Result<Option<Customer>> {
    let query = own(tx)?.filter(customers::email.eq(email.to_owned()));
    Ok(query.first(tx.conn()?).optional()?)
}

pub(in crate::payments) fn list_customers(
    tx: &mut Tx<'_>,
    email: Option<String>,
    page: &PageRequest,
) -> Result<Page<Customer>> {
    let mut query = own(tx)?;
    if let Some(email) = email {
        query = query.filter(customers::email.eq(email));
    }
    if let Some(after) = &page.after {
        query = query.filter(customers::id.lt(CustomerId::from_text(after.clone())));
    }
    let query = query.order(customers::id.desc()).limit(page.limit + 1).offset(page.offset);
    Ok(Page::cut(query.load(tx.conn()?)?, page, |customer: &Customer| customer.id.to_string()))
}

/// Writes a customer back if nobody has changed it since it was read.
pub(in crate::payments) fn update_customer(
    tx: &mut Tx<'_>,
    customer: &Customer,
    version: i64,
) -> Result<bool> {
    let updated = diesel::update(customers::table.find((&customer.owner_id, &customer.id)))
        .filter(customers::version.eq(version))
        .set(customer)
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

/// Holds a customer until the end of the transaction: whoever names them relies on it.
pub(in crate::payments) fn hold_customer(tx: &mut Tx<'_>, customer: &Customer) -> Result<()> {
    let AnyConnection::Postgres(conn) = tx.conn()? else {
        return Ok(());
    };
    let row = customers::table.find((&customer.owner_id, &customer.id)).select(customers::id);
    let held: Option<CustomerId> = row.for_share().first(conn).optional()?;
    held.map(|_| ()).ok_or_else(|| Error::rerun("the customer was deleted meanwhile"))
}

/// Forgets a customer. Their payments stay, and name nobody.
pub(in crate::payments) fn delete_customer(tx: &mut Tx<'_>, customer: &Customer) -> Result<()> {
    // First, so that nobody can name them from here on.
    diesel::delete(customers::table.find((&customer.owner_id, &customer.id)))
        .execute(tx.conn()?)?;
    let of_customer = payments::table.filter(payments::customer_id.eq(Some(&customer.id)));
    let none: Option<CustomerId> = None;
    on_each!(tx.conn()?, |c| diesel::update(of_customer)
        .set((payments::customer_id.eq(none), payments::version.eq(payments::version + 1)))
        .execute(c))?;
    Ok(())
}
