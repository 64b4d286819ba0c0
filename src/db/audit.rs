//! Running the slices' invariants.

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::conn::{DatabaseUrl, Purpose};

/// Rows reported per broken invariant at most.
const ROWS_MAX: u32 = 20;

/// An invariant: what it says, and a query for the rows that break it, in a column `broken`.
pub type Check = (&'static str, &'static str);

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// What it says.
    pub rule: &'static str,
    /// Rows that break it, at most twenty of them.
    pub rows: Vec<String>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    broken: String,
}

/// Runs the checks on a connection of their own, which may take its time, and reports those that
/// are broken.
pub fn run(url: &DatabaseUrl, checks: &[Check]) -> anyhow::Result<Vec<Broken>> {
    let mut conn = url.connect(Purpose::Migrate)?;
    let mut found = Vec::new();
    for (rule, query) in checks {
        let query = format!("SELECT broken FROM ({query}) found LIMIT {ROWS_MAX}");
        let rows: Vec<Row> = sql_query(query).load(&mut conn)?;
        if !rows.is_empty() {
            let rows = rows.into_iter().map(|row| row.broken).collect();
            found.push(Broken { rule, rows });
        }
    }
    Ok(found)
}
