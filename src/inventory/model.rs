//! What a counter says at an instant, and what a hold asks for.

use crate::db::Shortage;
use crate::kernel::Error;

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
