//! How a message leaves: over SMTP, or captured to a file.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use lettre::message::Mailbox;
use lettre::transport::smtp::PoolConfig;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::ExposeSecret;
use url::Url;

use super::captured;
use super::compose::Outgoing;
use crate::config::Config;
use crate::kernel::fail_point::{Step, around_call};
use crate::kernel::{Error, Mode, Result};

/// The mail server must answer each command within this.
const SMTP_TIMEOUT: Duration = Duration::from_secs(15);
/// Connections to the mail server.
const SMTP_CONNECTIONS: u32 = 4;

/// How messages leave.
#[derive(Clone)]
pub struct Transport {
    sender: Mailbox,
    base_url: Url,
    captured: PathBuf,
    smtp: Option<AsyncSmtpTransport<Tokio1Executor>>,
}

impl Transport {
    /// As configured; refused when the address of the mail server is wrong.
    pub fn from_config(config: &Config) -> anyhow::Result<Self> {
        let smtp = match &config.mail.smtp_url {
            Some(url) => {
                let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret());
                let builder = builder.context("RIALTO_SMTP_URL is not valid")?;
                let pool = PoolConfig::new().max_size(SMTP_CONNECTIONS);
                Some(builder.timeout(Some(SMTP_TIMEOUT)).pool_config(pool).build())
            }
            None => None,
        };
        let captured = config.captured_mail_dir();
        let base_url = config.http.base_url()?;
        Ok(Self { sender: config.mail.mail_from.clone(), base_url, captured, smtp })
    }

    /// Where this service is reached.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// Who every message is from.
    pub fn sender(&self) -> &Mailbox {
        &self.sender
    }

    /// Sends a message; in test mode, or without a mail server, to a file named by its id.
    pub async fn send(&self, mode: Mode, id: &str, outgoing: Outgoing) -> Result<()> {
        around_call(Step::MailSend, self.hand_over(mode, id, outgoing)).await
    }

    async fn hand_over(&self, mode: Mode, id: &str, outgoing: Outgoing) -> Result<()> {
        match (&self.smtp, mode) {
            (Some(smtp), Mode::Live) => {
                let failed = |error| {
                    Error::unavailable("The mail server did not take the message.")
                        .because(anyhow::Error::new(error))
                };
                smtp.send(outgoing.message).await.map(|_| ()).map_err(failed)
            }
            (None, _) | (_, Mode::Test) => captured::keep(&self.captured, id, outgoing).await,
        }
    }
}
