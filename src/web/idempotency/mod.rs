//! A POST under an `Idempotency-Key` has its effect once.
//!
//! Claim, effect, changes, jobs and the stored answer commit together, so a crash leaves all or
//! nothing. The first success is kept 72 hours and replayed byte for byte; a refused or failed
//! request leaves the key free; another body under the key is 422; a twin still running is 409.
//! Keys belong to a tenant and a mode.

mod store;

use std::collections::HashSet;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde_json::Value;

use super::answer::{Answer, Reply};
use super::auth::Actor;
use super::body::canonical_text;
use super::state::State;
use crate::db::{Db, Outcome, Tx};
use crate::kernel::secret::ServerKey;
use crate::kernel::{Error, Kind, Mode, Result};

pub use store::{Found, any_old, sweep};

/// Longest key.
pub const KEY_MAX_BYTES: usize = 255;
/// Answers are kept so long.
pub const RETENTION_SECONDS: i64 = 72 * 3600;

/// Keys whose request this server is working on. SQLite has no other way to see a twin that is
/// still running; on PostgreSQL it saves asking.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<Name>>>);

/// What a key is unique within.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Name {
    /// The caller.
    pub tenant: String,
    /// The caller's mode.
    pub mode: Mode,
    /// The key as sent, without quotes.
    pub key: String,
}

/// A key together with what was asked under it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The key.
    pub name: Name,
    /// HMAC over method, path and canonical body.
    pub fingerprint: String,
}

struct Running {
    set: InFlight,
    name: Name,
}

impl InFlight {
    fn enter(&self, name: &Name) -> Result<Running> {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.insert(name.clone()) {
            return Ok(Running { set: self.clone(), name: name.clone() });
        }
        Err(in_flight())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.set.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

/// 409: the same key is being worked on.
pub fn in_flight() -> Error {
    let message = "A request with this Idempotency-Key is still being worked on.";
    Error::conflict("in_flight", message).typed("idempotency_error").retry_after(1)
}

fn key_reused() -> Error {
    let message = "This Idempotency-Key was used for a different request.";
    Error::unprocessable("key_reused", message).typed("idempotency_error")
}

/// The `Idempotency-Key` of a request, if it has one, and what identifies the request otherwise.
///
/// A key without the right form is told when it is claimed: who calls is looked at first.
pub struct Once {
    key: Result<Option<String>>,
    method: String,
    path: String,
    db: Db,
    reveal: Option<Reveal>,
}

/// Puts back into a kept answer what it was stored without and can be computed again.
pub type Reveal = fn(&ServerKey, String) -> String;

impl FromRequest for Once {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = || {
            let state = request.app_data::<State>();
            let state = state.ok_or_else(|| Error::internal("no application state"))?;
            Ok(Self {
                key: key_of(request),
                method: request.method().to_string(),
                path: request.path().to_owned(),
                db: state.db.clone(),
                reveal: None,
            })
        };
        ready(read())
    }
}

fn key_of(request: &HttpRequest) -> Result<Option<String>> {
    let Some(value) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let fault = || {
        let reason = format!("must be 1 to {KEY_MAX_BYTES} visible ASCII characters");
        Error::invalid_field("Idempotency-Key", reason)
    };
    let text = value.to_str().map_err(|_| fault())?;
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let sound = (1..=KEY_MAX_BYTES).contains(&bare.len())
        && bare.bytes().all(|byte| byte.is_ascii_graphic());
    if sound { Ok(Some(bare.to_owned())) } else { Err(fault()) }
}

impl Once {
    /// 400 `idempotency_key_required` without a key: for what must not happen twice by a retry.
    pub fn required(self) -> Result<Self> {
        if let Ok(None) = self.key {
            let message = "This request needs an Idempotency-Key, so that a retry is safe.";
            return Err(Error::new(Kind::Invalid, "idempotency_key_required", message)
                .on_field("Idempotency-Key", "is required"));
        }
        Ok(self)
    }

    /// For what leaves nothing behind and may happen twice; a key without the right form is told
    /// nevertheless.
    pub fn unneeded(self) -> Result<()> {
        self.key.map(|_| ())
    }

    /// Keys of those who stand outside are kept apart from the tenant's own: a buyer must not be
    /// able to use up, or ask about, the keys of the shop.
    pub fn apart(self, whose: &str) -> Self {
        let key = self.key.map(|key| key.map(|key| format!("{whose}/{key}")));
        Self { key, ..self }
    }

    /// A replay shows what its answer was stored without.
    pub fn revealing(self, reveal: Reveal) -> Self {
        Self { reveal: Some(reveal), ..self }
    }

    /// The claim of this request by an actor, if it came with a key.
    pub fn claim<P>(&mut self, actor: &Actor<P>, canonical: &Value) -> Result<Option<Claim>> {
        let Some(key) = std::mem::replace(&mut self.key, Ok(None))? else {
            return Ok(None);
        };
        let server_key: &ServerKey = self.db.environment().get()?;
        let body = canonical_text(canonical);
        let parts = [self.method.as_bytes(), self.path.as_bytes(), body.as_bytes()];
        let fingerprint =
            data_encoding::HEXLOWER.encode(&server_key.mac("idempotency-fingerprint", &parts));
        let principal = actor.principal();
        let tenant = principal.tenant.as_str().to_owned();
        Ok(Some(Claim { name: Name { tenant, mode: principal.mode, key }, fingerprint }))
    }

    /// Marks a claim as being worked on by this server, until the guard is dropped.
    pub fn enter(&self, claim: Option<&Claim>) -> Result<Option<impl Drop + use<>>> {
        let set: &InFlight = self.db.environment().get()?;
        claim.map(|claim| set.enter(&claim.name)).transpose()
    }

    /// Runs an operation once per key. Its `Done` answer is stored; a `Refused` one is not.
    pub async fn write<P, F>(self, actor: &Actor<P>, body: &Value, run: F) -> Result<HttpResponse>
    where
        F: Fn(&mut Tx<'_>) -> Result<Outcome<Reply>> + Send + 'static,
    {
        let db = self.db.clone();
        let run = self.claiming(actor, body, run)?;
        answer(db.write(actor.scope(), run).await?.into_inner())
    }

    /// The same for an operation that can be planned ([`Db::write_planned`]).
    pub async fn write_planned<P, F>(
        self,
        actor: &Actor<P>,
        body: &Value,
        run: F,
    ) -> Result<HttpResponse>
    where
        F: Fn(&mut Tx<'_>) -> Result<Outcome<Reply>> + Send + 'static,
    {
        let (db, reveal) = (self.db.clone(), self.reveal);
        let run = self.claiming(actor, body, run)?;
        let written = db.write_planned(actor.scope(), run).await?;
        match (written.into_inner(), reveal) {
            ((Reply::Good(kept), true), Some(reveal)) => {
                let body = reveal(db.environment().get()?, kept.body);
                Ok(respond(Answer { body, ..kept }, true))
            }
            (written, _) => answer(written),
        }
    }

    /// The operation under its claim. It is being worked on as long as the operation exists, not
    /// as long as somebody waits: who hangs up leaves it in a queue.
    fn claiming<P, F>(
        mut self,
        actor: &Actor<P>,
        body: &Value,
        run: F,
    ) -> Result<impl Fn(&mut Tx<'_>) -> Result<Outcome<Replied>> + Send + use<P, F> + 'static>
    where
        F: Fn(&mut Tx<'_>) -> Result<Outcome<Reply>> + Send + 'static,
    {
        let claim = self.claim(actor, body)?;
        let running = self.enter(claim.as_ref())?;
        Ok(move |tx: &mut Tx<'_>| {
            let _held = &running;
            once(tx, claim.as_ref(), &run)
        })
    }
}

/// A reply, and whether it is a replay.
pub type Replied = (Reply, bool);

/// Runs an operation once per key, inside its transaction or plan.
pub fn once(
    tx: &mut Tx<'_>,
    claim: Option<&Claim>,
    run: impl Fn(&mut Tx<'_>) -> Result<Outcome<Reply>>,
) -> Result<Outcome<Replied>> {
    let Some(claim) = claim else {
        return run(tx).map(|outcome| outcome_of(outcome, false));
    };
    if let Found::Answer(answer) = look_up(tx, claim)? {
        return Ok(Outcome::Done((Reply::Good(answer), true)));
    }
    let outcome = run(tx)?;
    if let Outcome::Done(Reply::Good(answer)) = &outcome {
        store::keep(tx, claim, answer);
    }
    Ok(outcome_of(outcome, false))
}

fn answer(written: Replied) -> Result<HttpResponse> {
    match written {
        (Reply::Good(answer), replayed) => Ok(respond(answer, replayed)),
        (Reply::Bad(error), _) => Err(error),
    }
}

fn outcome_of(outcome: Outcome<Reply>, replayed: bool) -> Outcome<Replied> {
    match outcome {
        Outcome::Done(reply) => Outcome::Done((reply, replayed)),
        Outcome::Refused(reply) => Outcome::Refused((reply, replayed)),
    }
}

/// The HTTP response, marked when it is a replay.
pub fn respond(answer: Answer, replayed: bool) -> HttpResponse {
    let mut response = answer.into_response();
    if replayed {
        let name = HeaderName::from_static("idempotent-replayed");
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
    response
}

/// Looks a claim up, holding off twins on other servers until this transaction ends. A plan does
/// so when it is recorded.
pub fn look_up(tx: &mut Tx<'_>, claim: &Claim) -> Result<Found> {
    if tx.is_plan() {
        tx.guard(claim.name.clone());
        return Ok(Found::Nothing);
    }
    if !store::try_lock(tx, &claim.name)? {
        return Err(in_flight());
    }
    let found = store::find(tx, claim)?;
    match found {
        Found::OtherRequest => Err(key_reused()),
        Found::Owed => Err(in_flight()),
        Found::Nothing | Found::Answer(_) => Ok(found),
    }
}

/// Claims a key whose answer will come in a later transaction.
pub fn open(tx: &mut Tx<'_>, claim: &Claim) {
    store::open(tx, claim);
}

/// Stores the answer that was owed.
pub fn close(tx: &mut Tx<'_>, name: &Name, answer: &Answer) -> Result<()> {
    store::close(tx, name, answer)
}

/// Gives up a claim: the key is free again.
pub fn free(tx: &mut Tx<'_>, name: &Name) -> Result<()> {
    store::free(tx, name)
}
