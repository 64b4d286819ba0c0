//! What is charged: a test card, as it was typed or behind a token.
//!
//! A token stands for a card that was typed elsewhere: the buyer's browser makes it with a
//! publishable key, and the number never comes near the shop's server. It says what is kept of a
//! card and until when it is good, under an HMAC with the tenant and the mode. Nothing is stored.

use crate::db::Tenant;
use crate::kernel::ids::base32;
use crate::kernel::secret::ServerKey;
use crate::kernel::{Error, Kind, Mode, Result, Timestamp};
use crate::payments::input::{Card, PaymentMethod};
use crate::payments::providers::{TestCard, card_ending, test_card};

/// A token is good for an hour.
pub const TOKEN_SECONDS: i64 = 3600;

/// A card that can be charged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Means {
    /// The card.
    pub card: TestCard,
    /// Month, 1 to 12.
    pub exp_month: i64,
    /// Year, four digits.
    pub exp_year: i64,
    /// Behind a token: until when it is good, in seconds since 1970.
    good_until: Option<i64>,
}

/// Who means to pay: a token is good for its tenant, in its mode.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The server's key.
    pub key: &'a ServerKey,
    /// The tenant.
    pub tenant: &'a Tenant,
    /// The mode.
    pub mode: Mode,
}

impl Means {
    /// Reads a means of paying, before anything is looked up. 400 `raw_card_refused`; 422
    /// `no_provider`.
    pub fn read(asking: &Asking<'_>, method: &PaymentMethod) -> Result<Self> {
        match (asking.mode, &method.card, &method.token) {
            (mode, Some(card), None) => Self::of_card(mode, card, "payment_method.card.number"),
            (Mode::Test, None, Some(token)) => {
                Self::of_token(asking, &token.0).ok_or_else(bad_token)
            }
            (Mode::Live, None, Some(_)) => {
                let message = "No payment provider is configured for live payments.";
                Err(Error::unprocessable("no_provider", message))
            }
            (_, Some(_), Some(_)) => {
                Err(Error::invalid_field("payment_method.token", "cannot be sent beside card"))
            }
            (_, None, None) => Err(Error::invalid_field("payment_method.card", "is required")),
        }
    }

    /// Reads a card as it is typed into a field. 400 `raw_card_refused` unless it is a test number
    /// in test mode.
    pub fn of_card(mode: Mode, card: &Card, field: &str) -> Result<Self> {
        let listed = test_card(&card.number.0).filter(|_| mode == Mode::Test);
        let listed = listed.ok_or_else(|| {
            let message = "Card numbers are taken in test mode only, and only the listed ones.";
            Error::new(Kind::Invalid, "raw_card_refused", message)
                .on_field(field, "is not a listed test number")
        })?;
        let (exp_month, exp_year) = (card.exp_month.0, card.exp_year.0);
        Ok(Self { card: listed, exp_month, exp_year, good_until: None })
    }

    /// 400 when the token's time is over. Asked once it is known that the request is no replay: an
    /// answer is kept for longer than a token is good.
    pub fn check_in_time(&self, now: Timestamp) -> Result<()> {
        let over = self.good_until.is_some_and(|until| until <= now.to_chrono().timestamp());
        if over { Err(bad_token()) } else { Ok(()) }
    }

    /// A token that stands for this card until an instant.
    pub fn token(self, asking: &Asking<'_>, until: Timestamp) -> String {
        let Self { card, exp_month, exp_year, .. } = self;
        let until = until.to_chrono().timestamp();
        let said = format!("{}_{exp_month}_{exp_year}_{until}", card.last4());
        format!("pm_{said}_{}", mac(asking, &said))
    }

    fn of_token(asking: &Asking<'_>, token: &str) -> Option<Self> {
        let (said, seal) = token.strip_prefix("pm_")?.rsplit_once('_')?;
        let sealed = subtle::ConstantTimeEq::ct_eq(mac(asking, said).as_bytes(), seal.as_bytes());
        if !bool::from(sealed) {
            return None;
        }
        let mut parts = said.split('_');
        let card = card_ending(parts.next()?)?;
        let mut number = || parts.next()?.parse::<i64>().ok();
        let (exp_month, exp_year, until) = (number()?, number()?, number()?);
        Some(Self { card, exp_month, exp_year, good_until: Some(until) })
    }
}

fn bad_token() -> Error {
    let reason = "is no token of yours, or not good any more";
    Error::invalid_field("payment_method.token", reason)
}

fn mac(asking: &Asking<'_>, said: &str) -> String {
    let parts =
        [asking.tenant.as_str().as_bytes(), asking.mode.as_str().as_bytes(), said.as_bytes()];
    base32(&asking.key.mac("payment-method", &parts))
}
