//! Executing takes, and releasing what is overdue. Works on a bare connection: an executor calls
//! it after the operation, when everything else is written.

use std::collections::BTreeMap;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryResult, sql_query};

use super::{HoldState, hold_of, lines_of};
use crate::db::AnyConnection;
use crate::db::schema::{counters, hold_lines, holds};
use crate::inventory::model::{Counter, Move};
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

/// Locks the counters in the order given (which is id order) and reads their last versions.
pub(in crate::inventory) fn lock(
    conn: &mut AnyConnection,
    moves: &[Move<'_>],
) -> QueryResult<Vec<Counter>> {
    let found = match conn {
        AnyConnection::Postgres(conn) => {
            let wanted = values(moves.len(), &["text", "text"]);
            let query = format!(
                "SELECT c.capacity, c.taken, c.revision FROM counters c \
                 JOIN (VALUES {wanted}) w (organization_id, id) \
                 ON w.organization_id = c.organization_id AND w.id = c.id \
                 ORDER BY c.organization_id, c.id FOR UPDATE OF c"
            );
            let mut query = sql_query(query).into_boxed::<Pg>();
            for wanted in moves {
                query = query.bind::<Text, _>(wanted.organization).bind::<Text, _>(wanted.counter);
            }
            query.load(conn)?
        }
        AnyConnection::Sqlite(conn) => {
            let read = |wanted: &Move<'_>| {
                let query = "SELECT capacity, taken, revision FROM counters \
                    WHERE organization_id = $1 AND id = $2";
                sql_query(query)
                    .bind::<Text, _>(wanted.organization)
                    .bind::<Text, _>(wanted.counter)
                    .get_result(conn)
            };
            moves.iter().map(read).collect::<QueryResult<Vec<CounterRow>>>()?
        }
    };
    if found.len() != moves.len() {
        return Err(diesel::result::Error::NotFound);
    }
    let counter = |CounterRow { capacity, taken, revision }| Counter { capacity, taken, revision };
    Ok(found.into_iter().map(counter).collect())
}

/// Moves locked counters. What does not fit is stopped by the tables' own CHECK.
pub(in crate::inventory) fn apply(conn: &mut AnyConnection, moves: &[Move<'_>]) -> QueryResult<()> {
    match conn {
        AnyConnection::Postgres(conn) => {
            let rows = values(moves.len(), &["text", "text", "bigint"]);
            let query = format!(
                "UPDATE counters c SET taken = c.taken + m.quantity, ever_taken = TRUE \
                 FROM (VALUES {rows}) m (organization_id, id, quantity) \
                 WHERE c.organization_id = m.organization_id AND c.id = m.id"
            );
            let mut query = sql_query(query).into_boxed::<Pg>();
            for moved in moves {
                query = query
                    .bind::<Text, _>(moved.organization)
                    .bind::<Text, _>(moved.counter)
                    .bind::<BigInt, _>(moved.quantity);
            }
            query.execute(conn).map(|_| ())
        }
        AnyConnection::Sqlite(conn) => moves.iter().try_for_each(|moved| {
            diesel::update(counters::table.find((moved.organization, moved.counter)))
                .set((
                    counters::taken.eq(counters::taken + moved.quantity),
                    counters::ever_taken.eq(true),
                ))
                .execute(conn)
                .map(|_| ())
        }),
    }
}

/// `($1::text, $2::bigint), ($3::text, ...)`.
fn values(rows: usize, kinds: &[&str]) -> String {
    let row = |row: usize| {
        let place =
            |(column, kind): (usize, &&str)| format!("${}::{kind}", row * kinds.len() + column + 1);
        let places: Vec<String> = kinds.iter().enumerate().map(place).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// Releases overdue holds on these counters, and gives back what they had on any counter. `false`
/// when somebody else is working on one of them.
pub(in crate::inventory) fn release_overdue(
    conn: &mut AnyConnection,
    organization: &OrganizationId,
    counter_ids: &[String],
    now: Timestamp,
) -> QueryResult<bool> {
    let due: Vec<String> = hold_lines::table
        .filter(hold_lines::organization_id.eq(organization))
        .filter(hold_lines::counter_id.eq_any(counter_ids))
        .filter(hold_lines::unsettled.eq(true).and(hold_lines::overdue_at.le(now)))
        .select(hold_lines::hold_id)
        .distinct()
        .limit(OVERDUE_PER_TAKE_MAX)
        .load(conn)?;
    let mut given: BTreeMap<String, i64> = BTreeMap::new();
    let count = due.len();
    let free = free_to_take(conn, organization, due)?;
    let all_free = free.len() == count;
    for hold in free {
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
    Ok(all_free)
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
