//! Giving back what was sold, all of a hold or part of it.
//!
//! A line is in its counter's own sum of sales, or still unfolded; what is given back leaves
//! whichever of the two it is in. Lines are locked before counters, as folding does.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::{hold_counters, lines_of};
use crate::db::schema::{counters, hold_lines};
use crate::db::{AnyConnection, Tx};
use crate::inventory::model::Key;
use crate::kernel::ids::OrganizationId;
use crate::kernel::{Error, Result};

/// Counter, quantity, and whether the line is unfolded.
type Line = (String, i64, bool);

fn locked_lines(tx: &mut Tx<'_>, organization: &OrganizationId, hold: &str) -> Result<Vec<Line>> {
    let lines = lines_of(organization, hold).order(hold_lines::counter_id).select((
        hold_lines::counter_id,
        hold_lines::quantity,
        hold_lines::unfolded,
    ));
    let lines: Vec<Line> = match tx.conn()? {
        AnyConnection::Postgres(conn) => lines.for_update().load(conn)?,
        AnyConnection::Sqlite(conn) => lines.load(conn)?,
    };
    // All of their counters at once and in order, as everybody takes them.
    let keys: Vec<Key<'_>> = lines.iter().map(|line| (organization, line.0.as_str())).collect();
    hold_counters(tx, &keys)?;
    Ok(lines)
}

fn leave_sum(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    counter: &str,
    quantity: i64,
) -> Result<()> {
    diesel::update(counters::table.find((organization, counter)))
        .set(counters::sold.eq(counters::sold - quantity))
        .execute(tx.conn()?)?;
    Ok(())
}

/// None of a released hold counts as sold any more. Returns what it had, for its counters.
pub(in crate::inventory) fn unsell_all(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
) -> Result<Vec<(String, i64)>> {
    let lines = locked_lines(tx, organization, hold)?;
    diesel::update(lines_of(organization, hold))
        .set(hold_lines::unfolded.eq(false))
        .execute(tx.conn()?)?;
    for (counter, quantity, unfolded) in &lines {
        if !unfolded {
            leave_sum(tx, organization, counter, *quantity)?;
        }
    }
    Ok(lines.into_iter().map(|(counter, quantity, _)| (counter, quantity)).collect())
}

/// So many of each line do not count as sold any more. Returns what that was, for their counters.
pub(in crate::inventory) fn unsell_part(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    hold: &str,
    parts: &BTreeMap<String, i64>,
) -> Result<Vec<(String, i64)>> {
    let mut given = Vec::new();
    for (counter, quantity, unfolded) in locked_lines(tx, organization, hold)? {
        let Some(part) = parts.get(&counter).copied().filter(|part| *part > 0) else {
            continue;
        };
        let row = hold_lines::table.find((organization, hold, &counter));
        match quantity - part {
            left if left < 0 => return Err(Error::internal("more is given back than was sold")),
            0 => diesel::delete(row).execute(tx.conn()?)?,
            left => diesel::update(row).set(hold_lines::quantity.eq(left)).execute(tx.conn()?)?,
        };
        if !unfolded {
            leave_sum(tx, organization, &counter, part)?;
        }
        given.push((counter, part));
    }
    Ok(given)
}
