//! A provider as they are: it answers late, twice, or not at all, and knows more than it said.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rialto::db::Db;
use rialto::kernel::ids::{AttemptId, Id};
use rialto::kernel::{Error, Result};
use rialto::payments::providers::{Charge, GiveBack, Provider, Sandbox, Verdict};

/// What it does with an attempt, by the attempt's id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mood {
    /// As it should be.
    Well,
    /// Takes the money, and the answer is lost.
    AnswerLost,
    /// Never hears of it.
    RequestLost,
    /// Takes the money, answers when somebody else has asked meanwhile.
    Late,
    /// Takes the money, loses the answer, and does not know at first when it is asked.
    Silent,
}

/// Asked less often than this, a silent provider does not know.
const SILENT_FOR: u32 = 3;

pub struct Moody {
    books: Sandbox,
    asked: Mutex<HashMap<AttemptId, u32>>,
}

impl Moody {
    pub fn new(db: Db) -> Self {
        Self { books: Sandbox::new(db), asked: Mutex::new(HashMap::new()) }
    }

    fn mood(attempt: &AttemptId) -> Mood {
        const MOODS: [Mood; 5] =
            [Mood::Well, Mood::AnswerLost, Mood::RequestLost, Mood::Late, Mood::Silent];
        let sum: usize = attempt.as_str().bytes().map(usize::from).sum();
        MOODS[sum % MOODS.len()]
    }
}

fn timeout() -> Error {
    Error::unavailable("The provider did not answer.")
}

impl Provider for Moody {
    fn name(&self) -> &'static str {
        "moody"
    }

    fn charge(&self, charge: Charge) -> BoxFuture<'_, Result<Verdict>> {
        Box::pin(async move {
            let mood = Self::mood(&charge.attempt);
            if mood == Mood::RequestLost {
                return Err(timeout());
            }
            let verdict = self.books.charge(charge).await?;
            match mood {
                Mood::Well | Mood::RequestLost => Ok(verdict),
                Mood::AnswerLost | Mood::Silent => Err(timeout()),
                Mood::Late => {
                    tokio::time::sleep(Duration::from_millis(1500)).await;
                    Ok(verdict)
                }
            }
        })
    }

    fn verdict(&self, attempt: AttemptId) -> BoxFuture<'_, Result<Option<Verdict>>> {
        Box::pin(async move {
            let asked = {
                let mut asked = self.asked.lock().unwrap();
                let count = asked.entry(attempt.clone()).or_default();
                *count += 1;
                *count
            };
            if Self::mood(&attempt) == Mood::Silent && asked < SILENT_FOR {
                return Err(timeout());
            }
            self.books.verdict(attempt).await
        })
    }

    fn give_back(&self, order: GiveBack) -> BoxFuture<'_, Result<Verdict>> {
        self.books.give_back(order)
    }
}
