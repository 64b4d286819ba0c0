//! The handle every room uses: one way to read, one way to write.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use super::conn::{AnyConnection, Backend, DatabaseUrl, Manager, Purpose};
use super::postgres::WritePool;
use super::sqlite_lane::Lane;
use super::work::{Operation, Work};
use super::{Outcome, Scope, Stock, Tx};
use crate::kernel::ids::IdSource;
use crate::kernel::{Clock, Error, Kind, Result, Timestamp};

/// A query waits so long for a reader before it is answered 503.
const READER_WAIT_MAX: Duration = Duration::from_secs(2);

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
    /// The database's clock minus ours, in microseconds, as of the last write.
    skew_micros: AtomicI64,
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
            skew_micros: AtomicI64::new(0),
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

    /// The instant of an operation on PostgreSQL: the database's clock, which all servers share.
    pub(super) fn at_database_time(&self, reading: Timestamp) -> Timestamp {
        let now = self.clock.adjust(reading);
        let skew = now.unix_micros().saturating_sub(self.clock.now().unix_micros());
        self.skew_micros.store(skew, Ordering::Relaxed);
        now
    }

    /// The instant of a query: our clock, corrected by what the last write saw.
    fn reading_time(&self) -> Timestamp {
        let skew = self.skew_micros.load(Ordering::Relaxed);
        Timestamp::from_unix_micros(self.clock.now().unix_micros().saturating_add(skew))
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
    readers: r2d2::Pool<Manager>,
}

impl Inner {
    fn read_once<T>(&self, scope: &Scope, run: impl Fn(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let mut conn = self.readers.get().map_err(|error| {
            Error::unavailable("The database is busy; please try again.").because(error)
        })?;
        run(&mut Tx::new(&mut conn, &self.environment, scope, self.environment.reading_time()))
    }
}

enum Writer {
    Lane(Lane),
    Pool(WritePool),
}

impl Db {
    /// Opens a migrated database.
    pub fn open(options: &DbOptions, environment: Environment) -> anyhow::Result<Self> {
        let environment = Arc::new(environment);
        let backend = options.url.backend();
        let writer = match backend {
            Backend::Sqlite => Writer::Lane(Lane::start(&options.url, environment.clone())?),
            Backend::Postgres => Writer::Pool(WritePool::open(options, environment.clone())?),
        };
        let manager = Manager { url: options.url.clone(), purpose: Purpose::Read };
        // Opened here first: the pool would hide why it cannot connect behind a long wait.
        r2d2::ManageConnection::connect(&manager)?;
        let readers = r2d2::Pool::builder()
            .max_size(options.readers)
            .min_idle(Some(1))
            .connection_timeout(READER_WAIT_MAX)
            .test_on_check_out(false)
            .build(manager)?;
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
        let (reply, answer) = oneshot::channel();
        let queued_at = Instant::now();
        let scope = scope.clone();
        let work: Box<dyn Work> =
            Box::new(Operation { scope, run, result: None, reply, queued_at });
        match &self.inner.writer {
            Writer::Lane(lane) => lane.submit(work),
            Writer::Pool(pool) => pool.submit(work),
        }
        let lost = || Error::internal("an operation was dropped without an answer");
        answer.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Runs a query. Nothing it buffers is written. It may be run again: an idle connection that
    /// the server has closed meanwhile shows it only when it is used.
    pub async fn read<T, F>(&self, scope: &Scope, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (inner, scope) = (self.inner.clone(), scope.clone());
        let ran = tokio::task::spawn_blocking(move || {
            let most = inner.readers.max_size();
            for _ in 0..most {
                match inner.read_once(&scope, &run) {
                    Err(error) if error.kind() == Kind::Lost => continue,
                    done => return done,
                }
            }
            inner.read_once(&scope, &run)
        });
        ran.await.unwrap_or_else(|error| Err(Error::internal(error)))
    }

    /// Whether a trivial query succeeds.
    pub async fn ping(&self) -> Result<()> {
        use diesel::r2d2::R2D2Connection;
        self.read(&Scope::platform("readiness"), |tx| {
            let conn: &mut AnyConnection = tx.conn();
            Ok(conn.ping()?)
        })
        .await
    }

    /// The instant as queries see it.
    pub fn now(&self) -> Timestamp {
        self.inner.environment.reading_time()
    }
}
