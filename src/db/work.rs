//! An operation as the executors see it: something to attempt, then to answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::plan::Plan;
use super::tx::{Ground, Outcome, Tx};
use super::{AnyConnection, Environment, Scope};
use crate::kernel::{Error, Kind, Result, Timestamp};

/// Operations that may wait at once; more are answered 503 at once. About what is done in the time
/// an operation may wait: a queue that is shorter refuses bursts that could have been served.
pub const QUEUE_MAX: usize = 4096;
/// An operation that has waited so long is answered 503 without being run.
pub(super) const QUEUE_WAIT_MAX: Duration = Duration::from_secs(2);
/// How often an operation is run again alone before it is given up.
pub(super) const RERUNS_MAX: u32 = 5;

/// What an attempt asks the executor to do with its part of the transaction.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Verdict {
    /// Keep it.
    Commit,
    /// Undo it; the answer is known.
    RollBack,
    /// Undo it and run it again.
    Rerun,
    /// The connection is gone.
    Lost,
    /// It panicked: connection and transaction are not to be trusted.
    Panicked,
}

/// An operation with its answer still owed.
pub(super) trait Work: Send {
    /// Runs the operation inside an open transaction and remembers what it answered.
    fn attempt(
        &mut self,
        conn: &mut AnyConnection,
        environment: &Environment,
        now: Timestamp,
    ) -> Verdict;
    /// The plan that was made beforehand, once.
    fn take_plan(&mut self) -> Option<Plan>;
    /// Whether there is a plan.
    fn is_planned(&self) -> bool;
    /// Answers an error instead of what was planned.
    fn refuse(&mut self, error: Error);
    /// Sends what the last attempt, or the plan, answered.
    fn answer(self: Box<Self>);
    /// Sends an error instead.
    fn fail(self: Box<Self>, error: Error);
    /// When it was handed in.
    fn queued_at(&self) -> Instant;
    /// Whether nobody waits for the answer any more.
    fn abandoned(&self) -> bool;
}

/// The operation given to `Db::write`.
pub(super) struct Operation<T, F> {
    scope: Scope,
    run: F,
    plan: Option<Plan>,
    result: Option<Result<Outcome<T>>>,
    reply: oneshot::Sender<Result<Outcome<T>>>,
    queued_at: Instant,
}

/// What came of planning an operation.
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub(super) enum Planned {
    /// There is a plan.
    Yes,
    /// What is remembered was not enough: plan again with a connection.
    WantsDatabase,
    /// It must be run in a transaction, where its answer is decided.
    No,
}

impl<T, F> Operation<T, F>
where
    F: Fn(&mut Tx<'_>) -> Result<Outcome<T>>,
{
    /// An operation, and where its answer will come.
    pub(super) fn new(scope: &Scope, run: F) -> (Self, oneshot::Receiver<Result<Outcome<T>>>) {
        let (reply, answer) = oneshot::channel();
        let (scope, queued_at) = (scope.clone(), Instant::now());
        (Self { scope, run, plan: None, result: None, reply, queued_at }, answer)
    }

    /// Plans the operation, on a connection or on what is remembered. A plan that fails says
    /// nothing: it may have relied on what is not true any more.
    pub(super) fn plan(
        &mut self,
        conn: Option<&mut AnyConnection>,
        environment: &Environment,
        now: Timestamp,
    ) -> Planned {
        let mut wanting = false;
        let (scope, run) = (&self.scope, &self.run);
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let ground = match conn {
                Some(conn) => Ground::Planning(conn),
                None => Ground::Memory { wanting: &mut wanting },
            };
            let mut tx = Tx::new(ground, environment, scope, now);
            run(&mut tx).map(|outcome| (outcome, tx.into_plan()))
        }));
        match ran {
            Ok(Ok((outcome, plan))) if !wanting => {
                self.result = Some(Ok(outcome));
                self.plan = Some(plan);
                Planned::Yes
            }
            _ if wanting => Planned::WantsDatabase,
            _ => Planned::No,
        }
    }
}

impl<T, F> Work for Operation<T, F>
where
    T: Send,
    F: Fn(&mut Tx<'_>) -> Result<Outcome<T>> + Send,
{
    fn attempt(
        &mut self,
        conn: &mut AnyConnection,
        environment: &Environment,
        now: Timestamp,
    ) -> Verdict {
        let (scope, run) = (&self.scope, &self.run);
        let before = conn.depth();
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let mut tx = Tx::new(Ground::Connection(conn), environment, scope, now);
            let outcome = run(&mut tx)?;
            tx.finish().map(|()| outcome)
        }));
        let Ok(result) = ran else {
            self.result = Some(Err(Error::internal("an operation panicked")));
            return Verdict::Panicked;
        };
        let depth = conn.depth();
        if result.is_err() && depth.is_none() {
            // The connection went away under the operation; nothing was committed.
            self.result = Some(Err(unknown_fate(anyhow::anyhow!("the connection broke"))));
            return Verdict::Lost;
        }
        if before.is_none() || depth != before {
            // A transaction the operation opened and did not close: nothing here can be trusted.
            self.result = Some(Err(Error::internal("an operation left a transaction open")));
            return Verdict::Panicked;
        }
        let verdict = match &result {
            Ok(_) => Verdict::Commit,
            Err(error) => match error.kind() {
                Kind::Retry => Verdict::Rerun,
                Kind::Lost => Verdict::Lost,
                _ => Verdict::RollBack,
            },
        };
        self.result = Some(result);
        verdict
    }

    fn take_plan(&mut self) -> Option<Plan> {
        self.plan.take()
    }

    fn is_planned(&self) -> bool {
        self.plan.is_some()
    }

    fn refuse(&mut self, error: Error) {
        self.result = Some(Err(error));
    }

    fn answer(self: Box<Self>) {
        let Self { result, reply, run, .. } = *self;
        // What the operation holds is free before its caller knows: the next request may need it.
        drop(run);
        let result = result.unwrap_or_else(|| Err(Error::internal("no answer was made")));
        // The caller may have gone; the work is done all the same.
        let _gone = reply.send(result);
    }

    fn fail(mut self: Box<Self>, error: Error) {
        self.refuse(error);
        self.answer();
    }

    fn queued_at(&self) -> Instant {
        self.queued_at
    }

    fn abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

/// 503: the queue is full, or the wait was too long.
pub(super) fn overloaded() -> Error {
    Error::unavailable("Too much is going on at once; please try again.")
}

/// 503: whether the commit happened is unknown; the idempotency key decides.
pub(super) fn unknown_fate(source: impl Into<anyhow::Error>) -> Error {
    Error::new(Kind::Lost, "unavailable", "The database was lost; please try again.")
        .retry_after(1)
        .because(source)
}

/// 503 after too many reruns.
pub(super) fn gave_up() -> Error {
    Error::unavailable("This could not be done just now; please try again.")
}

/// How long to wait before run number `run`: 5 to 100 ms, with full jitter.
pub(super) fn backoff(run: u32) -> Duration {
    let ceiling = 5_u64.saturating_mul(1 << run.min(5)).min(100);
    Duration::from_millis(rand::random_range(1..=ceiling))
}

/// Answers what waited too long; drops what nobody waits for.
pub(super) fn still_wanted(work: Box<dyn Work>) -> Option<Box<dyn Work>> {
    if work.abandoned() {
        return None;
    }
    if work.queued_at().elapsed() > QUEUE_WAIT_MAX {
        work.fail(overloaded());
        return None;
    }
    Some(work)
}

/// Answers all with an error.
pub(super) fn fail_all(batch: impl IntoIterator<Item = Box<dyn Work>>, error: impl Fn() -> Error) {
    batch.into_iter().for_each(|work| work.fail(error()));
}
