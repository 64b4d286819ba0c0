//! One business operation's view of the database.

use super::append::Rows;
use super::{AnyConnection, Append, Environment, Scope, StockError, Take};
use crate::kernel::ids::{Id, OrganizationId};
use crate::kernel::{Error, Mode, Result, Timestamp};

/// How an operation that ran to its end wants to be recorded. Both commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// It did what was asked.
    Done(T),
    /// It refused, and the refusal itself is worth keeping (a declined card). Its idempotency key
    /// stays free.
    Refused(T),
}

impl<T> Outcome<T> {
    /// What was answered, either way.
    pub fn into_inner(self) -> T {
        match self {
            Self::Done(value) | Self::Refused(value) => value,
        }
    }
}

/// A transaction with its owner, its instant and what it has yet to write.
///
/// Append-only rows are buffered and counters are taken last, so that an executor may run many
/// operations together and hold the hot rows only for the length of a commit.
pub struct Tx<'c> {
    conn: &'c mut AnyConnection,
    environment: &'c Environment,
    scope: &'c Scope,
    now: Timestamp,
    rows: Rows,
    takes: Vec<Take>,
}

impl<'c> Tx<'c> {
    pub(super) fn new(
        conn: &'c mut AnyConnection,
        environment: &'c Environment,
        scope: &'c Scope,
        now: Timestamp,
    ) -> Self {
        Self { conn, environment, scope, now, rows: Rows::default(), takes: Vec::new() }
    }

    /// The instant of this operation: the only clock inside it.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Whose operation this is.
    pub fn scope(&self) -> &'c Scope {
        self.scope
    }

    /// The mode of the scope; a platform task must say itself which mode it means.
    pub fn mode(&self) -> Result<Mode> {
        self.scope.mode().ok_or_else(|| Error::internal("a platform scope has no mode"))
    }

    /// What the slices share in this server (keys, listeners).
    pub fn environment(&self) -> &'c Environment {
        self.environment
    }

    /// A new identifier dated `now`.
    pub fn id<T: Id>(&self) -> T {
        self.environment.ids.next(self.now)
    }

    /// The connection. Only `store.rs` files borrow it; `tests/it/tidy.rs` sees to that.
    pub fn conn(&mut self) -> &mut AnyConnection {
        self.conn
    }

    /// Buffers a row; it is inserted when the operation has ended well.
    pub fn append<R: Append>(&mut self, row: R) {
        self.rows.push(row);
    }

    /// Registers a take; it is executed after everything else.
    pub fn take(&mut self, take: Take) {
        self.takes.push(take);
    }

    /// Registers giving back.
    pub fn give_back(&mut self, organization: OrganizationId, counter: String, count: i64) {
        self.take(Take {
            organization,
            counter,
            count: -count,
            at_most: None,
            revision: None,
            shortage: Box::new(|_| Error::internal("giving back cannot run short")),
        });
    }

    /// Inserts the buffered rows, then takes.
    pub(super) fn finish(mut self) -> Result<()> {
        let wrote = !self.rows.is_empty() || !self.takes.is_empty();
        self.rows.flush(self.conn)?;
        if !self.takes.is_empty() {
            self.takes
                .sort_by(|a, b| (&a.organization, &a.counter).cmp(&(&b.organization, &b.counter)));
            let stock = self.environment.stock.as_ref();
            match stock.take(self.conn, &self.takes, self.now) {
                Ok(()) => {}
                Err(StockError::Stale) => return Err(Error::rerun("the quote is stale")),
                Err(StockError::Database(error)) => return Err(error.into()),
                Err(StockError::Short(index, shortage)) => {
                    let error = self.takes.get(index).map(|take| (take.shortage)(shortage));
                    return Err(error.unwrap_or_else(|| Error::internal("no such take")));
                }
            }
        }
        if !wrote {
            // A transaction in which a statement failed would be rolled back by PostgreSQL at
            // COMMIT without an error. Any further statement shows it.
            probe(self.conn)?;
        }
        Ok(())
    }
}

fn probe(conn: &mut AnyConnection) -> diesel::QueryResult<()> {
    use diesel::RunQueryDsl;
    match conn {
        AnyConnection::Postgres(conn) => diesel::sql_query("SELECT 1").execute(conn).map(|_| ()),
        AnyConnection::Sqlite(_) => Ok(()),
    }
}
