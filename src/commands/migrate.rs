//! `rialto migrate`.

use std::process::ExitCode;

use crate::config::Config;
use crate::db;

/// Runs what is pending and says what it was.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    config.make_data_dir()?;
    let ran = db::migrate(&config.database_url()?)?;
    match ran.len() {
        0 => println!("The database is up to date."),
        count => println!("Ran {count} migrations: {}.", ran.join(", ")),
    }
    Ok(ExitCode::SUCCESS)
}
