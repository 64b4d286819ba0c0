//! The rules of sessions and letters, as numbers and pure functions.

use super::store::{Invitation, InvitationStatus, Session};
use crate::kernel::Timestamp;

/// An access token works so long.
pub const ACCESS_SECONDS: i64 = 600;
/// A session that is not refreshed ends after so long.
pub const IDLE_SECONDS: i64 = 12 * 3600;
/// A session ends so long after its log-in, however often it is refreshed.
pub const SESSION_SECONDS: i64 = 7 * 24 * 3600;
/// A refresh token that was used may be used again for so long: the answer may have been lost.
pub const GRACE_SECONDS: i64 = 10;
/// A mailed confirmation works so long.
pub const CONFIRM_SECONDS: i64 = 72 * 3600;
/// A mailed password reset works so long.
pub const RESET_SECONDS: i64 = 30 * 60;
/// An invitation can be accepted so long.
pub const INVITATION_SECONDS: i64 = 72 * 3600;
/// What has ended is kept so long.
pub const KEPT_SECONDS: i64 = 30 * 24 * 3600;

/// What a refresh token is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refresh {
    /// The next one.
    Rotate,
    /// The one that was given out for it already.
    Repeat,
    /// Nothing: the session is over.
    Over,
    /// Nothing, and somebody else has it: the session must end.
    Stolen,
}

impl Invitation {
    /// Whether it can be accepted.
    pub fn is_open_at(&self, now: Timestamp) -> bool {
        self.status == InvitationStatus::Open && now < self.expires_at
    }
}

impl Session {
    /// Whether it has not ended by itself or by somebody.
    pub fn lives_at(&self, now: Timestamp) -> bool {
        self.ended_at.is_none()
            && now < self.expires_at
            && now < self.refreshed_at.plus_seconds(IDLE_SECONDS)
    }

    /// What its token of a generation is good for.
    pub fn judge(&self, generation: i64, now: Timestamp) -> Refresh {
        let in_grace = now < self.refreshed_at.plus_seconds(GRACE_SECONDS);
        match self.generation - generation {
            _ if !self.lives_at(now) => Refresh::Over,
            0 => Refresh::Rotate,
            1 if in_grace => Refresh::Repeat,
            _ => Refresh::Stolen,
        }
    }
}
