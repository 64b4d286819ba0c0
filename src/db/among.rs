//! Rows by many whole keys: one statement, whose text is the same however many there are, so that
//! a connection prepares it once. A list of values would be a text of its own for each length, and
//! a list for each column of the key would also ask for keys nobody named.

use std::cell::OnceCell;

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, Bool, HasSqlType, Text};
use diesel::sqlite::Sqlite;
use diesel::{Column, QueryResult, SelectableExpression};

use crate::kernel::ids::{Id, OrganizationId};

/// That two columns are among keys given as two arrays, as PostgreSQL takes them.
pub const AMONG_ARRAYS: &str = "IN (SELECT * FROM UNNEST(?, ?))";
/// That two columns are among keys given as one JSON text, as SQLite takes them.
pub const AMONG_JSON: &str = "IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))";

/// Whole keys: an owner's id and an object's.
#[derive(Debug, Clone)]
pub struct Keys<'a> {
    owners: Vec<&'a str>,
    ids: Vec<&'a str>,
    json: OnceCell<String>,
}

impl<'a, I: Id> FromIterator<(&'a OrganizationId, &'a I)> for Keys<'a> {
    fn from_iter<T: IntoIterator<Item = (&'a OrganizationId, &'a I)>>(keys: T) -> Self {
        keys.into_iter().map(|(owner, id)| (owner, id.as_str())).collect()
    }
}

impl<'a> FromIterator<(&'a OrganizationId, &'a str)> for Keys<'a> {
    fn from_iter<T: IntoIterator<Item = (&'a OrganizationId, &'a str)>>(keys: T) -> Self {
        let (owners, ids): (Vec<_>, Vec<_>) =
            keys.into_iter().map(|(owner, id)| (owner.as_str(), id)).unzip();
        Self { owners, ids, json: OnceCell::new() }
    }
}

impl<'a> Keys<'a> {
    /// The owners, in the order of the ids.
    pub fn owners(&self) -> &Vec<&'a str> {
        &self.owners
    }

    /// The ids.
    pub fn ids(&self) -> &Vec<&'a str> {
        &self.ids
    }

    /// Pairs of owner and id, as JSON.
    pub fn json(&self) -> &String {
        self.json.get_or_init(|| {
            let pairs: Vec<_> = self.owners.iter().zip(&self.ids).collect();
            // Text can always be written; SQLite would refuse what is no JSON.
            serde_json::to_string(&pairs).unwrap_or_default()
        })
    }
}

/// The condition that two columns are one of some keys.
#[derive(Debug, Clone)]
pub struct Among<'a, A, B> {
    columns: (A, B),
    keys: Keys<'a>,
}

/// The condition that `columns`, an owner's and an id's, are one of `keys`.
pub fn among<'a, A, B>(columns: (A, B), keys: Keys<'a>) -> Among<'a, A, B>
where
    A: Column<SqlType = Text>,
    B: Column<SqlType = Text>,
{
    Among { columns, keys }
}

impl<A, B> Among<'_, A, B> {
    fn push<'b, DB, ST, V>(
        &'b self,
        mut out: AstPass<'_, 'b, DB>,
        condition: &str,
        values: &[&'b V],
    ) -> QueryResult<()>
    where
        DB: Backend + HasSqlType<ST>,
        A: QueryFragment<DB>,
        B: QueryFragment<DB>,
        V: ToSql<ST, DB>,
    {
        out.push_sql("(");
        self.columns.0.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.columns.1.walk_ast(out.reborrow())?;
        out.push_sql(") ");
        let mut pieces = condition.split('?');
        out.push_sql(pieces.next().unwrap_or_default());
        for (piece, value) in pieces.zip(values) {
            out.push_bind_param::<ST, V>(value)?;
            out.push_sql(piece);
        }
        Ok(())
    }
}

impl<A, B> QueryFragment<Sqlite> for Among<'_, A, B>
where
    A: QueryFragment<Sqlite>,
    B: QueryFragment<Sqlite>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.push::<_, Text, _>(out, AMONG_JSON, &[self.keys.json()])
    }
}

impl<A: QueryFragment<Pg>, B: QueryFragment<Pg>> QueryFragment<Pg> for Among<'_, A, B> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.push::<_, Array<Text>, _>(out, AMONG_ARRAYS, &[self.keys.owners(), self.keys.ids()])
    }
}

impl<A: Expression, B: Expression> Expression for Among<'_, A, B> {
    type SqlType = Bool;
}

impl<A: SelectableExpression<T>, B: SelectableExpression<T>, T> AppearsOnTable<T>
    for Among<'_, A, B>
{
}

impl<A: Column, B: Column, G> ValidGrouping<G> for Among<'_, A, B> {
    type IsAggregate = is_aggregate::No;
}

impl<A: QueryId, B: QueryId> QueryId for Among<'_, A, B> {
    type QueryId = Among<'static, A::QueryId, B::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = A::HAS_STATIC_QUERY_ID && B::HAS_STATIC_QUERY_ID;
}
