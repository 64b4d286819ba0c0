//! The fields of an event as they are written.

use std::borrow::Cow;

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::catalog::Visibility;
use crate::kernel::input::{
    Count, CurrencyCode, DecimalInput, Faults, Instant, Language, Metadata, Patch, Slug, Text,
    WebAddress, Zone,
};

/// Most people an event or rate can be for.
pub const CAPACITY_MAX: i64 = 10_000_000;
/// A capacity.
pub type Capacity = Count<0, CAPACITY_MAX>;
/// Most artists, genres or ambiences of an event.
const TAGS_MAX: usize = 100;

/// The fields of an event. In a create, `title` is required; in an update, an absent field is
/// left and `null` clears it.
#[derive(Deserr, ToSchema, Clone, Debug, Default)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct EventFields {
    /// Its name.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub title: Patch<Text<1, 200>>,
    /// Its name in addresses, unique in the organization; made from the title when absent.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub slug: Patch<Slug>,
    /// What it is.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub description: Patch<Text<0, 10_000>>,
    /// When it begins; must lie in the future.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub start_date: Patch<Instant>,
    /// When it ends, exclusive; after `start_date`.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub end_date: Patch<Instant>,
    /// The day it is advertised under.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub display_date: Patch<Instant>,
    /// IANA time zone; the location's, else the organization's when absent.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub timezone: Patch<Zone>,
    /// Where it is, in words.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub venue: Patch<Text<1, 300>>,
    /// Where it is: a location of yours.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub location_id: Patch<Text<1, 60>>,
    /// Only when creating: the decimal price of a first ticket rate, made with the event.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub price: Patch<DecimalInput>,
    /// Tickets of all rates together; null is unlimited. 422 `below_committed` when more are sold
    /// or held.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub capacity: Patch<Capacity>,
    /// ISO 4217, any case; the organization's when absent. 409 `currency_fixed` after the first
    /// payment.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub currency: Patch<CurrencyCode>,
    /// Minimum age, in words.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub age: Patch<Text<1, 40>>,
    /// Dress code.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub outfit: Patch<Text<1, 200>>,
    /// A picture.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub image_url: Patch<WebAddress>,
    /// Who performs.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub artists: Patch<Artists>,
    /// Slugs of genres.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub music_genres: Patch<Tags>,
    /// Slugs of ambiences.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub ambiences: Patch<Tags>,
    /// Whether channels find it in lists (`public`) or only by its id or slug (`unlisted`).
    #[deserr(default)]
    #[schema(value_type = Option<Visibility>, required = false)]
    pub visibility: Patch<Visibility>,
    /// The language of its texts.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub language: Patch<Language>,
    /// Yours to fill, at most 1 kB; never shown to channels.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub metadata: Patch<Metadata>,
}

/// A new event.
#[derive(Clone, Debug)]
pub struct NewEvent(pub EventFields);

impl Deserr<Faults> for NewEvent {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let fields = EventFields::deserialize_from_value(value, location)?;
        match fields.title {
            Patch::Set(_) => Ok(Self(fields)),
            Patch::Absent | Patch::Clear => {
                Err(Faults::at(location.push_key("title"), "is required"))
            }
        }
    }
}

impl PartialSchema for NewEvent {
    fn schema() -> RefOr<Schema> {
        let required = ObjectBuilder::new().property("title", Text::<1, 200>::schema());
        AllOfBuilder::new()
            .item(Ref::from_schema_name("EventFields"))
            .item(required.required("title"))
            .into()
    }
}

impl ToSchema for NewEvent {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("NewEvent")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("EventFields".to_owned(), EventFields::schema()));
        EventFields::schemas(schemas);
    }
}

/// Somebody who performs.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Artist {
    /// The name.
    #[schema(inline)]
    pub name: Text<1, 200>,
    /// A picture.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub image_url: Patch<WebAddress>,
}

/// A bounded list.
#[derive(Clone, Debug)]
pub struct Bounded<T>(pub Vec<T>);

/// Performers.
pub type Artists = Bounded<Artist>;
/// Slugs.
pub type Tags = Bounded<Slug>;

impl<T: Deserr<Faults>> Deserr<Faults> for Bounded<T> {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let values = Vec::<T>::deserialize_from_value(value, location)?;
        if values.len() <= TAGS_MAX {
            return Ok(Self(values));
        }
        Err(Faults::at(location, format!("must have at most {TAGS_MAX} entries")))
    }
}

impl<T: PartialSchema> utoipa::__dev::ComposeSchema for Bounded<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        use utoipa::openapi::schema::ArrayBuilder;
        ArrayBuilder::new().items(T::schema()).max_items(Some(TAGS_MAX)).into()
    }
}

impl<T: ToSchema> ToSchema for Bounded<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("List{}", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

impl Artist {
    /// As it is stored and shown.
    pub fn to_json(&self) -> serde_json::Value {
        let image_url = match &self.image_url {
            Patch::Set(address) => Some(address.0.clone()),
            Patch::Absent | Patch::Clear => None,
        };
        serde_json::json!({"name": self.name.0, "image_url": image_url})
    }
}
