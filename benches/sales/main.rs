//! `cargo bench --bench sales`: what a purchase costs, beside what the database alone can do.
//!
//! A purchase is one `POST /v1/payments` under an idempotency key: priced, held, recorded with its
//! ticket and its change, answered after the flush. Three ways, in one run:
//!
//! - **bare**: the same statements by hand, prepared, one transaction each, 16 connections; and 64
//!   to a transaction on one connection: what the database can do when nobody waits for an answer;
//! - **path**: the write path without HTTP;
//! - **http**: `rialto serve` over loopback, its clients on the same cores.
//!
//! Settings: the machine as it is; every flush 2 ms slower (`slow_flush.c`, preloaded); and, on
//! PostgreSQL, 0.5 ms added to every round trip (a proxy). Writes `benches/RESULTS.md`.
//!
//! `-- --seconds 2` shortens each measurement, `-- --only sqlite` (or any part of a table's name)
//! runs some, `-- --clients 64` runs them with so many clients only, `-- --payments 1000000` also measures a database that has grown.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions
)]

mod bare;
mod client;
#[path = "../../tests/it/support/cluster.rs"]
#[allow(dead_code)]
mod cluster;
mod goals;
mod load;
mod machine;
mod proxy;
mod report;
mod runs;
mod server;
mod statement;
mod world;

use clap::Parser;

// As the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What to measure.
#[derive(Parser, Clone, Debug)]
pub struct Options {
    /// Passed by cargo.
    #[arg(long, hide = true)]
    bench: bool,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Tables whose name has this in it.
    #[arg(long, default_value = "")]
    only: String,
    /// Numbers of clients.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256])]
    clients: Vec<usize>,
    /// Payments in the grown database; none: it is not measured.
    #[arg(long, default_value_t = 0)]
    payments: u64,
    /// Report although other processes are busy.
    #[arg(long)]
    busy: bool,
    /// Print, and leave `benches/RESULTS.md` as it is.
    #[arg(long)]
    dry: bool,
    /// One setting, in a process of its own: rows as JSON.
    #[arg(long, hide = true)]
    setting: Option<String>,
}

fn main() {
    let options = Options::parse();
    if let Some(setting) = &options.setting {
        let rows = runs::setting(setting, &options);
        println!("{}{}", report::MARK, serde_json::to_string(&rows).unwrap());
        return;
    }
    let machine = machine::Machine::look(options.busy);
    println!("{machine}");
    let mut rows = Vec::new();
    for setting in runs::SETTINGS {
        rows.extend(machine::run_in_child(setting, &options));
    }
    let text = report::markdown(&machine, &rows);
    println!("{text}");
    if !options.dry {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/RESULTS.md"), text).unwrap();
    }
}
