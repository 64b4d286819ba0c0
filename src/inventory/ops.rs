//! Operations on counters and holds, inside somebody's transaction.

use std::collections::{BTreeMap, BTreeSet};

use diesel::QueryResult;

use super::model::{Allotted, Key, Level, Line, Move, allot, moves, sums};
use super::store::{self, HoldState};
use crate::db::{AnyConnection, Db, Outcome, Scope, Stock, StockError, Take, Tx};
use crate::kernel::ids::OrganizationId;
use crate::kernel::{Error, Result, Timestamp};

/// Creates a counter with nothing taken.
pub fn create_counter(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &str,
    capacity: Option<i64>,
) {
    store::append_counter(tx, organization, id, capacity);
}

/// Deletes a counter nothing was ever taken from. Whoever quoted against it finds its quote stale.
pub fn delete_counter(tx: &mut Tx<'_>, organization: &OrganizationId, id: &str) -> Result<()> {
    store::delete_counter(tx, organization, id)
}

/// Sets what is quoted against: the capacity and a new revision. `false`, and nothing changed,
/// when more is taken than the new capacity allows.
pub fn requote(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &str,
    capacity: Option<i64>,
    revision: i64,
) -> Result<bool> {
    store::release_overdue_on(tx, organization, id)?;
    store::requote(tx, organization, id, capacity, revision)
}

/// Holds counters until the end of the transaction: what is read of them next stays true. All
/// that the operation will want, at once: everybody locks counters in the order of their keys.
pub fn lock(tx: &mut Tx<'_>, counters: &[Key<'_>]) -> Result<()> {
    let keys: BTreeSet<Key<'_>> = counters.iter().copied().collect();
    store::hold_counters(tx, &keys.into_iter().collect::<Vec<_>>())
}

/// What counters say now. A counter that does not exist is not in the answer.
pub fn levels(tx: &mut Tx<'_>, counters: &[Key<'_>]) -> Result<BTreeMap<String, Level>> {
    store::levels(tx, counters)
}

/// Adds what was sold lately to its counters' own sums, when there is enough of it.
pub async fn fold_sales(db: &Db) -> Result<usize> {
    let scope = Scope::platform("folding sales into their counters");
    if !db.read(&scope, store::many_unfolded).await? {
        return Ok(0);
    }
    Ok(db.write(&scope, |tx| store::fold(tx).map(Outcome::Done)).await?.into_inner())
}

/// Holds stock until `expires_at`. Nothing is known to be enough before the transaction ends.
pub fn hold(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
    expires_at: Timestamp,
    lines: Vec<Line>,
) {
    store::append_hold(tx, organization, hold, expires_at);
    for line in lines {
        store::append_line(tx, organization, hold, &line);
        take_line(tx, organization, line);
    }
}

/// Sells stock at once, without holding it first. Nothing is known to be enough before the
/// transaction ends.
pub fn sell_now(tx: &mut Tx<'_>, organization: &OrganizationId, hold: &str, lines: Vec<Line>) {
    store::append_sold(tx, organization, hold);
    for line in lines {
        store::append_sold_line(tx, organization, hold, &line);
        take_line(tx, organization, line);
    }
}

fn take_line(tx: &mut Tx<'_>, organization: &OrganizationId, line: Line) {
    tx.take(Take {
        organization: organization.clone(),
        counter: line.counter,
        count: line.count,
        at_most: line.at_most,
        revision: line.revision,
        shortage: line.shortage,
    });
}

/// `held -> sold`, only before the hold's expiry. `false` when it was too late or is gone.
pub fn sell(tx: &mut Tx<'_>, organization: &OrganizationId, hold: &str) -> Result<bool> {
    let moved = store::advance_in_time(tx, organization, hold, HoldState::Sold)?;
    if moved {
        store::mark_unfolded(tx, organization, hold)?;
    }
    Ok(moved)
}

/// Holds for longer, only before the hold's expiry. `false` when it was too late or is gone.
pub fn extend(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
    until: Timestamp,
) -> Result<bool> {
    store::extend(tx, organization, hold, until)
}

/// `held -> settling`, only before the hold's expiry: from now on it cannot be overdue.
pub fn begin_settling(tx: &mut Tx<'_>, organization: &OrganizationId, hold: &str) -> Result<bool> {
    store::advance_in_time(tx, organization, hold, HoldState::Settling)
}

/// `settling -> sold`.
pub fn finish_settling(tx: &mut Tx<'_>, organization: &OrganizationId, hold: &str) -> Result<bool> {
    let moved = store::advance(tx, organization, hold, HoldState::Settling, HoldState::Sold)?;
    if moved {
        store::mark_unfolded(tx, organization, hold)?;
    }
    Ok(moved)
}

/// `settling -> held`, with the expiry it had before.
pub fn abandon_settling(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
) -> Result<bool> {
    store::advance(tx, organization, hold, HoldState::Settling, HoldState::Held)
}

/// `held -> released`, whether overdue or not: the owner gives it up. `false` when it was not held.
pub fn release(tx: &mut Tx<'_>, organization: &OrganizationId, hold: &str) -> Result<bool> {
    let moved = store::advance(tx, organization, hold, HoldState::Held, HoldState::Released)?;
    if moved {
        give_back(tx, organization, hold)?;
    }
    Ok(moved)
}

/// Makes sure that an overdue hold is released. `false` when it is not overdue (it was sold, is
/// settling, or has been extended).
pub fn expire(tx: &mut Tx<'_>, organization: &OrganizationId, hold: &str) -> Result<bool> {
    if store::expire(tx, organization, hold)? {
        give_back(tx, organization, hold)?;
        return Ok(true);
    }
    Ok(store::state(tx, organization, hold)? == Some(HoldState::Released))
}

/// Whoever held this stock paid after their time: sells the same again if there is enough of
/// everything. `at_most` are limits beside the counters' own. `false`, and nothing changed, when
/// there is not, or the hold is neither held nor released.
pub fn hold_again(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
    at_most: &BTreeMap<String, i64>,
) -> Result<bool> {
    // Overdue, but nobody has released it: it still has what it held.
    if store::advance(tx, organization, hold, HoldState::Held, HoldState::Sold)? {
        store::mark_unfolded(tx, organization, hold)?;
        return Ok(true);
    }
    // The hold before its counters, as everywhere.
    if !store::advance(tx, organization, hold, HoldState::Released, HoldState::Sold)? {
        return Ok(false);
    }
    let lines = store::lines(tx, organization, hold)?;
    let keys: Vec<Key<'_>> = lines.iter().map(|(id, _)| (organization, id.as_str())).collect();
    lock(tx, &keys)?;
    let levels = levels(tx, &keys)?;
    let enough = lines.iter().all(|(id, count)| {
        let limit = at_most.get(id).copied();
        levels.get(id).is_some_and(|level| {
            let by_limit = limit.is_none_or(|limit| level.committed() + count <= limit);
            by_limit && level.available().is_none_or(|left| *count <= left)
        })
    });
    if !enough {
        store::advance(tx, organization, hold, HoldState::Sold, HoldState::Released)?;
        return Ok(false);
    }
    store::mark_unfolded(tx, organization, hold)?;
    for (counter, count) in lines {
        tx.take(Take {
            organization: organization.clone(),
            counter,
            count,
            at_most: None,
            revision: None,
            shortage: Box::new(|_| Error::rerun("stock moved under a lock")),
        });
    }
    Ok(true)
}

/// `sold -> released`: everything is for sale again. `false` when it was not sold.
pub fn take_back(tx: &mut Tx<'_>, organization: &OrganizationId, hold: &str) -> Result<bool> {
    if !store::advance(tx, organization, hold, HoldState::Sold, HoldState::Released)? {
        return Ok(false);
    }
    for (counter, count) in store::unsell_all(tx, organization, hold)? {
        tx.give_back(organization.clone(), counter, count);
    }
    Ok(true)
}

/// Part of what was sold is for sale again: so many of each counter. Counters the hold has nothing
/// of are passed by.
pub fn take_back_part(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
    parts: &BTreeMap<String, i64>,
) -> Result<()> {
    for (counter, count) in store::unsell_part(tx, organization, hold, parts)? {
        tx.give_back(organization.clone(), counter, count);
    }
    Ok(())
}

fn give_back(tx: &mut Tx<'_>, organization: &OrganizationId, hold: &str) -> Result<()> {
    for (counter, count) in store::lines(tx, organization, hold)? {
        tx.give_back(organization.clone(), counter, count);
    }
    Ok(())
}

/// The executor of takes that `app` installs.
pub struct Counters;

impl Stock for Counters {
    fn take(
        &self,
        conn: &mut AnyConnection,
        operations: &[&[Take]],
        now: Timestamp,
    ) -> QueryResult<Vec<Allotted>> {
        let wanted: Vec<Vec<Move<'_>>> = operations.iter().map(|takes| moves(takes)).collect();
        store::make_missing(conn, &limited_by_takers(&wanted))?;
        let keys: BTreeSet<Key<'_>> = wanted.iter().flatten().map(|wanted| wanted.key).collect();
        let keys: Vec<Key<'_>> = keys.into_iter().collect();
        let mut given = allot(&mut store::lock(conn, &keys)?, &wanted);
        let short = counters_of_the_short(&wanted, &given);
        if !short.is_empty() {
            // Overdue holds may be in the way: release those, then look again.
            let mut all_released = true;
            for counter in short {
                all_released &= store::release_overdue(conn, counter, now)?;
            }
            given = allot(&mut store::lock(conn, &keys)?, &wanted);
            if !all_released {
                // Somebody else is just releasing what these need.
                let short = given.iter_mut().filter(|given| given.is_err());
                short.for_each(|given| *given = Err(StockError::Stale));
            }
        }
        store::apply(conn, &sums(&wanted, &given))?;
        Ok(given)
    }
}

/// Counters that exist for the sake of a limit their takers state.
fn limited_by_takers<'a>(wanted: &[Vec<Move<'a>>]) -> Vec<Key<'a>> {
    let limited = wanted.iter().flatten().filter(|wanted| wanted.at_most.is_some());
    let keys: BTreeSet<Key<'a>> = limited.map(|wanted| wanted.key).collect();
    keys.into_iter().collect()
}

fn counters_of_the_short<'a>(wanted: &[Vec<Move<'a>>], given: &[Allotted]) -> BTreeSet<Key<'a>> {
    let short = |given: &Allotted| matches!(given, Err(StockError::Short(..)));
    let moves = wanted.iter().zip(given).filter(|(_, given)| short(given));
    let taking = moves.flat_map(|(moves, _)| moves).filter(|wanted| wanted.quantity > 0);
    taking.map(|wanted| wanted.key).collect()
}
