//! Executing takes, and releasing what is overdue. Works on a bare connection: an executor calls
//! it after the operation, when everything else is written.

use std::collections::BTreeMap;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{QueryResult, sql_query};

use super::{HoldState, hold_of, lines_of};
use crate::db::schema::{counters, hold_lines, holds};
use crate::db::{AnyConnection, Shortage, StockError, Take};
use crate::kernel::Timestamp;
use crate::kernel::ids::OrganizationId;

/// Overdue holds released by one purchase at most.
const OVERDUE_PER_TAKE_MAX: i64 = 100;

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
pub(in crate::inventory) fn take_at_once(
    conn: &mut AnyConnection,
    takes: &[Take],
) -> QueryResult<bool> {
    match conn {
        AnyConnection::Postgres(conn) => take_in_one_statement(conn, takes),
        AnyConnection::Sqlite(_) => take_one_by_one(conn, takes),
    }
}

/// One round trip: lock the counters in id order, then move them all if every one of them fits.
/// The lock waits for the row's last version, so what is compared is what is updated.
fn take_in_one_statement(conn: &mut PgConnection, takes: &[Take]) -> QueryResult<bool> {
    let row = |index: usize| {
        let first = index * 5;
        let place = |offset: usize, kind: &str| format!("${}::{kind}", first + offset);
        let kinds = ["text", "text", "bigint", "bigint", "bigint"];
        let places: Vec<String> = (1..).zip(kinds).map(|(at, kind)| place(at, kind)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..takes.len()).map(row).collect();
    let query = format!(
        "WITH want (organization_id, id, quantity, at_most, revision) AS (VALUES {}), \
         locked AS (SELECT c.organization_id, c.id, w.quantity, w.quantity < 0 OR \
         (c.taken + w.quantity <= COALESCE(LEAST(c.capacity, w.at_most), 9223372036854775807) \
         AND c.revision = COALESCE(w.revision, c.revision)) AS fits \
         FROM counters c JOIN want w ON w.organization_id = c.organization_id AND w.id = c.id \
         ORDER BY c.organization_id, c.id FOR UPDATE OF c) \
         UPDATE counters c SET taken = c.taken + l.quantity, ever_taken = TRUE FROM locked l \
         WHERE c.organization_id = l.organization_id AND c.id = l.id \
         AND (SELECT bool_and(fits) AND COUNT(*) = {} FROM locked)",
        rows.join(", "),
        takes.len(),
    );
    let mut query = sql_query(query).into_boxed::<Pg>();
    for take in takes {
        query = query
            .bind::<Text, _>(&take.organization)
            .bind::<Text, _>(&take.counter)
            .bind::<BigInt, _>(take.count)
            .bind::<Nullable<BigInt>, _>(take.at_most)
            .bind::<Nullable<BigInt>, _>(take.revision);
    }
    Ok(query.execute(conn)? == takes.len())
}

/// SQLite has one writer: nobody comes between these statements.
fn take_one_by_one(conn: &mut AnyConnection, takes: &[Take]) -> QueryResult<bool> {
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
pub(in crate::inventory) fn explain_shortage(
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
pub(in crate::inventory) fn release_overdue(
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
