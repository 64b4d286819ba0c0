//! The tables `counters`, `holds` and `hold_lines`. Owned: every query names the organization.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{QueryResult, sql_query};

use super::model::{Level, Line};
use crate::db::schema::{counters, hold_lines, holds};
use crate::db::types::Instant;
use crate::db::{AnyConnection, Shortage, StockError, Take, Tx};
use crate::kernel::ids::OrganizationId;
use crate::kernel::{Result, Timestamp};
use crate::{append_only, on_each, text_enum};

/// Overdue holds released by one purchase at most.
const OVERDUE_PER_TAKE_MAX: i64 = 100;

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
append_only!(NewCounter, counters::table, 20);

#[derive(Insertable)]
#[diesel(table_name = holds, treat_none_as_default_value = false)]
struct NewHold {
    organization_id: OrganizationId,
    id: String,
    state: HoldState,
    expires_at: Timestamp,
}
append_only!(NewHold, holds::table, 30);

#[derive(Insertable)]
#[diesel(table_name = hold_lines, treat_none_as_default_value = false)]
struct NewLine {
    organization_id: OrganizationId,
    hold_id: String,
    counter_id: String,
    quantity: i64,
    unsettled: bool,
    overdue_at: Option<Timestamp>,
}
append_only!(NewLine, hold_lines::table, 31);

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

pub(super) fn append_counter(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &str,
    capacity: Option<i64>,
) {
    tx.append(new_counter(organization, id, capacity));
}

pub(super) fn ensure_counter(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &str,
) -> Result<()> {
    let row = new_counter(organization, id, None);
    on_each!(tx.conn(), |c| diesel::insert_into(counters::table)
        .values(&row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

pub(super) fn append_hold(
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

pub(super) fn append_line(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
    line: &Line,
    expires_at: Timestamp,
) {
    tx.append(NewLine {
        organization_id: organization.clone(),
        hold_id: hold.to_owned(),
        counter_id: line.counter.clone(),
        quantity: line.count,
        unsettled: true,
        overdue_at: Some(expires_at),
    });
}

pub(super) fn requote(
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
        .execute(tx.conn())?;
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
pub(super) fn advance_in_time(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
    to: HoldState,
) -> Result<bool> {
    let now = tx.now();
    let moved = diesel::update(hold_of(organization, hold))
        .filter(holds::state.eq(HoldState::Held).and(holds::expires_at.gt(now)))
        .set(holds::state.eq(to))
        .execute(tx.conn())?;
    Ok(moved == 1)
}

/// Moves a hold from one state to another, whatever the time.
pub(super) fn advance(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
    from: HoldState,
    to: HoldState,
) -> Result<bool> {
    let moved = diesel::update(hold_of(organization, hold))
        .filter(holds::state.eq(from))
        .set(holds::state.eq(to))
        .execute(tx.conn())?;
    Ok(moved == 1)
}

/// Releases a hold that is overdue.
pub(super) fn expire(tx: &mut Tx<'_>, organization: &OrganizationId, hold: &str) -> Result<bool> {
    let now = tx.now();
    let moved = diesel::update(hold_of(organization, hold))
        .filter(holds::state.eq(HoldState::Held).and(holds::expires_at.le(now)))
        .set(holds::state.eq(HoldState::Released))
        .execute(tx.conn())?;
    Ok(moved == 1)
}

pub(super) fn state(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
) -> Result<Option<HoldState>> {
    let found = hold_of(organization, hold).select(holds::state).first(tx.conn());
    Ok(found.optional()?)
}

pub(super) fn settle_lines(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
) -> Result<()> {
    diesel::update(lines_of(organization, hold))
        .set((hold_lines::unsettled.eq(false), hold_lines::overdue_at.eq(None::<Timestamp>)))
        .execute(tx.conn())?;
    Ok(())
}

pub(super) fn suspend_lines(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
) -> Result<()> {
    diesel::update(lines_of(organization, hold))
        .set(hold_lines::overdue_at.eq(None::<Timestamp>))
        .execute(tx.conn())?;
    Ok(())
}

pub(super) fn resume_lines(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
) -> Result<()> {
    let expires_at: Timestamp =
        hold_of(organization, hold).select(holds::expires_at).first(tx.conn())?;
    diesel::update(lines_of(organization, hold))
        .set(hold_lines::overdue_at.eq(Some(expires_at)))
        .execute(tx.conn())?;
    Ok(())
}

/// Settles the lines of a hold and says what they had taken.
pub(super) fn settle_lines_returning(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
) -> Result<Vec<(String, i64)>> {
    settle_lines(tx, organization, hold)?;
    let lines = lines_of(organization, hold);
    Ok(lines.select((hold_lines::counter_id, hold_lines::quantity)).load(tx.conn())?)
}

#[derive(QueryableByName)]
struct LevelRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    capacity: Option<i64>,
    #[diesel(sql_type = BigInt)]
    taken: i64,
    #[diesel(sql_type = Bool)]
    ever_taken: bool,
    #[diesel(sql_type = BigInt)]
    held: i64,
    #[diesel(sql_type = BigInt)]
    overdue: i64,
}

/// One statement, so that all parts are of one instant. Lines without `overdue_at` are settling.
const LEVEL: &str = "SELECT c.id AS id, c.capacity AS capacity, c.taken AS taken, \
     c.ever_taken AS ever_taken, \
     CAST(COALESCE(SUM(CASE WHEN l.overdue_at <= $1 THEN 0 ELSE l.quantity END), 0) AS BIGINT) \
     AS held, \
     CAST(COALESCE(SUM(CASE WHEN l.overdue_at <= $1 THEN l.quantity ELSE 0 END), 0) AS BIGINT) \
     AS overdue \
     FROM counters c LEFT JOIN hold_lines l ON l.organization_id = c.organization_id \
     AND l.counter_id = c.id AND l.unsettled \
     WHERE c.organization_id = $2 AND c.id = $3 \
     GROUP BY c.id, c.capacity, c.taken, c.ever_taken";

pub(super) fn levels(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    ids: &[String],
) -> Result<BTreeMap<String, Level>> {
    let now = tx.now();
    let mut levels = BTreeMap::new();
    for id in ids {
        let rows: Vec<LevelRow> = sql_query(LEVEL)
            .bind::<Instant, _>(now)
            .bind::<Text, _>(organization)
            .bind::<Text, _>(id)
            .load(tx.conn())?;
        levels.extend(rows.into_iter().map(|row| {
            let LevelRow { id, capacity, taken, ever_taken, held, overdue } = row;
            (id, Level { capacity, sold: taken - held - overdue, held, ever_taken })
        }));
    }
    Ok(levels)
}

#[derive(QueryableByName)]
struct CounterRow {
    #[diesel(sql_type = Nullable<BigInt>)]
    capacity: Option<i64>,
    #[diesel(sql_type = BigInt)]
    taken: i64,
    #[diesel(sql_type = BigInt)]
    revision: i64,
}

/// Applies every take or none. `false` when one of them could not be met.
pub(super) fn take_at_once(conn: &mut AnyConnection, takes: &[Take]) -> QueryResult<bool> {
    for (index, take) in takes.iter().enumerate() {
        if !take_one(conn, take)? {
            for undone in takes.iter().take(index) {
                add(conn, undone, -undone.count)?;
            }
            return Ok(false);
        }
    }
    Ok(true)
}

#[diesel::dsl::auto_type(no_type_alias)]
fn counter_of<'a>(organization: &'a OrganizationId, id: &'a str) -> _ {
    counters::table.filter(counters::organization_id.eq(organization)).filter(counters::id.eq(id))
}

fn add(conn: &mut AnyConnection, take: &Take, count: i64) -> QueryResult<usize> {
    diesel::update(counter_of(&take.organization, &take.counter))
        .set(counters::taken.eq(counters::taken + count))
        .execute(conn)
}

fn take_one(conn: &mut AnyConnection, take: &Take) -> QueryResult<bool> {
    if take.count < 0 {
        return Ok(add(conn, take, take.count)? == 1);
    }
    let after = counters::taken + take.count;
    let room = counters::capacity.is_null().or(after.nullable().le(counters::capacity));
    let own_limit = after.le(take.at_most.unwrap_or(i64::MAX));
    let unquoted = take.revision.is_none().into_sql::<Bool>();
    let as_quoted = unquoted.or(counters::revision.eq(take.revision.unwrap_or_default()));
    let updated = diesel::update(counter_of(&take.organization, &take.counter))
        .filter(room)
        .filter(own_limit)
        .filter(as_quoted)
        .set((counters::taken.eq(after), counters::ever_taken.eq(true)))
        .execute(conn)?;
    Ok(updated == 1)
}

/// Finds the first take that cannot be met, if there still is one.
pub(super) fn explain_shortage(
    conn: &mut AnyConnection,
    takes: &[Take],
) -> std::result::Result<(), StockError> {
    for (index, take) in takes.iter().enumerate().filter(|(_, take)| take.count > 0) {
        let row: CounterRow = sql_query(
            "SELECT capacity, taken, revision FROM counters WHERE organization_id = $1 AND id = $2",
        )
        .bind::<Text, _>(&take.organization)
        .bind::<Text, _>(&take.counter)
        .get_result(conn)?;
        if take.revision.is_some_and(|revision| revision != row.revision) {
            return Err(StockError::Stale);
        }
        let limit = row.capacity.into_iter().chain(take.at_most).min();
        let left = limit.map(|limit| (limit - row.taken).max(0));
        if let Some(left) = left.filter(|left| *left < take.count) {
            return Err(StockError::Short(index, Shortage { left }));
        }
    }
    Ok(())
}

/// Releases overdue holds on these counters, and gives back what they had on any counter.
pub(super) fn release_overdue(
    conn: &mut AnyConnection,
    organization: &OrganizationId,
    counter_ids: &[String],
    now: Timestamp,
) -> QueryResult<()> {
    let due: Vec<String> = hold_lines::table
        .filter(hold_lines::organization_id.eq(organization))
        .filter(hold_lines::counter_id.eq_any(counter_ids))
        .filter(hold_lines::unsettled.eq(true).and(hold_lines::overdue_at.le(now)))
        .select(hold_lines::hold_id)
        .distinct()
        .limit(OVERDUE_PER_TAKE_MAX)
        .load(conn)?;
    let mut given: BTreeMap<String, i64> = BTreeMap::new();
    for hold in free_to_take(conn, organization, due)? {
        let moved = diesel::update(hold_of(organization, &hold))
            .filter(holds::state.eq(HoldState::Held).and(holds::expires_at.le(now)))
            .set(holds::state.eq(HoldState::Released))
            .execute(conn)?;
        if moved == 1 {
            let lines = lines_of(organization, &hold);
            let lines = lines.select((hold_lines::counter_id, hold_lines::quantity));
            for (counter, quantity) in lines.load::<(String, i64)>(conn)? {
                *given.entry(counter).or_default() += quantity;
            }
            diesel::update(lines_of(organization, &hold))
                .set((
                    hold_lines::unsettled.eq(false),
                    hold_lines::overdue_at.eq(None::<Timestamp>),
                ))
                .execute(conn)?;
        }
    }
    for (counter, quantity) in given {
        diesel::update(counters::table)
            .filter(counters::organization_id.eq(organization).and(counters::id.eq(counter)))
            .set(counters::taken.eq(counters::taken - quantity))
            .execute(conn)?;
    }
    Ok(())
}

/// Those of the holds that nobody else is working on: waiting for them while holding counters
/// could end in a deadlock with somebody who waits for the counters.
fn free_to_take(
    conn: &mut AnyConnection,
    organization: &OrganizationId,
    ids: Vec<String>,
) -> QueryResult<Vec<String>> {
    let wanted = holds::table
        .filter(holds::organization_id.eq(organization))
        .filter(holds::id.eq_any(ids.clone()))
        .select(holds::id);
    match conn {
        AnyConnection::Postgres(conn) => wanted.for_update().skip_locked().load(conn),
        AnyConnection::Sqlite(_) => Ok(ids),
    }
}

/// Invariants of this slice: each query returns the rows that break it.
pub fn checks() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "a counter's taken is the sum of its unreleased holds",
            "SELECT c.organization_id || '/' || c.id || ': taken ' || c.taken AS broken \
             FROM counters c WHERE c.taken <> (SELECT CAST(COALESCE(SUM(l.quantity), 0) AS BIGINT) \
             FROM hold_lines l JOIN holds h ON h.organization_id = l.organization_id \
             AND h.id = l.hold_id WHERE l.organization_id = c.organization_id \
             AND l.counter_id = c.id AND h.state <> 'released')",
        ),
        (
            "a counter never gives more than its capacity",
            "SELECT organization_id || '/' || id || ': ' || taken || ' of ' || capacity AS broken \
             FROM counters WHERE taken > capacity OR taken < 0",
        ),
        (
            "the lines of a hold agree with its state",
            "SELECT h.organization_id || '/' || h.id || ': ' || h.state AS broken FROM holds h \
             JOIN hold_lines l ON l.organization_id = h.organization_id AND l.hold_id = h.id \
             WHERE (h.state IN ('held', 'settling')) <> l.unsettled \
             OR (h.state = 'held') <> (l.overdue_at IS NOT NULL)",
        ),
    ]
}
