//! Operations on the catalogue.

pub mod events;
pub mod locations;
pub mod offers;
pub mod quotes;
pub mod rates;

use crate::db::Tx;
use crate::kernel::ids::{Id, OrganizationId};
use crate::kernel::{Error, Result};
use crate::parties;

pub use events::EventRef;

/// The organizations whose catalogue an acting channel sees; empty for an organization.
fn hosts(tx: &mut Tx<'_>) -> Result<Vec<OrganizationId>> {
    match tx.scope().channel() {
        Some(channel) => parties::ops::host_ids(tx, channel),
        None => Ok(Vec::new()),
    }
}

/// Reads an event reference of a path or body: an id, or a number.
pub fn event_ref(text: &str) -> Option<EventRef> {
    let number = || text.parse().ok().filter(|number: &i64| *number > 0).map(EventRef::Number);
    crate::kernel::ids::EventId::parse(text).map(EventRef::Id).or_else(number)
}

/// The organization that acts.
fn own_organization(tx: &mut Tx<'_>) -> Result<parties::Organization> {
    let id = tx.scope().organization();
    let id = id.ok_or_else(|| Error::internal("only organizations write the catalogue"))?;
    parties::ops::organization(tx, id)
}
