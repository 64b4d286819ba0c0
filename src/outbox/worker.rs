//! The loop that does what commits left to do.
//!
//! Woken by every commit of this server and otherwise ten times a second. Several servers may run
//! it over one database: numbering takes a lock, jobs are claimed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::feed;
use super::jobs::{self, Claimed};
use crate::db::{Db, Outcome, Scope};
use crate::kernel::{Error, Result};

/// Looks for work so often when no commit wakes it.
const POLL: Duration = Duration::from_millis(100);

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
}

impl Worker {
    /// A worker over a database.
    pub fn new(db: Db, handlers: Handlers) -> Self {
        Self { db, handlers }
    }

    /// Runs until told to stop; what is in hand is finished first.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut commits = self.db.commits();
        while !*stop.borrow() {
            if let Err(error) = self.run_until_idle().await {
                tracing::warn!(?error, "the worker could not finish its turn");
            }
            tokio::select! {
                _ = stop.changed() => {}
                _ = commits.changed() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Does everything that is due now, and what that leads to.
    pub async fn run_until_idle(&self) -> Result<()> {
        loop {
            feed::sequence(&self.db).await?;
            let mut did = 0;
            for sweep in &self.handlers.sweeps {
                did += sweep(self.db.clone()).await?;
            }
            did += self.run_jobs().await?;
            if did == 0 {
                return Ok(());
            }
        }
    }

    async fn run_jobs(&self) -> Result<usize> {
        let scope = Scope::platform("running jobs");
        let claimed = self.db.write(&scope, |tx| jobs::claim(tx).map(Outcome::Done));
        let claimed = claimed.await?.into_inner();
        let count = claimed.len();
        for job in claimed {
            self.run_job(&scope, job).await?;
        }
        Ok(count)
    }

    async fn run_job(&self, scope: &Scope, job: Claimed) -> Result<()> {
        let outcome = match self.handlers.by_kind.get(job.kind.as_str()) {
            Some(handler) => handler(self.db.clone(), job.clone()).await,
            None => Err(Error::internal(format!("no handler for {}", job.kind))),
        };
        let write = match outcome {
            Ok(()) => {
                let id = job.id.clone();
                self.db.write(scope, move |tx| Ok(Outcome::Done(jobs::finish(tx, &id)?))).await
            }
            Err(error) => {
                tracing::warn!(job = %job.id, kind = job.kind, attempt = job.attempt, ?error,
                    "a job failed");
                let reason = error.code();
                let write = move |tx: &mut crate::db::Tx<'_>| {
                    Ok(Outcome::Done(jobs::fail(tx, &job, reason)?))
                };
                self.db.write(scope, write).await
            }
        };
        write.map(|_| ())
    }
}
