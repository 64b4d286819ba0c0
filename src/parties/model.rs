//! Tenants, partnerships and keys.

use crate::db::Tenant;
use crate::kernel::ids::{ApiKeyId, ChannelId, OrganizationId, PartnershipId, RateId};
use crate::kernel::{Mode, Timestamp};
use crate::text_enum;
use crate::web::KeyScope;

text_enum! {
    /// Where a partnership stands.
    pub enum PartnershipStatus {
        /// Offered by the organization, not yet accepted.
        Invited = "invited",
        /// The channel sells.
        Active = "active",
        /// Paused by either side.
        Suspended = "suspended",
        /// Over.
        Ended = "ended",
    }
}

text_enum! {
    /// One of the two who are partners.
    pub enum PartySide {
        /// Whose events are sold.
        Organization = "organization",
        /// Who sells them.
        Channel = "channel",
    }
}

text_enum! {
    /// Who takes the buyer's money.
    pub enum Collects {
        /// This service, through a payment provider.
        Platform = "platform",
        /// The channel.
        Channel = "channel",
        /// The organization.
        Organization = "organization",
    }
}

text_enum! {
    /// How a commission is reckoned.
    pub enum CommissionType {
        /// Percent of the price.
        Percentage = "percentage",
        /// An amount per ticket.
        Fixed = "fixed",
    }
}

/// A channel's share of its sales.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Commission {
    /// How it is reckoned.
    pub kind: CommissionType,
    /// Ten-thousandths of a percent, or minor units per ticket.
    pub quantity: i64,
}

/// What the two have agreed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Who takes the money of the channel's sales.
    pub collects: Collects,
    /// The channel's share.
    pub commission: Commission,
    /// Whether the channel may have tickets go out before they are paid.
    pub on_account: bool,
}

/// One organization and one channel.
#[derive(Clone, Debug)]
pub struct Partnership {
    /// Its id.
    pub id: PartnershipId,
    /// The organization.
    pub organization_id: OrganizationId,
    /// The channel.
    pub channel_id: ChannelId,
    /// Where it stands.
    pub status: PartnershipStatus,
    /// What holds now.
    pub terms: Terms,
    /// What waits for the channel's acceptance.
    pub proposed: Option<Terms>,
    /// Who has suspended it, and may resume it.
    pub suspended_by: Option<PartySide>,
    /// The rates that the channel sees and sells; all when absent. Not a term: the organization
    /// chooses what it sells, and it holds at once.
    pub rate_ids: Option<Vec<RateId>>,
    /// How often it has changed, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Partnership {
    /// Whether the channel sees and sells a rate of the organization.
    pub fn sells(&self, rate: &RateId) -> bool {
        self.rate_ids.as_ref().is_none_or(|ids| ids.contains(rate))
    }
}

text_enum! {
    /// Who may know a key.
    pub enum KeyKind {
        /// Its tenant's programs only.
        Secret = "secret",
        /// Everybody: it has no scopes, and a buyer's browser comes with it.
        Publishable = "publishable",
    }
}

/// A key, without its secret.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Its mode, for good.
    pub mode: Mode,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<KeyScope>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Until when the secret before the last rotation works.
    pub previous_until: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ApiKey {
    /// Whether it works at an instant.
    pub fn works_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|until| now < until)
    }

    /// A key without scopes is publishable: every secret one has `read`.
    pub fn kind(&self) -> KeyKind {
        if self.scopes.is_empty() { KeyKind::Publishable } else { KeyKind::Secret }
    }

    /// Whether everything it may do is among these: only then may their holder change it.
    pub fn is_within(&self, scopes: &[KeyScope]) -> bool {
        self.scopes.iter().all(|scope| scopes.contains(scope))
    }
}
