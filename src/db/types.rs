//! SQL types both databases share, and how our own types travel in them.
//!
//! One meaning, one Rust type: instants are `timestamptz` on PostgreSQL and fixed-width RFC 3339
//! text on SQLite (so text order is time order); enums and documents are text; money is a 64-bit
//! integer of minor units.

use std::io::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{HasSqlType, SqlOrd, SqlType, Text, Timestamptz};
use diesel::sqlite::{Sqlite, SqliteValue};

use super::conn::{MultiBackend, MultiRawValue};
use crate::kernel::Timestamp;

/// The SQL type of a [`Timestamp`].
#[derive(Default, Clone, Copy, SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Text"))]
pub struct Instant;

impl SqlOrd for Instant {}

impl ToSql<Instant, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <DateTime<Utc> as ToSql<Timestamptz, Pg>>::to_sql(&self.to_chrono(), &mut out.reborrow())
    }
}

impl FromSql<Instant, Pg> for Timestamp {
    fn from_sql(raw: PgValue<'_>) -> deserialize::Result<Self> {
        <DateTime<Utc> as FromSql<Timestamptz, Pg>>::from_sql(raw).map(Self::from_chrono)
    }
}

impl ToSql<Instant, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        // Six fractional digits and `Z`, always: SQLite compares it as text.
        out.set_value(self.to_chrono().to_rfc3339_opts(SecondsFormat::Micros, true));
        Ok(IsNull::No)
    }
}

impl FromSql<Instant, Sqlite> for Timestamp {
    fn from_sql(raw: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(raw)?;
        Ok(Self::from_chrono(DateTime::parse_from_rfc3339(&text)?.to_utc()))
    }
}

impl HasSqlType<Instant> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<Instant>(lookup)
    }
}

impl FromSql<Instant, MultiBackend> for Timestamp {
    fn from_sql(raw: MultiRawValue<'_>) -> deserialize::Result<Self> {
        raw.from_sql::<Self, Instant>()
    }
}

impl ToSql<Instant, MultiBackend> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((Instant, self));
        Ok(IsNull::No)
    }
}

/// A JSON document kept as text: opaque to SQL.
#[derive(
    Clone, PartialEq, Debug, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = Text)]
pub struct Json(pub serde_json::Value);

impl<DB: diesel::backend::Backend> FromSql<Text, DB> for Json
where
    String: FromSql<Text, DB>,
{
    fn from_sql(raw: DB::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(serde_json::from_str(&String::from_sql(raw)?)?))
    }
}

impl ToSql<Text, Pg> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        write!(out, "{}", self.0)?;
        Ok(IsNull::No)
    }
}

impl ToSql<Text, Sqlite> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.to_string());
        Ok(IsNull::No)
    }
}

impl ToSql<Text, MultiBackend> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((Text, self));
        Ok(IsNull::No)
    }
}
