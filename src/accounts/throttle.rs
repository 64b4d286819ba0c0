//! Who tries too often is asked to wait, by this server.
//!
//! A log-in that fails is counted for its account and address together, and for the address:
//! whoever guesses a password is stopped, and its owner, who comes from elsewhere, is not. Other
//! calls that cost work or mail are counted for the address.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use moka::sync::Cache;

use crate::kernel::{Error, Result, Timestamp};

/// What is counted is counted for so long.
const WINDOW_SECONDS: i64 = 600;
/// Most accounts and addresses remembered.
const KNOWN_MAX: u64 = 100_000;

/// What is counted, and how often it may happen in ten minutes.
#[derive(Clone, Copy, Debug)]
pub enum Counted {
    /// Wrong passwords for an account from an address.
    WrongPassword,
    /// Wrong passwords from an address.
    WrongPasswords,
    /// Sign-ups, confirmations and resets from an address.
    Request,
    /// Letters to an e-mail.
    Letter,
}

impl Counted {
    fn most(self) -> u32 {
        match self {
            Self::WrongPassword => 10,
            Self::WrongPasswords => 100,
            Self::Request => 120,
            Self::Letter => 5,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::WrongPassword => "password",
            Self::WrongPasswords => "passwords",
            Self::Request => "request",
            Self::Letter => "letter",
        }
    }
}

#[derive(Clone)]
struct Window {
    until: Timestamp,
    count: Arc<AtomicU32>,
}

/// The counts; part of the environment.
pub struct Throttle(Cache<String, Window>);

impl Default for Throttle {
    fn default() -> Self {
        let life = Duration::from_secs(WINDOW_SECONDS.unsigned_abs());
        Self(Cache::builder().max_capacity(KNOWN_MAX).time_to_live(life).build())
    }
}

impl Throttle {
    fn window(&self, what: Counted, who: &str, now: Timestamp) -> Window {
        let key = format!("{} {who}", what.name());
        let entry = self.0.entry(key).and_upsert_with(|old| {
            let old = old.map(moka::Entry::into_value).filter(|old| now < old.until);
            old.unwrap_or_else(|| Window {
                until: now.plus_seconds(WINDOW_SECONDS),
                count: Arc::default(),
            })
        });
        entry.into_value()
    }

    /// Whether it has happened less often than it may. 429.
    pub fn check(&self, what: Counted, who: &str, now: Timestamp) -> Result<()> {
        let window = self.window(what, who, now);
        if window.count.load(Ordering::Relaxed) < what.most() {
            return Ok(());
        }
        let left = (window.until.unix_micros() - now.unix_micros()) / 1_000_000 + 1;
        let message = "Too many attempts; please wait before you try again.";
        Err(Error::rate_limited(message, u32::try_from(left).unwrap_or(1)))
    }

    /// It has happened.
    pub fn count(&self, what: Counted, who: &str, now: Timestamp) {
        self.window(what, who, now).count.fetch_add(1, Ordering::Relaxed);
    }

    /// The two together.
    pub fn pass(&self, what: Counted, who: &str, now: Timestamp) -> Result<()> {
        self.check(what, who, now)?;
        self.count(what, who, now);
        Ok(())
    }
}
