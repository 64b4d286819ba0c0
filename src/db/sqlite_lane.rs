//! SQLite's writer: one thread, one connection, many operations per flush.
//!
//! It takes what is waiting and never waits for more: the batch fills while the one before it
//! commits. Each operation runs in a savepoint of one `BEGIN IMMEDIATE` transaction; nobody is
//! answered before the commit has been flushed.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use anyhow::Context;
use diesel::connection::TransactionManager;

use super::conn::{AnyConnection, DatabaseUrl, Purpose};
use super::pool::Environment;
use super::work::{self, QUEUE_MAX, QUEUE_WAIT_MAX, RERUNS_MAX, Verdict, Work};

/// Most operations in one transaction.
const BATCH_MAX: usize = 64;

/// Where operations are handed in.
pub(super) struct Lane {
    queue: SyncSender<Box<dyn Work>>,
}

impl Lane {
    pub(super) fn start(url: &DatabaseUrl, environment: Arc<Environment>) -> anyhow::Result<Self> {
        let conn = url.connect(Purpose::Write)?;
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let mut writer = Writer { url: url.clone(), environment, conn: Some(conn) };
        thread::Builder::new()
            .name("sqlite-lane".to_owned())
            .spawn(move || writer.serve(&waiting))
            .context("cannot start the writer thread")?;
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

struct Writer {
    url: DatabaseUrl,
    environment: Arc<Environment>,
    conn: Option<AnyConnection>,
}

/// What became of a batch.
struct Ended {
    /// Ran; their answers hold once the commit succeeds.
    ran: Vec<Box<dyn Work>>,
    /// To be run again, each in a transaction of its own.
    alone: Vec<Box<dyn Work>>,
}

impl Writer {
    fn serve(&mut self, waiting: &Receiver<Box<dyn Work>>) {
        while let Ok(first) = waiting.recv() {
            let rest = std::iter::from_fn(|| waiting.try_recv().ok()).take(BATCH_MAX - 1);
            let batch = std::iter::once(first).chain(rest).filter_map(still_wanted).collect();
            for mut work in self.run_together(batch) {
                for run in 1..=RERUNS_MAX {
                    thread::sleep(work::backoff(run));
                    match self.run_together(vec![work]).pop() {
                        Some(again) if run == RERUNS_MAX => {
                            again.fail(work::gave_up());
                            break;
                        }
                        Some(again) => work = again,
                        None => break,
                    }
                }
            }
        }
    }

    /// Runs a batch in one transaction and answers it. Returns what must be run again alone.
    fn run_together(&mut self, batch: Vec<Box<dyn Work>>) -> Vec<Box<dyn Work>> {
        if batch.is_empty() {
            return batch;
        }
        let mut conn = match self.conn.take().map_or_else(|| self.reopen(), Ok) {
            Ok(conn) => conn,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the database cannot be opened");
                fail_all(batch, work::overloaded);
                return Vec::new();
            }
        };
        if let Err(error) = conn.begin_write() {
            tracing::error!(%error, "BEGIN failed");
            fail_all(batch, work::overloaded);
            return Vec::new();
        }
        let Some(ended) = self.attempt_all(&mut conn, batch) else {
            return Vec::new();
        };
        let Ended { ran, alone } = match ended {
            Ok(ended) => ended,
            // The connection is dropped, and with it the transaction.
            Err(alone) => return alone,
        };
        match AnyConnection::commit_transaction(&mut conn) {
            Ok(()) if conn.depth() == Some(0) => {
                self.conn = Some(conn);
                self.environment.announce_commit();
                ran.into_iter().for_each(Work::answer);
            }
            outcome => {
                // Whether it is on disk is unknown; the idempotency keys decide.
                tracing::error!(?outcome, "COMMIT failed; reopening the database");
                fail_all(ran, || work::unknown_fate(anyhow::anyhow!("COMMIT failed")));
            }
        }
        alone
    }

    /// Runs each operation in its savepoint. `Err` is what must be run again when the whole
    /// transaction had to be thrown away; `None` when everything has been answered.
    fn attempt_all(
        &self,
        conn: &mut AnyConnection,
        batch: Vec<Box<dyn Work>>,
    ) -> Option<Result<Ended, Vec<Box<dyn Work>>>> {
        let now = self.environment.clock.now();
        let mut ended = Ended { ran: Vec::new(), alone: Vec::new() };
        let mut queue = batch.into_iter();
        while let Some(mut work) = queue.next() {
            let verdict = match AnyConnection::begin_transaction(conn) {
                Ok(()) => work.attempt(conn, &self.environment, now),
                Err(_) => Verdict::Lost,
            };
            let closed = match verdict {
                Verdict::Commit => AnyConnection::commit_transaction(conn),
                Verdict::RollBack | Verdict::Rerun => AnyConnection::rollback_transaction(conn),
                Verdict::Lost | Verdict::Panicked => Ok(()),
            };
            match (verdict, closed.is_ok() && conn.depth() == Some(1)) {
                (Verdict::Commit | Verdict::RollBack, true) => ended.ran.push(work),
                (Verdict::Rerun, true) => ended.alone.push(work),
                (Verdict::Panicked, _) => {
                    tracing::error!("an operation panicked; its batch is run again without it");
                    work.answer();
                    let others = ended.ran.into_iter().chain(ended.alone).chain(queue);
                    return Some(Err(others.collect()));
                }
                (_, _) => {
                    let others = ended.ran.into_iter().chain(ended.alone).chain(queue);
                    let lost = || work::unknown_fate(anyhow::anyhow!("the connection broke"));
                    fail_all(std::iter::once(work).chain(others).collect(), lost);
                    return None;
                }
            }
        }
        Some(Ok(ended))
    }

    fn reopen(&self) -> anyhow::Result<AnyConnection> {
        self.url.connect(Purpose::Write)
    }
}

/// Answers what waited too long; drops what nobody waits for.
fn still_wanted(work: Box<dyn Work>) -> Option<Box<dyn Work>> {
    if work.abandoned() {
        return None;
    }
    if work.queued_at().elapsed() > QUEUE_WAIT_MAX {
        work.fail(work::overloaded());
        return None;
    }
    Some(work)
}

fn fail_all(batch: Vec<Box<dyn Work>>, error: impl Fn() -> crate::kernel::Error) {
    batch.into_iter().for_each(|work| work.fail(error()));
}
