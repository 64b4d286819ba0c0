//! Reading query strings with the same care as bodies.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use deserr::{Deserr, IntoValue, Value as Input, ValuePointerRef};
use serde_json::{Map, Value};
use utoipa::IntoParams;

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
        let (values, mut faults) = values_of(request.query_string());
        let value = take_in(values, &mut faults).filter(|_| faults.0.is_empty());
        ready(Ok(Self(value.ok_or_else(|| Error::invalid(faults.0)))))
    }
}

/// No filters.
#[derive(Deserr, IntoParams, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NoFilter {}

/// The parameters by name; one that was sent twice is a fault.
fn values_of(query: &str) -> (Map<String, Value>, Faults) {
    let mut values = Map::new();
    let mut faults = Faults::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if values.insert(name.to_string(), Value::String(value.into_owned())).is_some() {
            faults.add(name, "was sent more than once");
        }
    }
    (values, faults)
}

/// Reads the parameters, adding what is wrong with them to the faults.
fn take_in<T: Deserr<Faults>>(values: Map<String, Value>, faults: &mut Faults) -> Option<T> {
    match deserr::deserialize::<T, _, Faults>(Value::Object(values)) {
        Ok(value) => Some(value),
        Err(more) => {
            faults.0.extend(more.0);
            None
        }
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

/// `true` or `false`.
#[derive(Clone, Copy, Debug)]
pub struct FlagText(pub bool);

impl Deserr<Faults> for FlagText {
    fn deserialize_from_value<V: IntoValue>(
        value: Input<V>,
        location: ValuePointerRef<'_>,
    ) -> std::result::Result<Self, Faults> {
        let text = string_of(value, location)?;
        let flag = text.parse().ok();
        flag.map(Self).ok_or_else(|| Faults::at(location, "must be true or false"))
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

/// The paging parameters of a list.
#[derive(Deserr, IntoParams, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Rows in the page, 1 to 200 (50).
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// Rows to skip, at most 10,000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 0, maximum = 10_000)]
    offset: Option<Offset>,
    /// The `next_cursor` of the page before.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    cursor: Option<CursorText>,
}

const PAGING_NAMES: [&str; 3] = ["limit", "offset", "cursor"];

impl From<Paging> for PageRequest {
    fn from(paging: Paging) -> Self {
        Self {
            limit: paging.limit.map_or(page::LIMIT_DEFAULT, |limit| limit.0),
            offset: paging.offset.map_or(0, |offset| offset.0),
            after: paging.cursor.map(|cursor| cursor.0),
        }
    }
}

/// The parameters of a list: its own, and the page that is wanted.
#[derive(Debug)]
pub struct PagedQuery<T>(Result<(T, PageRequest)>);

impl<T> PagedQuery<T> {
    /// The parameters and the page, or everything that is wrong with them.
    pub fn into_inner(self) -> Result<(T, PageRequest)> {
        self.0
    }
}

impl<T: Deserr<Faults> + 'static> FromRequest for PagedQuery<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (values, mut faults) = values_of(request.query_string());
        let paging = |name: &String| PAGING_NAMES.contains(&name.as_str());
        let (page, own): (Map<_, _>, Map<_, _>) =
            values.into_iter().partition(|(name, _)| paging(name));
        let own = take_in::<T>(own, &mut faults);
        let page = take_in::<Paging>(page, &mut faults);
        ready(Ok(Self(match (own, page) {
            (Some(own), Some(page)) if faults.0.is_empty() => Ok((own, page.into())),
            _ => Err(Error::invalid(faults.0)),
        })))
    }
}
