//! What an operation read while it was planned and must still be true when it is recorded.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;

use diesel::QueryResult;

use super::AnyConnection;
use crate::kernel::Error;

/// What became of a guard.
#[derive(Debug)]
pub enum Verdict {
    /// It is still true, and stays true until the end of this transaction.
    Holds,
    /// It is not true any more: the operation is to be run again.
    Stale,
    /// The operation is refused.
    Refused(Error),
}

/// Something that must be true in the transaction that records a plan.
///
/// Operations that are run inside of their own transaction need none: they look there.
pub trait Guard: Send + Sized + 'static {
    /// Looks at all guards of this kind at once, in one statement where a statement is a round
    /// trip, and locks what it looked at. One verdict each, in order.
    fn check(guards: &[&Self], conn: &mut AnyConnection) -> QueryResult<Vec<Verdict>>;
}

type Check = fn(&[&dyn Any], &mut AnyConnection) -> QueryResult<Vec<Verdict>>;

/// A guard of some kind, and how its kind is checked.
pub(super) struct AnyGuard {
    guard: Box<dyn Any + Send>,
    check: Check,
}

impl AnyGuard {
    pub(super) fn new<G: Guard>(guard: G) -> Self {
        Self { guard: Box::new(guard), check: check_all::<G> }
    }
}

fn check_all<G: Guard>(guards: &[&dyn Any], conn: &mut AnyConnection) -> QueryResult<Vec<Verdict>> {
    let guards: Vec<&G> = guards.iter().filter_map(|guard| guard.downcast_ref()).collect();
    G::check(&guards, conn)
}

/// The guards of one kind, and whose they are.
struct Kind<'g> {
    check: Check,
    operations: Vec<usize>,
    guards: Vec<&'g dyn Any>,
}

/// Checks the guards of several operations, kind by kind. One verdict per operation: the worst of
/// its guards'.
pub(super) fn check(
    operations: &[&[AnyGuard]],
    conn: &mut AnyConnection,
) -> QueryResult<Vec<Verdict>> {
    let mut kinds: BTreeMap<TypeId, Kind<'_>> = BTreeMap::new();
    for (operation, guards) in operations.iter().enumerate() {
        for any in *guards {
            let guard: &dyn Any = any.guard.as_ref();
            let new = Kind { check: any.check, operations: Vec::new(), guards: Vec::new() };
            let kind = kinds.entry(guard.type_id()).or_insert(new);
            kind.operations.push(operation);
            kind.guards.push(guard);
        }
    }
    let mut verdicts: Vec<Verdict> = operations.iter().map(|_| Verdict::Holds).collect();
    for Kind { check, operations, guards } in kinds.into_values() {
        for (operation, verdict) in operations.into_iter().zip(check(&guards, conn)?) {
            if let Some(worst @ Verdict::Holds) = verdicts.get_mut(operation) {
                *worst = verdict;
            }
        }
    }
    Ok(verdicts)
}
