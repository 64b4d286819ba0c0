//! `rialto audit`.

use std::process::ExitCode;

use crate::app;
use crate::config::Config;
use crate::db::{Scope, audit};
use crate::kernel::Clock;

/// Checks every invariant of every slice.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let db = app::open(config, Clock::default())?;
    let checks = app::checks();
    let count = checks.len();
    let scope = Scope::platform("the operator's audit");
    let broken =
        super::block_on(
            async move { Ok(db.read(&scope, move |tx| audit::run(tx, &checks)).await?) },
        )?;
    for rule in &broken {
        println!("BROKEN: {}", rule.rule);
        rule.rows.iter().for_each(|row| println!("  {row}"));
    }
    println!("{count} invariants checked, {} broken.", broken.len());
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
