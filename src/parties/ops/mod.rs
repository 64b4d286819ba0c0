//! Operations on tenants, partnerships and keys.

mod keys;
mod partnerships;

use super::store::{self, Channel, Organization};
use crate::db::{Tenant, Tx};
use crate::kernel::ids::{ChannelId, OrganizationId};
use crate::kernel::{Currency, Error, Result};

pub use keys::*;
pub use partnerships::*;

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
        deleted_at: None,
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
        deleted_at: None,
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

/// The organizations an acting channel sells for.
pub fn hosts(tx: &mut Tx<'_>, channel: &ChannelId) -> Result<Vec<Organization>> {
    store::hosts(tx, channel)
}

/// The ids of the organizations that a channel sells for.
pub fn host_ids(tx: &mut Tx<'_>, channel: &ChannelId) -> Result<Vec<OrganizationId>> {
    store::host_ids(tx, channel)
}

/// An organization.
pub fn organization(tx: &mut Tx<'_>, id: &OrganizationId) -> Result<Organization> {
    store::organization(tx, id)?.ok_or_else(Error::not_found)
}

/// A channel.
pub fn channel(tx: &mut Tx<'_>, id: &ChannelId) -> Result<Channel> {
    store::channel(tx, id)?.ok_or_else(Error::not_found)
}

/// Whether a tenant is still there.
pub fn is_there(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<bool> {
    Ok(match tenant {
        Tenant::Organization(id) => {
            store::organization(tx, id)?.is_some_and(|own| own.deleted_at.is_none())
        }
        Tenant::Channel(id) => store::channel(tx, id)?.is_some_and(|own| own.deleted_at.is_none()),
    })
}

/// An organization that is still there, by its slug.
pub fn organization_by_slug(tx: &mut Tx<'_>, slug: &str) -> Result<Organization> {
    let found = store::organization_by_slug(tx, slug)?;
    found.filter(|found| found.deleted_at.is_none()).ok_or_else(Error::not_found)
}

/// A channel that is still there, by its slug.
pub fn channel_by_slug(tx: &mut Tx<'_>, slug: &str) -> Result<Channel> {
    let found = store::channel_by_slug(tx, slug)?;
    found.filter(|found| found.deleted_at.is_none()).ok_or_else(Error::not_found)
}
