//! Strings with a form.

use std::borrow::Cow;
use std::str::FromStr;

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{Faults, string_of};
use crate::kernel::{Currency, Timestamp};

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
    /// An e-mail address that a message can be sent to: what no header can carry is refused.
    Email(String),
    |text| {
        let address = lettre::Address::from_str(text).ok().filter(|_| text.len() <= 254)?;
        let mailbox = lettre::message::Mailbox::from_str(address.as_ref());
        mailbox.ok().map(|mailbox| mailbox.email.to_string())
    },
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
    /// An instant to filter by: RFC 3339, or a date, which is its midnight in UTC.
    DayOrInstant(Timestamp),
    |text| match text.len() {
        10 => Timestamp::parse(&format!("{text}T00:00:00Z")),
        _ => Timestamp::parse(text),
    },
    "must be a date, like 2026-12-31, or an RFC 3339 date and time with an offset",
    |schema| schema.examples(["2026-12-31", "2026-12-31T22:00:00Z"])
}

/// A day, as `2026-12-31`, or an instant.
#[derive(Clone, PartialEq, Debug)]
pub enum DayOr {
    /// A day of no zone in particular.
    Day(String),
    /// An instant.
    Instant(Timestamp),
}

string_input! {
    /// An instant to filter by, or a day where what is filtered is.
    LocalDayOrInstant(DayOr),
    |text| match text.len() {
        10 => Timestamp::parse(&format!("{text}T00:00:00Z")).map(|_| DayOr::Day(text.to_owned())),
        _ => Timestamp::parse(text).map(DayOr::Instant),
    },
    "must be a date, like 2026-12-31, or an RFC 3339 date and time with an offset",
    |schema| schema.examples(["2026-12-31", "2026-12-31T22:00:00Z"])
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

impl Slug {
    /// Text in the form of a slug; empty when nothing of it can stay.
    pub fn from_name(text: &str) -> String {
        let mut slug = String::new();
        for c in text.chars().flat_map(char::to_lowercase) {
            if c.is_ascii_alphanumeric() {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
            if slug.len() >= 60 {
                break;
            }
        }
        slug.trim_matches('-').to_owned()
    }
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
