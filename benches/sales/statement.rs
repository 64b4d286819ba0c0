//! Statements as data, prepared once per connection and text.

use diesel::backend::Backend;
use diesel::connection::Connection;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl};
use rialto::db::types::Instant;
use rialto::kernel::Timestamp;

/// A value to bind.
#[derive(Clone, Debug)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A truth.
    Bool(bool),
    /// An instant.
    At(Timestamp),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::At(at)
    }
}

enum Part {
    Sql(String),
    Bind(Value),
}

/// Text with values between.
#[derive(Default)]
pub struct Statement(Vec<Part>);

impl Statement {
    /// Adds text.
    pub fn sql(mut self, text: impl Into<String>) -> Self {
        self.0.push(Part::Sql(text.into()));
        self
    }

    /// Adds a value.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.0.push(Part::Bind(value.into()));
        self
    }

    /// `INSERT` of some rows.
    pub fn insert(table: &str, columns: &str, rows: &[&[Value]]) -> Self {
        let mut all = Self::default().sql(format!("INSERT INTO {table} ({columns}) VALUES "));
        for (number, row) in rows.iter().enumerate() {
            all = all.sql(if number == 0 { "(" } else { "), (" });
            for (place, value) in row.iter().enumerate() {
                all = if place == 0 { all } else { all.sql(", ") };
                all = all.bind(value.clone());
            }
        }
        all.sql(")")
    }
}

impl QueryId for Statement {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

macro_rules! fragment {
    ($($backend:ty),*) => { $(
        impl QueryFragment<$backend> for Statement {
            fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, $backend>) -> QueryResult<()> {
                walk(&self.0, out)
            }
        }
    )* };
}
fragment!(Pg, Sqlite);

fn walk<'b, B>(parts: &'b [Part], mut out: AstPass<'_, 'b, B>) -> QueryResult<()>
where
    B: Backend + HasSqlType<Text> + HasSqlType<BigInt> + HasSqlType<Bool> + HasSqlType<Instant>,
    String: ToSql<Text, B>,
    i64: ToSql<BigInt, B>,
    bool: ToSql<Bool, B>,
    Timestamp: ToSql<Instant, B>,
{
    for part in parts {
        match part {
            Part::Sql(text) => out.push_sql(text),
            Part::Bind(Value::Text(text)) => out.push_bind_param::<Text, _>(text)?,
            Part::Bind(Value::Int(number)) => out.push_bind_param::<BigInt, _>(number)?,
            Part::Bind(Value::Bool(truth)) => out.push_bind_param::<Bool, _>(truth)?,
            Part::Bind(Value::At(at)) => out.push_bind_param::<Instant, _>(at)?,
        }
    }
    Ok(())
}

impl<C: Connection> RunQueryDsl<C> for Statement {}
