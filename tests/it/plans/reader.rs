//! What is wrong with a plan.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::{Array, Float, Nullable, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;

/// A table of fewer rows may be read whole.
const SMALL: f32 = 500.0;
/// What does not grow with what is sold.
pub(super) const NOT_GROWING: [&str; 2] = ["__diesel_schema_migrations", "server_settings"];
/// A column of fewer values does not make an index worth its search.
const FEW: f32 = 50.0;

#[derive(QueryableByName, Clone)]
struct Index {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Array<Text>)]
    columns: Vec<String>,
    /// Which rows it has.
    #[diesel(sql_type = Nullable<Text>)]
    predicate: Option<String>,
}

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Float)]
    rows: f32,
}

#[derive(QueryableByName)]
struct Values {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Float)]
    distinct: f32,
}

/// What plans are read against: tables that grow, their columns of few values, and the columns of
/// each index.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) growing: BTreeSet<String>,
    few: BTreeSet<(String, String)>,
    indexes: BTreeMap<String, Index>,
}

impl Reader {
    pub(super) fn of(conn: &mut PgConnection) -> Self {
        let tables = "SELECT relname::text AS name, reltuples AS rows FROM pg_class \
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
        let tables: Vec<Table> = sql_query(tables).load(conn).unwrap();
        let (growing, small): (Vec<_>, Vec<_>) =
            tables.into_iter().partition(|table| table.rows >= SMALL);
        let small: BTreeSet<_> = small.into_iter().map(|table| table.name).collect();
        assert_eq!(small, NOT_GROWING.map(str::to_owned).into());
        let values = "SELECT tablename::text AS table_name, attname::text AS column_name, \
            n_distinct AS distinct FROM pg_stats WHERE schemaname = 'public'";
        let values: Vec<Values> = sql_query(values).load(conn).unwrap();
        // Below zero it is a share of the rows.
        let few = values.into_iter().filter(|column| (1.0..FEW).contains(&column.distinct));
        let indexes = "SELECT i.indexrelid::regclass::text AS name, \
            ARRAY_AGG(a.attname::text ORDER BY a.attnum) AS columns, \
            pg_get_expr(i.indpred, i.indrelid) AS predicate \
            FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indexrelid \
            JOIN pg_class c ON c.oid = i.indrelid \
            WHERE c.relnamespace = 'public'::regnamespace GROUP BY 1, 3";
        let indexes: Vec<Index> = sql_query(indexes).load(conn).unwrap();
        Self {
            growing: growing.into_iter().map(|table| table.name).collect(),
            few: few.map(|column| (column.table_name, column.column_name)).collect(),
            indexes: indexes.into_iter().map(|index| (index.name.clone(), index)).collect(),
        }
    }

    /// The same without knowing how much a search finds.
    pub(super) fn blind(&self) -> Self {
        Self { few: BTreeSet::new(), ..self.clone() }
    }

    /// What is wrong with a plan. `limited`: only its first rows are read. `relation`: whose index
    /// it reads, where it does not say so itself.
    pub(super) fn faults(&self, plan: &Value, relation: &str, limited: bool) -> Vec<String> {
        let relation = plan["Relation Name"].as_str().unwrap_or(relation);
        let node = plan["Node Type"].as_str().unwrap();
        let fault = match node {
            _ if !self.growing.contains(relation) => None,
            "Seq Scan" => Some("is read whole".to_owned()),
            "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => {
                self.misuse(plan, relation, limited)
            }
            _ => None,
        };
        let mut faults: Vec<_> =
            fault.map(|fault| format!("{relation} {fault}")).into_iter().collect();
        let limited = match node {
            "Limit" => true,
            // They take all there is before they give the first.
            "Sort" | "Aggregate" | "Hash" | "Bitmap Heap Scan" => false,
            _ => limited,
        };
        for child in plan["Plans"].as_array().into_iter().flatten() {
            // What is run for each row of another has its own limit or none.
            let limited = limited && child["Parent Relationship"] == "Outer";
            faults.extend(self.faults(child, relation, limited));
        }
        faults
    }

    fn misuse(&self, plan: &Value, relation: &str, limited: bool) -> Option<String> {
        let index = &self.indexes[plan["Index Name"].as_str().unwrap()];
        let Index { name, columns, predicate } = index;
        let Some(condition) = plan["Index Cond"].as_str() else {
            let filter = plan["Filter"].as_str();
            // Rows read again once they are locked are asked for what all in the index are.
            let filtered = filter.is_some() && filter != predicate.as_deref();
            return (filtered || !limited).then(|| format!("is walked along {name}"));
        };
        let asked = asked(condition);
        let few = |column: &str| self.few.contains(&(relation.to_owned(), column.to_owned()));
        let equal = columns.iter().take_while(|own| asked.contains(&(own.as_str(), true))).count();
        // A page of a list begins after an id, and that leaves much.
        let range = columns.get(equal).is_some_and(|own| asked.contains(&(own.as_str(), false)));
        let narrow =
            range && columns[equal] != "id" || !columns[..equal].iter().all(|own| few(own));
        // A whole key finds one row whatever its columns are.
        if narrow || equal == columns.len() {
            return None;
        }
        let gap = asked.len() > equal + usize::from(range);
        // The first few of something rare may be the last of all.
        let mut rest = plan["Filter"].as_str().into_iter().flat_map(self::asked);
        let seeks = rest.any(|(column, equal)| equal && !few(column)) && !self.few.is_empty();
        (gap || seeks || !limited).then(|| format!("is read along {name}: {condition}"))
    }
}

/// What stands left in `((a = $1) AND (t.b > $2))`, and whether it is to be equal.
fn asked(condition: &str) -> BTreeSet<(&str, bool)> {
    let clauses = condition.split(" AND ").filter_map(|clause| {
        let operators = [" = ", " < ", " > ", " <= ", " >= ", " IS "].iter();
        let found = operators.filter_map(|operator| Some((clause.find(operator)?, *operator)));
        let (end, operator) = found.min()?;
        Some(clause[..end].split(", ").map(move |column| (column, operator == " = ")))
    });
    clauses.flatten().map(|(column, equal)| (bare(column), equal)).collect()
}

/// A column without its table, quotes and brackets.
fn bare(column: &str) -> &str {
    let column = column.trim_start_matches("ROW").trim_matches(['(', ')']);
    column.rsplit('.').next().unwrap().trim_matches('"')
}
