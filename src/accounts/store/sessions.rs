//! The table `sessions`.

use diesel::prelude::*;

use crate::append_only;
use crate::db::Tx;
use crate::db::schema::sessions;
use crate::kernel::ids::{MemberId, SessionId, UserId};
use crate::kernel::{Result, Timestamp};

/// A log-in and everything refreshed from it.
#[derive(Queryable, Insertable, Clone, Debug)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
#[allow(missing_docs)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub member_id: MemberId,
    /// How often it was refreshed.
    pub generation: i64,
    pub created_at: Timestamp,
    pub refreshed_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}
append_only!(
    Session,
    sessions,
    7,
    [id, user_id, member_id, generation, created_at, refreshed_at, expires_at, ended_at]
);

pub(in crate::accounts) fn append_session(tx: &mut Tx<'_>, session: &Session) {
    tx.append(session.clone());
}

pub(in crate::accounts) fn session(tx: &mut Tx<'_>, id: &SessionId) -> Result<Option<Session>> {
    Ok(sessions::table.find(id).first(tx.conn()?).optional()?)
}

/// Moves a session to its next generation; `false` when somebody else was faster.
pub(in crate::accounts) fn rotate(tx: &mut Tx<'_>, session: &Session) -> Result<bool> {
    let now = tx.now();
    let current = sessions::table
        .find(&session.id)
        .filter(sessions::generation.eq(session.generation))
        .filter(sessions::ended_at.is_null());
    let rotated = diesel::update(current)
        .set((sessions::generation.eq(session.generation + 1), sessions::refreshed_at.eq(now)))
        .execute(tx.conn()?)?;
    Ok(rotated == 1)
}

/// Whose sessions end.
pub(in crate::accounts) enum Ending<'a> {
    This(&'a SessionId),
    OfUser(&'a UserId),
    OfUserBut(&'a UserId, &'a SessionId),
    OfMember(&'a MemberId),
}

/// Ends sessions that have not ended.
pub(in crate::accounts) fn end_sessions(tx: &mut Tx<'_>, ending: Ending<'_>) -> Result<()> {
    let now = Some(tx.now());
    let open = diesel::update(sessions::table).filter(sessions::ended_at.is_null());
    let set = sessions::ended_at.eq(now);
    let conn = tx.conn()?;
    match ending {
        Ending::This(id) => open.filter(sessions::id.eq(id)).set(set).execute(conn)?,
        Ending::OfUser(user) => open.filter(sessions::user_id.eq(user)).set(set).execute(conn)?,
        Ending::OfUserBut(user, this) => open
            .filter(sessions::user_id.eq(user))
            .filter(sessions::id.ne(this))
            .set(set)
            .execute(conn)?,
        Ending::OfMember(member) => {
            open.filter(sessions::member_id.eq(member)).set(set).execute(conn)?
        }
    };
    Ok(())
}

/// Forgets sessions that would have ended by themselves before an instant; answers how many.
pub(in crate::accounts) fn forget_sessions(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize> {
    Ok(diesel::delete(sessions::table.filter(sessions::expires_at.lt(before)))
        .execute(tx.conn()?)?)
}

pub(in crate::accounts) fn any_old_session(tx: &mut Tx<'_>, before: Timestamp) -> Result<bool> {
    let old = sessions::table.filter(sessions::expires_at.lt(before)).order(sessions::expires_at);
    Ok(old.select(sessions::id).first::<SessionId>(tx.conn()?).optional()?.is_some())
}
