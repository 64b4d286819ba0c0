//! The tables `counters`, `holds` and `hold_lines`. Owned: every query names the organization.

mod level;
mod returns;
mod stock;

use diesel::prelude::*;

use super::model::{Key, Line};

use crate::db::Tx;
use crate::db::schema::{counters, hold_lines, holds};
use crate::kernel::ids::OrganizationId;
use crate::kernel::{Error, Result, Timestamp};
use crate::{append_only, on_each, text_enum};

pub(super) use level::{fold, levels, many_unfolded};
pub(super) use returns::{unsell_all, unsell_part};
pub(super) use stock::{apply, lock, make_missing, release_overdue};

text_enum! {
    /// Where a hold stands.
    pub enum HoldState {
        /// Holds stock until its expiry.
        Held = "held",
        /// A provider is being asked: cannot be overdue.
        Settling = "settling",
        /// Paid for.
        Sold = "sold",
        /// Given back.
        Released = "released",
    }
}

#[derive(Insertable)]
#[diesel(table_name = counters, treat_none_as_default_value = false)]
struct NewCounter {
    organization_id: OrganizationId,
    id: String,
    capacity: Option<i64>,
    taken: i64,
    revision: i64,
    ever_taken: bool,
}
append_only!(
    NewCounter,
    counters,
    20,
    [organization_id, id, capacity, taken, revision, ever_taken,]
);

#[derive(Insertable)]
#[diesel(table_name = holds, treat_none_as_default_value = false)]
struct NewHold {
    organization_id: OrganizationId,
    id: String,
    state: HoldState,
    expires_at: Timestamp,
}
append_only!(NewHold, holds, 30, [organization_id, id, state, expires_at]);

#[derive(Insertable)]
#[diesel(table_name = hold_lines, treat_none_as_default_value = false)]
struct NewLine {
    organization_id: OrganizationId,
    hold_id: String,
    counter_id: String,
    quantity: i64,
}
append_only!(NewLine, hold_lines, 31, [organization_id, hold_id, counter_id, quantity]);

/// A line that is sold from its first day.
#[derive(Insertable)]
#[diesel(table_name = hold_lines, treat_none_as_default_value = false)]
struct NewSoldLine {
    organization_id: OrganizationId,
    hold_id: String,
    counter_id: String,
    quantity: i64,
    unfolded: bool,
}
append_only!(
    NewSoldLine,
    hold_lines,
    31,
    [organization_id, hold_id, counter_id, quantity, unfolded]
);

fn new_counter(organization: &OrganizationId, id: &str, capacity: Option<i64>) -> NewCounter {
    NewCounter {
        organization_id: organization.clone(),
        id: id.to_owned(),
        capacity,
        taken: 0,
        revision: 1,
        ever_taken: false,
    }
}

pub(in crate::inventory) fn append_counter(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &str,
    capacity: Option<i64>,
) {
    tx.append(new_counter(organization, id, capacity));
}

pub(in crate::inventory) fn delete_counter(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &str,
) -> Result<()> {
    let row = counters::table.find((organization, id)).filter(counters::ever_taken.eq(false));
    if diesel::delete(row).execute(tx.conn()?)? == 1 {
        return Ok(());
    }
    Err(Error::rerun("something was taken from it meanwhile"))
}

pub(in crate::inventory) fn append_hold(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
    expires_at: Timestamp,
) {
    tx.append(NewHold {
        organization_id: organization.clone(),
        id: hold.to_owned(),
        state: HoldState::Held,
        expires_at,
    });
}

pub(in crate::inventory) fn append_line(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
    line: &Line,
) {
    tx.append(NewLine {
        organization_id: organization.clone(),
        hold_id: hold.to_owned(),
        counter_id: line.counter.clone(),
        quantity: line.count,
    });
}

pub(in crate::inventory) fn append_sold(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
) {
    tx.append(NewHold {
        organization_id: organization.clone(),
        id: hold.to_owned(),
        state: HoldState::Sold,
        expires_at: tx.now(),
    });
}

pub(in crate::inventory) fn append_sold_line(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
    line: &Line,
) {
    tx.append(NewSoldLine {
        organization_id: organization.clone(),
        hold_id: hold.to_owned(),
        counter_id: line.counter.clone(),
        quantity: line.count,
        unfolded: true,
    });
}

pub(in crate::inventory) fn requote(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &str,
    capacity: Option<i64>,
    revision: i64,
) -> Result<bool> {
    let room = counters::taken.le(capacity.unwrap_or(i64::MAX));
    let updated = diesel::update(counters::table)
        .filter(counters::organization_id.eq(organization))
        .filter(counters::id.eq(id))
        .filter(room)
        .set((counters::capacity.eq(capacity), counters::revision.eq(revision)))
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

#[diesel::dsl::auto_type(no_type_alias)]
fn hold_of<'a>(organization: &'a OrganizationId, hold: &'a str) -> _ {
    holds::table.filter(holds::organization_id.eq(organization)).filter(holds::id.eq(hold))
}

#[diesel::dsl::auto_type(no_type_alias)]
fn lines_of<'a>(organization: &'a OrganizationId, hold: &'a str) -> _ {
    hold_lines::table
        .filter(hold_lines::organization_id.eq(organization))
        .filter(hold_lines::hold_id.eq(hold))
}

/// Moves a hold that is `held` and not overdue.
pub(in crate::inventory) fn advance_in_time(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
    to: HoldState,
) -> Result<bool> {
    let now = tx.now();
    let moved = diesel::update(hold_of(organization, hold))
        .filter(holds::state.eq(HoldState::Held).and(holds::expires_at.gt(now)))
        .set(holds::state.eq(to))
        .execute(tx.conn()?)?;
    Ok(moved == 1)
}

/// Gives a hold that is `held` and not overdue another expiry.
pub(in crate::inventory) fn extend(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
    until: Timestamp,
) -> Result<bool> {
    let now = tx.now();
    let moved = diesel::update(hold_of(organization, hold))
        .filter(holds::state.eq(HoldState::Held).and(holds::expires_at.gt(now)))
        .set(holds::expires_at.eq(until))
        .execute(tx.conn()?)?;
    Ok(moved == 1)
}

/// Moves a hold from one state to another, whatever the time.
pub(in crate::inventory) fn advance(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
    from: HoldState,
    to: HoldState,
) -> Result<bool> {
    let moved = diesel::update(hold_of(organization, hold))
        .filter(holds::state.eq(from))
        .set(holds::state.eq(to))
        .execute(tx.conn()?)?;
    Ok(moved == 1)
}

/// Releases a hold that is overdue.
pub(in crate::inventory) fn expire(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
) -> Result<bool> {
    let now = tx.now();
    let moved = diesel::update(hold_of(organization, hold))
        .filter(holds::state.eq(HoldState::Held).and(holds::expires_at.le(now)))
        .set(holds::state.eq(HoldState::Released))
        .execute(tx.conn()?)?;
    Ok(moved == 1)
}

pub(in crate::inventory) fn state(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
) -> Result<Option<HoldState>> {
    let found = hold_of(organization, hold).select(holds::state).first(tx.conn()?);
    Ok(found.optional()?)
}

/// These lines are sold, and not yet in the counters' own sums.
pub(in crate::inventory) fn mark_unfolded(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
) -> Result<()> {
    diesel::update(lines_of(organization, hold))
        .set(hold_lines::unfolded.eq(true))
        .execute(tx.conn()?)?;
    Ok(())
}

/// What a hold took, of which counters.
pub(in crate::inventory) fn lines(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
) -> Result<Vec<(String, i64)>> {
    let lines = lines_of(organization, hold).select((hold_lines::counter_id, hold_lines::quantity));
    Ok(on_each!(tx.conn()?, |c| lines.load(c))?)
}

/// Releases what is overdue on a counter, in an operation that wants to know what is committed.
pub(in crate::inventory) fn release_overdue_on(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    counter: &str,
) -> Result<()> {
    let now = tx.now();
    release_overdue(tx.conn()?, (organization, counter), now)?;
    Ok(())
}

/// Locks counters, in the order given, for the rest of the transaction.
pub(in crate::inventory) fn hold_counters(tx: &mut Tx<'_>, keys: &[Key<'_>]) -> Result<()> {
    lock(tx.conn()?, keys)?;
    Ok(())
}

/// Invariants of this slice: each query returns the rows that break it.
pub fn checks() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "a counter's taken is the sum of its unreleased holds",
            "SELECT c.organization_id || '/' || c.id || ': taken ' || c.taken AS broken \
             FROM counters c LEFT JOIN (SELECT l.organization_id, l.counter_id, \
             CAST(SUM(l.quantity) AS BIGINT) AS quantity FROM hold_lines l JOIN holds h \
             ON h.organization_id = l.organization_id AND h.id = l.hold_id \
             WHERE h.state <> 'released' GROUP BY l.organization_id, l.counter_id) s \
             ON s.organization_id = c.organization_id AND s.counter_id = c.id \
             WHERE c.taken <> COALESCE(s.quantity, 0)",
        ),
        (
            "a counter never gives more than its capacity",
            "SELECT organization_id || '/' || id || ': ' || taken || ' of ' || capacity AS broken \
             FROM counters WHERE taken > capacity OR taken < 0",
        ),
        (
            "a counter's sold is the sum of its folded sales",
            "SELECT c.organization_id || '/' || c.id || ': sold ' || c.sold AS broken \
             FROM counters c LEFT JOIN (SELECT l.organization_id, l.counter_id, \
             CAST(SUM(l.quantity) AS BIGINT) AS quantity FROM hold_lines l JOIN holds h \
             ON h.organization_id = l.organization_id AND h.id = l.hold_id \
             WHERE h.state = 'sold' AND NOT l.unfolded GROUP BY l.organization_id, l.counter_id) s \
             ON s.organization_id = c.organization_id AND s.counter_id = c.id \
             WHERE c.sold <> COALESCE(s.quantity, 0)",
        ),
        (
            "only what is sold waits to be added to its counter",
            "SELECT h.organization_id || '/' || h.id || ': ' || h.state AS broken FROM holds h \
             JOIN hold_lines l ON l.organization_id = h.organization_id AND l.hold_id = h.id \
             WHERE l.unfolded AND h.state <> 'sold'",
        ),
    ]
}
