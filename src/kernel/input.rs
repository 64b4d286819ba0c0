//! How values of a request are read: every fault is collected, none stops the reading.
//!
//! The types here carry their limits in their type, say them in the API document, and refuse NUL
//! and other control characters (PostgreSQL cannot store NUL at all).

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::str::FromStr;

use deserr::{
    DeserializeError, Deserr, ErrorKind, IntoValue, MergeWithError, Value, ValueKind,
    ValuePointerRef,
};
use rust_decimal::Decimal;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{Currency, Fault, Timestamp};

/// Most bytes in `metadata`, serialized.
pub const METADATA_MAX_BYTES: usize = 1024;

/// All faults found so far.
#[derive(Debug, Default)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// One fault at a place.
    pub fn at(location: ValuePointerRef<'_>, reason: impl Into<String>) -> Self {
        Self(vec![Fault::new(path(location), reason)])
    }

    /// Adds a fault of a named field.
    pub fn add(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.0.push(Fault::new(field, reason));
    }

    /// Adds a fault unless a rule holds.
    pub fn check(&mut self, holds: bool, field: impl Into<String>, reason: impl Into<String>) {
        if !holds {
            self.add(field, reason);
        }
    }

    /// An error with all of them, if there are any.
    pub fn finish(self) -> super::Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(super::Error::invalid(self.0)) }
    }
}

impl MergeWithError<Self> for Faults {
    fn merge(
        self_: Option<Self>,
        other: Self,
        _location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        let mut all = self_.unwrap_or_default();
        all.0.extend(other.0);
        ControlFlow::Continue(all)
    }
}

impl DeserializeError for Faults {
    fn error<V: IntoValue>(
        self_: Option<Self>,
        error: ErrorKind<'_, V>,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        let fault = match error {
            ErrorKind::IncorrectValueKind { accepted, .. } => {
                Fault::new(path(location), format!("must be {}", kinds(accepted)))
            }
            ErrorKind::MissingField { field } => {
                Fault::new(path(location.push_key(field)), "is required")
            }
            ErrorKind::UnknownKey { key, accepted } => Fault::new(
                path(location.push_key(key)),
                format!("is not a known field (known: {})", accepted.join(", ")),
            ),
            ErrorKind::UnknownValue { accepted, .. } => {
                Fault::new(path(location), format!("must be one of {}", accepted.join(", ")))
            }
            ErrorKind::BadSequenceLen { expected, .. } => {
                Fault::new(path(location), format!("must have {expected} elements"))
            }
            ErrorKind::Unexpected { msg } => Fault::new(path(location), msg),
        };
        Self::merge(self_, Self(vec![fault]), location)
    }
}

fn path(location: ValuePointerRef<'_>) -> String {
    match location {
        ValuePointerRef::Origin => String::new(),
        ValuePointerRef::Key { key, prev } => match path(*prev) {
            before if before.is_empty() => key.to_owned(),
            before => format!("{before}.{key}"),
        },
        ValuePointerRef::Index { index, prev } => format!("{}[{index}]", path(*prev)),
    }
}

fn kinds(accepted: &[ValueKind]) -> String {
    let names: Vec<&str> = accepted
        .iter()
        .map(|kind| match kind {
            ValueKind::Null => "null",
            ValueKind::Boolean => "true or false",
            ValueKind::Integer | ValueKind::NegativeInteger => "an integer",
            ValueKind::Float => "a number",
            ValueKind::String => "a string",
            ValueKind::Sequence => "an array",
            ValueKind::Map => "an object",
        })
        .collect();
    names.join(" or ")
}

/// Takes a string, refusing control characters other than line breaks and tabs.
pub fn string_of<V: IntoValue>(
    value: Value<V>,
    location: ValuePointerRef<'_>,
) -> Result<String, Faults> {
    let Value::String(text) = value else {
        return Err(Faults::at(location, "must be a string"));
    };
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.contains(control) {
        return Err(Faults::at(location, "must not contain control characters"));
    }
    Ok(text)
}

/// Reads one of a list of names.
pub fn name_of<V: IntoValue, T>(
    value: Value<V>,
    location: ValuePointerRef<'_>,
    parse: impl Fn(&str) -> Option<T>,
    names: &[&str],
) -> Result<T, Faults> {
    let fault = || Faults::at(location, format!("must be one of {}", names.join(", ")));
    match value {
        Value::String(text) => parse(&text).ok_or_else(fault),
        _ => Err(fault()),
    }
}

/// Declares a request value that is a string with a form: its parser, its fault and its schema.
macro_rules! string_input {
    ($(#[$meta:meta])* $name:ident($inner:ty), $parse:expr, $fault:literal, $schema:expr) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Debug)]
        pub struct $name(pub $inner);

        impl Deserr<Faults> for $name {
            fn deserialize_from_value<V: IntoValue>(
                value: Value<V>,
                location: ValuePointerRef<'_>,
            ) -> Result<Self, Faults> {
                let text = string_of(value, location)?;
                let parse: fn(&str) -> Option<$inner> = $parse;
                parse(&text).map(Self).ok_or_else(|| Faults::at(location, $fault))
            }
        }
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let build: fn(ObjectBuilder) -> ObjectBuilder = $schema;
                build(ObjectBuilder::new().schema_type(Type::String)).into()
            }
        }
        impl ToSchema for $name {
            fn name() -> Cow<'static, str> { Cow::Borrowed(stringify!($name)) }
        }
    };
}

string_input! {
    /// An e-mail address.
    Email(String),
    |text| (text.len() <= 254).then(|| lettre::Address::from_str(text).ok()).flatten()
        .map(|address| address.to_string()),
    "must be an e-mail address",
    |schema| schema.format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
        .max_length(Some(254))
}

string_input! {
    /// An RFC 3339 instant with any offset.
    Instant(Timestamp),
    Timestamp::parse,
    "must be an RFC 3339 date and time with an offset, like 2026-12-31T22:00:00Z",
    |schema| schema.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

string_input! {
    /// An IANA time zone name.
    Zone(chrono_tz::Tz),
    |text| text.parse().ok(),
    "must be an IANA time zone, like Europe/Madrid",
    |schema| schema.examples(["Europe/Madrid"])
}

string_input! {
    /// An ISO 4217 currency code in any case.
    CurrencyCode(Currency),
    Currency::parse,
    "must be an ISO 4217 currency code, like EUR",
    |schema| schema.pattern(Some("^[A-Za-z]{3}$")).examples(["EUR"])
}

string_input! {
    /// A web address.
    WebAddress(String),
    |text| url::Url::parse(text).ok().filter(|url| text.len() <= 2000
        && matches!(url.scheme(), "http" | "https") && url.has_host()).map(String::from),
    "must be an http or https address of at most 2000 characters",
    |schema| schema.format(Some(SchemaFormat::Custom("uri".into()))).max_length(Some(2000))
}

string_input! {
    /// A slug: lower-case letters, digits and hyphens.
    Slug(String),
    |text| ((1..=80).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'))
        .then(|| text.to_owned()),
    "must be 1 to 80 lower-case letters, digits and inner hyphens",
    |schema| schema.pattern(Some("^[a-z0-9]([a-z0-9-]{0,78}[a-z0-9])?$"))
}

string_input! {
    /// A language: two lower-case letters, optionally a region.
    Language(String),
    |text| {
        let (language, region) = text.split_once('-').unwrap_or((text, "XX"));
        (language.len() == 2 && language.bytes().all(|b| b.is_ascii_lowercase())
            && region.len() == 2 && region.bytes().all(|b| b.is_ascii_uppercase()))
            .then(|| text.to_owned())
    },
    "must be a language tag, like es or es-ES",
    |schema| schema.pattern(Some("^[a-z]{2}(-[A-Z]{2})?$"))
}

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
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DecimalInput(pub Decimal);

impl Deserr<Faults> for DecimalInput {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let decimal = match value {
            Value::Integer(n) => Some(Decimal::from(n)),
            // The shortest decimal that reads back as this float is what the caller wrote.
            Value::Float(f) if f.is_finite() => Decimal::from_str(&f.to_string()).ok(),
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
