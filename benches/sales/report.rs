//! Rows of figures, and the page they become.

use serde::{Deserialize, Serialize};

use crate::goals;
use crate::machine::Machine;

/// Before the rows on a child's standard output.
pub const MARK: &str = "@@rows ";

/// One measurement.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Row {
    /// Which table it belongs to.
    pub table: String,
    /// What was measured.
    pub name: String,
    /// How many clients.
    pub clients: usize,
    /// Per second.
    pub rate: f64,
    /// Microseconds.
    pub p50: u32,
    /// Microseconds.
    pub p99: u32,
    /// Its baseline's rate, where it has one.
    pub baseline: Option<f64>,
    /// Anything else worth saying.
    pub note: String,
}

/// The page.
pub fn markdown(machine: &Machine, rows: &[Row]) -> String {
    let mut text = format!(
        "# What a purchase costs\n\n{machine}. Written by `cargo bench --bench sales`, whose source \
         says what each row is. Ratios are to the row's baseline in the same run: `bare` at the \
         same number of clients (at most 16), or the empty handler. `bare, 64 to a commit` is the \
         ceiling of a single writer: what the database does when nobody waits for an answer.\n"
    );
    text += &goals::markdown(rows);
    let mut table = String::new();
    for row in rows {
        if row.table != table {
            table.clone_from(&row.table);
            text += &format!(
                "\n## {table}\n\n| what | clients | per second | p50 | p99 | ratio | |\n\
                 |---|---|---|---|---|---|---|\n"
            );
        }
        let ratio = row.baseline.map_or(String::new(), |base| format!("{:.2}", row.rate / base));
        text += &format!(
            "| {} | {} | {:.0} | {} | {} | {ratio} | {} |\n",
            row.name,
            row.clients,
            row.rate,
            time(row.p50),
            time(row.p99),
            row.note
        );
    }
    text
}

fn time(micros: u32) -> String {
    match micros {
        0 => String::new(),
        1..1000 => format!("{micros} µs"),
        _ => format!("{:.1} ms", f64::from(micros) / 1000.0),
    }
}
