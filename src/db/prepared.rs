//! SQL text that a connection prepares once and keeps, unlike diesel's own `sql_query`.

use std::borrow::Cow;
use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::connection::Connection;
use diesel::expression::SqlLiteral;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, HasSqlType, Untyped};
use diesel::{QueryResult, RunQueryDsl};

/// A condition whose values stand in the statement itself. A partial index is used only where the
/// statement says what the index is limited to, whatever is bound.
pub fn literally(condition: &'static str) -> SqlLiteral<Bool> {
    diesel::dsl::sql(condition)
}

/// A statement with a `?` for each value, which therefore stands for nothing else in it.
pub struct Prepared<'a, DB> {
    text: Cow<'a, str>,
    binds: Vec<Box<dyn Bind<DB> + 'a>>,
}

impl<'a, DB: Backend> Prepared<'a, DB> {
    /// A statement with nothing bound yet.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), binds: Vec::new() }
    }

    /// Binds the next `?`.
    pub fn bind<ST, V>(mut self, value: V) -> Self
    where
        DB: HasSqlType<ST>,
        ST: 'a,
        V: ToSql<ST, DB> + 'a,
    {
        self.binds.push(Box::new(Typed { value, kind: PhantomData }));
        self
    }
}

trait Bind<DB: Backend> {
    fn push<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
}

struct Typed<ST, V> {
    value: V,
    kind: PhantomData<ST>,
}

impl<DB, ST, V> Bind<DB> for Typed<ST, V>
where
    DB: Backend + HasSqlType<ST>,
    V: ToSql<ST, DB>,
{
    fn push<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_bind_param(&self.value)
    }
}

impl<DB: Backend> QueryFragment<DB> for Prepared<'_, DB> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let mut pieces = self.text.split('?');
        out.push_sql(pieces.next().unwrap_or_default());
        for (piece, bind) in pieces.zip(&self.binds) {
            bind.push(out.reborrow())?;
            out.push_sql(piece);
        }
        Ok(())
    }
}

impl<DB> QueryId for Prepared<'_, DB> {
    type QueryId = ();
    // Told apart by their text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB> Query for Prepared<'_, DB> {
    type SqlType = Untyped;
}

impl<C: Connection> RunQueryDsl<C> for Prepared<'_, C::Backend> {}
