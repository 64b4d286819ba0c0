//! `/v1/api-keys`.

use actix_web::{HttpResponse, delete, get, patch, post, web::Path};
use serde_json::{Value, json};

use super::super::input::{KeyBody, NewKeyBody, check_count};
use super::super::key::KeySecret;
use super::super::model::KeyKind;
use super::super::ops::{self, KeyChange, WantedKey};
use super::super::view::KeyView;
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::kernel::input::{Faults, Patch};
use crate::parties::ApiKey;
use crate::web::answer::{Answer, Deleted, Reply};
use crate::web::permission::{Read, WriteKeys};
use crate::web::query::{NoFilter, PagedQuery, Paging};
use crate::web::{Actor, Body, Data, Empty, List, Once, ReadErrors, State, WriteErrors};

fn object(key: Option<&str>) -> Value {
    json!({"_id": "key_01", "id": "key_01", "name": "Web shop", "kind": "secret", "mode": "test",
        "scopes": ["read", "write:payments"], "key": key, "expires_at": null,
        "previous_key_works_until": null, "last_used_at": null,
        "created_at": "2026-01-01T00:00:00.000Z"})
}

fn example(key: Option<&str>) -> Value {
    json!({"success": true, "data": object(key)})
}

/// The secret of an example.
const SHOWN: &str = "sk_test_0123456789abcdefghjkmnpqrstvwxyz01234567890abc";

/// An answer that shows a secret, and that is kept without it.
fn once_shown(status: fn(KeyView) -> Result<Answer>, key: &ApiKey, secret: &str) -> Result<Reply> {
    let shown = status(KeyView::new(key, Some(secret)))?;
    Ok(Reply::Good(shown.kept_as(status(KeyView::new(key, None))?)))
}

/// Create an API key
///
/// Of the mode of this request. `key` is shown this once: only its hash is kept, and a replay under
/// the same Idempotency-Key shows null. A `publishable` key (`pk_`) may be known by everybody: it
/// sees what you show in public, and with a payment's `client_secret` that payment, which it can
/// pay. 403 `missing_scope` beyond one's own rights.
#[utoipa::path(operation_id = "api_keys.create", tag = "api keys",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:keys"]), ("bearer" = ["write:keys"]), ("basic" = ["write:keys"])),
    request_body(content = NewKeyBody,
        example = json!({"name": "Web shop", "scopes": ["write:payments"]})),
    responses(
        (status = 201, body = Data<KeyView>, example = json!(example(Some(SHOWN)))),
        WriteErrors,
    ))]
#[post("/api-keys")]
pub async fn create(
    actor: Actor<WriteKeys>,
    once: Once,
    body: Body<NewKeyBody>,
) -> Result<HttpResponse> {
    let (body, canonical) = body.into_parts()?;
    let own = actor.principal().scopes.clone();
    let kind = body.kind.unwrap_or(KeyKind::Secret);
    let wanted = WantedKey {
        scopes: body.scopes()?,
        name: body.name.0,
        kind,
        expires_at: body.expires_at.map(|at| at.0),
    };
    // Made outside: the operation may run twice and must make the same key.
    let secret = KeySecret::generate_of(kind, actor.principal().mode);
    let run = move |tx: &mut Tx<'_>| {
        let key = ops::mint(tx, &own, wanted.clone(), &secret)?;
        once_shown(Answer::created, &key, secret.expose()).map(Outcome::Done)
    };
    once.write(&actor, &canonical, run).await
}

/// List API keys
///
/// Those of this mode that were not revoked, newest first.
#[utoipa::path(operation_id = "api_keys.list", tag = "api keys", params(NoFilter, Paging),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<KeyView>, example = json!({"success": true,
            "data": [object(None)],
            "pagination": {"limit": 50, "next_cursor": null, "has_more": false}})),
        ReadErrors,
    ))]
#[get("/api-keys")]
pub async fn list(
    state: State,
    actor: Actor<Read>,
    query: PagedQuery<NoFilter>,
) -> Result<HttpResponse> {
    let (NoFilter {}, page) = query.into_inner()?;
    let found = state.db.read(actor.scope(), move |tx| ops::list_keys(tx, &page)).await?;
    Ok(HttpResponse::Ok().json(List::from(found.map(|key| KeyView::new(&key, None)))))
}

/// Read an API key
///
/// Without its secret, which nobody has.
#[utoipa::path(operation_id = "api_keys.read", tag = "api keys",
    params(("id" = String, Path, description = "The key's id.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = Data<KeyView>, example = json!(example(None))),
        ReadErrors,
    ))]
#[get("/api-keys/{id}")]
pub async fn read(state: State, actor: Actor<Read>, path: Path<String>) -> Result<HttpResponse> {
    let key = state.db.read(actor.scope(), move |tx| ops::own_key(tx, &path)).await?;
    Ok(HttpResponse::Ok().json(Data::new(KeyView::new(&key, None))))
}

/// Change an API key
///
/// Its name, scopes or expiry; effective on every server within a second. 403 `missing_scope`
/// beyond one's own rights, before or after.
#[utoipa::path(operation_id = "api_keys.update", tag = "api keys",
    params(("id" = String, Path, description = "The key's id.")),
    security(("api_key" = ["write:keys"]), ("bearer" = ["write:keys"]), ("basic" = ["write:keys"])),
    request_body(content = KeyBody, example = json!({"name": "Old web shop"})),
    responses(
        (status = 200, body = Data<KeyView>, example = json!(example(None))),
        WriteErrors,
    ))]
#[patch("/api-keys/{id}")]
pub async fn update(
    actor: Actor<WriteKeys>,
    once: Once,
    path: Path<String>,
    body: Body<KeyBody>,
) -> Result<HttpResponse> {
    let (body, canonical) = body.into_parts()?;
    let mut faults = Faults::default();
    check_count(&mut faults, body.scopes.as_deref().unwrap_or_default());
    faults.finish()?;
    let change = KeyChange {
        name: body.name.map(|name| name.0),
        scopes: body.scopes,
        expires_at: match body.expires_at {
            Patch::Absent => None,
            Patch::Clear => Some(None),
            Patch::Set(at) => Some(Some(at.0)),
        },
    };
    let own = actor.principal().scopes.clone();
    let run = move |tx: &mut Tx<'_>| {
        let key = ops::change_key(tx, &own, &path, &change)?;
        Ok(Outcome::Done(Reply::Good(Answer::ok(KeyView::new(&key, None))?)))
    };
    once.write(&actor, &canonical, run).await
}

/// Rotate an API key
///
/// Gives it another secret, shown this once. The one until now works for 24 hours more. 403
/// `missing_scope` beyond one's own rights.
#[utoipa::path(operation_id = "api_keys.rotate", tag = "api keys",
    params(("id" = String, Path, description = "The key's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    security(("api_key" = ["write:keys"]), ("bearer" = ["write:keys"]), ("basic" = ["write:keys"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<KeyView>, example = json!(example(Some(SHOWN)))),
        WriteErrors,
    ))]
#[post("/api-keys/{id}/rotate")]
pub async fn rotate(
    actor: Actor<WriteKeys>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let own = actor.principal().scopes.clone();
    // Which of the two it is, is known when it is found. Made outside, to be the same when run
    // again.
    let of = |kind| KeySecret::generate_of(kind, actor.principal().mode);
    let (secret, publishable) = (of(KeyKind::Secret), of(KeyKind::Publishable));
    let run = move |tx: &mut Tx<'_>| {
        let of = |kind| match kind {
            KeyKind::Secret => &secret,
            KeyKind::Publishable => &publishable,
        };
        let key = ops::rotate(tx, &own, &path, of)?;
        once_shown(Answer::ok, &key, of(key.kind()).expose()).map(Outcome::Done)
    };
    once.write(&actor, &body.into_parts()?.1, run).await
}

/// Revoke an API key
///
/// At once, and within a second on every server. 403 `missing_scope` beyond one's own rights.
#[utoipa::path(operation_id = "api_keys.delete", tag = "api keys",
    params(("id" = String, Path, description = "The key's id.")),
    security(("api_key" = ["write:keys"]), ("bearer" = ["write:keys"]), ("basic" = ["write:keys"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<Deleted>,
            example = json!({"success": true, "data": {"_id": "key_01", "deleted": true}})),
        WriteErrors,
    ))]
#[delete("/api-keys/{id}")]
pub async fn revoke(
    actor: Actor<WriteKeys>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let own = actor.principal().scopes.clone();
    let run = move |tx: &mut Tx<'_>| {
        let id = ops::revoke_own(tx, &own, &path)?;
        Ok(Outcome::Done(Reply::Good(Answer::ok(Deleted::of(id))?)))
    };
    once.write(&actor, &body.into_parts()?.1, run).await
}
