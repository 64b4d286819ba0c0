//! The provider of test mode: takes only the listed test numbers and moves no money.
//!
//! It keeps its answer by the attempt's id, as a real provider does, so that asking again (after a
//! crash, or twice) gives the same answer.

mod store;

use futures_util::future::BoxFuture;

use super::{Charge, GiveBack, Provider, Verdict};
use crate::db::{Db, Outcome, Scope};
use crate::kernel::Result;
use crate::kernel::ids::AttemptId;

/// A test number and what it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TestCard {
    number: &'static str,
    code: Option<&'static str>,
    decline_code: Option<&'static str>,
    oddity: Oddity,
}

/// What a card does besides being taken or refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Oddity {
    None,
    /// Refused, and found to have been taken after all when asked again.
    TakenAfterAll,
    /// Taken, and never given back.
    KeepsMoney,
}

/// The test numbers, as documented.
const CARDS: [TestCard; 9] = [
    card("4242424242424242", None, None),
    card("5555555555554444", None, None),
    card("4000000000000002", Some("card_declined"), Some("generic_decline")),
    card("4000000000009995", Some("card_declined"), Some("insufficient_funds")),
    card("4000000000000069", Some("expired_card"), None),
    card("4000000000000127", Some("incorrect_cvc"), None),
    card("4000000000000119", Some("processing_error"), None),
    TestCard {
        oddity: Oddity::TakenAfterAll,
        ..card("4000000000000259", Some("processing_error"), None)
    },
    TestCard { oddity: Oddity::KeepsMoney, ..card("4000000000005126", None, None) },
];

const fn card(
    number: &'static str,
    code: Option<&'static str>,
    decline_code: Option<&'static str>,
) -> TestCard {
    TestCard { number, code, decline_code, oddity: Oddity::None }
}

/// The test card with these last digits: no two share them.
pub fn card_ending(last4: &str) -> Option<TestCard> {
    CARDS.iter().find(|card| card.last4() == last4).copied()
}

/// The test card with this number; spaces are ignored.
pub fn test_card(number: &str) -> Option<TestCard> {
    let digits: String = number.chars().filter(|c| *c != ' ').collect();
    CARDS.iter().find(|card| card.number == digits).copied()
}

impl TestCard {
    /// `visa` or `mastercard`.
    pub fn brand(self) -> &'static str {
        if self.number.starts_with('5') { "mastercard" } else { "visa" }
    }

    /// The last four digits.
    pub fn last4(self) -> &'static str {
        self.number.split_at(self.number.len() - 4).1
    }

    /// What is answered to a charge.
    fn verdict(self) -> Verdict {
        match self.code {
            None => Verdict::Succeeded,
            Some(code) => Verdict::Failed { code, decline_code: self.decline_code },
        }
    }

    /// What is answered when it is asked about later.
    fn verdict_later(self) -> Verdict {
        match self.oddity {
            Oddity::TakenAfterAll => Verdict::Succeeded,
            Oddity::None | Oddity::KeepsMoney => self.verdict(),
        }
    }

    /// What is answered when its money is to be given back.
    fn given_back(self) -> Verdict {
        match self.oddity {
            Oddity::KeepsMoney => Verdict::Failed { code: "refund_refused", decline_code: None },
            Oddity::None | Oddity::TakenAfterAll => Verdict::Succeeded,
        }
    }
}

/// The provider of test mode.
#[derive(Clone)]
pub struct Sandbox {
    db: Db,
}

impl Sandbox {
    /// A sandbox that keeps its books in the same database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

/// Kept for an attempt that was asked about before it was made.
const NEVER: &str = "never";

const SCOPE: &str = "the sandbox provider's own books";

impl Provider for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn charge(&self, charge: Charge) -> BoxFuture<'_, Result<Verdict>> {
        Box::pin(async move {
            let scope = Scope::platform(SCOPE);
            let last4 = charge.card.last4();
            let attempt = charge.attempt;
            let answer = self.db.write(&scope, move |tx| {
                store::record(tx, &attempt, last4)?;
                store::find(tx, &attempt).map(Outcome::Done)
            });
            let kept = answer.await?.into_inner();
            let refused = Verdict::Failed { code: "processing_error", decline_code: None };
            Ok(kept.as_deref().and_then(card_ending).map_or(refused, TestCard::verdict))
        })
    }

    fn verdict(&self, attempt: AttemptId) -> BoxFuture<'_, Result<Option<Verdict>>> {
        Box::pin(async move {
            let scope = Scope::platform(SCOPE);
            // What was never heard of is refused from now on: the asker will tell the buyer so.
            let kept = self.db.write(&scope, move |tx| {
                store::record(tx, &attempt, NEVER)?;
                store::find(tx, &attempt).map(Outcome::Done)
            });
            let kept = kept.await?.into_inner();
            Ok(kept.as_deref().and_then(card_ending).map(TestCard::verdict_later))
        })
    }

    fn give_back(&self, order: GiveBack) -> BoxFuture<'_, Result<Verdict>> {
        Box::pin(async move {
            let scope = Scope::platform(SCOPE);
            let answer = self.db.write(&scope, move |tx| {
                let charged = store::find(tx, &order.attempt)?;
                let last4 = charged.unwrap_or_else(|| NEVER.to_owned());
                store::record_refund(tx, &order.refund, &last4)?;
                store::find_refund(tx, &order.refund).map(Outcome::Done)
            });
            let kept = answer.await?.into_inner();
            let refused = Verdict::Failed { code: "refund_refused", decline_code: None };
            Ok(kept.as_deref().and_then(card_ending).map_or(refused, TestCard::given_back))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_numbers_are_cards() {
        assert_eq!(test_card("4242 4242 4242 4242").map(TestCard::last4), Some("4242"));
        assert_eq!(test_card("4111111111111111"), None);
        assert_eq!(
            test_card("4000000000009995").map(TestCard::verdict),
            Some(Verdict::Failed {
                code: "card_declined",
                decline_code: Some("insufficient_funds")
            })
        );
    }
}
