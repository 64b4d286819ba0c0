//! Limits of selling.

use clap::Args;

/// Sales settings.
#[derive(Args, Clone, Debug)]
pub struct SalesSettings {
    /// Seconds a payment holds its stock unless asked otherwise.
    #[arg(long, env = "RIALTO_HOLD_SECONDS", default_value_t = 900,
        value_parser = clap::value_parser!(i64).range(1..=86_400))]
    pub hold_seconds: i64,
    /// Most seconds a payment can hold its stock, from the hold's start.
    #[arg(long, env = "RIALTO_HOLD_SECONDS_MAX", default_value_t = 7200,
        value_parser = clap::value_parser!(i64).range(1..=86_400))]
    pub hold_seconds_max: i64,
}

impl SalesSettings {
    /// Refuses a default that is longer than the limit.
    pub fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.hold_seconds <= self.hold_seconds_max,
            "RIALTO_HOLD_SECONDS is longer than RIALTO_HOLD_SECONDS_MAX"
        );
        Ok(())
    }
}
