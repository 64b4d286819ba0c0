//! Letters to people with accounts: confirmations, resets, invitations.
//!
//! They are about people, not sales: test mode does not keep them on the machine, only a missing
//! mail server does.

use serde::Serialize;
use serde_json::Value;

use super::compose::{Envelope, Outgoing};
use super::transport::Transport;
use crate::accounts::ops::letters::{self, Wording};
use crate::db::{Db, Scope};
use crate::kernel::ids::{Id, InvitationId, JobId, LetterId};
use crate::kernel::{Error, Mode, Result};
use crate::outbox::jobs::Claimed;

fn scope() -> Scope {
    Scope::platform("mailing people with accounts")
}

fn id_of<T: Id>(job: &Claimed, name: &str) -> Result<T> {
    let text = job.payload.get(name).and_then(Value::as_str).unwrap_or_default();
    T::parse(text).ok_or_else(|| Error::internal("a letter without its row"))
}

/// Mails a confirmation or a reset.
pub async fn letter(db: &Db, transport: &Transport, job: Claimed) -> Result<()> {
    let id: LetterId = id_of(&job, "letter_id")?;
    let wording = db.read(&scope(), move |tx| letters::wording(tx, &id)).await?;
    send(transport, &job.id, wording).await
}

/// Mails an invitation.
pub async fn invitation(db: &Db, transport: &Transport, job: Claimed) -> Result<()> {
    let id: InvitationId = id_of(&job, "invitation_id")?;
    let wording = db.read(&scope(), move |tx| letters::invitation_wording(tx, &id)).await?;
    send(transport, &job.id, wording).await
}

async fn send(transport: &Transport, job: &JobId, wording: Option<Wording>) -> Result<()> {
    let Some(wording) = wording else {
        return Ok(());
    };
    let message = message(&wording, job, transport)?;
    transport.send(Mode::Live, job.as_str(), message).await
}

#[derive(Serialize)]
struct Values<'a> {
    kind: &'a str,
    name: Option<&'a str>,
    tenant: Option<&'a str>,
    role: Option<String>,
    token: &'a str,
    link: String,
    subject: &'a str,
}

fn message(wording: &Wording, job: &JobId, transport: &Transport) -> Result<Outgoing> {
    let subject = match wording.kind {
        "confirm" => "Confirm your e-mail".to_owned(),
        "reset" => "Set a new password".to_owned(),
        _ => format!("Join {}", wording.tenant.as_deref().unwrap_or("us")),
    };
    // Behind the hash: no server's log and no other site gets to see it.
    let link = format!("{}account/{}#{}", transport.base_url(), wording.kind, wording.token);
    let values = Values {
        kind: wording.kind,
        name: wording.name.as_deref(),
        tenant: wording.tenant.as_deref(),
        role: wording.role.map(|role| role.as_str().replace('_', " ")),
        token: &wording.token,
        link,
        subject: &subject,
    };
    let to = wording.email.clone();
    let envelope = Envelope { to, subject: subject.clone(), work: job.as_str() };
    envelope.with_words(transport.sender(), ("account", &values))
}
