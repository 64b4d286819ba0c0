//! The tables `changes`, `changes_pending`, `feed`, `feed_heads` and `jobs`.
//!
//! Shared shape: a change belongs to an organization and, in a sale, to a channel; each reads it
//! through its own feed only. Jobs are the platform's.

mod jobs;

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde_json::Value;

use super::feed::Entry;
use super::model::{Change, ChangeKind};
use super::sides;
use crate::db::schema::{changes, changes_pending, feed, feed_heads};
use crate::db::types::Json;
use crate::db::{AnyConnection, Scope, Tx};
use crate::kernel::ids::{ChangeId, ChannelId, EventId, Id, OrganizationId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Mode, Result, Timestamp};
use crate::{append_only, on_each};

pub(super) use jobs::{any_due_job, append_job, claim_job, delete_job, renew_job, reschedule_job};

/// Committed changes numbered in one transaction at most.
const SEQUENCE_MAX: i64 = 500;
/// The advisory lock that makes one server at a time number changes ("feed" in ASCII).
const SEQUENCE_LOCK: i64 = 0x6665_6564;

#[derive(Insertable)]
#[diesel(table_name = changes, treat_none_as_default_value = false)]
struct ChangeRow {
    organization_id: OrganizationId,
    id: ChangeId,
    channel_id: Option<ChannelId>,
    mode: Mode,
    event_id: Option<EventId>,
    kind: ChangeKind,
    object_id: String,
    sequence: i64,
    data_organization: String,
    /// What differs from the organization's: see [`sides`].
    data_channel: Option<String>,
    created_at: Timestamp,
}
append_only!(
    ChangeRow,
    changes,
    90,
    [
        organization_id,
        id,
        channel_id,
        mode,
        event_id,
        kind,
        object_id,
        sequence,
        data_organization,
        data_channel,
        created_at,
    ]
);

#[derive(Insertable)]
#[diesel(table_name = changes_pending, treat_none_as_default_value = false)]
struct PendingRow {
    organization_id: OrganizationId,
    change_id: ChangeId,
    channel_id: Option<ChannelId>,
    mode: Mode,
}
append_only!(PendingRow, changes_pending, 91, [organization_id, change_id, channel_id, mode]);

#[derive(Insertable)]
#[diesel(table_name = feed, treat_none_as_default_value = false)]
struct FeedRow {
    tenant_id: String,
    mode: Mode,
    seq: i64,
    organization_id: OrganizationId,
    change_id: ChangeId,
}

#[derive(Insertable)]
#[diesel(table_name = feed_heads, treat_none_as_default_value = false)]
struct HeadRow {
    tenant_id: String,
    mode: Mode,
    seq: i64,
}

pub(super) fn append_change(tx: &mut Tx<'_>, change: Change) {
    let Change { id, created_at, what } = change;
    let differs = |channel: Value| sides::difference(&what.for_organization, &channel);
    let difference = what.for_channel.map(differs);
    tx.append(PendingRow {
        organization_id: what.organization.clone(),
        change_id: id.clone(),
        channel_id: what.channel.clone(),
        mode: what.mode,
    });
    tx.append(ChangeRow {
        organization_id: what.organization,
        id,
        channel_id: what.channel,
        mode: what.mode,
        event_id: what.event,
        kind: what.kind,
        object_id: what.object_id,
        sequence: what.sequence,
        // As text already: who records many of these at once has no time for it.
        data_organization: what.for_organization.to_string(),
        data_channel: difference.map(|difference| difference.to_string()),
        created_at,
    });
}

/// The last position that has no number yet.
pub(super) fn last_pending(tx: &mut Tx<'_>) -> Result<Option<i64>> {
    let last = changes_pending::table.select(changes_pending::position);
    Ok(on_each!(tx.conn()?, |c| last.order(changes_pending::position.desc()).first(c))
        .optional()?)
}

/// Whether anything up to a position has no number yet.
pub(super) fn any_pending_up_to(tx: &mut Tx<'_>, last: i64) -> Result<bool> {
    let any = changes_pending::table.filter(changes_pending::position.le(last));
    let any = any.order(changes_pending::position).select(changes_pending::position);
    Ok(on_each!(tx.conn()?, |c| any.first::<i64>(c)).optional()?.is_some())
}

type Pending = (i64, OrganizationId, ChangeId, Option<ChannelId>, Mode);

/// Moves committed changes into the feeds, in the order in which they were written. Returns how
/// many; `None` when another server is at it. What commits later with an earlier position is
/// numbered later: nothing is skipped.
pub(super) fn sequence(tx: &mut Tx<'_>) -> Result<Option<usize>> {
    if !try_lock(tx)? {
        return Ok(None);
    }
    let pending: Vec<Pending> = changes_pending::table
        .order(changes_pending::position)
        .limit(SEQUENCE_MAX)
        .load(tx.conn()?)?;
    let positions: Vec<i64> = pending.iter().map(|row| row.0).collect();
    let mut heads: BTreeMap<(String, Mode), i64> = BTreeMap::new();
    let mut rows = Vec::new();
    for (_, organization, change, channel, mode) in pending {
        let sides = channel.map(|id| id.to_string()).into_iter().chain([organization.to_string()]);
        for tenant in sides {
            let head = match heads.get(&(tenant.clone(), mode)) {
                Some(head) => *head,
                None => head_of(tx, &tenant, mode)?,
            };
            heads.insert((tenant.clone(), mode), head + 1);
            rows.push(FeedRow {
                tenant_id: tenant,
                mode,
                seq: head + 1,
                organization_id: organization.clone(),
                change_id: change.clone(),
            });
        }
    }
    if positions.is_empty() {
        return Ok(Some(0));
    }
    on_each!(tx.conn()?, |c| diesel::insert_into(feed::table).values(&rows).execute(c))?;
    let heads: Vec<HeadRow> = heads
        .into_iter()
        .map(|((tenant_id, mode), seq)| HeadRow { tenant_id, mode, seq })
        .collect();
    on_each!(tx.conn()?, |c| diesel::insert_into(feed_heads::table)
        .values(&heads)
        .on_conflict((feed_heads::tenant_id, feed_heads::mode))
        .do_update()
        .set(feed_heads::seq.eq(diesel::upsert::excluded(feed_heads::seq)))
        .execute(c))?;
    diesel::delete(changes_pending::table.filter(changes_pending::position.eq_any(&positions)))
        .execute(tx.conn()?)?;
    Ok(Some(positions.len()))
}

/// One server numbers at a time, until its transaction ends. SQLite has one writer anyway.
fn try_lock(tx: &mut Tx<'_>) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Locked {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        locked: bool,
    }
    let AnyConnection::Postgres(conn) = tx.conn()? else {
        return Ok(true);
    };
    let row: Locked = diesel::sql_query("SELECT pg_try_advisory_xact_lock($1) AS locked")
        .bind::<diesel::sql_types::BigInt, _>(SEQUENCE_LOCK)
        .get_result(conn)?;
    Ok(row.locked)
}

fn head_of(tx: &mut Tx<'_>, tenant: &str, mode: Mode) -> Result<i64> {
    let head = feed_heads::table.find((tenant, mode)).select(feed_heads::seq);
    Ok(on_each!(tx.conn()?, |c| head.first(c)).optional()?.unwrap_or(0))
}

/// The acting tenant's own lines, in order, after a number.
pub(super) fn feed_after(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<Entry>> {
    let scope: &Scope = tx.scope();
    let tenant = scope.tenant().ok_or_else(|| Error::internal("a feed belongs to a tenant"))?;
    let for_channel = scope.channel().is_some();
    let rows: Vec<(i64, ChangeColumns)> = feed::table
        .inner_join(changes::table.on(
            changes::organization_id.eq(feed::organization_id).and(changes::id.eq(feed::change_id)),
        ))
        .filter(feed::tenant_id.eq(tenant.as_str()))
        .filter(feed::mode.eq(tx.mode()?))
        .filter(feed::seq.gt(after))
        .order(feed::seq)
        .limit(limit)
        .select((feed::seq, ChangeColumns::as_select()))
        .load(tx.conn()?)?;
    rows.into_iter().map(|(seq, row)| row.entry(seq, for_channel)).collect()
}

/// Changes of some objects, oldest first. They have no place in a feed here.
pub(super) fn of_objects(
    tx: &mut Tx<'_>,
    (organization, objects): (&OrganizationId, &[String]),
    page: &PageRequest,
) -> Result<Page<Entry>> {
    let for_channel = tx.scope().channel().is_some();
    let after = ChangeId::from_text(page.after.clone().unwrap_or_default());
    let query = changes::table
        .filter(changes::organization_id.eq(organization))
        .filter(changes::object_id.eq_any(objects))
        .filter(changes::id.gt(after))
        .order(changes::id)
        .limit(page.limit + 1)
        .offset(page.offset)
        .select(ChangeColumns::as_select());
    let rows: Vec<ChangeColumns> = query.load(tx.conn()?)?;
    let entries = rows.into_iter().map(|row| row.entry(0, for_channel));
    let entries: Vec<Entry> = entries.collect::<Result<_>>()?;
    Ok(Page::cut(entries, page, |entry| entry.id.to_string()))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = changes)]
struct ChangeColumns {
    organization_id: OrganizationId,
    id: ChangeId,
    channel_id: Option<ChannelId>,
    mode: Mode,
    event_id: Option<EventId>,
    kind: ChangeKind,
    sequence: i64,
    data_organization: Json,
    data_channel: Option<Json>,
    created_at: Timestamp,
}

impl ChangeColumns {
    fn entry(self, seq: i64, for_channel: bool) -> Result<Entry> {
        let whole = self.data_organization.0;
        let object = match (for_channel, self.data_channel) {
            (true, Some(difference)) => sides::of_channel(whole, difference.0),
            (true, None) => return Err(Error::internal("a channel's change without its side")),
            (false, _) => whole,
        };
        Ok(Entry {
            seq,
            id: self.id,
            kind: self.kind,
            created_at: self.created_at,
            mode: self.mode,
            organization_id: self.organization_id,
            channel_id: self.channel_id,
            event_id: self.event_id,
            sequence: self.sequence,
            object,
        })
    }
}

/// Invariants of this slice: each query returns the rows that break it.
pub fn checks() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "every change is pending or in its organization's feed",
            "SELECT c.organization_id || '/' || c.id AS broken FROM changes c \
             LEFT JOIN (SELECT tenant_id, change_id FROM feed GROUP BY tenant_id, change_id) f \
             ON f.tenant_id = c.organization_id AND f.change_id = c.id \
             LEFT JOIN changes_pending p ON p.change_id = c.id \
             WHERE f.change_id IS NULL AND p.change_id IS NULL",
        ),
        (
            "every channel's change is pending or in the channel's feed",
            "SELECT c.channel_id || '/' || c.id AS broken FROM changes c \
             LEFT JOIN (SELECT tenant_id, change_id FROM feed GROUP BY tenant_id, change_id) f \
             ON f.tenant_id = c.channel_id AND f.change_id = c.id \
             LEFT JOIN changes_pending p ON p.change_id = c.id \
             WHERE c.channel_id IS NOT NULL AND f.change_id IS NULL AND p.change_id IS NULL",
        ),
        (
            "a change is in a feed once",
            "SELECT tenant_id || '/' || change_id AS broken FROM feed \
             GROUP BY tenant_id, change_id HAVING COUNT(*) > 1",
        ),
        (
            "a feed has no holes and ends at its head",
            "SELECT h.tenant_id || '/' || h.mode AS broken FROM feed_heads h \
             WHERE h.seq <> (SELECT COUNT(*) FROM feed f \
             WHERE f.tenant_id = h.tenant_id AND f.mode = h.mode)",
        ),
    ]
}
