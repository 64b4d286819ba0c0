//! `rialto demo`: the main job, in the open.
//!
//! Starts the real service on embedded SQLite and walks from the sign-ups of an organization and a
//! channel, who become partners, to a guest at the door, a refund and a late payment, printing each
//! request as a curl line with its answer. Everything is test mode: no money; and no mail leaves
//! the machine.

mod after;
mod sign_up;
mod walk;

use std::process::ExitCode;

use clap::Args;

use crate::app::Application;
use crate::config::Config;

/// Start on embedded SQLite, sell a ticket in the open, and stay up to be looked at.
#[derive(Args, Debug)]
pub struct Demo {
    #[command(flatten)]
    config: Config,
    /// End after the walk; with 1 when a step failed.
    #[arg(long)]
    exit: bool,
}

impl Demo {
    /// Runs the demo.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut config = self.config;
        config.data_dir = config.data_dir.join("demo");
        config.database.url = None;
        config.mail.smtp_url = None;
        config.worker = true;
        if config.log.log == "info" {
            // The walk is the output; requests would only be repeated by the log.
            config.log.log = "warn".to_owned();
        }
        config.log.install()?;
        actix_web::rt::System::new().block_on(async move {
            let captured = config.captured_mail_dir();
            let application = Application::build(config).await?;
            let base = format!("http://{}", application.address());
            let stopper = application.stopper();
            let running = actix_web::rt::spawn(application.run());
            let walked = walk::walk(&base, &captured).await;
            let code = match &walked {
                Ok(_) => ExitCode::SUCCESS,
                Err(error) => {
                    println!("\nThe walk failed: {error:#}");
                    ExitCode::FAILURE
                }
            };
            if !self.exit {
                walk::print_addresses(&base, walked.as_ref().ok(), &captured);
                tokio::signal::ctrl_c().await?;
            }
            stopper.stop().await;
            running.await??;
            Ok(code)
        })
    }
}
