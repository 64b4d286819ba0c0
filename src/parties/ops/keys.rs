//! Operations on API keys.

use super::super::key::KeySecret;
use super::super::known::Known;
use super::super::model::{ApiKey, KeyKind};
use super::super::store;
use crate::db::{Db, Outcome, Scope, Tenant, Tx};
use crate::kernel::ids::{ApiKeyId, Id};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Kind, Mode, Result, Timestamp};
use crate::web::KeyScope;

/// After a rotation the secret before it works so long.
pub const ROTATION_SECONDS: i64 = 24 * 3600;

/// A new key.
pub struct NewKey {
    /// Whose it is.
    pub tenant: Tenant,
    /// Its mode.
    pub mode: Mode,
    /// What people call it.
    pub name: String,
    /// Who may know it.
    pub kind: KeyKind,
    /// What it may do besides `read`, when it is secret.
    pub scopes: Vec<KeyScope>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// A key somebody wants for their own tenant.
#[derive(Clone, Debug)]
pub struct WantedKey {
    /// What people call it.
    pub name: String,
    /// Who may know it.
    pub kind: KeyKind,
    /// What it may do besides `read`, when it is secret.
    pub scopes: Vec<KeyScope>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// `read` and these, each once.
fn with_read(scopes: &[KeyScope]) -> Vec<KeyScope> {
    let all = KeyScope::ALL.iter().copied();
    all.filter(|scope| *scope == KeyScope::Read || scopes.contains(scope)).collect()
}

/// Creates a key whose secret the caller made and will show once.
pub fn create_key(tx: &mut Tx<'_>, new: &NewKey, secret: &KeySecret) -> ApiKey {
    let key = ApiKey {
        id: tx.id(),
        tenant: new.tenant.clone(),
        mode: new.mode,
        name: new.name.clone(),
        scopes: match new.kind {
            KeyKind::Secret => with_read(&new.scopes),
            KeyKind::Publishable => Vec::new(),
        },
        expires_at: new.expires_at,
        revoked_at: None,
        previous_until: None,
        last_used_at: None,
        created_at: tx.now(),
    };
    store::append_key(tx, &key, secret.hash());
    key
}

/// Revokes a key: at once on this server, within a second on others. The operator's way.
pub fn revoke_key(tx: &mut Tx<'_>, id: &ApiKeyId) -> Result<()> {
    tx.environment().get::<Known>()?.forget_keys();
    if store::revoke_key(tx, id)? { Ok(()) } else { Err(Error::not_found()) }
}

/// One of the acting tenant's own of this mode that was not revoked.
pub fn own_key(tx: &mut Tx<'_>, id: &str) -> Result<ApiKey> {
    let (tenant, mode) = (tx.tenant()?, tx.mode()?);
    let id = ApiKeyId::parse(id).ok_or_else(Error::not_found)?;
    let key = store::own_key(tx, (&tenant, mode), &id)?;
    key.filter(|key| key.revoked_at.is_none()).ok_or_else(Error::not_found)
}

/// The acting tenant's own of this mode, newest first.
pub fn list_keys(tx: &mut Tx<'_>, page: &PageRequest) -> Result<Page<ApiKey>> {
    let (tenant, mode) = (tx.tenant()?, tx.mode()?);
    store::list_keys(tx, (&tenant, mode), page)
}

/// 403: nobody mints, changes or rotates what may do more than they may.
pub fn beyond(scopes: &[KeyScope], own: &[KeyScope]) -> Result<()> {
    let Some(scope) = scopes.iter().find(|scope| !own.contains(scope)) else {
        return Ok(());
    };
    let message = "A key cannot be given, or changed with, rights beyond one's own.";
    let error = Error::new(Kind::Forbidden, "missing_scope", message);
    Err(error.with("required_scope", scope.as_str()).on_field("scopes", "go beyond one's own"))
}

/// Mints a key for the acting tenant. 403 beyond one's own rights; 400 when it would not work.
pub fn mint(
    tx: &mut Tx<'_>,
    own: &[KeyScope],
    wanted: WantedKey,
    secret: &KeySecret,
) -> Result<ApiKey> {
    let WantedKey { name, kind, scopes, expires_at } = wanted;
    beyond(&scopes, own)?;
    check_expiry(tx, expires_at)?;
    let (tenant, mode) = (tx.tenant()?, tx.mode()?);
    Ok(create_key(tx, &NewKey { tenant, mode, name, kind, scopes, expires_at }, secret))
}

fn check_expiry(tx: &Tx<'_>, expires_at: Option<Timestamp>) -> Result<()> {
    if expires_at.is_some_and(|until| until <= tx.now()) {
        return Err(Error::invalid_field("expires_at", "must lie in the future"));
    }
    Ok(())
}

/// What of a key is to be changed.
#[derive(Clone, Debug, Default)]
pub struct KeyChange {
    /// Its name.
    pub name: Option<String>,
    /// What it may do besides `read`.
    pub scopes: Option<Vec<KeyScope>>,
    /// When it stops working; `Some(None)`: never.
    pub expires_at: Option<Option<Timestamp>>,
}

/// Changes a key: at once on this server, within a second on others. 403 beyond one's own rights.
pub fn change_key(
    tx: &mut Tx<'_>,
    own: &[KeyScope],
    id: &str,
    change: &KeyChange,
) -> Result<ApiKey> {
    let mut key = own_key(tx, id)?;
    beyond(&key.scopes, own)?;
    if let Some(name) = &change.name {
        key.name.clone_from(name);
    }
    if let Some(scopes) = &change.scopes {
        if key.kind() == KeyKind::Publishable {
            let reason = "is not for publishable keys: they have no scopes";
            return Err(Error::invalid_field("scopes", reason));
        }
        beyond(scopes, own)?;
        key.scopes = with_read(scopes);
    }
    if let Some(expires_at) = change.expires_at {
        check_expiry(tx, expires_at)?;
        key.expires_at = expires_at;
    }
    tx.environment().get::<Known>()?.forget_keys();
    if store::save_key(tx, &key)? { Ok(key) } else { Err(Error::not_found()) }
}

/// Gives a key another secret; the one until now works for [`ROTATION_SECONDS`] more, one before
/// that no longer. 403 beyond one's own rights.
pub fn rotate<'s>(
    tx: &mut Tx<'_>,
    own: &[KeyScope],
    id: &str,
    secret_of: impl Fn(KeyKind) -> &'s KeySecret,
) -> Result<ApiKey> {
    let mut key = own_key(tx, id)?;
    beyond(&key.scopes, own)?;
    let secret = secret_of(key.kind());
    let until = tx.now().plus_seconds(ROTATION_SECONDS);
    key.previous_until = Some(until);
    tx.environment().get::<Known>()?.forget_keys();
    if store::rotate_key(tx, &key.id, &secret.hash(), until)? {
        return Ok(key);
    }
    Err(Error::not_found())
}

/// Revokes one of the acting tenant's own keys. 403 beyond one's own rights.
pub fn revoke_own(tx: &mut Tx<'_>, own: &[KeyScope], id: &str) -> Result<ApiKeyId> {
    let key = own_key(tx, id)?;
    beyond(&key.scopes, own)?;
    revoke_key(tx, &key.id)?;
    Ok(key.id)
}

/// Writes down which keys this server has seen used since it last did.
pub async fn note_uses(db: &Db) -> Result<()> {
    let used = db.environment().get::<Known>()?.take_used();
    if used.is_empty() {
        return Ok(());
    }
    let write = move |tx: &mut Tx<'_>| {
        for (id, at) in &used {
            store::set_last_used(tx, id, *at)?;
        }
        Ok(Outcome::Done(()))
    };
    db.write(&Scope::platform("noting which keys were used"), write).await?;
    Ok(())
}
