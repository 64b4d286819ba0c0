//! The tables `users`, `members`, `sessions`, `account_letters` and `invitations`.
//!
//! Platform tables: a person is looked up before it is known for which tenant they act. Members and
//! invitations of a tenant start from its own base query.

mod invitations;
mod letters;
mod members;
mod sessions;
mod users;

pub(super) use invitations::*;
pub(super) use letters::*;
pub(super) use members::*;
pub(super) use sessions::*;
pub(super) use users::*;

pub use invitations::{Invitation, InvitationStatus};
pub use letters::LetterKind;
pub use members::Member;
pub use sessions::Session;
pub use users::User;

/// Invariants of this slice: each query returns the rows that break it.
pub fn checks() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "passwords are stored as argon2id",
            "SELECT id AS broken FROM users WHERE password_hash NOT LIKE '$argon2id$%'",
        ),
        (
            "e-mails are stored in lower case",
            "SELECT id AS broken FROM users WHERE email <> lower(email)",
        ),
        (
            "a live session belongs to a member who is its user",
            "SELECT s.id AS broken FROM sessions s WHERE s.ended_at IS NULL AND NOT EXISTS \
             (SELECT 1 FROM members m WHERE m.id = s.member_id AND m.user_id = s.user_id)",
        ),
    ]
}
