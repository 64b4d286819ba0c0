//! How a message leaves: over SMTP, or captured to a file.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use lettre::message::Mailbox;
use lettre::transport::smtp::PoolConfig;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;
use url::Url;

use crate::config::Config;
use crate::kernel::fail_point::{Step, around_call};
use crate::kernel::ids::{Id, JobId};
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

    /// Sends a message; in test mode, or without a mail server, to a file.
    pub async fn send(&self, mode: Mode, job: &JobId, message: Message) -> Result<()> {
        around_call(Step::MailSend, self.hand_over(mode, job, message)).await
    }

    async fn hand_over(&self, mode: Mode, job: &JobId, message: Message) -> Result<()> {
        match (&self.smtp, mode) {
            (Some(smtp), Mode::Live) => {
                let failed = |error| {
                    Error::unavailable("The mail server did not take the message.")
                        .because(anyhow::Error::new(error))
                };
                smtp.send(message).await.map(|_| ()).map_err(failed)
            }
            (None, _) | (_, Mode::Test) => self.capture(job, &message).await,
        }
    }

    /// Written beside and renamed, so that whoever looks sees whole messages only.
    async fn capture(&self, job: &JobId, message: &Message) -> Result<()> {
        let path = self.captured.join(format!("{}.eml", job.as_str()));
        let (directory, bytes) = (self.captured.clone(), message.formatted());
        let write = move || {
            std::fs::create_dir_all(&directory)?;
            let beside = path.with_extension("part");
            std::fs::write(&beside, bytes)?;
            std::fs::rename(&beside, &path)
        };
        let wrote = tokio::task::spawn_blocking(write).await.map_err(Error::internal)?;
        wrote.map_err(Error::internal)
    }
}
