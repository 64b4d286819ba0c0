//! What is written about keys and partnerships, as it arrives.

use deserr::Deserr;
use utoipa::ToSchema;

use super::model::{Collects, Commission, CommissionType, KeyKind};
use super::store::Organization;
use crate::kernel::input::{DecimalInput, Faults, Instant, Patch, Slug, Text};
use crate::kernel::{Currency, Money, Percent};
use crate::web::KeyScope;
use crate::web::permission::Preset;

/// Most scopes that can be listed.
const SCOPES_MAX: usize = 32;

/// A new key: `scopes`, or a `preset` of them.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewKeyBody {
    /// What people call it.
    #[schema(inline)]
    pub name: Text<1, 100>,
    /// `secret` (default), or `publishable`: for a buyer's browser, without scopes.
    #[deserr(default)]
    pub kind: Option<KeyKind>,
    /// What it may do besides `read`.
    #[deserr(default)]
    #[schema(max_items = 32)]
    pub scopes: Option<Vec<KeyScope>>,
    /// A set of scopes instead.
    #[deserr(default)]
    pub preset: Option<Preset>,
    /// When it stops working; never when absent.
    #[deserr(default)]
    #[schema(inline)]
    pub expires_at: Option<Instant>,
}

impl NewKeyBody {
    /// What the key may do. 400 on both, and on too many.
    pub fn scopes(&self) -> crate::kernel::Result<Vec<KeyScope>> {
        let mut faults = Faults::default();
        let both = self.scopes.is_some() && self.preset.is_some();
        faults.check(!both, "preset", "must not be sent with scopes");
        if self.kind == Some(KeyKind::Publishable) {
            let none = "is not for publishable keys: they have no scopes";
            faults.check(self.scopes.is_none(), "scopes", none);
            faults.check(self.preset.is_none(), "preset", none);
        }
        let scopes = match (&self.scopes, self.preset) {
            (Some(scopes), _) => scopes.clone(),
            (None, Some(preset)) => preset.scopes().to_vec(),
            (None, None) => Vec::new(),
        };
        check_count(&mut faults, &scopes);
        faults.finish().map(|()| scopes)
    }
}

/// 400 on more scopes than there can be.
pub fn check_count(faults: &mut Faults, scopes: &[KeyScope]) {
    let fits = scopes.len() <= SCOPES_MAX;
    faults.check(fits, "scopes", format!("must have at most {SCOPES_MAX} elements"));
}

/// Changes to a key: absent leaves, null clears.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct KeyBody {
    /// What people call it.
    #[deserr(default)]
    #[schema(inline)]
    pub name: Option<Text<1, 100>>,
    /// What it may do besides `read`.
    #[deserr(default)]
    #[schema(max_items = 32)]
    pub scopes: Option<Vec<KeyScope>>,
    /// When it stops working; null: never.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub expires_at: Patch<Instant>,
}

/// A channel's share of its sales.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct CommissionBody {
    /// Percent of the price, or an amount per ticket.
    #[deserr(rename = "type")]
    #[schema(rename = "type")]
    pub kind: CommissionType,
    /// Decimal percent (0 to 100), or a decimal amount in the organization's currency.
    #[schema(inline)]
    pub quantity: DecimalInput,
}

impl CommissionBody {
    /// The commission, in the organization's currency; else a fault.
    pub fn read(&self, organization: &Organization, faults: &mut Faults) -> Option<Commission> {
        let currency = organization.currency.as_deref().and_then(Currency::parse);
        let quantity = match (self.kind, currency) {
            (CommissionType::Percentage, _) => {
                let percent = Percent::from_decimal(self.quantity.0).map(Percent::e4);
                let reason = "must be a percentage from 0 to 100 with at most four decimals";
                faults.check(percent.is_some(), "commission.quantity", reason);
                percent
            }
            (CommissionType::Fixed, Some(currency)) => {
                let amount = Money::from_decimal(self.quantity.0, currency).map(|m| m.minor);
                let reason = format!("must be an amount of {}", currency.code());
                faults.check(amount.is_some(), "commission.quantity", reason);
                amount
            }
            (CommissionType::Fixed, None) => {
                faults.add("commission.type", "needs an organization with a currency");
                None
            }
        };
        quantity.map(|quantity| Commission { kind: self.kind, quantity })
    }
}

/// An offer to a channel: exactly one of `channel_id` and `channel_slug`.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewPartnershipBody {
    /// The channel.
    #[deserr(default)]
    #[schema(inline)]
    pub channel_id: Option<Text<1, 60>>,
    /// The channel by its slug.
    #[deserr(default)]
    #[schema(inline)]
    pub channel_slug: Option<Slug>,
    /// The channel's share.
    pub commission: CommissionBody,
    /// Who takes the buyers' money.
    pub collects: Collects,
    /// Whether the channel may have tickets go out before they are paid (false).
    #[deserr(default)]
    pub on_account: Option<bool>,
    /// The ticket rates that the channel sees and sells, of either mode; all when absent.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 200)]
    pub rate_ids: Option<RateIds>,
}

/// Other terms: what is absent stays. `rate_ids` is no term: it holds at once.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct TermsBody {
    /// The channel's share.
    #[deserr(default)]
    pub commission: Option<CommissionBody>,
    /// Who takes the buyers' money.
    #[deserr(default)]
    pub collects: Option<Collects>,
    /// Whether the channel may have tickets go out before they are paid.
    #[deserr(default)]
    pub on_account: Option<bool>,
    /// The ticket rates that the channel sees and sells, of either mode; null: all.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 200, required = false)]
    pub rate_ids: Patch<RateIds>,
}

/// Ids of ticket rates.
pub type RateIds = Vec<Text<1, 60>>;
/// Most rates that a partnership can be limited to.
pub const RATES_MAX: usize = 200;

/// Accepting an offer or other terms.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct AcceptTermsBody {
    /// The `version` that was seen: another one now is 409 `terms_changed`.
    #[deserr(default)]
    #[schema(minimum = 1)]
    pub version: Option<i64>,
}
