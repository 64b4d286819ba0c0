//! Instants and the one clock.
//!
//! A [`Timestamp`] is UTC with microseconds: what both databases keep exactly. On the wire it is
//! RFC 3339 with milliseconds and `Z`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Serialize, Serializer};

/// An instant in UTC, truncated to microseconds.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = crate::db::types::Instant)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// The beginning of 1970, before everything that is kept.
    pub const EPOCH: Self = Self(DateTime::UNIX_EPOCH);

    /// From microseconds since 1970; what lies outside chrono's range becomes 1970.
    pub fn from_unix_micros(micros: i64) -> Self {
        Self(DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH))
    }

    /// Microseconds since 1970.
    pub fn unix_micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// Seconds and nanoseconds since 1970 (0 before it).
    pub fn unix(self) -> (u64, u32) {
        (u64::try_from(self.0.timestamp()).unwrap_or(0), self.0.timestamp_subsec_nanos())
    }

    /// Drops what is finer than a microsecond.
    pub fn from_chrono(at: DateTime<Utc>) -> Self {
        Self::from_unix_micros(at.timestamp_micros())
    }

    /// The same instant for calendar work.
    pub fn to_chrono(self) -> DateTime<Utc> {
        self.0
    }

    /// Later by so many seconds (earlier when negative); saturates.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_micros(seconds.saturating_mul(1_000_000))
    }

    /// Later by so many milliseconds; saturates.
    pub fn plus_millis(self, millis: i64) -> Self {
        self.plus_micros(millis.saturating_mul(1000))
    }

    fn plus_micros(self, micros: i64) -> Self {
        let moved = self.0.checked_add_signed(TimeDelta::microseconds(micros));
        Self(moved.unwrap_or(if micros < 0 { DateTime::UNIX_EPOCH } else { self.0 }))
    }

    /// `2026-12-31T22:00:00.000Z`.
    pub fn rfc3339(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// The day it is in a zone, as `2026-12-31`; in UTC where the zone is not known.
    pub fn local_day(self, zone: Option<&str>) -> String {
        let zone = zone.and_then(|zone| zone.parse().ok()).unwrap_or(chrono_tz::UTC);
        self.0.with_timezone(&zone).format("%Y-%m-%d").to_string()
    }

    /// Reads RFC 3339 with any offset.
    pub fn parse(text: &str) -> Option<Self> {
        let at = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
        // Years outside this range have no four-digit form and no database agrees on them.
        (1..=9999).contains(&chrono::Datelike::year(&at)).then(|| Self::from_chrono(at))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

/// The clock of one server. It never runs backwards and can be moved forward in tests.
///
/// Operations do not read it: they are given `tx.now()`, which on PostgreSQL is the database's
/// clock plus this clock's offset, so that many servers agree.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    offset_micros: AtomicI64,
    latest_micros: AtomicI64,
}

impl Clock {
    /// The system's time plus the offset, never earlier than the last answer.
    pub fn now(&self) -> Timestamp {
        let system = Utc::now().timestamp_micros();
        self.forward_only(system.saturating_add(self.offset_micros()))
    }

    /// Another clock's reading (the database's) plus the offset.
    pub fn adjust(&self, reading: Timestamp) -> Timestamp {
        Timestamp::from_unix_micros(reading.unix_micros().saturating_add(self.offset_micros()))
    }

    /// Moves this clock forward; only test configurations hand out a clock to move.
    pub fn advance_millis(&self, millis: u32) {
        let micros = i64::from(millis).saturating_mul(1000);
        self.shared.offset_micros.fetch_add(micros, Ordering::SeqCst);
    }

    fn offset_micros(&self) -> i64 {
        self.shared.offset_micros.load(Ordering::SeqCst)
    }

    fn forward_only(&self, micros: i64) -> Timestamp {
        let before = self.shared.latest_micros.fetch_max(micros, Ordering::SeqCst);
        Timestamp::from_unix_micros(before.max(micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_any_offset_and_writes_utc_milliseconds() {
        let at = Timestamp::parse("2026-06-04T20:30:00.1234567+02:00").unwrap();
        assert_eq!(at.rfc3339(), "2026-06-04T18:30:00.123Z");
        assert_eq!(at.unix_micros() % 1_000_000, 123_456);
        assert!(Timestamp::parse("2026-06-04").is_none());
        assert!(Timestamp::parse("+12026-06-04T20:30:00Z").is_none());
    }

    #[test]
    fn the_clock_moves_forward_only() {
        let clock = Clock::default();
        let before = clock.now();
        clock.advance_millis(60_000);
        assert!(clock.now() >= before.plus_seconds(60));
    }
}
