//! The table `users`, and what is forgotten with one.

use diesel::prelude::*;

use crate::append_only;
use crate::db::schema::{account_letters, sessions, users};
use crate::db::{AnyConnection, Tx};
use crate::kernel::ids::UserId;
use crate::kernel::{Result, Timestamp};

/// Somebody with an e-mail and a password, as stored.
#[derive(Queryable, Insertable, AsChangeset, Clone)]
#[diesel(table_name = users)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub password_hash: String,
    pub confirmed_at: Option<Timestamp>,
    pub totp_id: Option<String>,
    pub totp_since: Option<Timestamp>,
    /// The step of the last code that was used.
    pub totp_step: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
append_only!(
    User,
    users,
    5,
    [
        id,
        email,
        name,
        password_hash,
        confirmed_at,
        totp_id,
        totp_since,
        totp_step,
        created_at,
        updated_at,
    ]
);

pub(in crate::accounts) fn append_user(tx: &mut Tx<'_>, user: &User) {
    tx.append(user.clone());
}

pub(in crate::accounts) fn user(tx: &mut Tx<'_>, id: &UserId) -> Result<Option<User>> {
    Ok(users::table.find(id).first(tx.conn()?).optional()?)
}

/// The same, and nobody changes them before this transaction ends: a session that is begun after
/// the password was looked at, and a new password that ends sessions, do not miss each other.
pub(in crate::accounts) fn lock_user(tx: &mut Tx<'_>, id: &UserId) -> Result<Option<User>> {
    let user = users::table.find(id);
    Ok(match tx.conn()? {
        AnyConnection::Postgres(conn) => user.for_update().first(conn).optional()?,
        AnyConnection::Sqlite(conn) => user.first(conn).optional()?,
    })
}

/// The user whose e-mail this is: who has confirmed it, else who last claimed it. They are not
/// forgotten before this transaction ends.
pub(in crate::accounts) fn lock_user_by_email(
    tx: &mut Tx<'_>,
    email: &str,
) -> Result<Option<User>> {
    let order = (users::confirmed_at.is_null(), users::id.desc());
    let claims = users::table.filter(users::email.eq(email)).order(order);
    Ok(match tx.conn()? {
        AnyConnection::Postgres(conn) => claims.for_update().first(conn).optional()?,
        AnyConnection::Sqlite(conn) => claims.first(conn).optional()?,
    })
}

/// The user who has confirmed an e-mail.
pub(in crate::accounts) fn confirmed_user(tx: &mut Tx<'_>, email: &str) -> Result<Option<User>> {
    let found = users::table.filter(users::email.eq(email));
    Ok(found.filter(users::confirmed_at.is_not_null()).first(tx.conn()?).optional()?)
}

/// Stores a user as changed, unless somebody else has changed them since `read_at`.
pub(in crate::accounts) fn save_user(
    tx: &mut Tx<'_>,
    user: &User,
    read_at: Timestamp,
) -> Result<bool> {
    let unchanged = users::table.find(&user.id).filter(users::updated_at.eq(read_at));
    let changed = diesel::update(unchanged).set(user).execute(tx.conn()?)?;
    Ok(changed == 1)
}

/// Notes that the code of a step was used; `false` when it or a later one was used before.
pub(in crate::accounts) fn use_step(tx: &mut Tx<'_>, id: &UserId, step: i64) -> Result<bool> {
    let now = tx.now();
    let unused = users::table.find(id).filter(users::totp_step.lt(step));
    // Whoever writes the whole user back meanwhile must look again.
    let used = diesel::update(unused)
        .set((users::totp_step.eq(step), users::updated_at.eq(now)))
        .execute(tx.conn()?)?;
    Ok(used == 1)
}

/// Forgets a user who is a member of nothing, with their sessions and letters.
pub(in crate::accounts) fn forget_user(tx: &mut Tx<'_>, id: &UserId) -> Result<()> {
    let conn = tx.conn()?;
    diesel::delete(sessions::table.filter(sessions::user_id.eq(id))).execute(conn)?;
    diesel::delete(account_letters::table.filter(account_letters::user_id.eq(id))).execute(conn)?;
    diesel::delete(users::table.find(id)).execute(conn)?;
    Ok(())
}
