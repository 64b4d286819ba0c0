//! `rialto serve`.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use crate::app::Application;
use crate::config::Config;

/// Runs until SIGTERM or SIGINT, then drains.
pub fn run(config: Config) -> anyhow::Result<ExitCode> {
    config.log.install()?;
    actix_web::rt::System::new().block_on(async {
        let application = Application::build(config).await?;
        let stopper = application.stopper();
        let (mut term, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        actix_web::rt::spawn(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = interrupt.recv() => {}
            }
            stopper.stop().await;
        });
        application.run().await?;
        Ok(ExitCode::SUCCESS)
    })
}
