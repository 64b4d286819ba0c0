//! The one error type: a closed set of kinds, a stable code, a text that is safe to show.
//!
//! Constructors stand beside the rule they state (`inventory::sold_out`), not in a list here.
//! What went wrong inside travels in `source`, is logged, and is never shown. A missing row is
//! not a 404 by itself: every 404 is written where it is meant.

use std::borrow::Cow;
use std::fmt;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use serde_json::{Map, Value};

/// Shorthand used throughout.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure this is; decides the HTTP status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// 400: the request does not have the documented shape.
    Invalid,
    /// 401: no usable credential.
    Unauthenticated,
    /// 402: the card was refused.
    Card,
    /// 403: visible, but not yours to do.
    Forbidden,
    /// 404: not there, or not yours.
    NotFound,
    /// 409: the state does not allow it.
    Conflict,
    /// 410: too late.
    Gone,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 413: the body is too large.
    TooLarge,
    /// 415: the body is not JSON.
    UnsupportedMedia,
    /// 422: a business rule refuses it.
    Unprocessable,
    /// 429: too many of these; later again.
    RateLimited,
    /// 503: we cannot answer now; the same request may work later.
    Unavailable,
    /// 503 when it lasts: the database asked for the operation to be run again.
    Retry,
    /// 503: the database connection is gone; whether the commit happened is unknown.
    Lost,
    /// 500: a defect of ours.
    Internal,
}

impl Kind {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::Card => 402,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Gone => 410,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::UnsupportedMedia => 415,
            Self::Unprocessable => 422,
            Self::RateLimited => 429,
            Self::Unavailable | Self::Retry | Self::Lost => 503,
            Self::Internal => 500,
        }
    }

    /// The `type` of the error body.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Unauthenticated => "authentication_error",
            Self::Card => "card_error",
            Self::Forbidden => "permission_error",
            Self::RateLimited => "rate_limit_error",
            Self::Unavailable | Self::Retry | Self::Lost | Self::Internal => "api_error",
            Self::Invalid
            | Self::NotFound
            | Self::Conflict
            | Self::Gone
            | Self::MethodNotAllowed
            | Self::TooLarge
            | Self::UnsupportedMedia
            | Self::Unprocessable => "invalid_request_error",
        }
    }
}

/// One fault of a request: where, and what is wrong there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Path of the field, `tickets[0].email`; empty for the body as a whole.
    pub field: String,
    /// What is wrong, in a sentence fragment.
    pub reason: String,
}

impl Fault {
    /// A fault of a field.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

/// The one error type.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    type_name: Option<&'static str>,
    code: &'static str,
    message: Cow<'static, str>,
    faults: Vec<Fault>,
    extra: Map<String, Value>,
    retry_after_seconds: Option<u32>,
    source: Option<anyhow::Error>,
}

impl Error {
    /// An error of a kind.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            type_name: None,
            code,
            message: message.into(),
            faults: Vec::new(),
            extra: Map::new(),
            retry_after_seconds: None,
            source: None,
        }))
    }

    /// 400 with every fault of the request.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        let message = faults.first().map_or_else(
            || "The request is not valid.".to_owned(),
            |fault| match fault.field.as_str() {
                "" => fault.reason.clone(),
                field => format!("{field}: {}", fault.reason),
            },
        );
        let mut error = Self::new(Kind::Invalid, "validation_error", message);
        error.0.faults = faults;
        error
    }

    /// 400 about one field.
    pub fn invalid_field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::invalid(vec![Fault::new(field, reason)])
    }

    /// The same 404 for everything that is not there or not yours.
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound, "not_found", "There is nothing here under that id.")
    }

    /// 409: the state does not allow it.
    pub fn conflict(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Conflict, code, message)
    }

    /// 422: a business rule.
    pub fn unprocessable(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Unprocessable, code, message)
    }

    /// 403: visible, but not this caller's to do.
    pub fn wrong_principal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Forbidden, "wrong_principal", message)
    }

    /// 503: try again.
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Unavailable, "unavailable", message).retry_after(1)
    }

    /// 429: too many; not before so many seconds.
    pub fn rate_limited(message: impl Into<Cow<'static, str>>, seconds: u32) -> Self {
        Self::new(Kind::RateLimited, "rate_limited", message).retry_after(seconds)
    }

    /// The operation must be run again from the start (a stale quote, a lost race).
    pub fn rerun(reason: &'static str) -> Self {
        Self::new(Kind::Retry, "unavailable", "The service is busy; please try again.")
            .retry_after(1)
            .because(anyhow::anyhow!(reason))
    }

    /// 500: a defect of ours. The reason is logged, not shown.
    pub fn internal(reason: impl fmt::Display) -> Self {
        Self::new(Kind::Internal, "internal_error", "Something went wrong on our side.")
            .because(anyhow::anyhow!(reason.to_string()))
    }

    /// Names the fields at fault beside another code than `validation_error`.
    pub fn on_field(mut self, field: impl Into<String>, reason: impl Into<String>) -> Self {
        self.0.faults.push(Fault::new(field, reason));
        self
    }

    /// Adds a documented member to the error body (`current_status`, `decline_code` ...).
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.extra.insert(name.to_owned(), value.into());
        self
    }

    /// Another `type` than the kind's own (`idempotency_error`).
    pub fn typed(mut self, type_name: &'static str) -> Self {
        self.0.type_name = Some(type_name);
        self
    }

    /// Sends `Retry-After`.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// Keeps the cause for the log.
    pub fn because(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The `type` of the error body.
    pub fn type_name(&self) -> &'static str {
        self.0.type_name.unwrap_or(self.0.kind.type_name())
    }

    /// The stable, documented code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The text for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The fields at fault.
    pub fn faults(&self) -> &[Fault] {
        &self.0.faults
    }

    /// Further members of the error body.
    pub fn extra(&self) -> &Map<String, Value> {
        &self.0.extra
    }

    /// Seconds for `Retry-After`.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        self.0.retry_after_seconds
    }

    /// Whether the same request may succeed later without being changed.
    pub fn retryable(&self) -> bool {
        self.0.kind.status() == 503 || self.0.retry_after_seconds.is_some()
    }

    /// The hidden cause, for the log.
    pub fn source_chain(&self) -> Option<String> {
        self.0.source.as_ref().map(|source| format!("{source:#}"))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, code, message, faults, source, .. } = &*self.0;
        write!(f, "{kind:?} {code}: {message} {faults:?}")?;
        source.as_ref().map_or(Ok(()), |source| write!(f, " because {source:#}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl std::error::Error for Error {}

/// Database failures. What the database asks to have run again is [`Kind::Retry`]; diesel reports
/// deadlocks, lock timeouts and SQLite's BUSY as `Unknown`, so every `Unknown` counts. A unique
/// key that a check just before found free was taken by somebody else meanwhile: run again.
impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        use DatabaseErrorKind as Db;
        match &error {
            DieselError::DatabaseError(Db::ClosedConnection | Db::UnableToSendCommand, _) => {
                Self::new(Kind::Lost, "unavailable", "The service is busy; please try again.")
                    .retry_after(1)
                    .because(error)
            }
            DieselError::DatabaseError(
                Db::Unknown | Db::SerializationFailure | Db::UniqueViolation,
                _,
            ) => Self::rerun("the database asked to run this again").because(error),
            _ => Self::new(Kind::Internal, "internal_error", "Something went wrong on our side.")
                .because(error),
        }
    }
}
