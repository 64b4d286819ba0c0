//! The handle every room uses: one way to read, one way to write.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use super::conn::{AnyConnection, Backend, DatabaseUrl};
use super::database_clock::DatabaseClock;
use super::lane::Lane;
use super::postgres::WritePool;
use super::readers::Readers;
use super::tx::Ground;
use super::work::{Operation, Planned, Work};
use super::{Outcome, Scope, Stock, Tx, sales_lane, sqlite_lane};
use crate::kernel::ids::IdSource;
use crate::kernel::{Clock, Error, Kind, Result, Timestamp};

/// What all operations of a server share.
pub struct Environment {
    /// Makes identifiers.
    pub ids: IdSource,
    /// Tells the time.
    pub clock: Clock,
    /// Executes takes.
    pub stock: Arc<dyn Stock>,
    extensions: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    commits: watch::Sender<u64>,
    database_clock: DatabaseClock,
}

impl Environment {
    /// An environment with nothing but the essentials.
    pub fn new(clock: Clock, stock: Arc<dyn Stock>) -> Self {
        Self {
            ids: IdSource::default(),
            clock,
            stock,
            extensions: HashMap::new(),
            commits: watch::Sender::new(0),
            database_clock: DatabaseClock::default(),
        }
    }

    /// Adds something that slices reach through their transaction (keys, listeners).
    pub fn with<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.extensions.insert(TypeId::of::<T>(), Box::new(value));
        self
    }

    /// What was added under this type.
    pub fn get<T: Any>(&self) -> Result<&T> {
        let found = self.extensions.get(&TypeId::of::<T>()).and_then(|any| any.downcast_ref());
        found.ok_or_else(|| Error::internal("the environment lacks an extension"))
    }

    pub(super) fn announce_commit(&self) {
        self.commits.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The instant of an operation: on PostgreSQL by the database's clock, which all servers share.
    pub(super) fn now_at_database(
        &self,
        conn: &mut AnyConnection,
    ) -> diesel::QueryResult<Timestamp> {
        self.database_clock.now_at(&self.clock, conn)
    }

    /// The instant of a query or a plan: by the database's clock as last seen.
    fn reading_time(&self) -> Timestamp {
        self.database_clock.now(&self.clock)
    }
}

/// How to open a database.
#[derive(Clone, Debug)]
pub struct DbOptions {
    /// Where it is.
    pub url: DatabaseUrl,
    /// Connections for queries.
    pub readers: u32,
    /// Connections for operations (PostgreSQL; SQLite has one writer).
    pub writers: u32,
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    environment: Arc<Environment>,
    backend: Backend,
    writer: Writer,
    readers: Readers,
}

async fn answered<T>(answer: oneshot::Receiver<Result<Outcome<T>>>) -> Result<Outcome<T>> {
    let lost = || Error::internal("an operation was dropped without an answer");
    answer.await.unwrap_or_else(|_| Err(lost()))
}

impl Inner {
    fn read_once<T>(&self, scope: &Scope, run: impl Fn(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let mut conn = self.readers.get()?;
        self.look(&mut conn, scope, run)
    }

    fn look<T>(
        &self,
        conn: &mut AnyConnection,
        scope: &Scope,
        run: impl Fn(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let now = self.environment.reading_time();
        conn.snapshot(|conn| {
            run(&mut Tx::new(Ground::Connection(conn), &self.environment, scope, now))
        })
    }
}

enum Writer {
    Lane(Lane),
    Pool { pool: WritePool, sales: Lane },
}

impl Writer {
    fn open(options: &DbOptions, environment: &Arc<Environment>) -> anyhow::Result<Self> {
        Ok(match options.url.backend() {
            Backend::Sqlite => Self::Lane(sqlite_lane::start(&options.url, environment.clone())?),
            Backend::Postgres => {
                let pool = WritePool::open(options, environment.clone())?;
                let sales = sales_lane::start(&options.url, environment.clone(), pool.clone())?;
                Self::Pool { pool, sales }
            }
        })
    }

    fn submit(&self, work: Box<dyn Work>) {
        match self {
            Self::Lane(lane) => lane.submit(work),
            Self::Pool { sales, .. } if work.is_planned() => sales.submit(work),
            Self::Pool { pool, .. } => pool.submit(work),
        }
    }
}

impl Db {
    /// Opens a migrated database.
    pub fn open(options: &DbOptions, environment: Environment) -> anyhow::Result<Self> {
        let environment = Arc::new(environment);
        let backend = options.url.backend();
        let writer = Writer::open(options, &environment)?;
        let readers = Readers::open(&options.url, options.readers)?;
        Ok(Self { inner: Arc::new(Inner { environment, backend, writer, readers }) })
    }

    /// Which database this is.
    pub fn backend(&self) -> Backend {
        self.inner.backend
    }

    /// What all operations share.
    pub fn environment(&self) -> &Environment {
        &self.inner.environment
    }

    /// Counts commits of this server; changes after every one.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.inner.environment.commits.subscribe()
    }

    /// Runs one business operation, durably and whole. The closure may be run several times (in a
    /// batch, then alone), so it borrows its inputs and does nothing but work with the database.
    pub async fn write<T, F>(&self, scope: &Scope, run: F) -> Result<Outcome<T>>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<Outcome<T>> + Send + 'static,
    {
        let (work, answer) = Operation::new(scope, run);
        self.inner.writer.submit(Box::new(work));
        answered(answer).await
    }

    /// The same for an operation that only reads, appends and takes: it is planned outside of any
    /// transaction, if possible on what is remembered, and recorded together with others. What
    /// cannot be planned, or fails when it is, is run as [`Db::write`] does.
    pub async fn write_planned<T, F>(&self, scope: &Scope, run: F) -> Result<Outcome<T>>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<Outcome<T>> + Send + 'static,
    {
        let (mut work, answer) = Operation::new(scope, run);
        let environment = &self.inner.environment;
        let planned = work.plan(None, environment, environment.reading_time());
        if planned != Planned::WantsDatabase {
            self.inner.writer.submit(Box::new(work));
            return answered(answer).await;
        }
        let inner = self.inner.clone();
        let turn = inner.readers.turn().await;
        let planning = self.inner.readers.spawn(move || {
            // Without a reader there is no plan, and the operation runs in a transaction.
            if turn.is_ok()
                && let Ok(mut conn) = inner.readers.get()
            {
                let now = inner.environment.reading_time();
                work.plan(Some(&mut conn), &inner.environment, now);
            }
            inner.writer.submit(Box::new(work));
        });
        planning.await?;
        answered(answer).await
    }

    /// Runs a query. Nothing it buffers is written. It may be run again: an idle connection that
    /// the server has closed meanwhile shows it only when it is used.
    pub async fn read<T, F>(&self, scope: &Scope, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (inner, scope) = (self.inner.clone(), scope.clone());
        let turn = inner.readers.turn().await?;
        let ran = self.inner.readers.spawn(move || {
            let _mine = turn;
            for _ in 0..inner.readers.most() {
                match inner.read_once(&scope, &run) {
                    Err(error) if error.kind() == Kind::Lost => continue,
                    done => return done,
                }
            }
            inner.read_once(&scope, &run)
        });
        ran.await?
    }

    /// The same for a query that looks up an object by its key. On embedded SQLite it is run on the
    /// spot: a hop to another thread costs more than the query. Where no reader is free, or a
    /// query is a round trip, it is run as [`Db::read`] does.
    pub async fn glance<T, F>(&self, scope: &Scope, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        if self.inner.backend == Backend::Sqlite
            && let Some(mut conn) = self.inner.readers.get_idle()
        {
            return self.inner.look(&mut conn, scope, run);
        }
        self.read(scope, run).await
    }

    /// The same for a query that what is remembered may answer: the database is asked only when it
    /// cannot.
    pub async fn recall<T, F>(&self, scope: &Scope, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let mut wanting = false;
        let ground = Ground::Memory { wanting: &mut wanting };
        let recalled = run(&mut Tx::new(ground, self.environment(), scope, self.now()));
        if wanting { self.read(scope, run).await } else { recalled }
    }

    /// Whether a trivial query succeeds.
    pub async fn ping(&self) -> Result<()> {
        use diesel::r2d2::R2D2Connection;
        self.read(&Scope::platform("readiness"), |tx| {
            let conn: &mut AnyConnection = tx.conn()?;
            Ok(conn.ping()?)
        })
        .await
    }

    /// The instant as queries see it.
    pub fn now(&self) -> Timestamp {
        self.inner.environment.reading_time()
    }
}
