//! What an operation wants recorded, as data, and the recording of many at once.
//!
//! An operation that only reads, appends and takes can be *planned*: run without a transaction,
//! on what was read a moment ago or is remembered. What it relied on is written down beside what
//! it wants (the revision each take was quoted at, its guards) and is looked at again, under lock,
//! in the transaction that records it. A batch costs one statement per kind of guard, two for
//! all counters, and one per table, however many operations are in it.

use super::append::Rows;
use super::guard::{self, AnyGuard, Verdict};
use super::work::Work;
use super::{AnyConnection, Environment, StockError, Take};
use crate::kernel::{Error, Kind, Timestamp};

/// Rows to insert, counters to take, and what must still be true.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) rows: Rows,
    pub(super) takes: Vec<Take>,
    pub(super) guards: Vec<AnyGuard>,
}

impl Plan {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.takes.is_empty()
    }

    /// In the order of their counters, in which everybody takes.
    pub(super) fn sort_takes(&mut self) {
        self.takes
            .sort_by(|a, b| (&a.organization, &a.counter).cmp(&(&b.organization, &b.counter)));
    }

    /// What the caller is told when a take runs short.
    pub(super) fn refusal(&self, error: StockError) -> Error {
        match error {
            StockError::Stale => Error::rerun("the quote is stale"),
            StockError::Short(index, shortage) => {
                let told = self.takes.get(index).map(|take| (take.shortage)(shortage));
                told.unwrap_or_else(|| Error::internal("no such take"))
            }
        }
    }
}

/// What came of recording a batch inside a transaction that is still open.
pub(super) struct Recorded {
    /// Their answers hold once the transaction is committed.
    pub(super) settled: Vec<Box<dyn Work>>,
    /// What they relied on has changed: to be run in a transaction.
    pub(super) stale: Vec<Box<dyn Work>>,
}

/// Records planned operations together. On an error nothing is settled and all are handed back:
/// the caller undoes what was written and runs each in a transaction.
pub(super) fn record(
    mut works: Vec<Box<dyn Work>>,
    conn: &mut AnyConnection,
    environment: &Environment,
    now: Timestamp,
) -> Result<Recorded, (Vec<Box<dyn Work>>, Error)> {
    if works.is_empty() {
        return Ok(Recorded { settled: Vec::new(), stale: Vec::new() });
    }
    let mut plans: Vec<Plan> =
        works.iter_mut().map(|work| work.take_plan().unwrap_or_default()).collect();
    let fates = match decide(&mut plans, conn, environment, now) {
        Ok(fates) => fates,
        Err(error) => return Err((works, error.into())),
    };
    let mut rows = Rows::default();
    let mut recorded = Recorded { settled: Vec::new(), stale: Vec::new() };
    for ((mut work, plan), fate) in works.into_iter().zip(plans).zip(fates) {
        match fate {
            Verdict::Holds => {
                rows.absorb(plan.rows);
                recorded.settled.push(work);
            }
            Verdict::Refused(error) => {
                work.refuse(error);
                recorded.settled.push(work);
            }
            Verdict::Stale => recorded.stale.push(work),
        }
    }
    match rows.flush(conn) {
        Ok(()) => Ok(recorded),
        Err(error) => {
            let Recorded { settled, stale } = recorded;
            Err((settled.into_iter().chain(stale).collect(), error.into()))
        }
    }
}

/// Checks the guards, then takes from stock for those whose guards hold.
fn decide(
    plans: &mut [Plan],
    conn: &mut AnyConnection,
    environment: &Environment,
    now: Timestamp,
) -> diesel::QueryResult<Vec<Verdict>> {
    plans.iter_mut().for_each(Plan::sort_takes);
    let guards: Vec<&[AnyGuard]> = plans.iter().map(|plan| plan.guards.as_slice()).collect();
    let mut fates = guard::check(&guards, conn)?;
    let standing = |fate: &Verdict| matches!(fate, Verdict::Holds);
    let takes: Vec<&[Take]> = plans
        .iter()
        .zip(&fates)
        .filter(|(_, fate)| standing(fate))
        .map(|(plan, _)| plan.takes.as_slice())
        .collect();
    let mut given = environment.stock.take(conn, &takes, now)?.into_iter();
    for (plan, fate) in plans.iter().zip(&mut fates).filter(|(_, fate)| standing(fate)) {
        *fate = match given.next() {
            Some(Ok(())) => Verdict::Holds,
            Some(Err(StockError::Stale)) | None => Verdict::Stale,
            Some(Err(error)) => match plan.refusal(error) {
                error if error.kind() == Kind::Retry => Verdict::Stale,
                error => Verdict::Refused(error),
            },
        };
    }
    Ok(fates)
}
