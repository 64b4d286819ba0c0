//! What a counter says at an instant, and what a hold asks for.

use std::collections::BTreeMap;

use crate::db::{Shortage, StockError, Take};
use crate::kernel::Error;
use crate::kernel::ids::OrganizationId;

/// One line of a hold: so many of one counter, under the limits it was quoted with.
pub struct Line {
    /// The counter.
    pub counter: String,
    /// How many, at least 1.
    pub count: i64,
    /// A limit stated by the taker, beside the counter's capacity.
    pub at_most: Option<i64>,
    /// The revision the quote was made at; `None` where nothing quoted depends on it.
    pub revision: Option<i64>,
    /// What the caller is told when there are not enough.
    pub shortage: Box<dyn Fn(Shortage) -> Error + Send>,
}

/// What a counter says at one instant. Overdue holds count as available.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Level {
    /// The limit; `None` is unlimited.
    pub capacity: Option<i64>,
    /// Sold for good.
    pub sold: i64,
    /// Held by somebody who may still pay.
    pub held: i64,
    /// Whether anything was ever taken.
    pub ever_taken: bool,
}

impl Level {
    /// What can be taken now; `None` is unlimited.
    pub fn available(&self) -> Option<i64> {
        self.capacity.map(|capacity| capacity - self.committed())
    }

    /// Sold or held.
    pub fn committed(&self) -> i64 {
        self.sold + self.held
    }
}

/// A counter, locked.
#[derive(Clone, Copy, Debug)]
pub struct Counter {
    /// The limit; `None` is unlimited.
    pub capacity: Option<i64>,
    /// Sold and held.
    pub taken: i64,
    /// Of what is quoted against it.
    pub revision: i64,
}

/// A counter's whole key.
pub type Key<'a> = (&'a OrganizationId, &'a str);

/// Counters as they are locked, by their keys.
pub type Counters<'a> = BTreeMap<Key<'a>, Counter>;

/// What an operation does to one counter in all: its takes less what it gives back.
#[derive(Clone, Copy, Debug)]
pub struct Move<'a> {
    /// The counter.
    pub key: Key<'a>,
    /// How many; negative gives back.
    pub quantity: i64,
    /// The strictest limit a take stated itself.
    pub at_most: Option<i64>,
    /// The revision a take was quoted at.
    pub revision: Option<i64>,
    /// Index of the first take of this counter, whose shortage speaks for it.
    pub take: usize,
}

/// One move per counter, from takes in the order of their counters.
pub fn moves(takes: &[Take]) -> Vec<Move<'_>> {
    let mut moves: Vec<Move<'_>> = Vec::new();
    for (index, take) in takes.iter().enumerate() {
        let key = (&take.organization, take.counter.as_str());
        match moves.last_mut().filter(|last| last.key == key) {
            Some(same) => {
                same.quantity += take.count;
                same.at_most = same.at_most.into_iter().chain(take.at_most).min();
                same.revision = same.revision.or(take.revision);
                if take.count > 0 {
                    same.take = index;
                }
            }
            None => moves.push(Move {
                key,
                quantity: take.count,
                at_most: take.at_most,
                revision: take.revision,
                take: index,
            }),
        }
    }
    moves
}

/// Gives to each operation in order what it wants, all of it or nothing.
pub fn allot<'a>(counters: &mut Counters<'a>, operations: &[Vec<Move<'a>>]) -> Vec<Allotted> {
    operations.iter().map(|moves| allot_one(counters, moves)).collect()
}

/// What an operation is given.
pub type Allotted = Result<(), StockError>;

fn allot_one<'a>(counters: &mut Counters<'a>, moves: &[Move<'a>]) -> Allotted {
    for wanted in moves {
        let counter = counters.get(&wanted.key).ok_or(StockError::Stale)?;
        fits(counter, wanted)?;
    }
    for wanted in moves {
        if let Some(counter) = counters.get_mut(&wanted.key) {
            counter.taken += wanted.quantity;
        }
    }
    Ok(())
}

fn fits(counter: &Counter, wanted: &Move<'_>) -> Allotted {
    if wanted.revision.is_some_and(|revision| revision != counter.revision) {
        return Err(StockError::Stale);
    }
    let limit = counter.capacity.into_iter().chain(wanted.at_most).min();
    let left = limit.map(|limit| limit - counter.taken);
    match left.filter(|left| wanted.quantity > 0 && *left < wanted.quantity) {
        Some(left) => Err(StockError::Short(wanted.take, Shortage { left: left.max(0) })),
        None => Ok(()),
    }
}

/// What the operations that were given what they wanted do to each counter together.
pub fn sums<'a>(operations: &[Vec<Move<'a>>], given: &[Allotted]) -> Vec<(Key<'a>, i64)> {
    let mut sums: BTreeMap<Key<'a>, i64> = BTreeMap::new();
    let accepted = operations.iter().zip(given).filter(|(_, given)| given.is_ok());
    for wanted in accepted.flat_map(|(moves, _)| moves) {
        *sums.entry(wanted.key).or_default() += wanted.quantity;
    }
    sums.into_iter().collect()
}
