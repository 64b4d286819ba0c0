//! Bounded text, numbers and objects.

use std::borrow::Cow;

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use rust_decimal::Decimal;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{Faults, string_of};

/// Most bytes in `metadata`, serialized.
pub const METADATA_MAX_BYTES: usize = 1024;

/// Text of a length between two limits, in characters, without surrounding space.
#[derive(Clone, PartialEq, Debug)]
pub struct Text<const MIN: usize, const MAX: usize>(pub String);

impl<const MIN: usize, const MAX: usize> Deserr<Faults> for Text<MIN, MAX> {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let text = string_of(value, location)?.trim().to_owned();
        if (MIN..=MAX).contains(&text.chars().count()) {
            return Ok(Self(text));
        }
        Err(Faults::at(location, format!("must have {MIN} to {MAX} characters")))
    }
}

impl<const MIN: usize, const MAX: usize> PartialSchema for Text<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new().schema_type(Type::String).max_length(Some(MAX));
        let schema = if MIN == 0 { schema } else { schema.min_length(Some(MIN)) };
        // Surrounding space is cut before the length is looked at, so one visible character.
        let schema = if MIN == 0 { schema } else { schema.pattern(Some("\\S")) };
        schema.into()
    }
}

impl<const MIN: usize, const MAX: usize> ToSchema for Text<MIN, MAX> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Text{MIN}To{MAX}"))
    }
}

/// A whole number between two limits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Count<const MIN: i64, const MAX: i64>(pub i64);

impl<const MIN: i64, const MAX: i64> Deserr<Faults> for Count<MIN, MAX> {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let number = match value {
            Value::Integer(n) => i64::try_from(n).ok(),
            Value::NegativeInteger(n) => Some(n),
            _ => None,
        };
        number.filter(|n| (MIN..=MAX).contains(n)).map(Self).ok_or_else(|| {
            Faults::at(location, format!("must be a whole number from {MIN} to {MAX}"))
        })
    }
}

impl<const MIN: i64, const MAX: i64> PartialSchema for Count<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new().schema_type(Type::Integer);
        schema.minimum(Some(MIN)).maximum(Some(MAX)).into()
    }
}

impl<const MIN: i64, const MAX: i64> ToSchema for Count<MIN, MAX> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Count{MIN}To{MAX}"))
    }
}

/// A non-negative decimal number as sent, before a currency or unit gives it meaning.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct DecimalInput(pub Decimal);

impl Deserr<Faults> for DecimalInput {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let decimal = match value {
            Value::Integer(n) => Some(Decimal::from(n)),
            // The shortest decimal that reads back as this float is what the caller wrote.
            Value::Float(f) if f.is_finite() => Decimal::from_str_exact(&f.to_string()).ok(),
            _ => None,
        };
        decimal
            .filter(|d| !d.is_sign_negative() || d.is_zero())
            .map(Self)
            .ok_or_else(|| Faults::at(location, "must be a decimal number that is not negative"))
    }
}

impl PartialSchema for DecimalInput {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0)).into()
    }
}

impl ToSchema for DecimalInput {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Decimal")
    }
}

/// The caller's own object, at most [`METADATA_MAX_BYTES`] when serialized.
#[derive(Clone, PartialEq, Debug)]
pub struct Metadata(pub serde_json::Value);

impl Deserr<Faults> for Metadata {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let Value::Map(_) = &value else {
            return Err(Faults::at(location, "must be an object"));
        };
        let value: serde_json::Value = Deserr::<Faults>::deserialize_from_value(value, location)?;
        let text = value.to_string();
        if text.len() > METADATA_MAX_BYTES {
            let reason = format!("must have at most {METADATA_MAX_BYTES} bytes serialized");
            return Err(Faults::at(location, reason));
        }
        Ok(Self(value))
    }
}

impl PartialSchema for Metadata {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("Yours to fill; at most 1024 bytes when serialized."))
            .into()
    }
}

impl ToSchema for Metadata {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Metadata")
    }
}
