//! What an operation wants from stock, as data, so that an executor can take it last.

use super::AnyConnection;
use crate::kernel::ids::OrganizationId;
use crate::kernel::{Error, Timestamp};

/// Why a counter did not give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shortage {
    /// What the counter could still give.
    pub left: i64,
}

/// So many of one counter. A negative number gives back and is never refused.
pub struct Take {
    /// Owner of the counter.
    pub organization: OrganizationId,
    /// The counter.
    pub counter: String,
    /// How many.
    pub count: i64,
    /// A limit that this take states itself, beside the counter's capacity. A counter that is
    /// limited by its takers only is made by the first of them.
    pub at_most: Option<i64>,
    /// The revision at which the price was quoted; another one means: quote again.
    pub revision: Option<i64>,
    /// What the caller is told when there are not enough.
    pub shortage: Box<dyn Fn(Shortage) -> Error + Send>,
}

/// Why an operation does not get what it wants.
#[derive(Debug)]
pub enum StockError {
    /// The take at this index did not get what it wanted.
    Short(usize, Shortage),
    /// Something that was quoted has changed since; run the operation again.
    Stale,
}

/// Executes takes; inventory implements it and `app` installs it.
pub trait Stock: Send + Sync {
    /// Decides for each operation, in order, whether all its takes can be met, and takes for those
    /// that can. The takes of an operation are in the order of their counters.
    fn take(
        &self,
        conn: &mut AnyConnection,
        operations: &[&[Take]],
        now: Timestamp,
    ) -> diesel::QueryResult<Vec<Result<(), StockError>>>;
}
