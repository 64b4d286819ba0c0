//! A queue with a thread behind it: what SQLite's writer and PostgreSQL's sales lane share.
//!
//! The thread takes what is waiting and never waits for more: a batch fills while the one before
//! it commits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use anyhow::Context;

use super::work::{self, QUEUE_MAX, Work, still_wanted};

/// Most operations in one transaction.
const BATCH_MAX: usize = 64;

/// Where operations are handed in.
pub(super) struct Lane {
    queue: SyncSender<Box<dyn Work>>,
}

impl Lane {
    /// Starts a thread that serves batches. One that panics drops its batch, which is answered
    /// 500; the lane goes on.
    pub(super) fn start(
        name: &'static str,
        mut serve: impl FnMut(Vec<Box<dyn Work>>) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let run = move || {
            while let Some(batch) = next_batch(&waiting) {
                if catch_unwind(AssertUnwindSafe(|| serve(batch))).is_err() {
                    tracing::error!(lane = name, "a lane panicked");
                }
            }
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
        thread.with_context(|| format!("cannot start the {name}"))?;
        Ok(Self { queue })
    }

    /// Hands an operation in; a full queue answers it 503 at once.
    pub(super) fn submit(&self, work: Box<dyn Work>) {
        match self.queue.try_send(work) {
            Ok(()) => {}
            Err(TrySendError::Full(work) | TrySendError::Disconnected(work)) => {
                work.fail(work::overloaded());
            }
        }
    }
}

/// What is waiting and still wanted; none when nobody can hand in more.
fn next_batch(waiting: &Receiver<Box<dyn Work>>) -> Option<Vec<Box<dyn Work>>> {
    let first = waiting.recv().ok()?;
    let rest = std::iter::from_fn(|| waiting.try_recv().ok()).take(BATCH_MAX - 1);
    Some(std::iter::once(first).chain(rest).filter_map(still_wanted).collect())
}
