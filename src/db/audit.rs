//! Running the slices' invariants.

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::Tx;
use crate::kernel::Result;

/// Rows reported per broken invariant at most.
const ROWS_MAX: usize = 20;

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

/// Runs the checks and reports those that are broken.
pub fn run(tx: &mut Tx<'_>, checks: &[Check]) -> Result<Vec<Broken>> {
    let mut found = Vec::new();
    for (rule, query) in checks {
        let rows: Vec<Row> = sql_query(*query).load(tx.conn())?;
        if !rows.is_empty() {
            let rows = rows.into_iter().take(ROWS_MAX).map(|row| row.broken).collect();
            found.push(Broken { rule, rows });
        }
    }
    Ok(found)
}
