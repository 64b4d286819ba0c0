//! The tables `organizations`, `channels`, `partnerships` and `api_keys`.
//!
//! Platform tables: they are what tenancy is made of, and are reached by id, by slug or by the
//! hash of a secret. A partnership is shared by its two sides.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};

use super::model::{
    ApiKey, Channel, Collects, Commission, CommissionType, Organization, Partnership,
    PartnershipStatus,
};
use crate::db::schema::{api_keys, channels, organizations, partnerships};
use crate::db::types::Instant;
use crate::db::{AnyConnection, Guard, Prepared, Tenant, Tx, Verdict};
use crate::kernel::ids::{ApiKeyId, ChannelId, OrganizationId, PartnershipId};
use crate::kernel::{Error, Mode, Result, Timestamp};
use crate::web::KeyScope;
use crate::{append_only, on_each};

#[derive(Insertable, Queryable)]
#[diesel(table_name = organizations, treat_none_as_default_value = false)]
struct OrganizationRow {
    id: OrganizationId,
    name: String,
    slug: String,
    currency: Option<String>,
    timezone: Option<String>,
    created_at: Timestamp,
    confirmed_at: Option<Timestamp>,
}
append_only!(
    OrganizationRow,
    organizations,
    1,
    [id, name, slug, currency, timezone, created_at, confirmed_at]
);

#[derive(Insertable, Queryable)]
#[diesel(table_name = channels, treat_none_as_default_value = false)]
struct ChannelRow {
    id: ChannelId,
    name: String,
    slug: String,
    created_at: Timestamp,
    confirmed_at: Option<Timestamp>,
}
append_only!(ChannelRow, channels, 2, [id, name, slug, created_at, confirmed_at]);

#[derive(Insertable, Queryable)]
#[diesel(table_name = partnerships, treat_none_as_default_value = false)]
struct PartnershipRow {
    organization_id: OrganizationId,
    channel_id: ChannelId,
    id: PartnershipId,
    status: PartnershipStatus,
    collects: Collects,
    commission_type: CommissionType,
    commission_quantity: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}
append_only!(
    PartnershipRow,
    partnerships,
    3,
    [
        organization_id,
        channel_id,
        id,
        status,
        collects,
        commission_type,
        commission_quantity,
        created_at,
        updated_at,
    ]
);

#[derive(Insertable, Queryable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
struct KeyRow {
    id: ApiKeyId,
    secret_hash: String,
    organization_id: Option<OrganizationId>,
    channel_id: Option<ChannelId>,
    mode: Mode,
    name: String,
    scopes: String,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}
append_only!(
    KeyRow,
    api_keys,
    4,
    [
        id,
        secret_hash,
        organization_id,
        channel_id,
        mode,
        name,
        scopes,
        created_at,
        expires_at,
        revoked_at,
    ]
);

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        let OrganizationRow { id, name, slug, currency, timezone, created_at, confirmed_at } = row;
        Self { id, name, slug, currency, timezone, created_at, confirmed_at }
    }
}

impl From<ChannelRow> for Channel {
    fn from(row: ChannelRow) -> Self {
        let ChannelRow { id, name, slug, created_at, confirmed_at } = row;
        Self { id, name, slug, created_at, confirmed_at }
    }
}

impl From<PartnershipRow> for Partnership {
    fn from(row: PartnershipRow) -> Self {
        let commission =
            Commission { kind: row.commission_type, quantity: row.commission_quantity };
        Self {
            id: row.id,
            organization_id: row.organization_id,
            channel_id: row.channel_id,
            status: row.status,
            collects: row.collects,
            commission,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl TryFrom<KeyRow> for ApiKey {
    type Error = Error;

    fn try_from(row: KeyRow) -> Result<Self> {
        let tenant = Tenant::of(row.organization_id, row.channel_id);
        let tenant = tenant.ok_or_else(|| Error::internal("a key must have exactly one tenant"))?;
        Ok(Self {
            id: row.id,
            tenant,
            mode: row.mode,
            name: row.name,
            scopes: row.scopes.split(' ').filter_map(KeyScope::parse).collect(),
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        })
    }
}

pub(super) fn append_organization(tx: &mut Tx<'_>, organization: &Organization) {
    let Organization { id, name, slug, currency, timezone, created_at, confirmed_at } =
        organization.clone();
    tx.append(OrganizationRow { id, name, slug, currency, timezone, created_at, confirmed_at });
}

pub(super) fn append_channel(tx: &mut Tx<'_>, channel: &Channel) {
    let Channel { id, name, slug, created_at, confirmed_at } = channel.clone();
    tx.append(ChannelRow { id, name, slug, created_at, confirmed_at });
}

pub(super) fn append_partnership(tx: &mut Tx<'_>, partnership: &Partnership) {
    tx.append(PartnershipRow {
        organization_id: partnership.organization_id.clone(),
        channel_id: partnership.channel_id.clone(),
        id: partnership.id.clone(),
        status: partnership.status,
        collects: partnership.collects,
        commission_type: partnership.commission.kind,
        commission_quantity: partnership.commission.quantity,
        created_at: partnership.created_at,
        updated_at: partnership.updated_at,
    });
}

pub(super) fn append_key(tx: &mut Tx<'_>, key: &ApiKey, secret_hash: String) {
    let (organization_id, channel_id) = key.tenant.clone().columns();
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    tx.append(KeyRow {
        id: key.id.clone(),
        secret_hash,
        organization_id,
        channel_id,
        mode: key.mode,
        name: key.name.clone(),
        scopes: scopes.join(" "),
        created_at: tx.now(),
        expires_at: key.expires_at,
        revoked_at: key.revoked_at,
    });
}

pub(super) fn organization(tx: &mut Tx<'_>, id: &OrganizationId) -> Result<Option<Organization>> {
    let row = organizations::table.find(id).first::<OrganizationRow>(tx.conn()?);
    Ok(row.optional()?.map(Into::into))
}

pub(super) fn organization_by_slug(tx: &mut Tx<'_>, slug: &str) -> Result<Option<Organization>> {
    let row = organizations::table.filter(organizations::slug.eq(slug));
    Ok(on_each!(tx.conn()?, |c| row.first::<OrganizationRow>(c)).optional()?.map(Into::into))
}

pub(super) fn channel(tx: &mut Tx<'_>, id: &ChannelId) -> Result<Option<Channel>> {
    let row = channels::table.find(id).first::<ChannelRow>(tx.conn()?);
    Ok(row.optional()?.map(Into::into))
}

pub(super) fn channel_by_slug(tx: &mut Tx<'_>, slug: &str) -> Result<Option<Channel>> {
    let row = channels::table.filter(channels::slug.eq(slug));
    Ok(on_each!(tx.conn()?, |c| row.first::<ChannelRow>(c)).optional()?.map(Into::into))
}

/// Marks a tenant as confirmed, unless it is.
pub(super) fn confirm(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<()> {
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

pub(super) fn partnership(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    channel: &ChannelId,
) -> Result<Option<Partnership>> {
    let row = partnerships::table.find((organization, channel)).first::<PartnershipRow>(tx.conn()?);
    Ok(row.optional()?.map(Into::into))
}

/// A plan relied on this partnership: it must still be active on the same terms.
pub(super) struct StillPartners {
    pub(super) organization: OrganizationId,
    pub(super) channel: ChannelId,
    pub(super) updated_at: Timestamp,
}

/// Those of the partnerships that are active; nobody changes them before this transaction ends.
const ACTIVE: &str = "SELECT p.organization_id, p.channel_id, p.updated_at FROM partnerships p \
     JOIN UNNEST(?, ?) w (organization_id, channel_id) \
     ON w.organization_id = p.organization_id AND w.channel_id = p.channel_id \
     WHERE p.status = 'active' ORDER BY p.organization_id, p.channel_id FOR SHARE OF p";

#[derive(QueryableByName, Queryable)]
struct ActiveRow {
    #[diesel(sql_type = Text)]
    organization_id: OrganizationId,
    #[diesel(sql_type = Text)]
    channel_id: ChannelId,
    #[diesel(sql_type = Instant)]
    updated_at: Timestamp,
}

impl Guard for StillPartners {
    fn check(guards: &[&Self], conn: &mut AnyConnection) -> QueryResult<Vec<Verdict>> {
        let pair = |guard: &&'_ Self| (guard.organization.clone(), guard.channel.clone());
        let pairs: BTreeSet<_> = guards.iter().map(pair).collect();
        let active: Vec<ActiveRow> = match conn {
            AnyConnection::Postgres(conn) => {
                let (organizations, channels): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
                Prepared::new(ACTIVE)
                    .bind::<Array<Text>, _>(organizations)
                    .bind::<Array<Text>, _>(channels)
                    .load(conn)?
            }
            AnyConnection::Sqlite(conn) => {
                let active = |(organization, channel): (OrganizationId, ChannelId)| {
                    partnerships::table
                        .find((organization, channel))
                        .filter(partnerships::status.eq(PartnershipStatus::Active))
                        .select((
                            partnerships::organization_id,
                            partnerships::channel_id,
                            partnerships::updated_at,
                        ))
                        .first(conn)
                        .optional()
                };
                let found = pairs.into_iter().map(active).collect::<QueryResult<Vec<_>>>()?;
                found.into_iter().flatten().collect()
            }
        };
        let verdict = |guard: &&Self| {
            let same = |row: &ActiveRow| {
                row.organization_id == guard.organization
                    && row.channel_id == guard.channel
                    && row.updated_at == guard.updated_at
            };
            if active.iter().any(same) { Verdict::Holds } else { Verdict::Stale }
        };
        Ok(guards.iter().map(verdict).collect())
    }
}

pub(super) fn set_partnership_status(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    channel: &ChannelId,
    status: PartnershipStatus,
) -> Result<bool> {
    let now = tx.now();
    let updated = diesel::update(partnerships::table.find((organization, channel)))
        .set((partnerships::status.eq(status), partnerships::updated_at.eq(now)))
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

pub(super) fn hosts(tx: &mut Tx<'_>, channel: &ChannelId) -> Result<Vec<Organization>> {
    let rows: Vec<OrganizationRow> = organizations::table
        .inner_join(partnerships::table.on(partnerships::organization_id.eq(organizations::id)))
        .filter(partnerships::channel_id.eq(channel))
        .filter(partnerships::status.eq(PartnershipStatus::Active))
        .order(organizations::id)
        .select(organizations::all_columns)
        .load(tx.conn()?)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(super) fn key_by_hash(tx: &mut Tx<'_>, hash: &str) -> Result<Option<ApiKey>> {
    let row = api_keys::table.filter(api_keys::secret_hash.eq(hash));
    on_each!(tx.conn()?, |c| row.first::<KeyRow>(c)).optional()?.map(TryInto::try_into).transpose()
}

pub(super) fn revoke_key(tx: &mut Tx<'_>, id: &ApiKeyId) -> Result<bool> {
    let now = tx.now();
    let updated = diesel::update(api_keys::table.find(id).filter(api_keys::revoked_at.is_null()))
        .set(api_keys::revoked_at.eq(Some(now)))
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

/// Invariants of this slice: each query returns the rows that break it.
pub fn checks() -> Vec<(&'static str, &'static str)> {
    vec![(
        "only hashes of secret keys are stored",
        "SELECT id AS broken FROM api_keys WHERE length(secret_hash) <> 64 \
         OR secret_hash LIKE 'sk!_%' ESCAPE '!'",
    )]
}
