//! Append-only rows, buffered on a transaction and inserted together at its end.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;

use diesel::QueryResult;

use super::AnyConnection;

/// Most rows in one INSERT: well below both databases' limit of bind variables.
const ROWS_PER_STATEMENT_MAX: usize = 500;

/// A row of a table that operations only add to.
pub trait Append: Sized + Send + 'static {
    /// Where the table stands among the others: parents have smaller numbers than children.
    const ORDER: u16;

    /// Inserts some rows in one statement.
    fn insert(rows: &[Self], conn: &mut AnyConnection) -> QueryResult<()>;
}

trait Buffer: Send {
    fn flush(&self, conn: &mut AnyConnection) -> QueryResult<()>;
    fn as_any(&mut self) -> &mut dyn Any;
}

impl<R: Append> Buffer for Vec<R> {
    fn flush(&self, conn: &mut AnyConnection) -> QueryResult<()> {
        self.chunks(ROWS_PER_STATEMENT_MAX).try_for_each(|rows| R::insert(rows, conn))
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// Rows waiting to be inserted, parents first.
#[derive(Default)]
pub(super) struct Rows(BTreeMap<(u16, TypeId), Box<dyn Buffer>>);

impl Rows {
    pub(super) fn push<R: Append>(&mut self, row: R) {
        let buffer = self
            .0
            .entry((R::ORDER, TypeId::of::<R>()))
            .or_insert_with(|| Box::new(Vec::<R>::new()));
        if let Some(rows) = buffer.as_any().downcast_mut::<Vec<R>>() {
            rows.push(row);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Inserts everything and empties the buffers.
    pub(super) fn flush(&mut self, conn: &mut AnyConnection) -> QueryResult<()> {
        std::mem::take(&mut self.0).values().try_for_each(|rows| rows.flush(conn))
    }
}

/// Implements [`Append`] for an insertable row of a table.
#[macro_export]
macro_rules! append_only {
    ($row:ty, $table:expr, $order:expr) => {
        impl $crate::db::Append for $row {
            const ORDER: u16 = $order;

            fn insert(
                rows: &[Self],
                conn: &mut $crate::db::AnyConnection,
            ) -> diesel::QueryResult<()> {
                use diesel::RunQueryDsl;
                $crate::on_each!(conn, |c| diesel::insert_into($table)
                    .values(rows)
                    .execute(c)
                    .map(|_| ()))
            }
        }
    };
}
