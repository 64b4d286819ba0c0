//! PostgreSQL's clock, which all servers share, without asking for it every time.
//!
//! A reading is trusted for a second: the database's instant then, and how far a clock that only
//! moves forward has moved since. A server whose own time of day jumps does not notice it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Moment};

use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::AnyConnection;
use super::types::Instant;
use crate::kernel::{Clock, Timestamp};

/// A reading is used so long.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// The last reading, and when it was taken.
#[derive(Default)]
pub(super) struct DatabaseClock(Mutex<Option<(Timestamp, Moment)>>);

impl DatabaseClock {
    /// The instant by the last reading, however old; by our own clock before the first.
    pub(super) fn now(&self, clock: &Clock) -> Timestamp {
        match self.last() {
            Some((reading, at)) => clock.adjust(later(reading, at.elapsed())),
            None => clock.now(),
        }
    }

    /// The instant, from a reading that is at most a second old.
    pub(super) fn now_at(
        &self,
        clock: &Clock,
        conn: &mut AnyConnection,
    ) -> diesel::QueryResult<Timestamp> {
        let AnyConnection::Postgres(conn) = conn else {
            return Ok(clock.now());
        };
        let fresh = self.last().filter(|(_, at)| at.elapsed() < TRUSTED_FOR);
        if fresh.is_none() {
            let asked = Moment::now();
            let reading: Reading = sql_query("SELECT clock_timestamp() AS at").get_result(conn)?;
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((reading.at, asked));
        }
        Ok(self.now(clock))
    }

    fn last(&self) -> Option<(Timestamp, Moment)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn later(reading: Timestamp, by: Duration) -> Timestamp {
    let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_unix_micros(reading.unix_micros().saturating_add(micros))
}

#[derive(QueryableByName)]
struct Reading {
    #[diesel(sql_type = Instant)]
    at: Timestamp,
}
