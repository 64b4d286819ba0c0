//! Reading query strings with the same care as bodies.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use deserr::{Deserr, IntoValue, Value as Input, ValuePointerRef};
use serde_json::{Map, Value};

use crate::kernel::input::{Faults, string_of};
use crate::kernel::page::{self, PageRequest};
use crate::kernel::{Error, Result};

/// The parameters of a query string. Unknown and repeated ones are refused by name, when it is
/// opened: extractors run side by side, and who calls is looked at first.
#[derive(Debug)]
pub struct Query<T>(Result<T>);

impl<T> Query<T> {
    /// The parameters, or everything that is wrong with them.
    pub fn into_inner(self) -> Result<T> {
        self.0
    }
}

impl<T: Deserr<Faults> + 'static> FromRequest for Query<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(read(request.query_string()))))
    }
}

fn read<T: Deserr<Faults>>(query: &str) -> Result<T> {
    let mut values = Map::new();
    let mut faults = Faults::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if values.insert(name.to_string(), Value::String(value.into_owned())).is_some() {
            faults.add(name, "was sent more than once");
        }
    }
    let read = deserr::deserialize::<T, _, Faults>(Value::Object(values));
    match (read, faults.0.is_empty()) {
        (Ok(value), true) => Ok(value),
        (Ok(_), false) => Err(Error::invalid(faults.0)),
        (Err(more), _) => Err(Error::invalid(faults.0.into_iter().chain(more.0).collect())),
    }
}

/// A whole number between two limits, as text.
#[derive(Clone, Copy, Debug)]
pub struct NumberText<const MIN: i64, const MAX: i64>(pub i64);

impl<const MIN: i64, const MAX: i64> Deserr<Faults> for NumberText<MIN, MAX> {
    fn deserialize_from_value<V: IntoValue>(
        value: Input<V>,
        location: ValuePointerRef<'_>,
    ) -> std::result::Result<Self, Faults> {
        let text = string_of(value, location)?;
        let number = text.parse().ok().filter(|number| (MIN..=MAX).contains(number));
        number.map(Self).ok_or_else(|| {
            Faults::at(location, format!("must be a whole number from {MIN} to {MAX}"))
        })
    }
}

/// A cursor of ours.
#[derive(Clone, Debug)]
pub struct CursorText(pub String);

impl Deserr<Faults> for CursorText {
    fn deserialize_from_value<V: IntoValue>(
        value: Input<V>,
        location: ValuePointerRef<'_>,
    ) -> std::result::Result<Self, Faults> {
        let text = string_of(value, location)?;
        page::decode_cursor(&text)
            .map(Self)
            .ok_or_else(|| Faults::at(location, "must be a next_cursor of an earlier answer"))
    }
}

/// `limit`.
pub type Limit = NumberText<1, { page::LIMIT_MAX }>;
/// `offset`.
pub type Offset = NumberText<0, { page::OFFSET_MAX }>;

/// Puts the paging parameters of a list together.
pub fn page_request(
    limit: Option<Limit>,
    offset: Option<Offset>,
    cursor: Option<CursorText>,
) -> PageRequest {
    PageRequest {
        limit: limit.map_or(page::LIMIT_DEFAULT, |limit| limit.0),
        offset: offset.map_or(0, |offset| offset.0),
        after: cursor.map(|cursor| cursor.0),
    }
}
