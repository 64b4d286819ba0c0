//! `rialto migrate`.

use std::process::ExitCode;

use anyhow::Context;

use crate::config::Config;
use crate::db;

/// Runs what is pending and says what it was.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot make {}", config.data_dir.display()))?;
    let ran = db::migrate(&config.database_url()?)?;
    match ran.len() {
        0 => println!("The database is up to date."),
        count => println!("Ran {count} migrations: {}.", ran.join(", ")),
    }
    Ok(ExitCode::SUCCESS)
}
