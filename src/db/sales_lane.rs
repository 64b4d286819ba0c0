//! PostgreSQL's sales lane: one connection, many planned operations per transaction.
//!
//! Everybody who sells the same rate needs the same counter rows. One transaction per sale would
//! hold them for a flush each; here a batch of sales shares one lock, one update and one
//! flush, and no statement is sent per sale. What cannot be recorded together is run alone, as any
//! other operation; correctness never depends on this lane.

use std::sync::Arc;

use diesel::r2d2::R2D2Connection;

use super::conn::{AnyConnection, DatabaseUrl, Purpose};
use super::lane::Lane;
use super::plan::{self, Recorded};
use super::pool::Environment;
use super::postgres::WritePool;
use super::work::{self, Work, fail_all};
use crate::kernel::fail_point::Step;

/// Starts the lane; what it cannot do goes to the pool.
pub(super) fn start(
    url: &DatabaseUrl,
    environment: Arc<Environment>,
    pool: WritePool,
) -> anyhow::Result<Lane> {
    let mut recorder = Recorder { url: url.clone(), environment, conn: None };
    Lane::start("sales-lane", move |batch, _| {
        recorder.record(batch).into_iter().for_each(|work| pool.submit(work));
    })
}

struct Recorder {
    url: DatabaseUrl,
    environment: Arc<Environment>,
    conn: Option<AnyConnection>,
}

impl Recorder {
    /// Records a batch and answers it. Returns what must be run alone.
    fn record(&mut self, batch: Vec<Box<dyn Work>>) -> Vec<Box<dyn Work>> {
        if batch.is_empty() {
            return batch;
        }
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
                if conn.roll_back().is_ok() && conn.depth() == Some(0) {
                    self.conn = Some(conn);
                }
                works
            }
        }
    }

    fn commit(&mut self, mut conn: AnyConnection, recorded: Recorded) -> Vec<Box<dyn Work>> {
        let Recorded { settled, mut stale } = recorded;
        match conn.commit(Step::SalesCommit) {
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
