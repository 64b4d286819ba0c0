//! What counters say, and keeping that cheap.
//!
//! A sale settles its hold and leaves the counter alone, which everybody else wants. Its lines are
//! *unfolded* until [`fold`] adds them to the counter's own sum, many at a time.

use std::collections::BTreeMap;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;

use super::lock;
use crate::db::schema::{counters, hold_lines};
use crate::db::types::Instant;
use crate::db::{AMONG_ARRAYS, AMONG_JSON, AnyConnection, Keys, Prepared, Tx};
use crate::inventory::model::{Key, Level};
use crate::kernel::ids::{Id, OrganizationId};
use crate::kernel::{Result, Timestamp};
use crate::on_each;

/// Lines folded in one transaction.
const FOLD_MAX: i64 = 500;
/// Fewer unfolded lines than this are left: reading them costs less than taking their counters.
const FOLD_FROM: i64 = 100;

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
    sold: i64,
    #[diesel(sql_type = BigInt)]
    overdue: i64,
}

/// One statement, so that all parts are of one instant. What is overdue is found by the holds,
/// which are few: somebody releases them all the time. PostgreSQL does not know that, takes a third
/// of all holds to be overdue, and would rather walk the lines of the whole organization for every
/// counter. So a line is looked up by a query of its own, which it does not turn around, and the
/// range has two ends, of which it expects little.
const LEVEL: &str = "SELECT c.id, c.capacity, c.taken, c.ever_taken, \
     CAST(c.sold + COALESCE((SELECT SUM(l.quantity) FROM hold_lines l \
     WHERE l.organization_id = c.organization_id AND l.counter_id = c.id AND l.unfolded), 0) \
     AS BIGINT) AS sold, \
     CAST(COALESCE((SELECT SUM((SELECT l.quantity FROM hold_lines l \
     WHERE l.organization_id = h.organization_id AND l.hold_id = h.id AND l.counter_id = c.id)) \
     FROM holds h WHERE h.organization_id = c.organization_id AND h.state = 'held' \
     AND h.expires_at > ? AND h.expires_at <= ?), 0) AS BIGINT) AS overdue \
     FROM counters c WHERE (c.organization_id, c.id)";

/// What counters say now, by their ids, which no two organizations share.
pub(in crate::inventory) fn levels(
    tx: &mut Tx<'_>,
    keys: &[Key<'_>],
) -> Result<BTreeMap<String, Level>> {
    let now = tx.now();
    let keys: Keys<'_> = keys.iter().copied().collect();
    let rows: Vec<LevelRow> = match tx.conn()? {
        AnyConnection::Postgres(conn) => Prepared::<Pg>::new(format!("{LEVEL} {AMONG_ARRAYS}"))
            .bind::<Instant, _>(Timestamp::EPOCH)
            .bind::<Instant, _>(now)
            .bind::<Array<Text>, _>(keys.owners())
            .bind::<Array<Text>, _>(keys.ids())
            .load(conn)?,
        AnyConnection::Sqlite(conn) => Prepared::<Sqlite>::new(format!("{LEVEL} {AMONG_JSON}"))
            .bind::<Instant, _>(Timestamp::EPOCH)
            .bind::<Instant, _>(now)
            .bind::<Text, _>(keys.json())
            .load(conn)?,
    };
    let level = |row: LevelRow| {
        let LevelRow { id, capacity, taken, ever_taken, sold, overdue } = row;
        (id, Level { capacity, sold, held: taken - sold - overdue, ever_taken })
    };
    Ok(rows.into_iter().map(level).collect())
}

/// Whether there is enough to fold.
pub(in crate::inventory) fn many_unfolded(tx: &mut Tx<'_>) -> Result<bool> {
    let unfolded = hold_lines::table.filter(hold_lines::unfolded);
    let in_order = unfolded.order((hold_lines::organization_id, hold_lines::counter_id));
    let far = in_order.select(hold_lines::counter_id).offset(FOLD_FROM).limit(1);
    Ok(on_each!(tx.conn()?, |c| far.first::<String>(c)).optional()?.is_some())
}

/// Organization, hold, counter and quantity of a line.
type Unfolded = (OrganizationId, String, String, i64);

/// Moves what was sold from lines to their counters' own sums. Counters are taken last and in
/// order, as everywhere.
pub(in crate::inventory) fn fold(tx: &mut Tx<'_>) -> Result<usize> {
    let unfolded = hold_lines::table
        .filter(hold_lines::unfolded)
        .order((hold_lines::organization_id, hold_lines::counter_id))
        .select((
            hold_lines::organization_id,
            hold_lines::hold_id,
            hold_lines::counter_id,
            hold_lines::quantity,
        ))
        .limit(FOLD_MAX);
    let lines: Vec<Unfolded> = match tx.conn()? {
        AnyConnection::Postgres(conn) => unfolded.for_update().skip_locked().load(conn)?,
        AnyConnection::Sqlite(conn) => unfolded.load(conn)?,
    };
    mark_folded(tx.conn()?, &lines)?;
    let mut sums: BTreeMap<Key<'_>, i64> = BTreeMap::new();
    for (organization, _, counter, quantity) in &lines {
        *sums.entry((organization, counter)).or_default() += quantity;
    }
    let keys: Vec<Key<'_>> = sums.keys().copied().collect();
    lock(tx.conn()?, &keys)?;
    for (key, quantity) in sums {
        diesel::update(counters::table.find(key))
            .set(counters::sold.eq(counters::sold + quantity))
            .execute(tx.conn()?)?;
    }
    Ok(lines.len())
}

const MARK_FOLDED: &str = "UPDATE hold_lines l SET unfolded = FALSE \
     FROM UNNEST(?, ?, ?) w (organization_id, hold_id, counter_id) \
     WHERE l.organization_id = w.organization_id AND l.hold_id = w.hold_id \
     AND l.counter_id = w.counter_id";

fn mark_folded(conn: &mut AnyConnection, lines: &[Unfolded]) -> QueryResult<()> {
    match conn {
        AnyConnection::Postgres(conn) => {
            let column = |of: fn(&Unfolded) -> &str| lines.iter().map(of).collect::<Vec<_>>();
            Prepared::<Pg>::new(MARK_FOLDED)
                .bind::<Array<Text>, _>(column(|line| Id::as_str(&line.0)))
                .bind::<Array<Text>, _>(column(|line| &line.1))
                .bind::<Array<Text>, _>(column(|line| &line.2))
                .execute(conn)
                .map(|_| ())
        }
        AnyConnection::Sqlite(conn) => lines.iter().try_for_each(|(organization, hold, id, _)| {
            diesel::update(hold_lines::table.find((organization, hold, id)))
                .set(hold_lines::unfolded.eq(false))
                .execute(conn)
                .map(|_| ())
        }),
    }
}
