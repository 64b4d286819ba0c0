//! How values of a request are read: every fault is collected, none stops the reading.
//!
//! The types here carry their limits in their type, say them in the API document, and refuse NUL
//! and other control characters (PostgreSQL cannot store NUL at all).

mod patch;
mod places;
mod strings;
mod values;

use std::ops::ControlFlow;

use deserr::{
    DeserializeError, ErrorKind, IntoValue, MergeWithError, Value, ValueKind, ValuePointerRef,
};

use super::Fault;

pub use patch::Patch;
pub use places::{Country, Degrees, degrees_number};
pub use strings::{
    CurrencyCode, DayOr, DayOrInstant, Email, Instant, Language, LocalDayOrInstant, Slug,
    WebAddress, Zone,
};
pub use values::{Count, DecimalInput, METADATA_MAX_BYTES, Metadata, Text};

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
