//! Operations on locations.

use crate::catalog::input::location::LocationFields;
use crate::catalog::model::location::LocationView;
use crate::catalog::store::locations as store;
use crate::catalog::{Event, Location};
use crate::db::Tx;
use crate::kernel::ids::{Id, LocationId};
use crate::kernel::input::{Faults, Patch};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Result};

/// Creates a location. 400 on faults.
pub fn create(tx: &mut Tx<'_>, fields: &LocationFields) -> Result<LocationView> {
    let mut location = Location {
        organization_id: super::own_organization(tx)?.id,
        id: tx.id(),
        mode: tx.mode()?,
        name: String::new(),
        address: None,
        address_line2: None,
        postal_code: None,
        city: None,
        state: None,
        country: None,
        latitude_e6: None,
        longitude_e6: None,
        timezone: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    if !matches!(fields.name, Patch::Set(_)) {
        return Err(Error::invalid_field("name", "is required"));
    }
    lay_over(&mut location, fields)?;
    tx.append(location.clone());
    Ok(LocationView::from(&location))
}

/// Changes a location; its events show it as it is from then on.
pub fn update(tx: &mut Tx<'_>, id: &str, fields: &LocationFields) -> Result<LocationView> {
    let mut location = find(tx, id)?;
    let before = location.version;
    lay_over(&mut location, fields)?;
    location.version += 1;
    location.updated_at = tx.now();
    if !store::update(tx, &location, before)? {
        return Err(Error::rerun("the location was changed meanwhile"));
    }
    Ok(LocationView::from(&location))
}

/// Deletes a location no event is at. 409 `in_use`.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<LocationId> {
    let location = find(tx, id)?;
    store::hold(tx, &location, true)?;
    if store::is_used(tx, &location)? {
        return Err(Error::conflict("in_use", "There are events at this location."));
    }
    store::delete(tx, &location)?;
    Ok(location.id)
}

/// A location of one's own.
pub fn read(tx: &mut Tx<'_>, id: &str) -> Result<LocationView> {
    find(tx, id).map(|location| LocationView::from(&location))
}

/// One's own locations, newest first.
pub fn list(tx: &mut Tx<'_>, page: &PageRequest) -> Result<Page<LocationView>> {
    Ok(store::list(tx, page)?.map(|location| LocationView::from(&location)))
}

fn find(tx: &mut Tx<'_>, id: &str) -> Result<Location> {
    let id = LocationId::parse(id).ok_or_else(Error::not_found)?;
    store::find(tx, &id)?.ok_or_else(Error::not_found)
}

/// The location an event is to be at, which stays until the end of this transaction. 400 when it
/// is not one's own.
pub(super) fn to_be_named(tx: &mut Tx<'_>, id: &str) -> Result<Location> {
    let none = || Error::invalid_field("location_id", "is no location of yours");
    let id = LocationId::parse(id).ok_or_else(none)?;
    let location = store::find(tx, &id)?.ok_or_else(none)?;
    store::hold(tx, &location, false)?;
    Ok(location)
}

/// Where some events are.
pub(super) fn of_events(tx: &mut Tx<'_>, events: &[&Event]) -> Result<Vec<Location>> {
    if events.iter().all(|event| event.location_id.is_none()) {
        return Ok(Vec::new());
    }
    store::of_events(tx, events)
}

fn lay_over(location: &mut Location, fields: &LocationFields) -> Result<()> {
    let mut faults = Faults::default();
    let f = fields.clone();
    match f.name {
        Patch::Set(name) => location.name = name.0,
        Patch::Clear => faults.add("name", "cannot be cleared"),
        Patch::Absent => {}
    }
    f.address.apply(&mut location.address, |text| text.0);
    f.address_line2.apply(&mut location.address_line2, |text| text.0);
    f.postal_code.apply(&mut location.postal_code, |text| text.0);
    f.city.apply(&mut location.city, |text| text.0);
    f.state.apply(&mut location.state, |text| text.0);
    f.country.apply(&mut location.country, |code| code.0);
    f.latitude.apply(&mut location.latitude_e6, |degrees| degrees.0);
    f.longitude.apply(&mut location.longitude_e6, |degrees| degrees.0);
    f.timezone.apply(&mut location.timezone, |zone| zone.0.name().to_owned());
    let both = location.latitude_e6.is_some() == location.longitude_e6.is_some();
    faults.check(both, "longitude", "goes with latitude");
    faults.finish()
}
