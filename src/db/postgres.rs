//! PostgreSQL's writers: one operation, one transaction, a pooled connection.
//!
//! READ COMMITTED throughout: nothing here depends on isolation, everything on conditional
//! updates and constraints. What the server asks to have run again is run again, with jitter.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use diesel::r2d2::R2D2Connection;
use tokio::sync::Semaphore;

use super::conn::{AnyConnection, Manager, Purpose};
use super::pool::{DbOptions, Environment};
use super::work::{self, QUEUE_MAX, QUEUE_WAIT_MAX, RERUNS_MAX, Verdict, Work};
use crate::kernel::Error;
use crate::kernel::fail_point::Step;

/// Where operations are handed in.
#[derive(Clone)]
pub(super) struct WritePool {
    shared: Arc<Shared>,
}

struct Shared {
    pool: r2d2::Pool<Manager>,
    environment: Arc<Environment>,
    waiting: AtomicUsize,
    // Whose turn it is: who waits for a connection does not have a thread wait for it.
    turns: Arc<Semaphore>,
    runtime: tokio::runtime::Handle,
}

impl WritePool {
    pub(super) fn open(options: &DbOptions, environment: Arc<Environment>) -> anyhow::Result<Self> {
        let manager = Manager { url: options.url.clone(), purpose: Purpose::Write };
        // Opened here first: the pool would hide why it cannot connect behind a long wait.
        let mut conn = r2d2::ManageConnection::connect(&manager)?;
        environment.now_at_database(&mut conn)?;
        let pool = r2d2::Pool::builder()
            .max_size(options.writers)
            .min_idle(Some(1))
            .connection_timeout(QUEUE_WAIT_MAX)
            .test_on_check_out(false)
            .build(manager)?;
        let waiting = AtomicUsize::new(0);
        let turns = Arc::new(Semaphore::new(usize::try_from(options.writers)?));
        let runtime = tokio::runtime::Handle::try_current()?;
        Ok(Self { shared: Arc::new(Shared { pool, environment, waiting, turns, runtime }) })
    }

    pub(super) fn submit(&self, work: Box<dyn Work>) {
        let shared = self.shared.clone();
        if shared.waiting.fetch_add(1, Ordering::SeqCst) >= QUEUE_MAX {
            shared.waiting.fetch_sub(1, Ordering::SeqCst);
            return work.fail(work::overloaded());
        }
        let runtime = shared.runtime.clone();
        runtime.clone().spawn(async move {
            let turn = shared.turns.clone().acquire_owned().await;
            runtime.spawn_blocking(move || {
                shared.run(work);
                shared.waiting.fetch_sub(1, Ordering::SeqCst);
                drop(turn);
            });
        });
    }
}

impl Shared {
    fn run(&self, mut work: Box<dyn Work>) {
        for run in 0..=RERUNS_MAX {
            if run > 0 {
                thread::sleep(work::backoff(run));
            }
            if work.abandoned() {
                return;
            }
            if run == 0 && work.queued_at().elapsed() > QUEUE_WAIT_MAX {
                return work.fail(work::overloaded());
            }
            match self.pool.get() {
                Ok(mut conn) => match self.run_once(&mut conn, work) {
                    Some(again) => work = again,
                    None => return,
                },
                Err(error) => return work.fail(work::overloaded().because(error)),
            }
        }
        tracing::error!(runs = RERUNS_MAX + 1, "an operation was given up");
        work.fail(work::gave_up());
    }

    /// One transaction. Returns the work when it must be run again. A connection that is left
    /// with an open transaction or is broken is thrown away by the pool.
    fn run_once(&self, conn: &mut AnyConnection, mut work: Box<dyn Work>) -> Option<Box<dyn Work>> {
        let begun = conn.begin_write().and_then(|()| self.environment.now_at_database(conn));
        let now = match begun {
            Ok(now) => now,
            Err(error) => return self.not_begun(conn, work, error),
        };
        match work.attempt(conn, &self.environment, now) {
            Verdict::Commit => self.commit(conn, work),
            verdict => {
                if verdict != Verdict::Panicked {
                    // A connection that cannot roll back is broken, and the pool sees that.
                    let _broken = conn.roll_back();
                }
                if verdict == Verdict::Rerun {
                    return Some(work);
                }
                work.answer();
                None
            }
        }
    }

    /// An idle connection that the server has closed meanwhile is replaced; nothing has run yet.
    fn not_begun(
        &self,
        conn: &mut AnyConnection,
        work: Box<dyn Work>,
        error: diesel::result::Error,
    ) -> Option<Box<dyn Work>> {
        tracing::warn!(%error, "BEGIN failed");
        let _broken = conn.roll_back();
        Some(work)
    }

    fn commit(&self, conn: &mut AnyConnection, work: Box<dyn Work>) -> Option<Box<dyn Work>> {
        match conn.commit(Step::PostgresCommit) {
            Ok(()) if conn.depth() == Some(0) => {
                self.environment.announce_commit();
                work.answer();
                None
            }
            Ok(()) => {
                work.fail(Error::internal("a transaction was still open after COMMIT"));
                None
            }
            // A live server that refuses COMMIT has rolled back: run again.
            Err(error) if conn.ping().is_ok() => {
                tracing::warn!(%error, "COMMIT was refused");
                Some(work)
            }
            Err(error) => {
                tracing::error!(%error, "the connection was lost during COMMIT");
                work.fail(work::unknown_fate(error));
                None
            }
        }
    }
}
