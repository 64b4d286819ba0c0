//! The table `api_keys`: looked up by the hash of a secret before its tenant is known.

use diesel::prelude::*;

use crate::db::schema::api_keys;
use crate::db::{MultiBackend, Tenant, Tx};
use crate::kernel::ids::{ApiKeyId, ChannelId, Id, OrganizationId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Mode, Result, Timestamp};
use crate::parties::model::ApiKey;
use crate::web::KeyScope;
use crate::{append_only, on_each};

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
    previous_hash: Option<String>,
    previous_until: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
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
        previous_hash,
        previous_until,
        last_used_at,
    ]
);

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
            previous_until: row.previous_until,
            last_used_at: row.last_used_at,
            created_at: row.created_at,
        })
    }
}

fn scopes_text(scopes: &[KeyScope]) -> String {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    names.join(" ")
}

pub(in crate::parties) fn append_key(tx: &mut Tx<'_>, key: &ApiKey, secret_hash: String) {
    let (organization_id, channel_id) = key.tenant.clone().columns();
    tx.append(KeyRow {
        id: key.id.clone(),
        secret_hash,
        organization_id,
        channel_id,
        mode: key.mode,
        name: key.name.clone(),
        scopes: scopes_text(&key.scopes),
        created_at: key.created_at,
        expires_at: key.expires_at,
        revoked_at: key.revoked_at,
        previous_hash: None,
        previous_until: None,
        last_used_at: None,
    });
}

/// The key with a secret of this hash: its own, or one that it was rotated from and that still
/// works.
pub(in crate::parties) fn key_by_hash(tx: &mut Tx<'_>, hash: &str) -> Result<Option<ApiKey>> {
    let now = tx.now();
    let current = api_keys::table.filter(api_keys::secret_hash.eq(hash));
    let row = on_each!(tx.conn()?, |c| current.first::<KeyRow>(c)).optional()?;
    let row = match row {
        Some(row) => Some(row),
        None => {
            let before = api_keys::table.filter(api_keys::previous_hash.eq(hash));
            let before = before.filter(api_keys::previous_until.gt(now));
            on_each!(tx.conn()?, |c| before.first::<KeyRow>(c)).optional()?
        }
    };
    row.map(TryInto::try_into).transpose()
}

/// The base query: a tenant's own of a mode.
fn of<'a>(tenant: &'a Tenant, mode: Mode) -> api_keys::BoxedQuery<'a, MultiBackend> {
    let query = api_keys::table.filter(api_keys::mode.eq(mode)).into_boxed();
    match tenant {
        Tenant::Organization(id) => query.filter(api_keys::organization_id.eq(id)),
        Tenant::Channel(id) => query.filter(api_keys::channel_id.eq(id)),
    }
}

/// One of a tenant's own, also when it was revoked.
pub(in crate::parties) fn own_key(
    tx: &mut Tx<'_>,
    (tenant, mode): (&Tenant, Mode),
    id: &ApiKeyId,
) -> Result<Option<ApiKey>> {
    let row = of(tenant, mode).filter(api_keys::id.eq(id)).first::<KeyRow>(tx.conn()?);
    row.optional()?.map(TryInto::try_into).transpose()
}

/// A tenant's own that were not revoked, newest first.
pub(in crate::parties) fn list_keys(
    tx: &mut Tx<'_>,
    (tenant, mode): (&Tenant, Mode),
    page: &PageRequest,
) -> Result<Page<ApiKey>> {
    let mut query = of(tenant, mode).filter(api_keys::revoked_at.is_null());
    if let Some(after) = &page.after {
        query = query.filter(api_keys::id.lt(ApiKeyId::from_text(after.clone())));
    }
    let query = query.order(api_keys::id.desc()).limit(page.limit + 1).offset(page.offset);
    let rows: Vec<KeyRow> = query.load(tx.conn()?)?;
    let keys: Vec<ApiKey> = rows.into_iter().map(TryInto::try_into).collect::<Result<_>>()?;
    Ok(Page::cut(keys, page, |key| key.id.to_string()))
}

/// Stores a key's name, scopes and expiry.
pub(in crate::parties) fn save_key(tx: &mut Tx<'_>, key: &ApiKey) -> Result<bool> {
    let open = api_keys::table.find(&key.id).filter(api_keys::revoked_at.is_null());
    let saved = diesel::update(open)
        .set((
            api_keys::name.eq(&key.name),
            api_keys::scopes.eq(scopes_text(&key.scopes)),
            api_keys::expires_at.eq(key.expires_at),
        ))
        .execute(tx.conn()?)?;
    Ok(saved == 1)
}

/// Gives a key another secret; the one until now works until an instant.
pub(in crate::parties) fn rotate_key(
    tx: &mut Tx<'_>,
    id: &ApiKeyId,
    secret_hash: &str,
    until: Timestamp,
) -> Result<bool> {
    let open = api_keys::table.find(id).filter(api_keys::revoked_at.is_null());
    let rotated = diesel::update(open)
        .set((
            api_keys::previous_hash.eq(api_keys::secret_hash.nullable()),
            api_keys::previous_until.eq(Some(until)),
            api_keys::secret_hash.eq(secret_hash),
        ))
        .execute(tx.conn()?)?;
    Ok(rotated == 1)
}

/// Notes when a key was last used.
pub(in crate::parties) fn set_last_used(
    tx: &mut Tx<'_>,
    id: &ApiKeyId,
    at: Timestamp,
) -> Result<()> {
    diesel::update(api_keys::table.find(id))
        .set(api_keys::last_used_at.eq(Some(at)))
        .execute(tx.conn()?)?;
    Ok(())
}

pub(in crate::parties) fn revoke_key(tx: &mut Tx<'_>, id: &ApiKeyId) -> Result<bool> {
    let now = tx.now();
    let updated = diesel::update(api_keys::table.find(id).filter(api_keys::revoked_at.is_null()))
        .set(api_keys::revoked_at.eq(Some(now)))
        .execute(tx.conn()?)?;
    Ok(updated == 1)
}

/// Revokes every key of a tenant.
pub(in crate::parties) fn revoke_keys(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<()> {
    let now = Some(tx.now());
    let (organization, channel) = tenant.clone().columns();
    let of_tenant = api_keys::organization_id.eq(organization).or(api_keys::channel_id.eq(channel));
    diesel::update(api_keys::table.filter(of_tenant).filter(api_keys::revoked_at.is_null()))
        .set(api_keys::revoked_at.eq(now))
        .execute(tx.conn()?)?;
    Ok(())
}
