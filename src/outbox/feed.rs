//! The ordered feed of one tenant.

use std::time::Duration;

use serde_json::Value;

use super::model::ChangeKind;
use super::store;
use crate::db::{Db, Outcome, Scope, Tx};
use crate::kernel::ids::{ChangeId, ChannelId, EventId, OrganizationId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Mode, Result, Timestamp};

/// A line of a tenant's feed.
pub struct Entry {
    /// Its place in this tenant's feed.
    pub seq: i64,
    /// The change's identifier, the same for both sides.
    pub id: ChangeId,
    /// What happened.
    pub kind: ChangeKind,
    /// When.
    pub created_at: Timestamp,
    /// In which mode.
    pub mode: Mode,
    /// The organization's side.
    pub organization_id: OrganizationId,
    /// The channel's side.
    pub channel_id: Option<ChannelId>,
    /// The event it concerns.
    pub event_id: Option<EventId>,
    /// The object's own count of changes.
    pub sequence: i64,
    /// The object, rendered for the reader's side.
    pub object: Value,
}

/// Looks again so soon when another server is numbering.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Numbers everything that has committed by now, or waits for another server to do so. What
/// commits meanwhile is not waited for: on a busy day that would never end.
pub async fn sequence(db: &Db) -> Result<()> {
    let scope = Scope::platform("numbering committed changes");
    let Some(last) = db.read(&scope, store::last_pending).await? else {
        return Ok(());
    };
    loop {
        let numbered = db.write(&scope, |tx| Ok(Outcome::Done(store::sequence(tx)?))).await?;
        if numbered.into_inner().is_none() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        if !db.read(&scope, move |tx| store::any_pending_up_to(tx, last)).await? {
            return Ok(());
        }
    }
}

/// The acting tenant's lines after a place.
pub fn after(tx: &mut Tx<'_>, place: i64, limit: i64) -> Result<Vec<Entry>> {
    store::feed_after(tx, place, limit)
}

/// The changes of some objects of an organization, as the reading side sees them, oldest first.
/// The caller has made sure that it may see the objects.
pub fn of_objects(
    tx: &mut Tx<'_>,
    (organization, objects): (&OrganizationId, &[String]),
    page: &PageRequest,
) -> Result<Page<Entry>> {
    store::of_objects(tx, (organization, objects), page)
}
