//! PostgreSQL's sales lane: one thread, one connection, many planned operations per transaction.
//!
//! Everybody who sells the same rate needs the same counter rows. One transaction per sale would
//! hold them for a flush each; here up to [`BATCH_MAX`] sales share one lock, one update and one
//! flush, and no statement is sent per sale. What cannot be recorded together is run alone, as any
//! other operation; correctness never depends on this lane.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use anyhow::Context;
use diesel::connection::TransactionManager;
use diesel::r2d2::R2D2Connection;

use super::conn::{AnyConnection, DatabaseUrl, Purpose};
use super::plan::{self, Recorded};
use super::pool::Environment;
use super::postgres::WritePool;
use super::work::{self, QUEUE_MAX, Work, fail_all, still_wanted};

/// Most operations in one transaction.
const BATCH_MAX: usize = 64;

/// Where planned operations are handed in.
pub(super) struct SalesLane {
    queue: SyncSender<Box<dyn Work>>,
}

impl SalesLane {
    /// Starts the lane; what it cannot do goes to the pool.
    pub(super) fn start(
        url: &DatabaseUrl,
        environment: Arc<Environment>,
        pool: WritePool,
    ) -> anyhow::Result<Self> {
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let mut lane = Lane { url: url.clone(), environment, pool, conn: None };
        thread::Builder::new()
            .name("sales-lane".to_owned())
            .spawn(move || lane.serve(&waiting))
            .context("cannot start the sales lane")?;
        Ok(Self { queue })
    }

    pub(super) fn submit(&self, work: Box<dyn Work>) {
        match self.queue.try_send(work) {
            Ok(()) => {}
            Err(TrySendError::Full(work) | TrySendError::Disconnected(work)) => {
                work.fail(work::overloaded());
            }
        }
    }
}

struct Lane {
    url: DatabaseUrl,
    environment: Arc<Environment>,
    pool: WritePool,
    conn: Option<AnyConnection>,
}

impl Lane {
    fn serve(&mut self, waiting: &Receiver<Box<dyn Work>>) {
        while let Ok(first) = waiting.recv() {
            let rest = std::iter::from_fn(|| waiting.try_recv().ok()).take(BATCH_MAX - 1);
            let batch: Vec<_> =
                std::iter::once(first).chain(rest).filter_map(still_wanted).collect();
            if batch.is_empty() {
                continue;
            }
            // What panics here answers its batch 500 and costs the connection, not the lane.
            match catch_unwind(AssertUnwindSafe(|| self.record(batch))) {
                Ok(alone) => alone.into_iter().for_each(|work| self.pool.submit(work)),
                Err(_) => tracing::error!("the sales lane panicked"),
            }
        }
    }

    /// Records a batch and answers it. Returns what must be run alone.
    fn record(&mut self, batch: Vec<Box<dyn Work>>) -> Vec<Box<dyn Work>> {
        let conn = self.conn.take().map_or_else(|| self.url.connect(Purpose::Write), Ok);
        let mut conn = match conn {
            Ok(conn) => conn,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "the sales lane has no connection");
                return batch;
            }
        };
        if let Err(error) = conn.begin_write() {
            // An idle connection that the server closed meanwhile; nothing has been written.
            tracing::warn!(%error, "BEGIN failed");
            return batch;
        }
        let recorded = match self.environment.now_at_database(&mut conn) {
            Ok(now) => {
                let (conn, environment) = (&mut conn, &self.environment);
                plan::record(batch, conn, environment, now)
            }
            Err(error) => Err((batch, error.into())),
        };
        match recorded {
            Ok(recorded) => self.commit(conn, recorded),
            Err((works, error)) => {
                tracing::warn!(?error, "a batch could not be recorded together");
                if AnyConnection::rollback_transaction(&mut conn).is_ok() && conn.depth() == Some(0)
                {
                    self.conn = Some(conn);
                }
                works
            }
        }
    }

    fn commit(&mut self, mut conn: AnyConnection, recorded: Recorded) -> Vec<Box<dyn Work>> {
        let Recorded { settled, mut stale } = recorded;
        match AnyConnection::commit_transaction(&mut conn) {
            Ok(()) if conn.depth() == Some(0) => {
                self.conn = Some(conn);
                self.environment.announce_commit();
                settled.into_iter().for_each(Work::answer);
            }
            // A live server that refuses COMMIT has rolled back.
            Err(error) if conn.ping().is_ok() => {
                tracing::warn!(%error, "COMMIT was refused");
                stale.extend(settled);
            }
            outcome => {
                tracing::error!(?outcome, "the connection was lost during COMMIT");
                fail_all(settled, || work::unknown_fate(anyhow::anyhow!("COMMIT failed")));
            }
        }
        stale
    }
}
