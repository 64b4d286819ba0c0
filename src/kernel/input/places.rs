//! Where something is.

use std::borrow::Cow;

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Number;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{Faults, string_of};
use crate::kernel::money::decimal_number;

/// Decimals of a degree that are kept: a tenth of a metre.
const DECIMALS: u32 = 6;

/// Degrees from `-MAX` to `MAX`, in millionths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Degrees<const MAX: i64>(pub i64);

/// Millionths of a degree as degrees.
pub fn degrees_number(millionths: i64) -> Number {
    decimal_number(Decimal::new(millionths, DECIMALS).normalize())
}

impl<const MAX: i64> Deserr<Faults> for Degrees<MAX> {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let degrees = match value {
            Value::Integer(n) => Some(Decimal::from(n)),
            Value::NegativeInteger(n) => Some(Decimal::from(n)),
            Value::Float(f) if f.is_finite() => Decimal::from_str_exact(&f.to_string()).ok(),
            _ => None,
        };
        degrees
            .filter(|degrees| degrees.abs() <= Decimal::from(MAX))
            .and_then(|degrees| degrees.round_dp(DECIMALS).checked_mul(Decimal::from(1_000_000)))
            .and_then(|millionths| millionths.to_i64())
            .map(Self)
            .ok_or_else(|| Faults::at(location, format!("must be degrees from -{MAX} to {MAX}")))
    }
}

impl<const MAX: i64> PartialSchema for Degrees<MAX> {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new().schema_type(Type::Number);
        object.minimum(Some(-MAX)).maximum(Some(MAX)).into()
    }
}

impl<const MAX: i64> ToSchema for Degrees<MAX> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Degrees{MAX}"))
    }
}

/// A country: ISO 3166-1 alpha-2 in any case, kept in upper case. Whether such a country exists is
/// not looked up: countries come and go faster than releases.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Country(pub String);

impl Deserr<Faults> for Country {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let text = string_of(value, location)?;
        let sound = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        match sound {
            true => Ok(Self(text.to_ascii_uppercase())),
            false => Err(Faults::at(location, "must be an ISO 3166-1 country code, like ES")),
        }
    }
}

impl PartialSchema for Country {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new().schema_type(Type::String);
        object.pattern(Some("^[A-Za-z]{2}$")).examples(["ES"]).into()
    }
}

impl ToSchema for Country {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Country")
    }
}
