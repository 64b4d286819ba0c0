//! One business operation's view of the database.

use super::guard::{AnyGuard, Guard};
use super::plan::Plan;
use super::{AnyConnection, Append, Environment, Scope, Take, Tenant};
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

/// Where a transaction stands.
pub(super) enum Ground<'c> {
    /// On a connection: inside of a transaction, or reading.
    Connection(&'c mut AnyConnection),
    /// Planning, on a connection that only reads what is committed.
    Planning(&'c mut AnyConnection),
    /// Planning on what is remembered alone; notes when that is not enough.
    Memory {
        /// Whether the database was asked for.
        wanting: &'c mut bool,
    },
}

/// A transaction with its owner, its instant and what it has yet to write.
///
/// Append-only rows are buffered and counters are taken last, so that an executor may run many
/// operations together and hold the hot rows only for the length of a commit.
pub struct Tx<'c> {
    ground: Ground<'c>,
    environment: &'c Environment,
    scope: &'c Scope,
    now: Timestamp,
    plan: Plan,
}

impl<'c> Tx<'c> {
    pub(super) fn new(
        ground: Ground<'c>,
        environment: &'c Environment,
        scope: &'c Scope,
        now: Timestamp,
    ) -> Self {
        Self { ground, environment, scope, now, plan: Plan::default() }
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

    /// The tenant of the scope; a platform task acts for none.
    pub fn tenant(&self) -> Result<Tenant> {
        let tenant = self.scope.tenant().cloned();
        tenant.ok_or_else(|| Error::internal("a platform scope has no tenant"))
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
    pub fn conn(&mut self) -> Result<&mut AnyConnection> {
        match &mut self.ground {
            Ground::Connection(conn) | Ground::Planning(conn) => Ok(conn),
            Ground::Memory { wanting } => {
                **wanting = true;
                Err(Error::rerun("the plan needs the database"))
            }
        }
    }

    /// Whether this is a plan, made outside of the transaction that will record it: what is read
    /// may be remembered, and what is relied on needs a [`Guard`] or the revision of a take.
    pub fn is_plan(&self) -> bool {
        match self.ground {
            Ground::Connection(_) => false,
            Ground::Planning(_) | Ground::Memory { .. } => true,
        }
    }

    /// In a plan: something that must still be true when it is recorded.
    pub fn guard<G: Guard>(&mut self, guard: G) {
        if self.is_plan() {
            self.plan.guards.push(AnyGuard::new(guard));
        }
    }

    /// Buffers a row; it is inserted when the operation has ended well.
    pub fn append<R: Append>(&mut self, row: R) {
        self.plan.rows.push(row);
    }

    /// Registers a take; it is executed after everything else.
    pub fn take(&mut self, take: Take) {
        self.plan.takes.push(take);
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

    /// What is to be recorded.
    pub(super) fn into_plan(self) -> Plan {
        self.plan
    }

    /// Inserts the buffered rows, then takes.
    pub(super) fn finish(mut self) -> Result<()> {
        let mut plan = std::mem::take(&mut self.plan);
        let (environment, now) = (self.environment, self.now);
        let conn = self.conn()?;
        if plan.is_empty() {
            // A transaction in which a statement failed would be rolled back by PostgreSQL at
            // COMMIT without an error. Any further statement shows it.
            return Ok(probe(conn)?);
        }
        plan.rows.flush(conn)?;
        if plan.takes.is_empty() {
            return Ok(());
        }
        plan.sort_takes();
        let given = environment.stock.take(conn, &[&plan.takes], now)?;
        given.into_iter().try_for_each(|given| given.map_err(|error| plan.refusal(error)))
    }
}

fn probe(conn: &mut AnyConnection) -> diesel::QueryResult<()> {
    use diesel::RunQueryDsl;
    match conn {
        AnyConnection::Postgres(conn) => diesel::sql_query("SELECT 1").execute(conn).map(|_| ()),
        AnyConnection::Sqlite(_) => Ok(()),
    }
}
