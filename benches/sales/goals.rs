//! What is aimed at, and what stands in the way where it is missed.

use crate::report::Row;

const CLIENTS: usize = 64;
const ROUND_TRIPS_HOT: &str =
    "PostgreSQL, every flush 2 ms and every round trip 0.5 ms slower: one hot rate";
const ROUND_TRIPS_SPREAD: &str =
    "PostgreSQL, every flush 2 ms and every round trip 0.5 ms slower: 100 events";

/// The least ratio of a row to its baseline, in every table whose name begins so.
struct Goal {
    tables: &'static str,
    row: &'static str,
    ratio: f64,
    /// What bounds it.
    limit: &'static str,
}

const fn goal(tables: &'static str, row: &'static str, ratio: f64, limit: &'static str) -> Goal {
    Goal { tables, row, ratio, limit }
}

const ONE_CORE: &str = "one thread writes; `bare, 64 to a commit` is what it could do at best";
const HALF_FULL: &str = "a batch waits for nobody: of 64 clients those who are answered together do \
    not all come back while the next one runs; `bare, 64 to a commit` is what one writer can do";
const TWO_CORES: &str = "clients, HTTP and the writer share two cores";
const THREE_QUERIES: &str = "three queries, 45 columns and 1.5 kB of JSON beside an empty answer; \
    of a profile 39 % is the database (20 the payment's row, 9 its items and tickets, 10 beginning \
    and ending), 16 sending, 8 routing, 6 JSON, 5 the key";
const OUTGROWN: &str = "trees that outgrow the writer's cache, deeper by a level, and older pages \
    to move into the file";
const SERVER: &str = "the server's own work for the same statements";

const GOALS: [Goal; 16] = [
    goal("SQLite, as the machine is", "path", 2.5, ONE_CORE),
    goal("SQLite, as the machine is", "http", 0.8, TWO_CORES),
    goal("SQLite, as the machine is", "GET payment", 0.5, THREE_QUERIES),
    goal("SQLite, as the machine is", "path, 1000000 payments", 0.9, OUTGROWN),
    goal("SQLite, as the machine is", "http, 1000000 payments", 0.9, OUTGROWN),
    goal("SQLite, every flush 2 ms slower", "path", 20.0, HALF_FULL),
    goal("SQLite, every flush 2 ms slower", "http", 10.0, TWO_CORES),
    goal("PostgreSQL, as the machine is: one hot rate", "path", 3.0, SERVER),
    goal("PostgreSQL, as the machine is: 100 events", "path", 1.0, SERVER),
    goal("PostgreSQL, as the machine is", "http", 0.5, TWO_CORES),
    goal("PostgreSQL, as the machine is", "path, 1000000 payments", 0.9, OUTGROWN),
    goal("PostgreSQL, as the machine is", "http, 1000000 payments", 0.9, OUTGROWN),
    goal("PostgreSQL, every flush 2 ms slower: one hot rate", "path", 8.0, SERVER),
    goal("PostgreSQL, every flush 2 ms slower: 100 events", "path", 1.5, SERVER),
    goal(ROUND_TRIPS_HOT, "path", 6.0, SERVER),
    goal(ROUND_TRIPS_SPREAD, "path", 1.5, SERVER),
];

/// A table of the goals beside what was measured.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = format!(
        "\n## What is aimed at with {CLIENTS} clients\n\n\
         | table | what | at least | measured | |\n|---|---|---|---|---|\n"
    );
    for goal in &GOALS {
        let measured = rows.iter().filter(|row| {
            row.clients == CLIENTS && row.name == goal.row && row.table.starts_with(goal.tables)
        });
        for row in measured {
            let Some(base) = row.baseline else { continue };
            let (ratio, least) = (row.rate / base, goal.ratio);
            let said = if ratio >= least { "met" } else { goal.limit };
            text += &format!("| {} | {} | {least} | {ratio:.2} | {said} |\n", row.table, row.name);
        }
    }
    text
}
