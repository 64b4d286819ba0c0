//! The fields of a ticket rate as they are written.

use std::borrow::Cow;

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use utoipa::openapi::schema::{AllOfBuilder, ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::event::{CAPACITY_MAX, Capacity};
use crate::catalog::{FeeType, RateKind};
use crate::kernel::input::{Count, DecimalInput, Faults, Instant, Patch, Slug, Text};

/// Most tickets in one payment.
pub const TICKETS_MAX: i64 = 100;
/// So many tickets of one payment.
pub type Tickets = Count<1, TICKETS_MAX>;
/// A limit that is at least one.
pub type Limit = Count<1, CAPACITY_MAX>;
/// Most price tiers of a rate.
pub const PRICES_MAX: usize = 20;

/// The fields of a ticket rate. In a create, `event_id`, `name` and `prices` are required; in an
/// update, an absent field is left and `null` clears it.
#[derive(Deserr, ToSchema, Clone, Debug, Default)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct RateFields {
    /// The event: its id or its number as text. Cannot be changed.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub event_id: Patch<Text<1, 60>>,
    /// Its name.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub name: Patch<Text<1, 200>>,
    /// Its name in addresses, unique in the event; made from the name when absent.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub slug: Patch<Slug>,
    /// What it is.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub description: Patch<Text<0, 2000>>,
    /// `limited` or `public`.
    #[deserr(default, rename = "type")]
    #[schema(value_type = Option<RateKind>, required = false)]
    pub r#type: Patch<RateKind>,
    /// Not sold before.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub valid_from: Patch<Instant>,
    /// Not sold from then on; else the event's `end_date`, else its `start_date`.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub valid_until: Patch<Instant>,
    /// Declared sold out.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub complete: Patch<bool>,
    /// Fewest in one payment (1).
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub min: Patch<Tickets>,
    /// Most in one payment (100).
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub max: Patch<Tickets>,
    /// Most for one buyer's e-mail, over all payments made since the limit was set; null is no
    /// limit.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub max_per_buyer: Patch<Limit>,
    /// Tickets of this rate; null is unlimited. 422 `below_committed` when more are sold or held.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub capacity: Patch<Capacity>,
    /// Not shown to channels and not sold by them.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub hidden: Patch<bool>,
    /// Price tiers in the order in which they are sold. An update replaces the list: tiers named
    /// by `_id` stay the same tier, others are new, and those left out are no longer sold.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub prices: Patch<Prices>,
}

/// Price tiers.
#[derive(Clone, Debug)]
pub struct Prices(pub Vec<PriceFields>);

/// One price tier.
#[derive(Deserr, ToSchema, Clone, Debug, Default)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct PriceFields {
    /// An existing tier, in an update.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub _id: Patch<Text<1, 60>>,
    /// Its name.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub name: Patch<Text<1, 200>>,
    /// Decimal, in the event's currency.
    #[schema(inline)]
    pub price: DecimalInput,
    /// Not sold from then on.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub valid_until: Patch<Instant>,
    /// Tickets at this price; null is as many as the rate has.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub quantity: Patch<Limit>,
    /// How the fee on top is reckoned (`percentage`).
    #[deserr(default)]
    #[schema(value_type = Option<FeeType>, required = false)]
    pub fee_type: Patch<FeeType>,
    /// Decimal percent (3 is 3 %), or a decimal amount per ticket when `fixed` (0).
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub fee_quantity: Patch<DecimalInput>,
    /// What is included, in words.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub includes: Patch<Text<0, 1000>>,
    /// More about it.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub additional_info: Patch<Text<0, 1000>>,
}

impl Deserr<Faults> for Prices {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let prices = Vec::deserialize_from_value(value, location)?;
        if (1..=PRICES_MAX).contains(&prices.len()) {
            return Ok(Self(prices));
        }
        Err(Faults::at(location, format!("must have 1 to {PRICES_MAX} entries")))
    }
}

impl PartialSchema for Prices {
    fn schema() -> RefOr<Schema> {
        ArrayBuilder::new()
            .items(Ref::from_schema_name("PriceFields"))
            .min_items(Some(1))
            .max_items(Some(PRICES_MAX))
            .into()
    }
}

impl ToSchema for Prices {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Prices")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("PriceFields".to_owned(), PriceFields::schema()));
        PriceFields::schemas(schemas);
    }
}

/// A new ticket rate.
#[derive(Clone, Debug)]
pub struct NewRate(pub RateFields);

impl Deserr<Faults> for NewRate {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let fields = RateFields::deserialize_from_value(value, location)?;
        let mut faults = Faults::default();
        let required = [
            ("event_id", matches!(fields.event_id, Patch::Set(_))),
            ("name", matches!(fields.name, Patch::Set(_))),
            ("prices", matches!(fields.prices, Patch::Set(_))),
        ];
        for (field, sent) in required {
            faults.check(sent, field, "is required");
        }
        if faults.0.is_empty() { Ok(Self(fields)) } else { Err(faults) }
    }
}

impl PartialSchema for NewRate {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let required = ObjectBuilder::new()
            .property("event_id", text())
            .property("name", text())
            .property("prices", Prices::schema())
            .required("event_id")
            .required("name")
            .required("prices");
        AllOfBuilder::new().item(Ref::from_schema_name("RateFields")).item(required).into()
    }
}

impl ToSchema for NewRate {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("NewRate")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("RateFields".to_owned(), RateFields::schema()));
        RateFields::schemas(schemas);
    }
}
