//! What is logged, and how.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Log settings.
#[derive(Args, Clone, Debug)]
pub struct LogSettings {
    /// What to log, as `level` or `target=level,...`.
    #[arg(long, env = "RIALTO_LOG", default_value = "info")]
    pub log: String,
    /// The form of log lines.
    #[arg(long, env = "RIALTO_LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,
}

impl LogSettings {
    /// Starts logging to standard error. A second call in one process changes nothing.
    pub fn install(&self) -> anyhow::Result<()> {
        use tracing_subscriber::{EnvFilter, fmt};
        let filter = EnvFilter::try_new(&self.log)?;
        let for_eyes = std::io::stderr().is_terminal();
        let builder = fmt().with_env_filter(filter).with_ansi(for_eyes);
        let builder = builder.with_writer(std::io::stderr);
        // Fails only when a subscriber is already installed, which is then the one to keep.
        let _installed_before = match self.log_format {
            LogFormat::Text => builder.try_init(),
            LogFormat::Json => builder.json().flatten_event(true).try_init(),
        };
        Ok(())
    }
}
