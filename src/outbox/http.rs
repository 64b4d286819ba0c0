//! `GET /v1/changes`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::{HttpResponse, get};
use deserr::Deserr;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::feed::{self, Entry};
use super::model::ChangeKind;
use crate::kernel::input::Faults;
use crate::kernel::page::{self, encode_cursor};
use crate::kernel::{Error, Mode, Result, Timestamp};
use crate::web::permission::Read;
use crate::web::query::{CursorText, Limit, NumberText};
use crate::web::{Actor, Pagination, Query, ReadErrors, state::State};

/// Longest long poll.
const WAIT_SECONDS_MAX: i64 = 30;
/// While waiting, looks for what other servers committed so often.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Mounts this slice's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list);
}

/// A change.
#[derive(Serialize, ToSchema)]
pub struct ChangeView {
    /// The same for both sides of a sale, and in webhooks.
    id: String,
    #[serde(rename = "type")]
    kind: ChangeKind,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    mode: Mode,
    organization_id: String,
    channel_id: Option<String>,
    event_id: Option<String>,
    /// The object's own count of changes, from 1.
    sequence: i64,
    data: ChangeData,
}

/// What changed.
#[derive(Serialize, ToSchema)]
pub struct ChangeData {
    /// The object as it was after the change, as the reading side sees it.
    #[schema(value_type = Object)]
    object: Value,
}

/// Changes after a place, oldest first.
#[derive(Serialize, ToSchema)]
pub struct ChangeList {
    /// Always `true`.
    success: bool,
    data: Vec<ChangeView>,
    /// `next_cursor` is always present: pass it as `after` next time.
    pagination: Pagination,
}

impl From<Entry> for ChangeView {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id.to_string(),
            kind: entry.kind,
            created_at: entry.created_at,
            mode: entry.mode,
            organization_id: entry.organization_id.to_string(),
            channel_id: entry.channel_id.map(|id| id.to_string()),
            event_id: entry.event_id.map(|id| id.to_string()),
            sequence: entry.sequence,
            data: ChangeData { object: entry.object },
        }
    }
}

/// Where to begin.
#[derive(Deserr, IntoParams, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// The last `next_cursor`; the beginning when absent.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    after: Option<CursorText>,
    /// Seconds to wait for something new, 0 to 30 (0).
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 30)]
    wait: Option<NumberText<0, WAIT_SECONDS_MAX>>,
    /// Rows in the page, 1 to 200 (50).
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
}

/// List changes
///
/// Everything that happened to your objects, in order, skipping nothing: continue with `after` =
/// the last `next_cursor`. It contains every change that was committed before the call. With
/// `wait`, an empty answer is held back until something happens.
#[utoipa::path(operation_id = "changes.list", tag = "changes", params(ListParams),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = ChangeList, example = json!({"success": true, "data": [{
            "id": "chg_01", "type": "payment.completed", "created_at": "2026-01-01T00:05:00.000Z",
            "mode": "test", "organization_id": "org_01", "channel_id": "ch_01",
            "event_id": "evt_01", "sequence": 3, "data": {"object": {"_id": "pay_01"}}}],
            "pagination": {"limit": 50, "next_cursor": "MQ", "has_more": false}})),
        ReadErrors,
    ))]
#[get("/changes")]
pub async fn list(
    state: State,
    actor: Actor<Read>,
    query: Query<ListParams>,
) -> Result<HttpResponse> {
    let ListParams { after, wait, limit } = query.into_inner()?;
    let place: i64 = match after {
        Some(cursor) => cursor.0.parse().map_err(|_| not_a_place())?,
        None => 0,
    };
    let limit = limit.map_or(page::LIMIT_DEFAULT, |limit| limit.0);
    let wait = wait.and_then(|wait| u64::try_from(wait.0).ok()).unwrap_or(0);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(wait);
    let mut commits = state.db.commits();
    loop {
        commits.mark_unchanged();
        feed::sequence(&state.db).await?;
        let scope = actor.scope();
        let entries = state.db.read(scope, move |tx| feed::after(tx, place, limit + 1)).await?;
        let stopping = !state.ready.load(Ordering::SeqCst);
        if !entries.is_empty() || stopping || tokio::time::Instant::now() >= deadline {
            return Ok(HttpResponse::Ok().json(answer(entries, place, limit)));
        }
        tokio::select! {
            _ = commits.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

fn not_a_place() -> Error {
    Error::invalid_field("after", "must be a next_cursor of an earlier answer of this feed")
}

fn answer(mut entries: Vec<Entry>, place: i64, limit: i64) -> ChangeList {
    let wanted = usize::try_from(limit).unwrap_or(0);
    let has_more = entries.len() > wanted;
    entries.truncate(wanted);
    let place = entries.last().map_or(place, |entry| entry.seq);
    let next_cursor = Some(encode_cursor(&place.to_string()));
    let data = entries.into_iter().map(Into::into).collect();
    ChangeList { success: true, data, pagination: Pagination { limit, next_cursor, has_more } }
}
