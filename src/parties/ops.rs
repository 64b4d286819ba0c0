//! Operations on tenants, partnerships and keys.

use super::key::KeySecret;
use super::known::{self, Known};
use super::model::{
    ApiKey, Channel, Collects, Commission, Organization, Partnership, PartnershipStatus,
};
use super::store;
use crate::db::{Tenant, Tx};
use crate::kernel::ids::{ApiKeyId, ChannelId, OrganizationId};
use crate::kernel::{Currency, Error, Mode, Result, Timestamp};
use crate::web::KeyScope;

/// A new organization.
pub struct NewOrganization {
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// The currency new events get.
    pub currency: Option<Currency>,
    /// The time zone new events get.
    pub timezone: Option<chrono_tz::Tz>,
    /// Whether it may work in live mode at once: somebody vouches for it.
    pub confirmed: bool,
}

/// A new channel.
pub struct NewChannel {
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// Whether it may work in live mode at once: somebody vouches for it.
    pub confirmed: bool,
}

/// Creates an organization. 409 `slug_taken`.
pub fn create_organization(tx: &mut Tx<'_>, new: &NewOrganization) -> Result<Organization> {
    if store::organization_by_slug(tx, &new.slug)?.is_some() {
        return Err(slug_taken(&new.slug));
    }
    let organization = Organization {
        id: tx.id(),
        name: new.name.clone(),
        slug: new.slug.clone(),
        currency: new.currency.map(|currency| currency.code().to_owned()),
        timezone: new.timezone.map(|zone| zone.name().to_owned()),
        created_at: tx.now(),
        confirmed_at: new.confirmed.then_some(tx.now()),
    };
    store::append_organization(tx, &organization);
    Ok(organization)
}

/// Creates a channel. 409 `slug_taken`.
pub fn create_channel(tx: &mut Tx<'_>, new: &NewChannel) -> Result<Channel> {
    if store::channel_by_slug(tx, &new.slug)?.is_some() {
        return Err(slug_taken(&new.slug));
    }
    let channel = Channel {
        id: tx.id(),
        name: new.name.clone(),
        slug: new.slug.clone(),
        created_at: tx.now(),
        confirmed_at: new.confirmed.then_some(tx.now()),
    };
    store::append_channel(tx, &channel);
    Ok(channel)
}

/// Whether an organization has this slug.
pub fn is_organization_slug(tx: &mut Tx<'_>, slug: &str) -> Result<bool> {
    Ok(store::organization_by_slug(tx, slug)?.is_some())
}

/// Whether a channel has this slug.
pub fn is_channel_slug(tx: &mut Tx<'_>, slug: &str) -> Result<bool> {
    Ok(store::channel_by_slug(tx, slug)?.is_some())
}

fn slug_taken(slug: &str) -> Error {
    Error::conflict("slug_taken", "This slug is taken.")
        .on_field("slug", format!("{slug} is taken"))
}

/// Lets a tenant work in live mode from now on.
pub fn confirm(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<()> {
    store::confirm(tx, tenant)
}

/// The terms of a partnership.
#[derive(Clone, Copy)]
pub struct Terms {
    /// Who takes the money.
    pub collects: Collects,
    /// The channel's share.
    pub commission: Commission,
}

/// Creates a partnership, already active: the operator vouches for both sides. 409 when there is
/// one.
pub fn create_partnership(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    channel: &ChannelId,
    terms: Terms,
) -> Result<Partnership> {
    if store::partnership(tx, organization, channel)?.is_some() {
        return Err(Error::conflict("partnership_exists", "These two are partners already."));
    }
    let partnership = Partnership {
        id: tx.id(),
        organization_id: organization.clone(),
        channel_id: channel.clone(),
        status: PartnershipStatus::Active,
        collects: terms.collects,
        commission: terms.commission,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    store::append_partnership(tx, &partnership);
    Ok(partnership)
}

/// Moves a partnership to another status.
pub fn set_partnership_status(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    channel: &ChannelId,
    status: PartnershipStatus,
) -> Result<()> {
    if store::set_partnership_status(tx, organization, channel, status)? {
        return Ok(());
    }
    Err(Error::not_found())
}

/// The partnership of an organization and a channel, if it is active.
pub fn active_partnership(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    channel: &ChannelId,
) -> Result<Option<Partnership>> {
    let found = known::partnership(tx, organization, channel)?;
    Ok(found.filter(|partnership| partnership.status == PartnershipStatus::Active))
}

/// The organizations an acting channel sells for.
pub fn hosts(tx: &mut Tx<'_>, channel: &ChannelId) -> Result<Vec<Organization>> {
    store::hosts(tx, channel)
}

/// An organization.
pub fn organization(tx: &mut Tx<'_>, id: &OrganizationId) -> Result<Organization> {
    store::organization(tx, id)?.ok_or_else(Error::not_found)
}

/// A channel.
pub fn channel(tx: &mut Tx<'_>, id: &ChannelId) -> Result<Channel> {
    store::channel(tx, id)?.ok_or_else(Error::not_found)
}

/// An organization by its slug.
pub fn organization_by_slug(tx: &mut Tx<'_>, slug: &str) -> Result<Organization> {
    store::organization_by_slug(tx, slug)?.ok_or_else(Error::not_found)
}

/// A channel by its slug.
pub fn channel_by_slug(tx: &mut Tx<'_>, slug: &str) -> Result<Channel> {
    store::channel_by_slug(tx, slug)?.ok_or_else(Error::not_found)
}

/// A new key.
pub struct NewKey {
    /// Whose it is.
    pub tenant: Tenant,
    /// Its mode.
    pub mode: Mode,
    /// What people call it.
    pub name: String,
    /// What it may do besides `read`.
    pub scopes: Vec<KeyScope>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// Creates a key whose secret the caller made and will show once.
pub fn create_key(tx: &mut Tx<'_>, new: &NewKey, secret: &KeySecret) -> ApiKey {
    let mut scopes = vec![KeyScope::Read];
    scopes.extend(new.scopes.iter().copied().filter(|scope| *scope != KeyScope::Read));
    let key = ApiKey {
        id: tx.id(),
        tenant: new.tenant.clone(),
        mode: new.mode,
        name: new.name.clone(),
        scopes,
        expires_at: new.expires_at,
        revoked_at: None,
    };
    store::append_key(tx, &key, secret.hash());
    key
}

/// Revokes a key: at once on this server, within a second on others.
pub fn revoke_key(tx: &mut Tx<'_>, id: &ApiKeyId) -> Result<()> {
    tx.environment().get::<Known>()?.forget_keys();
    if store::revoke_key(tx, id)? { Ok(()) } else { Err(Error::not_found()) }
}
