//! The table `account_letters`.

use diesel::prelude::*;

use crate::db::Tx;
use crate::db::schema::account_letters;
use crate::kernel::ids::{LetterId, UserId};
use crate::kernel::{Result, Timestamp};
use crate::{append_only, text_enum};

text_enum! {
    /// What a letter about an account is for.
    pub enum LetterKind {
        /// To show that an e-mail is one's own.
        Confirm = "confirm",
        /// To set a new password.
        Reset = "reset",
    }
}

/// A confirmation or reset that was asked for; without a user it was for nobody.
#[derive(Queryable, Insertable, Clone, Debug)]
#[diesel(table_name = account_letters, treat_none_as_default_value = false)]
pub(in crate::accounts) struct AccountLetter {
    pub id: LetterId,
    pub kind: LetterKind,
    pub user_id: Option<UserId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}
append_only!(
    AccountLetter,
    account_letters,
    7,
    [id, kind, user_id, created_at, expires_at, used_at]
);

pub(in crate::accounts) fn append_letter(tx: &mut Tx<'_>, letter: AccountLetter) {
    tx.append(letter);
}

pub(in crate::accounts) fn letter(tx: &mut Tx<'_>, id: &LetterId) -> Result<Option<AccountLetter>> {
    Ok(account_letters::table.find(id).first(tx.conn()?).optional()?)
}

/// Uses a letter; `false` when it was used before.
pub(in crate::accounts) fn use_letter(tx: &mut Tx<'_>, id: &LetterId) -> Result<bool> {
    let now = Some(tx.now());
    let unused = account_letters::table.find(id).filter(account_letters::used_at.is_null());
    let used = diesel::update(unused).set(account_letters::used_at.eq(now)).execute(tx.conn()?)?;
    Ok(used == 1)
}

/// Makes a user's unused letters of a kind worthless.
pub(in crate::accounts) fn use_letters_of(
    tx: &mut Tx<'_>,
    user: &UserId,
    kind: LetterKind,
) -> Result<()> {
    let now = Some(tx.now());
    diesel::update(account_letters::table)
        .filter(account_letters::user_id.eq(user))
        .filter(account_letters::kind.eq(kind))
        .filter(account_letters::used_at.is_null())
        .set(account_letters::used_at.eq(now))
        .execute(tx.conn()?)?;
    Ok(())
}

pub(in crate::accounts) fn forget_letters(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize> {
    let old = account_letters::table.filter(account_letters::expires_at.lt(before));
    Ok(diesel::delete(old).execute(tx.conn()?)?)
}
