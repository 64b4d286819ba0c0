//! How mail leaves, or does not.

use clap::Args;
use secrecy::SecretString;

/// Mail settings.
#[derive(Args, Clone, Debug)]
pub struct MailSettings {
    /// `smtps://user:password@host:465` or `smtp://host:587?tls=required`; unset: mail is captured
    /// as files in the data directory. Test mode is always captured.
    #[arg(long, env = "RIALTO_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<SecretString>,
    /// The sender of every mail.
    #[arg(
        long,
        env = "RIALTO_MAIL_FROM",
        default_value = "Rialto Tickets <tickets@rialto.invalid>"
    )]
    pub mail_from: lettre::message::Mailbox,
}
