//! The table `jobs`: the platform's work.

use diesel::prelude::*;

use crate::db::schema::jobs;
use crate::db::types::Json;
use crate::db::{AnyConnection, Tx};
use crate::kernel::ids::JobId;
use crate::kernel::{Result, Timestamp};
use crate::outbox::jobs::{Claimed, Job};
use crate::{append_only, on_each, text_enum};

text_enum! {
    /// Whether a job is still to be tried.
    pub enum JobState {
        /// To be run at `run_at`.
        Waiting = "waiting",
        /// All tries are used up.
        Failed = "failed",
    }
}

#[derive(Insertable)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
struct JobRow {
    id: JobId,
    kind: String,
    payload: Json,
    state: JobState,
    run_at: Timestamp,
    attempts: i64,
    last_error: Option<String>,
    created_at: Timestamp,
}
append_only!(
    JobRow,
    jobs,
    92,
    [id, kind, payload, state, run_at, attempts, last_error, created_at,]
);

pub(in crate::outbox) fn append_job(tx: &mut Tx<'_>, job: Job) {
    let row = JobRow {
        id: tx.id(),
        kind: job.kind.to_owned(),
        payload: Json(job.payload),
        state: JobState::Waiting,
        run_at: job.run_at.unwrap_or(tx.now()),
        attempts: 0,
        last_error: None,
        created_at: tx.now(),
    };
    tx.append(row);
}

#[diesel::dsl::auto_type(no_type_alias)]
fn due_jobs(now: Timestamp) -> _ {
    let waiting: JobState = JobState::Waiting;
    jobs::table.filter(jobs::state.eq(waiting)).filter(jobs::run_at.le(now))
}

pub(in crate::outbox) fn any_due_job(tx: &mut Tx<'_>) -> Result<bool> {
    let any = due_jobs(tx.now()).order(jobs::run_at).select(jobs::id).limit(1);
    Ok(on_each!(tx.conn()?, |c| any.first::<JobId>(c)).optional()?.is_some())
}

/// A job that is due and that no other worker is just taking, pushed back by its lease.
pub(in crate::outbox) fn claim_job(
    tx: &mut Tx<'_>,
    leased_until: Timestamp,
) -> Result<Option<Claimed>> {
    let due = due_jobs(tx.now()).order(jobs::run_at).limit(1).select((
        jobs::id,
        jobs::kind,
        jobs::payload,
        jobs::attempts,
    ));
    let found = match tx.conn()? {
        AnyConnection::Postgres(conn) => due.for_update().skip_locked().first(conn),
        AnyConnection::Sqlite(conn) => due.first(conn),
    };
    let found: Option<(JobId, String, Json, i64)> = found.optional()?;
    let Some((id, kind, payload, attempts)) = found else {
        return Ok(None);
    };
    diesel::update(jobs::table.find(&id))
        .set((jobs::run_at.eq(leased_until), jobs::attempts.eq(attempts + 1)))
        .execute(tx.conn()?)?;
    Ok(Some(Claimed { id, kind, payload: payload.0, attempt: attempts + 1 }))
}

/// `false` when the lease had run out and somebody else claimed the job since.
pub(in crate::outbox) fn renew_job(
    tx: &mut Tx<'_>,
    job: &Claimed,
    until: Timestamp,
) -> Result<bool> {
    let mine = jobs::table.find(&job.id).filter(jobs::attempts.eq(job.attempt));
    Ok(diesel::update(mine).set(jobs::run_at.eq(until)).execute(tx.conn()?)? == 1)
}

/// `false` when the lease had run out and somebody else claimed the job since.
pub(in crate::outbox) fn delete_job(tx: &mut Tx<'_>, job: &Claimed) -> Result<bool> {
    let mine = jobs::table.find(&job.id).filter(jobs::attempts.eq(job.attempt));
    Ok(diesel::delete(mine).execute(tx.conn()?)? == 1)
}

/// `run_at` `None`: no further try. `false` when somebody else claimed the job since.
pub(in crate::outbox) fn reschedule_job(
    tx: &mut Tx<'_>,
    job: &Claimed,
    run_at: Option<Timestamp>,
    reason: &str,
) -> Result<bool> {
    let state = if run_at.is_some() { JobState::Waiting } else { JobState::Failed };
    let run_at = run_at.unwrap_or(tx.now());
    let mine = jobs::table.find(&job.id).filter(jobs::attempts.eq(job.attempt));
    let updated = diesel::update(mine)
        .set((jobs::state.eq(state), jobs::run_at.eq(run_at), jobs::last_error.eq(Some(reason))))
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}
