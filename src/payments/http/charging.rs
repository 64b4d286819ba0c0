//! Money is taken in three steps: commit the attempt, ask the provider, commit what it said.

use std::sync::Arc;

use serde_json::Value;

use crate::db::{Outcome, Tx};
use crate::kernel::fail_point::{Step, around_call};
use crate::kernel::{Error, Result};
use crate::payments::ops;
use crate::payments::ops::pay::Begun;
use crate::payments::providers::Provider;
use crate::web::answer::{Answer, Reply};
use crate::web::{Actor, state::State};

/// Takes the steps, and answers what is kept under the key and whether it was before. In a task of
/// its own: a caller that hangs up must not leave them half done.
pub(super) async fn take<P: 'static, G: 'static>(
    (state, actor, running): (State, Actor<P>, G),
    provider: Arc<dyn Provider>,
    begin: impl Fn(&mut Tx<'_>) -> Result<Outcome<Begun>> + Send + 'static,
) -> Result<(Answer, bool)> {
    let steps = actix_web::rt::spawn(async move {
        let _running = running;
        let (db, scope) = (&state.db, actor.scope());
        let (charge, attempt) = match db.write(scope, begin).await?.into_inner() {
            Begun::Replay(answer) => return Ok((answer, true)),
            Begun::Charge(both) => *both,
        };
        let verdict = around_call(Step::ProviderCharge, provider.charge(charge)).await?;
        let conclude = move |tx: &mut Tx<'_>| ops::pay::conclude(tx, &attempt, &verdict);
        match db.write(scope, conclude).await?.into_inner() {
            Reply::Good(answer) => Ok((answer, false)),
            Reply::Bad(error) => Err(error),
        }
    });
    steps.await.unwrap_or_else(|error| Err(Error::internal(error)))
}

/// The body as the fingerprint sees it: a card is never hashed.
pub(super) fn without_card(mut canonical: Value) -> Value {
    if let Some(method) = canonical.get_mut("payment_method").and_then(Value::as_object_mut) {
        method.remove("card");
    }
    canonical
}
