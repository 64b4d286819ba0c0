//! The loop that does what commits left to do.
//!
//! Woken by the commits of this server and otherwise ten times a second. Several servers may run
//! it over one database: numbering takes a lock, jobs are claimed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::feed;
use super::jobs::{self, Claimed};
use crate::db::{Db, Outcome, Scope, Tx};
use crate::kernel::{Error, Result};

/// Looks for work so often when no commit wakes it.
const POLL: Duration = Duration::from_millis(100);

/// Pauses so long after a turn: under load, one turn for many commits is cheaper than one for each.
const BREATH: Duration = Duration::from_millis(10);

/// The lease of a job in hand is renewed so often: well before it runs out.
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// Jobs in hand at once.
const JOBS_AT_ONCE: usize = 4;

/// Does one kind of job.
pub type Handler = Arc<dyn Fn(Db, Claimed) -> BoxFuture<'static, Result<()>> + Send + Sync>;
/// Does what is due by the clock; answers how much there was.
pub type Sweep = Arc<dyn Fn(Db) -> BoxFuture<'static, Result<usize>> + Send + Sync>;

/// Who does what; put together by `app`.
#[derive(Clone, Default)]
pub struct Handlers {
    by_kind: BTreeMap<&'static str, Handler>,
    sweeps: Vec<Sweep>,
}

impl Handlers {
    /// Adds the handler of a kind of job.
    pub fn on(mut self, kind: &'static str, handler: Handler) -> Self {
        self.by_kind.insert(kind, handler);
        self
    }

    /// Adds something to look after at every turn.
    pub fn sweep(mut self, sweep: Sweep) -> Self {
        self.sweeps.push(sweep);
        self
    }
}

/// The loop.
#[derive(Clone)]
pub struct Worker {
    db: Db,
    handlers: Handlers,
    renew_every: Duration,
}

impl Worker {
    /// A worker over a database.
    pub fn new(db: Db, handlers: Handlers) -> Self {
        Self { db, handlers, renew_every: RENEW_EVERY }
    }

    /// The same with a shorter pause between renewals.
    pub fn renewing_every(self, renew_every: Duration) -> Self {
        Self { renew_every, ..self }
    }

    /// Runs until told to stop; what is in hand is finished first.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut commits = self.db.commits();
        while !*stop.borrow() {
            if let Err(error) = self.turn().await {
                tracing::warn!(code = error.code(), "the worker could not finish its turn");
            }
            tokio::time::sleep(BREATH).await;
            tokio::select! {
                _ = stop.changed() => {}
                _ = commits.changed() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Does everything that is due now, and what that leads to.
    pub async fn run_until_idle(&self) -> Result<()> {
        while self.turn().await? > 0 {}
        Ok(())
    }

    /// Looks after everything once; answers how much there was. A sweep that fails is left for
    /// the next turn and keeps nothing else from being done.
    async fn turn(&self) -> Result<usize> {
        feed::sequence(&self.db).await?;
        let mut did = 0;
        for sweep in &self.handlers.sweeps {
            match sweep(self.db.clone()).await {
                Ok(count) => did += count,
                Err(error) => tracing::warn!(code = error.code(), "a sweep failed"),
            }
        }
        let jobs = (0..JOBS_AT_ONCE).map(|_| self.run_one_job());
        for ran in futures_util::future::join_all(jobs).await {
            did += usize::from(ran?);
        }
        Ok(did)
    }

    /// Claims a job and does it: the lease covers one job only.
    async fn run_one_job(&self) -> Result<bool> {
        let scope = Scope::platform("running jobs");
        if !self.db.read(&scope, jobs::any_due).await? {
            return Ok(false);
        }
        let claimed = self.db.write(&scope, |tx| jobs::claim(tx).map(Outcome::Done));
        let Some(job) = claimed.await?.into_inner() else {
            return Ok(false);
        };
        let write = match self.handle(&job).await {
            Ok(()) => {
                let write = move |tx: &mut Tx<'_>| Ok(Outcome::Done(jobs::finish(tx, &job)?));
                self.db.write(&scope, write).await
            }
            Err(error) => {
                // The code only: causes may quote a mail server that quotes an address.
                let code = error.code();
                tracing::warn!(job = %job.id, kind = job.kind, attempt = job.attempt, code,
                    "a job failed");
                let write = move |tx: &mut Tx<'_>| Ok(Outcome::Done(jobs::fail(tx, &job, code)?));
                self.db.write(&scope, write).await
            }
        };
        write.map(|_| true)
    }

    /// Does a job and keeps its lease meanwhile: one that takes long is not taken for lost.
    async fn handle(&self, job: &Claimed) -> Result<()> {
        let Some(handler) = self.handlers.by_kind.get(job.kind.as_str()) else {
            return Err(Error::internal("no handler for this kind of job"));
        };
        // A task of its own: a handler that panics fails its job, not the worker.
        let mut doing = tokio::spawn(handler(self.db.clone(), job.clone()));
        loop {
            tokio::select! {
                done = &mut doing => {
                    return done.unwrap_or_else(|_| Err(Error::internal("a handler panicked")));
                }
                () = tokio::time::sleep(self.renew_every) => {}
            }
            let claimed = job.clone();
            let renew = move |tx: &mut Tx<'_>| jobs::renew(tx, &claimed).map(Outcome::Done);
            let renewed = self.db.write(&Scope::platform("keeping a lease"), renew).await;
            // Where it could not be asked, the lease still has most of its time to run.
            if renewed.is_ok_and(|mine| !mine.into_inner()) {
                doing.abort();
                return Err(Error::internal("a job was taken over by another worker"));
            }
        }
    }
}
