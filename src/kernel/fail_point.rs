//! Where a server can die between two worlds: before and after every commit and every outside
//! call.
//!
//! All of them go through [`around`] or [`around_call`] (`tests/it/tidy.rs` sees to that), so a
//! new one has its two points from the first day, and `tests/fire` crashes a server at each. In a
//! debug build `RIALTO_FAIL_POINT=before:sales_commit` aborts the process there, and
//! `after:mail_send:3` at the third visit. A release build contains none of it.

use crate::text_enum;

text_enum! {
    /// A commit or an outside call.
    pub enum Step {
        /// SQLite's writer commits a batch.
        SqliteCommit = "sqlite_commit",
        /// PostgreSQL's sales lane commits a batch.
        SalesCommit = "sales_commit",
        /// A PostgreSQL writer commits one operation.
        PostgresCommit = "postgres_commit",
        /// A provider is asked for money.
        ProviderCharge = "provider_charge",
        /// A provider is asked what became of an attempt.
        ProviderVerdict = "provider_verdict",
        /// A provider is asked to give money back.
        ProviderRefund = "provider_refund",
        /// A message is handed to the mail server, or captured.
        MailSend = "mail_send",
    }
}

/// Takes a step; the process may be told to die on either side of it.
pub fn around<T>(step: Step, act: impl FnOnce() -> T) -> T {
    visit("before", step);
    let done = act();
    visit("after", step);
    done
}

/// The same for a call that takes its time.
pub async fn around_call<T>(step: Step, call: impl Future<Output = T>) -> T {
    visit("before", step);
    let done = call.await;
    visit("after", step);
    done
}

#[cfg(debug_assertions)]
fn visit(edge: &str, step: Step) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Armed {
        place: String,
        visits_left: AtomicU64,
    }
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    let armed = ARMED.get_or_init(|| {
        let told = std::env::var("RIALTO_FAIL_POINT").ok()?;
        let mut parts = told.splitn(3, ':');
        let place = format!("{}:{}", parts.next()?, parts.next()?);
        let visit = parts.next().map_or(Some(1), |visit| visit.parse().ok())?;
        Some(Armed { place, visits_left: AtomicU64::new(visit) })
    });
    let Some(armed) = armed else { return };
    if armed.place == format!("{edge}:{}", step.as_str())
        && armed.visits_left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}

#[cfg(not(debug_assertions))]
fn visit(_edge: &str, _step: Step) {}
