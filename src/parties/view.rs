//! Partnerships and keys as they are answered.

use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;

use super::model::{
    ApiKey, Collects, Commission, CommissionType, KeyKind, Partnership, PartnershipStatus,
    PartySide, Terms,
};
use super::store::{Channel, Organization};
use crate::kernel::money::decimal_number;
use crate::kernel::{Currency, Mode, Money, Percent, Timestamp};
use crate::web::KeyScope;

/// A tenant as its partner sees it.
#[derive(Serialize, ToSchema, Clone)]
pub struct PartnerView {
    _id: String,
    id: String,
    name: String,
    slug: String,
}

/// A channel's share of its sales.
#[derive(Serialize, ToSchema, Clone)]
pub struct CommissionView {
    /// Percent of the price, or an amount per ticket.
    #[serde(rename = "type")]
    kind: CommissionType,
    /// Decimal percent, or a decimal amount in the organization's currency.
    #[schema(value_type = f64)]
    quantity: Number,
}

/// What the two have agreed on, or one of them proposes.
#[derive(Serialize, ToSchema, Clone)]
pub struct TermsView {
    collects: Collects,
    commission: CommissionView,
    /// Whether the channel may have tickets go out before they are paid.
    on_account: bool,
}

/// One organization and one channel.
#[derive(Serialize, ToSchema, Clone)]
pub struct PartnershipView {
    _id: String,
    id: String,
    organization: PartnerView,
    channel: PartnerView,
    status: PartnershipStatus,
    /// Who takes the buyers' money.
    collects: Collects,
    commission: CommissionView,
    /// Whether the channel may have tickets go out before they are paid.
    on_account: bool,
    /// Terms that wait for the channel's acceptance.
    proposed: Option<TermsView>,
    /// Who has suspended it, and may resume it.
    suspended_by: Option<PartySide>,
    /// The rates that the channel sees and sells; null: all.
    rate_ids: Option<Vec<String>>,
    /// How often it has changed, from 1; to be sent when accepting.
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl CommissionView {
    fn new(commission: Commission, currency: Option<Currency>) -> Self {
        let quantity = match (commission.kind, currency) {
            (CommissionType::Percentage, _) => Percent::from_e4(commission.quantity).number(),
            (CommissionType::Fixed, Some(currency)) => {
                Money::new(commission.quantity, currency).number()
            }
            (CommissionType::Fixed, None) => decimal_number(commission.quantity.into()),
        };
        Self { kind: commission.kind, quantity }
    }
}

impl TermsView {
    fn new(terms: Terms, currency: Option<Currency>) -> Self {
        let commission = CommissionView::new(terms.commission, currency);
        Self { collects: terms.collects, commission, on_account: terms.on_account }
    }
}

impl PartnershipView {
    /// A partnership and its two sides.
    pub fn new(partnership: &Partnership, organization: &Organization, channel: &Channel) -> Self {
        let currency = organization.currency.as_deref().and_then(Currency::parse);
        let id = partnership.id.to_string();
        let TermsView { collects, commission, on_account } =
            TermsView::new(partnership.terms, currency);
        let partner = |id: String, name: &str, slug: &str| PartnerView {
            _id: id.clone(),
            id,
            name: name.to_owned(),
            slug: slug.to_owned(),
        };
        Self {
            _id: id.clone(),
            id,
            organization: partner(
                organization.id.to_string(),
                &organization.name,
                &organization.slug,
            ),
            channel: partner(channel.id.to_string(), &channel.name, &channel.slug),
            status: partnership.status,
            collects,
            commission,
            on_account,
            proposed: partnership.proposed.map(|terms| TermsView::new(terms, currency)),
            suspended_by: partnership.suspended_by,
            rate_ids: partnership
                .rate_ids
                .as_ref()
                .map(|ids| ids.iter().map(ToString::to_string).collect()),
            version: partnership.version,
            created_at: partnership.created_at,
            updated_at: partnership.updated_at,
        }
    }
}

/// An API key.
#[derive(Serialize, ToSchema, Clone)]
pub struct KeyView {
    _id: String,
    id: String,
    name: String,
    kind: KeyKind,
    /// Its mode, for good.
    mode: Mode,
    /// What it may do; nothing of it for a publishable key.
    scopes: Vec<KeyScope>,
    /// The secret, shown once: when it is made or rotated. Null ever after.
    key: Option<String>,
    /// When it stops working.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Until when the secret before the last rotation works.
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_key_works_until: Option<Timestamp>,
    /// When it was last used; may be a minute behind.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl KeyView {
    /// A key, with its secret when it is shown.
    pub fn new(key: &ApiKey, secret: Option<&str>) -> Self {
        let id = key.id.to_string();
        Self {
            _id: id.clone(),
            id,
            name: key.name.clone(),
            kind: key.kind(),
            mode: key.mode,
            scopes: key.scopes.clone(),
            key: secret.map(str::to_owned),
            expires_at: key.expires_at,
            previous_key_works_until: key.previous_until,
            last_used_at: key.last_used_at,
            created_at: key.created_at,
        }
    }
}
