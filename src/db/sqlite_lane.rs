//! SQLite's writer: one connection, many operations per flush.
//!
//! Within one `BEGIN IMMEDIATE` transaction the planned operations of a batch are recorded
//! together, then each other one runs in a savepoint of its own; then, once, what came in while
//! they ran. Nobody is answered before the commit has been flushed.

use std::sync::Arc;
use std::thread;

use super::checkpoint::Checkpointer;
use super::conn::{AnyConnection, DatabaseUrl, Purpose};
use super::lane::{Lane, Waiting};
use super::plan::{self, Recorded};
use super::pool::Environment;
use super::work::{self, RERUNS_MAX, Verdict, Work, fail_all};
use crate::kernel::fail_point::Step;

/// Opens the database and starts its writer.
pub(super) fn start(url: &DatabaseUrl, environment: Arc<Environment>) -> anyhow::Result<Lane> {
    let conn = url.connect(Purpose::Write)?;
    let checkpointer = Checkpointer::start(url)?;
    let mut writer = Writer { url: url.clone(), environment, conn: Some(conn), checkpointer };
    Lane::start("sqlite-lane", move |batch, waiting| writer.serve(batch, waiting))
}

struct Writer {
    url: DatabaseUrl,
    environment: Arc<Environment>,
    conn: Option<AnyConnection>,
    checkpointer: Checkpointer,
}

/// What became of a batch.
#[derive(Default)]
struct Ended {
    /// Ran; their answers hold once the commit succeeds.
    ran: Vec<Box<dyn Work>>,
    /// Plans that did not hold: to be run as operations, at once.
    stale: Vec<Box<dyn Work>>,
    /// To be run again, each in a transaction of its own.
    alone: Vec<Box<dyn Work>>,
}

impl Ended {
    fn all(self) -> impl Iterator<Item = Box<dyn Work>> {
        self.ran.into_iter().chain(self.stale).chain(self.alone)
    }
}

/// What a batch left to do.
#[derive(Default)]
struct Again {
    /// As operations, at once.
    stale: Vec<Box<dyn Work>>,
    /// Each in a transaction of its own.
    alone: Vec<Box<dyn Work>>,
}

/// The transaction had to be thrown away.
enum Undone {
    /// Everything in it is to be run again.
    Again(Vec<Box<dyn Work>>),
    /// The plans could not be recorded: everything is to be run as operations, at once.
    Unplanned(Vec<Box<dyn Work>>),
    /// Everything in it has been answered.
    Answered,
}

impl Writer {
    fn serve(&mut self, batch: Vec<Box<dyn Work>>, waiting: &Waiting) {
        let Again { stale, alone } = self.run_together(batch, Some(waiting));
        // Their plans are gone: they run as operations now, and none comes back as stale.
        let more = self.run_together(stale, None).alone;
        alone.into_iter().chain(more).for_each(|work| self.run_alone(work));
    }

    fn run_alone(&mut self, mut work: Box<dyn Work>) {
        for run in 1..=RERUNS_MAX {
            thread::sleep(work::backoff(run));
            match self.run_together(vec![work], None).alone.pop() {
                Some(again) => work = again,
                None => return,
            }
        }
        tracing::error!(runs = RERUNS_MAX + 1, "an operation was given up");
        work.fail(work::gave_up());
    }

    /// Runs a batch in one transaction, and what came in meanwhile, and answers it. Returns plans
    /// that did not hold, and what must be run again alone.
    fn run_together(&mut self, batch: Vec<Box<dyn Work>>, waiting: Option<&Waiting>) -> Again {
        if batch.is_empty() {
            return Again::default();
        }
        let mut conn = match self.conn.take().map_or_else(|| self.reopen(), Ok) {
            Ok(conn) => conn,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the database cannot be opened");
                fail_all(batch, work::overloaded);
                return Again::default();
            }
        };
        if let Err(error) = conn.begin_write() {
            tracing::error!(%error, "BEGIN failed");
            fail_all(batch, work::overloaded);
            return Again::default();
        }
        let Ended { ran, stale, alone } = match self.attempt_all(&mut conn, batch, waiting) {
            Ok(ended) => ended,
            // The connection is dropped, and with it the transaction.
            Err(Undone::Again(alone)) => return Again { alone, ..Again::default() },
            Err(Undone::Unplanned(stale)) => {
                if conn.roll_back().is_ok() && conn.depth() == Some(0) {
                    self.conn = Some(conn);
                }
                return Again { stale, ..Again::default() };
            }
            Err(Undone::Answered) => return Again::default(),
        };
        match conn.commit(Step::SqliteCommit) {
            Ok(()) if conn.depth() == Some(0) => {
                self.environment.announce_commit();
                ran.into_iter().for_each(Work::answer);
                self.checkpointer.committed(&mut conn);
                self.conn = Some(conn);
            }
            outcome => {
                // Whether it is on disk is unknown; the idempotency keys decide.
                tracing::error!(?outcome, "COMMIT failed; reopening the database");
                fail_all(ran, || work::unknown_fate(anyhow::anyhow!("COMMIT failed")));
            }
        }
        Again { stale, alone }
    }

    /// Runs a batch, then once what came in while it ran: they are spared a flush that is not
    /// theirs, and who was there first waits for them only, not for those who follow.
    fn attempt_all(
        &self,
        conn: &mut AnyConnection,
        batch: Vec<Box<dyn Work>>,
        waiting: Option<&Waiting>,
    ) -> Result<Ended, Undone> {
        let (mut ended, taken) = (Ended::default(), batch.len());
        self.attempt(conn, batch, &mut ended)?;
        if let Some(waiting) = waiting {
            self.attempt(conn, waiting.more(taken), &mut ended)?;
        }
        Ok(ended)
    }

    /// Records what is planned, then runs each other operation in its savepoint.
    fn attempt(
        &self,
        conn: &mut AnyConnection,
        batch: Vec<Box<dyn Work>>,
        ended: &mut Ended,
    ) -> Result<(), Undone> {
        let now = self.environment.clock.now();
        let (planned, others): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|work| work.is_planned());
        // Not in a savepoint, for which SQLite copies every page before it is changed: when this
        // fails, which guards make rare, everything in the transaction is run again.
        match plan::record(planned, conn, &self.environment, now) {
            Ok(Recorded { settled, stale }) => {
                ended.ran.extend(settled);
                ended.stale.extend(stale);
            }
            Err((works, error)) => {
                tracing::warn!(?error, "a batch could not be recorded together");
                let before = std::mem::take(ended).all();
                return Err(Undone::Unplanned(before.chain(works).chain(others).collect()));
            }
        }
        let mut queue = others.into_iter();
        while let Some(mut work) = queue.next() {
            let verdict = match conn.savepoint() {
                Ok(()) => work.attempt(conn, &self.environment, now),
                Err(_) => Verdict::Lost,
            };
            let closed = match verdict {
                Verdict::Commit => conn.release(),
                Verdict::RollBack | Verdict::Rerun => conn.roll_back(),
                Verdict::Lost | Verdict::Panicked => Ok(()),
            };
            match (verdict, closed.is_ok() && conn.depth() == Some(1)) {
                (Verdict::Commit | Verdict::RollBack, true) => ended.ran.push(work),
                (Verdict::Rerun, true) => ended.alone.push(work),
                (Verdict::Panicked, _) => {
                    tracing::error!("an operation panicked; its batch is run again without it");
                    work.answer();
                    return Err(Undone::Again(std::mem::take(ended).all().chain(queue).collect()));
                }
                (_, _) => {
                    let lost = || work::unknown_fate(anyhow::anyhow!("the connection broke"));
                    let before = std::mem::take(ended).all();
                    fail_all(std::iter::once(work).chain(before).chain(queue), lost);
                    return Err(Undone::Answered);
                }
            }
        }
        Ok(())
    }

    fn reopen(&self) -> anyhow::Result<AnyConnection> {
        self.url.connect(Purpose::Write)
    }
}
