//! Moving SQLite's log into the database file beside the writer.
//!
//! A commit appends to the log; what the log says is moved into the file later. SQLite would have
//! the writer do that, while all sales wait. Here a thread with a connection of its own does most
//! of it, and the writer only what was committed meanwhile: once all of the log is in the file,
//! the next commit begins it anew. Durability is the log's alone; nothing here decides it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use diesel::connection::SimpleConnection;
use diesel::{QueryResult, QueryableByName, RunQueryDsl, sql_query};

use super::conn::{AnyConnection, DatabaseUrl, Purpose, SQLITE_CHECKPOINT_PAGES};

/// The log's length is looked at no more often.
const PAUSE: Duration = Duration::from_millis(20);
/// The same after an error: a full disk is not told of fifty times a second.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);
/// Pages that are little enough for the writer to move.
const REST_MAX: i64 = 1024;

/// The writer's end.
pub(super) struct Checkpointer {
    commits: SyncSender<()>,
    nearly_done: Arc<AtomicBool>,
}

impl Checkpointer {
    /// Starts the thread, which ends when this is dropped.
    pub(super) fn start(url: &DatabaseUrl) -> anyhow::Result<Self> {
        let conn = url.connect(Purpose::Write)?;
        let (commits, heard) = sync_channel(1);
        let nearly_done = Arc::new(AtomicBool::new(false));
        let mover = Mover { conn, nearly_done: nearly_done.clone() };
        let thread = thread::Builder::new().name("sqlite-checkpoint".to_owned());
        thread.spawn(move || mover.run(&heard)).context("cannot start the checkpoint thread")?;
        Ok(Self { commits, nearly_done })
    }

    /// To be told after every commit. Adds what is left when most has been moved.
    pub(super) fn committed(&self, writer: &mut AnyConnection) {
        // A full queue says it already.
        let _heard = self.commits.try_send(());
        if self.nearly_done.swap(false, Ordering::Relaxed)
            && let Err(error) = checkpoint(writer)
        {
            tracing::warn!(%error, "the rest of the log could not be moved");
        }
    }
}

struct Mover {
    conn: AnyConnection,
    nearly_done: Arc<AtomicBool>,
}

#[derive(QueryableByName)]
struct Log {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    log: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    checkpointed: i64,
}

impl Mover {
    fn run(mut self, commits: &Receiver<()>) {
        while commits.recv().is_ok() {
            let pause = match self.look() {
                Ok(()) => PAUSE,
                Err(error) => {
                    tracing::warn!(%error, "the log could not be moved");
                    PAUSE_AFTER_ERROR
                }
            };
            thread::sleep(pause);
        }
    }

    /// A long log is moved until little of it is left, which is the writer's. While somebody reads
    /// from the log it cannot begin anew; then it is tried again.
    fn look(&mut self) -> QueryResult<()> {
        let Log { log, checkpointed } = self.log()?;
        if log < i64::from(SQLITE_CHECKPOINT_PAGES) {
            return Ok(());
        }
        let mut rest = log - checkpointed;
        if rest > REST_MAX {
            checkpoint(&mut self.conn)?;
            let Log { log, checkpointed } = self.log()?;
            rest = log - checkpointed;
        }
        self.nearly_done.store((1..=REST_MAX).contains(&rest), Ordering::Relaxed);
        Ok(())
    }

    fn log(&mut self) -> QueryResult<Log> {
        sql_query("PRAGMA wal_checkpoint(NOOP)").get_result(&mut self.conn)
    }
}

/// Moves what nobody reads from the log any more. Waits for nobody.
fn checkpoint(conn: &mut AnyConnection) -> QueryResult<()> {
    conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)")
}
