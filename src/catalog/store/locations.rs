//! The table `locations`. Owned: an organization's own of the mode.

use diesel::prelude::*;

use crate::catalog::Event;
use crate::db::schema::{events, locations};
use crate::db::{AnyConnection, Keys, MultiBackend, Tx, among};
use crate::kernel::ids::{Id, LocationId, OrganizationId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Mode, Result, Timestamp};
use crate::{append_only, on_each};

/// A location, as it is stored.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone, Debug)]
#[diesel(table_name = locations)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)]
pub struct Location {
    pub organization_id: OrganizationId,
    pub id: LocationId,
    pub mode: Mode,
    pub name: String,
    pub address: Option<String>,
    pub address_line2: Option<String>,
    pub postal_code: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub country: Option<String>,
    pub latitude_e6: Option<i64>,
    pub longitude_e6: Option<i64>,
    pub timezone: Option<String>,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
append_only!(
    Location,
    locations,
    14,
    [
        organization_id,
        id,
        mode,
        name,
        address,
        address_line2,
        postal_code,
        city,
        state,
        country,
        latitude_e6,
        longitude_e6,
        timezone,
        version,
        created_at,
        updated_at,
    ]
);

/// The base query: the acting organization's own of the mode.
fn own<'a>(tx: &Tx<'_>) -> Result<locations::BoxedQuery<'a, MultiBackend>> {
    let organization = tx.scope().organization().cloned();
    let organization =
        organization.ok_or_else(|| Error::internal("locations are an organization's"))?;
    let query = locations::table.filter(locations::organization_id.eq(organization));
    Ok(query.filter(locations::mode.eq(tx.mode()?)).into_boxed())
}

pub(in crate::catalog) fn find(tx: &mut Tx<'_>, id: &LocationId) -> Result<Option<Location>> {
    let query = own(tx)?.filter(locations::id.eq(id.clone()));
    Ok(query.first(tx.conn()?).optional()?)
}

pub(in crate::catalog) fn list(tx: &mut Tx<'_>, page: &PageRequest) -> Result<Page<Location>> {
    let mut query = own(tx)?;
    if let Some(after) = &page.after {
        query = query.filter(locations::id.lt(LocationId::from_text(after.clone())));
    }
    let query = query.order(locations::id.desc()).limit(page.limit + 1).offset(page.offset);
    Ok(Page::cut(query.load(tx.conn()?)?, page, |location: &Location| location.id.to_string()))
}

/// Where some events are: rows that say whose they are.
pub(in crate::catalog) fn of_events(tx: &mut Tx<'_>, of: &[&Event]) -> Result<Vec<Location>> {
    let named =
        of.iter().filter_map(|event| Some((&event.organization_id, event.location_id.as_ref()?)));
    let keys: Keys<'_> = named.collect();
    let query = locations::table.filter(among((locations::organization_id, locations::id), keys));
    Ok(on_each!(tx.conn()?, |c| query.load(c))?)
}

/// Holds a location until the end of the transaction: whoever names it relies on it staying, and
/// whoever deletes it on not being named meanwhile.
pub(in crate::catalog) fn hold(
    tx: &mut Tx<'_>,
    location: &Location,
    to_change: bool,
) -> Result<()> {
    let AnyConnection::Postgres(conn) = tx.conn()? else {
        return Ok(());
    };
    let row = locations::table.find((&location.organization_id, &location.id));
    let row = row.select(locations::id);
    let held = match to_change {
        true => row.for_update().first::<LocationId>(conn),
        false => row.for_share().first::<LocationId>(conn),
    };
    if held.optional()?.is_none() {
        return Err(Error::rerun("the location was deleted meanwhile"));
    }
    Ok(())
}

/// Writes a location back if nobody has changed it since it was read.
pub(in crate::catalog) fn update(
    tx: &mut Tx<'_>,
    location: &Location,
    version: i64,
) -> Result<bool> {
    let row = locations::table.find((&location.organization_id, &location.id));
    let updated = diesel::update(row)
        .filter(locations::version.eq(version))
        .set(location)
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

/// Whether any event is there.
pub(in crate::catalog) fn is_used(tx: &mut Tx<'_>, location: &Location) -> Result<bool> {
    let query = events::table
        .filter(events::organization_id.eq(&location.organization_id))
        .filter(events::location_id.eq(&location.id))
        .select(events::id);
    Ok(on_each!(tx.conn()?, |c| query.first::<String>(c)).optional()?.is_some())
}

pub(in crate::catalog) fn delete(tx: &mut Tx<'_>, location: &Location) -> Result<()> {
    diesel::delete(locations::table.find((&location.organization_id, &location.id)))
        .execute(tx.conn()?)?;
    Ok(())
}
