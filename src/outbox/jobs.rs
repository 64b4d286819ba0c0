//! Work to be done after a commit.

use serde_json::Value;

use super::store;
use crate::db::Tx;
use crate::kernel::ids::JobId;
use crate::kernel::{Result, Timestamp};

/// A claimed job is not given to anybody else for so long.
pub const LEASE_SECONDS: i64 = 60;
/// Pauses between the tries of a job, in seconds; then it is kept as failed.
pub const RETRY_SECONDS: [i64; 8] = [5, 30, 120, 600, 1800, 7200, 21_600, 57_600];

/// Work to be queued.
pub struct Job {
    /// Which handler does it.
    pub kind: &'static str,
    /// What the handler needs to know: ids, no personal data.
    pub payload: Value,
    /// Not before; `None` is at once.
    pub run_at: Option<Timestamp>,
}

impl Job {
    /// Work to be done at once.
    pub fn now(kind: &'static str, payload: Value) -> Self {
        Self { kind, payload, run_at: None }
    }
}

/// A job in the hands of a worker.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The same at every try.
    pub id: JobId,
    /// Which handler does it.
    pub kind: String,
    /// What the handler needs to know.
    pub payload: Value,
    /// Which try this is, from 1.
    pub attempt: i64,
}

/// Queues work in this transaction.
pub fn enqueue(tx: &mut Tx<'_>, job: Job) {
    store::append_job(tx, job);
}

/// Whether any job is due.
pub(super) fn any_due(tx: &mut Tx<'_>) -> Result<bool> {
    store::any_due_job(tx)
}

/// Takes a due job for the length of the lease.
pub(super) fn claim(tx: &mut Tx<'_>) -> Result<Option<Claimed>> {
    store::claim_job(tx, tx.now().plus_seconds(LEASE_SECONDS))
}

/// Extends the lease of a job in hand. `false` when it had run out and another worker has it.
pub(super) fn renew(tx: &mut Tx<'_>, job: &Claimed) -> Result<bool> {
    store::renew_job(tx, job, tx.now().plus_seconds(LEASE_SECONDS))
}

/// Records that a job is done: it is gone. Handlers may call it in the transaction of their
/// effect: `false` means that the lease had run out and another worker has the job.
pub fn finish(tx: &mut Tx<'_>, job: &Claimed) -> Result<bool> {
    store::delete_job(tx, job)
}

/// Records that a try failed: later again, or kept as failed. Nothing when another worker has it.
pub(super) fn fail(tx: &mut Tx<'_>, job: &Claimed, reason: &str) -> Result<bool> {
    let pause = usize::try_from(job.attempt - 1).ok().and_then(|index| RETRY_SECONDS.get(index));
    let run_at = pause.map(|seconds| tx.now().plus_seconds(*seconds));
    store::reschedule_job(tx, job, run_at, reason)
}
