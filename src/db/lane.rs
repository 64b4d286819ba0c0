//! A queue with a thread behind it: what SQLite's writer and PostgreSQL's sales lane share.
//!
//! The thread takes what is waiting and never waits for more: a batch fills while the one before
//! it commits. It may also take what came in while it ran.

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
        mut serve: impl FnMut(Vec<Box<dyn Work>>, &Waiting) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let run = move || {
            let waiting = Waiting(waiting);
            while let Some(batch) = waiting.batch() {
                if catch_unwind(AssertUnwindSafe(|| serve(batch, &waiting))).is_err() {
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

/// What was handed in and not yet taken.
pub(super) struct Waiting(Receiver<Box<dyn Work>>);

impl Waiting {
    /// The next batch, waited for; none when nobody can hand in more.
    fn batch(&self) -> Option<Vec<Box<dyn Work>>> {
        let first = self.0.recv().ok()?;
        let first = std::iter::once(first).filter_map(still_wanted);
        Some(first.chain(self.more(1)).collect())
    }

    /// What else is waiting and still wanted by now, for a batch that has `taken` so many already.
    pub(super) fn more(&self, taken: usize) -> Vec<Box<dyn Work>> {
        let waiting = std::iter::from_fn(|| self.0.try_recv().ok());
        waiting.take(BATCH_MAX.saturating_sub(taken)).filter_map(still_wanted).collect()
    }
}
