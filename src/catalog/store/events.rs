//! The tables `events` and `event_numbers`.

use diesel::prelude::*;

use crate::db::schema::{event_numbers, events};
use crate::db::types::Json;
use crate::db::{AnyConnection, Keys, MultiBackend, Tx, among};
use crate::kernel::ids::{EventId, Id, LocationId, OrganizationId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Currency, Error, Mode, Result, Timestamp};
use crate::{append_only, on_each, text_enum};

text_enum! {
    /// Where an event stands.
    pub enum EventStatus {
        /// Being prepared; seen by its organization only.
        Draft = "draft",
        /// On sale when its rates are.
        Published = "published",
        /// Called off: nothing is sold, nobody is let in.
        Cancelled = "cancelled",
    }
}

text_enum! {
    /// Who finds an event.
    pub enum Visibility {
        /// Partner channels, in lists.
        Public = "public",
        /// Partner channels that know its id or slug.
        Unlisted = "unlisted",
    }
}

/// An event, as it is stored.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone, Debug)]
#[diesel(table_name = events, treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)]
pub struct Event {
    pub organization_id: OrganizationId,
    pub id: EventId,
    pub mode: Mode,
    pub number: i64,
    pub status: EventStatus,
    pub title: String,
    pub slug: String,
    pub description: Option<String>,
    pub start_date: Option<Timestamp>,
    pub end_date: Option<Timestamp>,
    pub display_date: Option<Timestamp>,
    pub timezone: Option<String>,
    pub venue: Option<String>,
    pub capacity: Option<i64>,
    pub currency: Option<Currency>,
    pub age: Option<String>,
    pub outfit: Option<String>,
    pub image_url: Option<String>,
    pub artists: Json,
    pub music_genres: Json,
    pub ambiences: Json,
    pub visibility: Visibility,
    pub language: Option<String>,
    pub metadata: Json,
    pub revision: i64,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub location_id: Option<LocationId>,
    pub start_day: Option<String>,
    pub search_text: String,
}
append_only!(
    Event,
    events,
    15,
    [
        organization_id,
        id,
        mode,
        number,
        status,
        title,
        slug,
        description,
        start_date,
        end_date,
        display_date,
        timezone,
        venue,
        capacity,
        currency,
        age,
        outfit,
        image_url,
        artists,
        music_genres,
        ambiences,
        visibility,
        language,
        metadata,
        revision,
        version,
        created_at,
        updated_at,
        location_id,
        start_day,
        search_text,
    ]
);

/// What an event is asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventRef {
    /// Its id.
    Id(EventId),
    /// Its number.
    Number(i64),
}

/// A bound of when events begin.
#[derive(Clone, Debug)]
pub enum StartsAt {
    /// A day where the event is, as `2026-12-31`.
    Day(String),
    /// An instant.
    Instant(Timestamp),
}

/// Which events of those one may see.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Of this organization.
    pub organization: Option<OrganizationId>,
    /// At this location.
    pub location: Option<LocationId>,
    /// Beginning then or later.
    pub from: Option<StartsAt>,
    /// Beginning before.
    pub until: Option<StartsAt>,
    /// With these words in title, venue or artists.
    pub search: Option<String>,
    /// In this state.
    pub status: Option<EventStatus>,
}

type Boxed<'a> = events::BoxedQuery<'a, MultiBackend>;

/// The one base query: an organization's own events of the mode, or those of the given hosts that
/// a channel may see.
fn visible<'a>(tx: &Tx<'_>, hosts: &'a [OrganizationId]) -> Result<Boxed<'a>> {
    let query = events::table.filter(events::mode.eq(tx.mode()?)).into_boxed();
    Ok(match (tx.scope().owner(), tx.scope().organization()) {
        (Some(own), _) => query.filter(events::organization_id.eq(own.clone())),
        // What an organization shows to everybody.
        (None, Some(own)) => query
            .filter(events::organization_id.eq(own.clone()))
            .filter(events::status.ne(EventStatus::Draft)),
        (None, None) => query
            .filter(events::organization_id.eq_any(hosts))
            .filter(events::status.ne(EventStatus::Draft)),
    })
}

pub(in crate::catalog) fn find(
    tx: &mut Tx<'_>,
    hosts: &[OrganizationId],
    wanted: &EventRef,
) -> Result<Option<Event>> {
    let query = visible(tx, hosts)?;
    let query = match wanted {
        EventRef::Id(id) => query.filter(events::id.eq(id.clone())),
        EventRef::Number(number) => query.filter(events::number.eq(*number)),
    };
    Ok(query.first(tx.conn()?).optional()?)
}

/// At most two, so that the caller can tell "one" from "several".
pub(in crate::catalog) fn find_by_slug(
    tx: &mut Tx<'_>,
    hosts: &[OrganizationId],
    slug: &str,
    organization: Option<&OrganizationId>,
) -> Result<Vec<Event>> {
    let mut query = visible(tx, hosts)?.filter(events::slug.eq(slug.to_owned())).limit(2);
    if let Some(organization) = organization {
        query = query.filter(events::organization_id.eq(organization.clone()));
    }
    Ok(query.load(tx.conn()?)?)
}

pub(in crate::catalog) fn list(
    tx: &mut Tx<'_>,
    hosts: &[OrganizationId],
    filter: &EventFilter,
    page: &PageRequest,
) -> Result<Page<Event>> {
    let mut query = visible(tx, hosts)?;
    if tx.scope().owner().is_none() {
        query = query.filter(events::visibility.eq(Visibility::Public));
    }
    if let Some(organization) = &filter.organization {
        query = query.filter(events::organization_id.eq(organization));
    }
    if let Some(location) = &filter.location {
        query = query.filter(events::location_id.eq(location));
    }
    if let Some(status) = filter.status {
        query = query.filter(events::status.eq(status));
    }
    query = match &filter.from {
        Some(StartsAt::Day(day)) => query.filter(events::start_day.ge(day)),
        Some(StartsAt::Instant(at)) => query.filter(events::start_date.ge(*at)),
        None => query,
    };
    query = match &filter.until {
        Some(StartsAt::Day(day)) => query.filter(events::start_day.lt(day)),
        Some(StartsAt::Instant(at)) => query.filter(events::start_date.lt(*at)),
        None => query,
    };
    for word in filter.search.iter().flat_map(|words| words.split_whitespace()) {
        let pattern = format!("%{}%", literal_pattern(&word.to_lowercase()));
        query = query.filter(events::search_text.like(pattern).escape('\\'));
    }
    if let Some(after) = &page.after {
        query = query.filter(events::id.lt(EventId::from_text(after.clone())));
    }
    // Keys are put in order, not whole events: a channel may see thousands.
    let listed: Vec<(OrganizationId, EventId)> = query
        .select((events::organization_id, events::id))
        .order(events::id.desc())
        .limit(page.limit + 1)
        .offset(page.offset)
        .load(tx.conn()?)?;
    let Page { rows: listed, limit, next } =
        Page::cut(listed, page, |(_, id): &(OrganizationId, EventId)| id.to_string());
    // On PostgreSQL an event may be deleted meanwhile: the page has one less, and goes on.
    let keys: Keys<'_> = listed.iter().map(|(organization, id)| (organization, id)).collect();
    let whole = events::table
        .filter(among((events::organization_id, events::id), keys))
        .order(events::id.desc());
    Ok(Page { rows: on_each!(tx.conn()?, |c| whole.load(c))?, limit, next })
}

/// A word as a pattern that matches nothing but itself.
fn literal_pattern(word: &str) -> String {
    let escaped = |c: char| match c {
        '%' | '_' | '\\' => vec!['\\', c],
        c => vec![c],
    };
    word.chars().flat_map(escaped).collect()
}

/// An event of an organization, whatever the scope: for slices whose row already says whose it is.
pub(in crate::catalog) fn of_organization(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &EventId,
) -> Result<Option<Event>> {
    let query = events::table.find((organization, id));
    Ok(on_each!(tx.conn()?, |c| query.first(c)).optional()?)
}

/// How an event's row is held until the end of the transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::catalog) enum Hold {
    /// Nobody changes it meanwhile; many may hold it so.
    Share,
    /// Nobody else holds it meanwhile.
    Change,
}

/// Holds an event's row. SQLite has one writer: nothing comes between an operation's statements.
pub(in crate::catalog) fn hold(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    id: &EventId,
    hold: Hold,
) -> Result<()> {
    let AnyConnection::Postgres(conn) = tx.conn()? else {
        return Ok(());
    };
    let row = events::table.find((organization, id)).select(events::number);
    let held = match hold {
        Hold::Share => row.for_share().first::<i64>(conn),
        // Whoever only names it, as a sale does, need not wait.
        Hold::Change => row.for_no_key_update().first::<i64>(conn),
    };
    match held.optional()? {
        Some(_) => Ok(()),
        None => Err(Error::rerun("the event was deleted meanwhile")),
    }
}

pub(in crate::catalog) fn slug_taken(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    slug: &str,
    besides: Option<&EventId>,
) -> Result<bool> {
    let mut query = events::table
        .filter(events::organization_id.eq(organization.clone()))
        .filter(events::mode.eq(tx.mode()?))
        .filter(events::slug.eq(slug.to_owned()))
        .select(events::id)
        .into_boxed();
    if let Some(besides) = besides {
        query = query.filter(events::id.ne(besides.clone()));
    }
    Ok(query.first::<EventId>(tx.conn()?).optional()?.is_some())
}

/// The next number of this installation.
pub(in crate::catalog) fn next_number(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    event: &EventId,
) -> Result<i64> {
    let row = (event_numbers::organization_id.eq(organization), event_numbers::event_id.eq(event));
    Ok(diesel::insert_into(event_numbers::table)
        .values(row)
        .returning(event_numbers::number)
        .get_result(tx.conn()?)?)
}

/// Writes an event back if nobody has changed it since it was read.
pub(in crate::catalog) fn update(tx: &mut Tx<'_>, event: &Event, version: i64) -> Result<bool> {
    let updated = diesel::update(events::table.find((&event.organization_id, &event.id)))
        .filter(events::version.eq(version))
        .set(event)
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

pub(in crate::catalog) fn delete(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    diesel::delete(events::table.find((&event.organization_id, &event.id))).execute(tx.conn()?)?;
    Ok(())
}

/// An event without an end may go on for so long.
const UNKNOWN_END_SECONDS: i64 = 86_400;

/// How many live events of an organization are published and not over.
pub(in crate::catalog) fn count_to_come(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
) -> Result<i64> {
    let now = tx.now();
    // Nobody said when it ends: the doors are not shut in people's faces.
    let begun_after = now.plus_seconds(-UNKNOWN_END_SECONDS);
    let begins = events::start_date.is_null().or(events::start_date.gt(begun_after));
    let to_come = events::end_date.gt(now).or(events::end_date.is_null().and(begins));
    let query = events::table
        .filter(events::organization_id.eq(organization))
        .filter(events::mode.eq(Mode::Live))
        .filter(events::status.eq(EventStatus::Published))
        .filter(to_come.assume_not_null())
        .count();
    Ok(query.get_result(tx.conn()?)?)
}
