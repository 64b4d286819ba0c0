//! Fields of a partial update.

use std::borrow::Cow;

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::Faults;

/// A field of a partial update: absent leaves, `null` clears, a value sets.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Patch<T> {
    /// Not in the body.
    #[default]
    Absent,
    /// `null`.
    Clear,
    /// A value.
    Set(T),
}

impl<T> Patch<T> {
    /// The value, if one was sent.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent | Self::Clear => None,
        }
    }

    /// Lays this update over a field that may be empty.
    pub fn apply<U>(self, field: &mut Option<U>, convert: impl FnOnce(T) -> U) {
        match self {
            Self::Absent => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(convert(value)),
        }
    }

    /// Lays this update over a field that has a default instead of being empty.
    pub fn apply_or<U>(self, field: &mut U, default: U, convert: impl FnOnce(T) -> U) {
        match self {
            Self::Absent => {}
            Self::Clear => *field = default,
            Self::Set(value) => *field = convert(value),
        }
    }
}

impl<T: Deserr<Faults>> Deserr<Faults> for Patch<T> {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        match value {
            Value::Null => Ok(Self::Clear),
            value => T::deserialize_from_value(value, location).map(Self::Set),
        }
    }
}

// Not `PartialSchema`: the derive asks generic types to compose theirs.
impl<T: PartialSchema> utoipa::__dev::ComposeSchema for Patch<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        use utoipa::openapi::schema::{OneOfBuilder, SchemaType};
        match T::schema() {
            RefOr::T(Schema::Object(mut object)) => {
                if let SchemaType::Type(kind) = object.schema_type {
                    object.schema_type = SchemaType::Array(vec![kind, Type::Null]);
                }
                Schema::Object(object).into()
            }
            other => {
                let null = ObjectBuilder::new().schema_type(Type::Null);
                OneOfBuilder::new().item(null).item(other).into()
            }
        }
    }
}

impl<T: ToSchema> ToSchema for Patch<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Nullable{}", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}
