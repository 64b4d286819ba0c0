//! Connections for queries, and whose turn it is.
//!
//! A query is run on a thread for blocking work; without turns every waiting request would have
//! such a thread, whose memory is worth more than its waiting.

use std::sync::Arc;
use std::time::Duration;

use r2d2::PooledConnection;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::conn::{DatabaseUrl, Manager, Purpose};
use crate::kernel::{Error, Result};

/// A query waits so long for a reader before it is answered 503.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// The reader pool.
pub(super) struct Readers {
    pool: r2d2::Pool<Manager>,
    turns: Arc<Semaphore>,
    // One for all HTTP threads, each of which would keep threads of its own.
    runtime: Handle,
}

impl Readers {
    pub(super) fn open(url: &DatabaseUrl, most: u32) -> anyhow::Result<Self> {
        let manager = Manager { url: url.clone(), purpose: Purpose::Read };
        // Opened here first: the pool would hide why it cannot connect behind a long wait.
        r2d2::ManageConnection::connect(&manager)?;
        let pool = r2d2::Pool::builder()
            .max_size(most)
            .min_idle(Some(1))
            .connection_timeout(WAIT_MAX)
            .test_on_check_out(false)
            .build(manager)?;
        let turns = Arc::new(Semaphore::new(usize::try_from(most)?));
        Ok(Self { pool, turns, runtime: Handle::try_current()? })
    }

    /// Waits for a turn, which lasts until what it answers is dropped.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        let turn = tokio::time::timeout(WAIT_MAX, self.turns.clone().acquire_owned());
        turn.await.map_err(busy)?.map_err(busy)
    }

    /// Runs something on a thread that may block.
    pub(super) async fn spawn<T: Send + 'static>(
        &self,
        run: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.runtime.spawn_blocking(run).await.map_err(Error::internal)
    }

    /// A connection; to be asked for in one's turn.
    pub(super) fn get(&self) -> Result<PooledConnection<Manager>> {
        self.pool.get().map_err(busy)
    }

    /// A connection that is free at this moment.
    pub(super) fn get_idle(&self) -> Option<PooledConnection<Manager>> {
        self.pool.try_get()
    }

    pub(super) fn most(&self) -> u32 {
        self.pool.max_size()
    }
}

fn busy(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::unavailable("The database is busy; please try again.").because(error)
}
