//! The commands of the program.

pub mod admin;
mod audit;
pub mod demo;
mod migrate;
mod serve;

use clap::{Parser, Subcommand};

use crate::config::Config;

/// Rialto: a multi-tenant channel (reseller) marketplace for tickets.
#[derive(Parser, Debug)]
#[command(name = "rialto", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the service (the default).
    Serve(Config),
    /// Start on embedded SQLite, sell a ticket in the open, and stay up to be looked at.
    Demo(demo::Demo),
    /// Bring the database to this program's schema and end.
    Migrate(Config),
    /// Print the OpenAPI document.
    Openapi,
    /// Check every invariant of the data; ends with 1, and the rows, when one is broken.
    Audit(Config),
    /// Create tenants, partnerships and keys, as the operator.
    Admin(admin::Admin),
}

impl Cli {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<std::process::ExitCode> {
        let command = match self.command {
            Some(command) => command,
            None => Command::Serve(default_config()?),
        };
        match command {
            Command::Serve(config) => serve::run(config),
            Command::Demo(demo) => demo.run(),
            Command::Migrate(config) => migrate::run(&config),
            Command::Openapi => {
                print!("{}", crate::web::router::document_json());
                Ok(std::process::ExitCode::SUCCESS)
            }
            Command::Audit(config) => audit::run(&config),
            Command::Admin(admin) => admin.run(),
        }
    }
}

/// The configuration of the environment alone.
pub fn default_config() -> anyhow::Result<Config> {
    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        config: Config,
    }
    Ok(Alone::try_parse_from(["rialto"])?.config)
}

/// A runtime for commands that need one.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
