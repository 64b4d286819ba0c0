//! `rialto audit`.

use std::process::ExitCode;

use crate::app;
use crate::config::Config;
use crate::db::audit;

/// Checks every invariant of every slice.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let checks = app::checks();
    let count = checks.len();
    let broken = audit::run(&config.database_url()?, &checks)?;
    for rule in &broken {
        println!("BROKEN: {}", rule.rule);
        rule.rows.iter().for_each(|row| println!("  {row}"));
    }
    println!("{count} invariants checked, {} broken.", broken.len());
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
