//! The tables `organizations`, `channels`, `partnerships` and `api_keys`.
//!
//! Platform tables: they are what tenancy is made of, and are reached by id, by slug or by the
//! hash of a secret. A partnership is shared by its two sides.

mod keys;
mod partnerships;

use diesel::prelude::*;

use crate::db::schema::{channels, organizations};
use crate::db::{AnyConnection, Tenant, Tx};
use crate::kernel::ids::{ChannelId, OrganizationId};
use crate::kernel::{Result, Timestamp};
use crate::{append_only, on_each};

pub(super) use keys::*;
pub(super) use partnerships::*;

/// A tenant that owns events.
#[derive(Insertable, Queryable, Clone, Debug)]
#[diesel(table_name = organizations, treat_none_as_default_value = false)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its slug, unique per installation.
    pub slug: String,
    /// The currency new events get.
    pub currency: Option<String>,
    /// The IANA time zone new events get.
    pub timezone: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it may work in live mode.
    pub confirmed_at: Option<Timestamp>,
    /// Since when it is gone.
    pub deleted_at: Option<Timestamp>,
}
append_only!(
    Organization,
    organizations,
    1,
    [id, name, slug, currency, timezone, created_at, confirmed_at, deleted_at]
);

/// A tenant that resells.
#[derive(Insertable, Queryable, Clone, Debug)]
#[diesel(table_name = channels, treat_none_as_default_value = false)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// Its name.
    pub name: String,
    /// Its slug, unique per installation.
    pub slug: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it may work in live mode.
    pub confirmed_at: Option<Timestamp>,
    /// Since when it is gone.
    pub deleted_at: Option<Timestamp>,
}
append_only!(Channel, channels, 2, [id, name, slug, created_at, confirmed_at, deleted_at]);

pub(in crate::parties) fn append_organization(tx: &mut Tx<'_>, organization: &Organization) {
    tx.append(organization.clone());
}

pub(in crate::parties) fn append_channel(tx: &mut Tx<'_>, channel: &Channel) {
    tx.append(channel.clone());
}

pub(in crate::parties) fn organization(
    tx: &mut Tx<'_>,
    id: &OrganizationId,
) -> Result<Option<Organization>> {
    let row = organizations::table.find(id).first(tx.conn()?);
    Ok(row.optional()?)
}

pub(in crate::parties) fn organization_by_slug(
    tx: &mut Tx<'_>,
    slug: &str,
) -> Result<Option<Organization>> {
    let row = organizations::table.filter(organizations::slug.eq(slug));
    Ok(on_each!(tx.conn()?, |c| row.first(c)).optional()?)
}

pub(in crate::parties) fn channel(tx: &mut Tx<'_>, id: &ChannelId) -> Result<Option<Channel>> {
    let row = channels::table.find(id).first(tx.conn()?);
    Ok(row.optional()?)
}

pub(in crate::parties) fn channel_by_slug(tx: &mut Tx<'_>, slug: &str) -> Result<Option<Channel>> {
    let row = channels::table.filter(channels::slug.eq(slug));
    Ok(on_each!(tx.conn()?, |c| row.first(c)).optional()?)
}

/// Marks a tenant as confirmed, unless it is.
pub(in crate::parties) fn confirm(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<()> {
    let now = Some(tx.now());
    match tenant {
        Tenant::Organization(id) => {
            let open = organizations::table.find(id).filter(organizations::confirmed_at.is_null());
            let set = diesel::update(open).set(organizations::confirmed_at.eq(now));
            set.execute(tx.conn()?)?;
        }
        Tenant::Channel(id) => {
            let open = channels::table.find(id).filter(channels::confirmed_at.is_null());
            diesel::update(open).set(channels::confirmed_at.eq(now)).execute(tx.conn()?)?;
        }
    }
    Ok(())
}

/// Whether two tenants are there, and stay until the end of this transaction. SQLite has one
/// writer.
pub(in crate::parties) fn both_there(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    channel: &ChannelId,
) -> Result<bool> {
    let own = organizations::table.find(organization).select(organizations::deleted_at);
    let other = channels::table.find(channel).select(channels::deleted_at);
    let (own, other): (Option<Timestamp>, Option<Timestamp>) = match tx.conn()? {
        AnyConnection::Postgres(conn) => {
            (own.for_share().first(conn)?, other.for_share().first(conn)?)
        }
        AnyConnection::Sqlite(conn) => (own.first(conn)?, other.first(conn)?),
    };
    Ok(own.is_none() && other.is_none())
}

/// Marks a tenant as gone.
pub(in crate::parties) fn mark_deleted(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<()> {
    let now = Some(tx.now());
    match tenant {
        Tenant::Organization(id) => {
            let set = diesel::update(organizations::table.find(id));
            set.set(organizations::deleted_at.eq(now)).execute(tx.conn()?)?;
        }
        Tenant::Channel(id) => {
            let set = diesel::update(channels::table.find(id));
            set.set(channels::deleted_at.eq(now)).execute(tx.conn()?)?;
        }
    }
    Ok(())
}

/// Invariants of this slice: each query returns the rows that break it.
pub fn checks() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "only hashes of secret keys are stored",
            "SELECT id AS broken FROM api_keys WHERE length(secret_hash) <> 64 \
             OR secret_hash LIKE 'sk!_%' ESCAPE '!'",
        ),
        (
            "a tenant that has left has no partners",
            "SELECT p.id AS broken FROM partnerships p \
             JOIN organizations o ON o.id = p.organization_id \
             JOIN channels c ON c.id = p.channel_id WHERE p.status <> 'ended' \
             AND (o.deleted_at IS NOT NULL OR c.deleted_at IS NOT NULL)",
        ),
    ]
}
