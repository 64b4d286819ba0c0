//! Append-only rows, buffered on a transaction and inserted together at its end.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;

use diesel::QueryResult;

use super::AnyConnection;

/// A row of a table that operations only add to.
pub trait Append: Sized + Send + 'static {
    /// Where the table stands among the others: parents have smaller numbers than children.
    const ORDER: u16;

    /// Inserts rows: one statement for all on PostgreSQL, where a statement is a round trip; one
    /// prepared statement run once per row on SQLite, where parsing is what costs.
    fn insert(rows: &[Self], conn: &mut AnyConnection) -> QueryResult<()>;
}

trait Buffer: Send {
    fn flush(&self, conn: &mut AnyConnection) -> QueryResult<()>;
    fn absorb(&mut self, other: Box<dyn Buffer>);
    fn as_any(&mut self) -> &mut dyn Any;
}

impl<R: Append> Buffer for Vec<R> {
    fn flush(&self, conn: &mut AnyConnection) -> QueryResult<()> {
        R::insert(self, conn)
    }

    fn absorb(&mut self, mut other: Box<dyn Buffer>) {
        if let Some(rows) = other.as_any().downcast_mut::<Self>() {
            self.append(rows);
        }
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

    /// Adds another operation's rows behind these.
    pub(super) fn absorb(&mut self, other: Self) {
        for (table, rows) in other.0 {
            match self.0.get_mut(&table) {
                Some(mine) => mine.absorb(rows),
                None => {
                    self.0.insert(table, rows);
                }
            }
        }
    }

    /// Inserts everything and empties the buffers.
    pub(super) fn flush(&mut self, conn: &mut AnyConnection) -> QueryResult<()> {
        std::mem::take(&mut self.0).values().try_for_each(|rows| rows.flush(conn))
    }
}

/// `INSERT INTO t (a, b) SELECT * FROM UNNEST(?, ?)`: the same text for any number of rows.
pub fn bulk_insert(table: &str, columns: &[&str]) -> String {
    let places = vec!["?"; columns.len()].join(", ");
    let columns = columns.join(", ");
    format!("INSERT INTO {table} ({columns}) SELECT * FROM UNNEST({places})")
}

/// Implements [`Append`] for an insertable row of a table. Every field must be named; one that is
/// forgotten does not compile.
#[macro_export]
macro_rules! append_only {
    ($row:ident, $table:ident, $order:expr, [$($column:ident),* $(,)?]) => {
        impl $crate::db::Append for $row {
            const ORDER: u16 = $order;

            fn insert(
                rows: &[Self],
                conn: &mut $crate::db::AnyConnection,
            ) -> diesel::QueryResult<()> {
                use diesel::{Expression, RunQueryDsl, sql_types::Array};
                match conn {
                    $crate::db::AnyConnection::Postgres(conn) => {
                        let _whole = |row: Self| {
                            let Self { $($column: _),* } = row;
                        };
                        let columns = [$(stringify!($column)),*];
                        let query = $crate::db::append::bulk_insert(stringify!($table), &columns);
                        let query = $crate::db::Prepared::<diesel::pg::Pg>::new(query);
                        $(let query = query
                            .bind::<Array<<$table::$column as Expression>::SqlType>, _>(
                                rows.iter().map(|row| &row.$column).collect::<Vec<_>>(),
                            );)*
                        query.execute(conn).map(|_| ())
                    }
                    $crate::db::AnyConnection::Sqlite(conn) => rows.iter().try_for_each(|row| {
                        diesel::insert_into($table::table).values(row).execute(conn).map(|_| ())
                    }),
                }
            }
        }
    };
}
