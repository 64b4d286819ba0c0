//! The program: its commands, nothing else.

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A file that is not there is no fault.
    let _no_env_file = dotenvy::dotenv();
    match rialto::commands::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rialto: {error:#}");
            ExitCode::FAILURE
        }
    }
}
