//! Letters to a channel's owners and admins that an organization offers it a partnership.

use serde::Serialize;
use serde_json::json;

use super::compose::Envelope;
use super::ops::text_of;
use super::transport::Transport;
use crate::accounts;
use crate::db::{Db, Outcome, Scope, Tenant, Tx};
use crate::kernel::ids::{ChannelId, Id, MemberId, OrganizationId};
use crate::kernel::{Error, Mode, Result};
use crate::outbox::Job;
use crate::outbox::jobs::{self, Claimed};
use crate::parties::{self, PartnershipStatus};

/// The kind of the job that tells one person of an offer.
pub const TELL: &str = "mail.offer";

fn scope() -> Scope {
    Scope::platform("telling a channel of a partnership it is offered")
}

fn pair_of(job: &Claimed) -> Result<(OrganizationId, ChannelId)> {
    let organization = text_of(&job.payload, "organization_id").and_then(OrganizationId::parse);
    let channel = text_of(&job.payload, "channel_id").and_then(ChannelId::parse);
    organization.zip(channel).ok_or_else(|| Error::internal("a job without its partnership"))
}

/// Writes a job for each owner and admin of the channel, and ends this one with them.
pub async fn fan_out(db: &Db, job: Claimed) -> Result<()> {
    let (organization, channel) = pair_of(&job)?;
    let write = move |tx: &mut Tx<'_>| {
        // Another worker that took this job over writes the others; never both.
        if jobs::finish(tx, &job)? {
            for member in accounts::ops::members::managers(tx, &Tenant::Channel(channel.clone()))? {
                let payload = json!({"organization_id": organization, "channel_id": channel,
                    "member_id": member});
                jobs::enqueue(tx, Job::now(TELL, payload));
            }
        }
        Ok(Outcome::Done(()))
    };
    db.write(&scope(), write).await.map(|_| ())
}

#[derive(Serialize)]
struct Offer {
    organization: String,
    channel: String,
    partnership: String,
}

/// Tells one of them, while it is still an offer and theirs to answer.
pub async fn tell(db: &Db, transport: &Transport, job: Claimed) -> Result<()> {
    let (organization, channel) = pair_of(&job)?;
    let member = text_of(&job.payload, "member_id").and_then(MemberId::parse);
    let member = member.ok_or_else(|| Error::internal("a job without its member"))?;
    let read = move |tx: &mut Tx<'_>| {
        let found = parties::ops::partnership_of(tx, &organization, &channel)?;
        let offer = found.filter(|found| found.status == PartnershipStatus::Invited);
        let tenant = Tenant::Channel(channel.clone());
        let email = accounts::ops::members::manager_email(tx, &tenant, &member)?;
        let Some((offer, email)) = offer.zip(email) else { return Ok(None) };
        let offer = Offer {
            organization: parties::ops::organization(tx, &organization)?.name,
            channel: parties::ops::channel(tx, &channel)?.name,
            partnership: offer.id.to_string(),
        };
        Ok(Some((offer, email)))
    };
    let Some((offer, email)) = db.read(&scope(), read).await? else { return Ok(()) };
    let subject = format!("{} would like you to sell its tickets", offer.organization);
    let envelope = Envelope { to: email, subject, work: job.id.as_str() };
    let message = envelope.with_words(transport.sender(), ("offer", &offer))?;
    // About people and tenants, not sales: there is no test mode of it.
    transport.send(Mode::Live, job.id.as_str(), message).await
}
