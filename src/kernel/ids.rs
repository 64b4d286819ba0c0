//! Typed identifiers: a prefix that says what it names, then 26 characters of a version 7 UUID.
//!
//! The body is Crockford base32 of the UUID's 128 bits, most significant first, so text order is
//! time order on both databases. Ids are opaque to callers; whatever does not parse is treated
//! like an id that does not exist.

use std::sync::Mutex;

use data_encoding::{Encoding, Specification};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use serde::Serialize;
use std::sync::LazyLock;
use uuid::{ContextV7, Uuid};

use super::Timestamp;

/// Length of the part after the prefix.
pub const BODY_LEN: usize = 26;

static BASE32: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    spec.encoding().ok()
});

/// Lower-case Crockford base32 without padding.
pub fn base32(bytes: &[u8]) -> String {
    match &*BASE32 {
        Some(encoding) => encoding.encode(bytes),
        None => data_encoding::HEXLOWER.encode(bytes),
    }
}

/// Makes identifiers whose order is the order in which they were made, for one process.
#[derive(Default)]
pub struct IdSource(Mutex<ContextV7>);

impl std::fmt::Debug for IdSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdSource")
    }
}

impl IdSource {
    /// A new identifier of kind `T`, dated `now`.
    pub fn next<T: Id>(&self, now: Timestamp) -> T {
        let (seconds, nanos) = now.unix();
        let context = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let uuid = Uuid::new_v7(uuid::Timestamp::from_unix(&*context, seconds, nanos));
        T::from_uuid(uuid)
    }
}

/// What all identifiers have in common.
pub trait Id: Sized {
    /// The prefix with its underscore, for example `pay_`.
    const PREFIX: &'static str;
    /// Takes text that already has the right form.
    fn from_text(text: String) -> Self;
    /// The whole identifier.
    fn as_str(&self) -> &str;
    /// Dresses a UUID.
    fn from_uuid(uuid: Uuid) -> Self {
        Self::from_text(format!("{}{}", Self::PREFIX, base32(uuid.as_bytes())))
    }
    /// Reads an identifier; `None` for anything that cannot be one.
    fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix(Self::PREFIX)?;
        let sound = body.len() == BODY_LEN
            && body.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
        sound.then(|| Self::from_text(text.to_owned()))
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
        #[derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = Text)]
        #[serde(transparent)]
        pub struct $name(String);

        impl Id for $name {
            const PREFIX: &'static str = $prefix;
            fn from_text(text: String) -> Self { Self(text) }
            fn as_str(&self) -> &str { &self.0 }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl<DB: Backend> ToSql<Text, DB> for $name where str: ToSql<Text, DB> {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.0.as_str().to_sql(out)
            }
        }
        impl<DB: Backend> FromSql<Text, DB> for $name where String: FromSql<Text, DB> {
            fn from_sql(raw: DB::RawValue<'_>) -> deserialize::Result<Self> {
                String::from_sql(raw).map(Self)
            }
        }
    )* };
}

ids! {
    /// An organization: a tenant that owns events.
    OrganizationId = "org_";
    /// A channel: a tenant that resells.
    ChannelId = "ch_";
    /// A partnership of one organization and one channel.
    PartnershipId = "prt_";
    /// Somebody with an e-mail and a password.
    UserId = "usr_";
    /// A user's place in a tenant.
    MemberId = "mem_";
    /// A log-in and everything refreshed from it.
    SessionId = "ses_";
    /// An offer to become a member.
    InvitationId = "inv_";
    /// A confirmation or a reset that was mailed.
    LetterId = "let_";
    /// An API key (not its secret).
    ApiKeyId = "key_";
    /// Where events are.
    LocationId = "loc_";
    /// An event.
    EventId = "evt_";
    /// A ticket rate.
    RateId = "rate_";
    /// One price tier of a ticket rate.
    PriceId = "price_";
    /// A payment.
    PaymentId = "pay_";
    /// One try at taking a payment's money.
    AttemptId = "att_";
    /// Money given back.
    RefundId = "ref_";
    /// A buyer a tenant knows.
    CustomerId = "cus_";
    /// A ticket.
    TicketId = "tkt_";
    /// The person on a ticket; the ticket's own id under another name.
    AttendeeId = "atd_";
    /// A message to a buyer or holder.
    DeliveryId = "dlv_";
    /// One passage through a door.
    AdmissionId = "adm_";
    /// A line of the change feed.
    ChangeId = "chg_";
    /// Work to be done after a commit.
    JobId = "job_";
    /// A request, as answered in `X-Request-Id`.
    RequestId = "req_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_parse_back() {
        let source = IdSource::default();
        let now = Timestamp::from_unix_micros(1_790_000_000_000_000);
        let ids: Vec<PaymentId> = (0..1000).map(|_| source.next(now)).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        let later: PaymentId = source.next(now.plus_seconds(1));
        assert!(ids.iter().all(|id| *id < later));
        assert_eq!(PaymentId::parse(later.as_str()), Some(later.clone()));
        assert_eq!(EventId::parse(later.as_str()), None);
        assert_eq!(PaymentId::parse("pay_short"), None);
        assert_eq!(PaymentId::parse("pay_ABCDEFGHIJKLMNOPQRSTUVWXYZ"), None);
    }
}
