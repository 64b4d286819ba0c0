//! Executing takes, and releasing what is overdue. Works on a bare connection: an executor calls
//! it after the operation, when everything else is written.

use std::collections::BTreeMap;

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use super::{HoldState, NewCounter, hold_of, lines_of, new_counter};
use crate::db::schema::{counters, hold_lines, holds};
use crate::db::{AnyConnection, Keys, Prepared, among, literally};
use crate::inventory::model::{Counter, Counters, Key};
use crate::kernel::Timestamp;
use crate::kernel::ids::OrganizationId;
use crate::on_each;

/// Overdue holds released by one purchase at most.
const OVERDUE_PER_TAKE_MAX: i64 = 100;

/// Makes the counters that are not there yet, with nothing taken and no capacity.
pub(in crate::inventory) fn make_missing(
    conn: &mut AnyConnection,
    keys: &[Key<'_>],
) -> QueryResult<()> {
    let rows: Vec<NewCounter> =
        keys.iter().map(|(organization, id)| new_counter(organization, id, None)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    on_each!(conn, |c| diesel::insert_into(counters::table)
        .values(&rows)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

#[derive(QueryableByName)]
struct CounterRow {
    #[diesel(sql_type = Text)]
    organization_id: OrganizationId,
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    capacity: Option<i64>,
    #[diesel(sql_type = BigInt)]
    taken: i64,
    #[diesel(sql_type = BigInt)]
    revision: i64,
}

const LOCK: &str = "SELECT c.organization_id, c.id, c.capacity, c.taken, c.revision \
     FROM counters c JOIN UNNEST(?, ?) w (organization_id, id) \
     ON w.organization_id = c.organization_id AND w.id = c.id \
     ORDER BY c.organization_id, c.id FOR UPDATE OF c";

/// Locks counters in the order of their keys and reads their last versions. What does not exist is
/// not in the answer.
pub(in crate::inventory) fn lock<'a>(
    conn: &mut AnyConnection,
    keys: &[Key<'a>],
) -> QueryResult<Counters<'a>> {
    match conn {
        AnyConnection::Postgres(conn) => {
            let (organizations, ids): (Vec<_>, Vec<_>) = keys.iter().copied().unzip();
            let rows: Vec<CounterRow> = Prepared::new(LOCK)
                .bind::<Array<Text>, _>(organizations)
                .bind::<Array<Text>, _>(ids)
                .load(conn)?;
            // Both sides are in the order of the keys.
            let mut rows = rows.into_iter().peekable();
            let mut found = |key: &Key<'a>| {
                let row = rows.next_if(|row| (&row.organization_id, row.id.as_str()) == *key)?;
                let CounterRow { capacity, taken, revision, .. } = row;
                Some((*key, Counter { capacity, taken, revision }))
            };
            Ok(keys.iter().filter_map(&mut found).collect())
        }
        AnyConnection::Sqlite(conn) => {
            let columns = (counters::capacity, counters::taken, counters::revision);
            let mut found = Counters::new();
            for key in keys {
                let row = counters::table.find(*key).select(columns).first(conn).optional()?;
                let counter =
                    row.map(|(capacity, taken, revision)| Counter { capacity, taken, revision });
                found.extend(counter.map(|counter| (*key, counter)));
            }
            Ok(found)
        }
    }
}

const APPLY: &str = "UPDATE counters c SET taken = c.taken + m.quantity, ever_taken = TRUE \
     FROM UNNEST(?, ?, ?) m (organization_id, id, quantity) \
     WHERE c.organization_id = m.organization_id AND c.id = m.id";
/// diesel's own `update` is parsed anew every time, which costs more than what it does.
const APPLY_ONE: &str = "UPDATE counters SET taken = taken + ?, ever_taken = TRUE \
     WHERE organization_id = ? AND id = ?";

/// Moves locked counters. What does not fit is stopped by the tables' own CHECK.
pub(in crate::inventory) fn apply(
    conn: &mut AnyConnection,
    sums: &[(Key<'_>, i64)],
) -> QueryResult<()> {
    if sums.is_empty() {
        return Ok(());
    }
    match conn {
        AnyConnection::Postgres(conn) => {
            let (keys, quantities): (Vec<_>, Vec<_>) = sums.iter().copied().unzip();
            let (organizations, ids): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
            Prepared::new(APPLY)
                .bind::<Array<Text>, _>(organizations)
                .bind::<Array<Text>, _>(ids)
                .bind::<Array<BigInt>, _>(quantities)
                .execute(conn)
                .map(|_| ())
        }
        AnyConnection::Sqlite(conn) => {
            sums.iter().try_for_each(|((organization, id), quantity)| {
                Prepared::new(APPLY_ONE)
                    .bind::<BigInt, _>(*quantity)
                    .bind::<Text, _>(*organization)
                    .bind::<Text, _>(*id)
                    .execute(conn)
                    .map(|_| ())
            })
        }
    }
}

/// Releases overdue holds on a counter, and gives back what they had on any counter. `false` when
/// somebody else is working on one of them.
pub(in crate::inventory) fn release_overdue(
    conn: &mut AnyConnection,
    (organization, counter): Key<'_>,
    now: Timestamp,
) -> QueryResult<bool> {
    let on_counter = hold_lines::table
        .filter(hold_lines::organization_id.eq(holds::organization_id))
        .filter(hold_lines::hold_id.eq(holds::id))
        .filter(hold_lines::counter_id.eq(counter))
        .select(hold_lines::quantity);
    // As in `levels`: PostgreSQL is not to begin with the lines.
    let due = holds::table
        .filter(holds::organization_id.eq(organization))
        .filter(literally("holds.state = 'held'"))
        .filter(holds::expires_at.gt(Timestamp::EPOCH).and(holds::expires_at.le(now)))
        .filter(on_counter.single_value().is_not_null())
        .order(holds::expires_at)
        .select(holds::id)
        .limit(OVERDUE_PER_TAKE_MAX);
    let due: Vec<String> = on_each!(conn, |c| due.load(c))?;
    let count = due.len();
    let free = free_to_take(conn, organization, due)?;
    let all_free = free.len() == count;
    let mut given: BTreeMap<String, i64> = BTreeMap::new();
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
    let AnyConnection::Postgres(conn) = conn else { return Ok(ids) };
    let keys: Keys<'_> = ids.iter().map(|id| (organization, id.as_str())).collect();
    let wanted = holds::table.filter(among((holds::organization_id, holds::id), keys));
    wanted.select(holds::id).for_update().skip_locked().load(conn)
}
