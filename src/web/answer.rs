//! The envelopes of success.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::page::{Page, encode_cursor};
use crate::kernel::{Error, Result};

/// One object.
#[derive(Serialize, ToSchema, Debug)]
pub struct Data<T> {
    /// Always `true`.
    #[schema(example = true)]
    pub success: bool,
    /// The object.
    pub data: T,
}

impl<T> Data<T> {
    /// Wraps an object.
    pub fn new(data: T) -> Self {
        Self { success: true, data }
    }
}

/// A page of a list.
#[derive(Serialize, ToSchema, Debug)]
pub struct List<T> {
    /// Always `true`.
    #[schema(example = true)]
    pub success: bool,
    /// The rows.
    pub data: Vec<T>,
    /// Where in the list this is.
    pub pagination: Pagination,
}

/// Where in a list a page is.
#[derive(Serialize, ToSchema, Debug)]
pub struct Pagination {
    /// Rows asked for.
    pub limit: i64,
    /// Pass it as `cursor` for the next page; null at the end.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

impl<T> From<Page<T>> for List<T> {
    fn from(page: Page<T>) -> Self {
        let next_cursor = page.next.as_deref().map(encode_cursor);
        let pagination =
            Pagination { limit: page.limit, has_more: next_cursor.is_some(), next_cursor };
        Self { success: true, data: page.rows, pagination }
    }
}

/// An answer as it is sent and as an idempotency key keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: String,
    /// What an idempotency key keeps instead, where the answer shows a secret.
    pub kept: Option<String>,
}

/// What is gone.
#[derive(Serialize, ToSchema, Debug)]
pub struct Deleted {
    _id: String,
    /// Always `true`.
    deleted: bool,
}

impl Deleted {
    /// Something is gone.
    pub fn of(id: impl ToString) -> Self {
        Self { _id: id.to_string(), deleted: true }
    }
}

impl Answer {
    /// 200 with an object.
    pub fn ok<T: Serialize>(data: T) -> Result<Self> {
        Self::of(200, data)
    }

    /// 201 with an object.
    pub fn created<T: Serialize>(data: T) -> Result<Self> {
        Self::of(201, data)
    }

    fn of<T: Serialize>(status: u16, data: T) -> Result<Self> {
        let body = serde_json::to_string(&Data::new(data)).map_err(Error::internal)?;
        Ok(Self { status, body, kept: None })
    }

    /// The same, kept as another one: a secret is shown once and stored never.
    pub fn kept_as(self, other: Self) -> Self {
        Self { kept: Some(other.body), ..self }
    }

    /// The HTTP response.
    pub fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        HttpResponse::build(status).content_type("application/json").body(self.body)
    }
}

/// What an operation answers: a success, or a refusal that was committed.
#[derive(Debug)]
pub enum Reply {
    /// It worked.
    Good(Answer),
    /// It was refused, and the refusal is on record.
    Bad(Error),
}
