//! Who takes the money, behind one trait and three steps.
//!
//! A charge is (1) committed as an attempt that is `processing`, (2) asked of the provider, keyed
//! by the attempt's id, outside of any transaction, (3) committed with its result. A crash between
//! the steps leaves an attempt that a worker asks the provider about until it knows. What a
//! provider refused without being sure (`processing_error`) it is asked about once more. Money is
//! given back by a job, keyed by the refund's id.

mod sandbox;

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::kernel::ids::{AttemptId, RefundId};
use crate::kernel::{Money, Result};

pub use sandbox::{Sandbox, TestCard, card_ending, test_card};

/// What a provider is asked to take.
#[derive(Clone, Debug)]
pub struct Charge {
    /// Makes the request idempotent at the provider.
    pub attempt: AttemptId,
    /// How much.
    pub amount: Money,
    /// From which card.
    pub card: TestCard,
}

/// What a provider answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The money is taken.
    Succeeded,
    /// It is not, and will not be by this attempt.
    Failed {
        /// `card_declined`, `expired_card`, `incorrect_cvc`, `processing_error`.
        code: &'static str,
        /// Why, where the provider says.
        decline_code: Option<&'static str>,
    },
}

/// What a provider is asked to give back.
#[derive(Clone, Debug)]
pub struct GiveBack {
    /// Makes the request idempotent at the provider.
    pub refund: RefundId,
    /// The charge it was taken by.
    pub attempt: AttemptId,
    /// How much.
    pub amount: Money,
}

/// Takes money.
pub trait Provider: Send + Sync {
    /// Its name, as kept on attempts.
    fn name(&self) -> &'static str;
    /// Takes the money, or not. An error means that it is not known.
    fn charge(&self, charge: Charge) -> BoxFuture<'_, Result<Verdict>>;
    /// What became of an attempt; `None` when the provider never heard of it.
    fn verdict(&self, attempt: AttemptId) -> BoxFuture<'_, Result<Option<Verdict>>>;
    /// Gives money back, or not. An error means that it is not known: ask again.
    fn give_back(&self, order: GiveBack) -> BoxFuture<'_, Result<Verdict>>;
}

/// What is kept of a card.
pub fn card_summary(brand: &str, last4: &str, exp_month: i64, exp_year: i64) -> Value {
    serde_json::json!({
        "brand": brand, "last4": last4, "exp_month": exp_month, "exp_year": exp_year
    })
}
