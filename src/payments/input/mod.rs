//! What is written about payments, as it arrives.

mod customer;

use deserr::Deserr;
use utoipa::ToSchema;

use super::model::PaymentType;
use crate::catalog::input::rate::TICKETS_MAX;
use crate::kernel::input::{
    Count, CurrencyCode, DecimalInput, Email, Faults, Instant, Metadata, Patch, Text,
};
use crate::kernel::money::AMOUNT_MAX_MINOR;
use crate::parties::Collects;

pub use customer::{CustomerFields, NewCustomer};

/// Seconds for which a payment may ask to hold its stock.
pub type HoldSeconds = Count<1, 86_400>;
/// How many tickets.
pub type Quantity = Count<1, TICKETS_MAX>;
/// A payment's name in the creator's own books.
pub type Reference = Text<1, 100>;

/// A new payment. What is bought is said in exactly one of three ways: `rate_id` with `quantity`,
/// `items`, or `tickets`. An organization can also charge an `amount` for nothing that is sold
/// here: with `currency` and `payment_method`, and none of what is about tickets.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewPayment {
    /// The rate, with `quantity`.
    #[deserr(default)]
    #[schema(inline)]
    pub rate_id: Option<Text<1, 60>>,
    /// How many tickets of `rate_id` (1).
    #[deserr(default)]
    #[schema(inline)]
    pub quantity: Option<Quantity>,
    /// Several rates of one event.
    #[deserr(default)]
    #[schema(max_items = 100, min_items = 1)]
    pub items: Option<Vec<NewItem>>,
    /// One entry per ticket, with its holder. At most 100.
    #[deserr(default)]
    #[schema(max_items = 100, min_items = 1)]
    pub tickets: Option<Vec<NewTicket>>,
    /// Who buys. The receipt, and tickets without an e-mail of their own, are mailed to this
    /// e-mail.
    #[deserr(default)]
    pub buyer: Option<Buyer>,
    /// Seconds to hold the stock (900), within the server's limit (7,200 unless configured).
    #[deserr(default)]
    #[schema(inline)]
    pub expires_in: Option<HoldSeconds>,
    /// The instant to hold the stock until, instead of `expires_in`.
    #[deserr(default)]
    #[schema(inline)]
    pub expires_at: Option<Instant>,
    /// Yours to fill, at most 1 kB; shown to nobody else.
    #[deserr(default)]
    #[schema(inline)]
    pub metadata: Option<Metadata>,
    /// Whether receipt and tickets are mailed when paid (true). True needs the recipients' e-mail:
    /// the buyer's, or one on every ticket.
    #[deserr(default)]
    pub send_resources: Option<bool>,
    /// Your own name for it, unique among your payments of this mode that are not expired or
    /// cancelled: 409 `reference_taken` names the other one.
    #[deserr(default)]
    #[schema(inline)]
    pub reference: Option<Reference>,
    /// A customer of yours, whose name and e-mail are the buyer's where the body has no `buyer`.
    #[deserr(default)]
    #[schema(inline)]
    pub customer_id: Option<Text<1, 60>>,
    /// Decimal: the total you showed. Another one now: 409 `price_changed`, and nothing is held.
    #[deserr(default)]
    #[schema(inline)]
    pub expected_total: Option<DecimalInput>,
    /// An organization's own sale: `platform` (default) or `organization`. A channel's is its
    /// partnership's and cannot be sent.
    #[deserr(default)]
    pub collects: Option<Collects>,
    /// What it is, in words.
    #[deserr(default)]
    #[schema(inline)]
    pub description: Option<Text<1, 500>>,
    /// Minor units: a plain charge of so much, which is paid or refused at once.
    #[deserr(default)]
    #[schema(inline)]
    pub amount: Option<Amount>,
    /// The currency of `amount`.
    #[deserr(default)]
    #[schema(inline)]
    pub currency: Option<CurrencyCode>,
    /// What is charged.
    #[deserr(default)]
    pub payment_method: Option<PaymentMethod>,
    /// The same as `customer_id`.
    #[deserr(default)]
    #[schema(inline)]
    pub customer: Option<Text<1, 60>>,
}

impl NewPayment {
    /// The customer, under either name.
    pub fn customer(&self) -> Option<&str> {
        self.customer_id.as_ref().or(self.customer.as_ref()).map(|id| id.0.as_str())
    }
}

/// So many tickets of one rate.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewItem {
    /// The rate.
    #[schema(inline)]
    pub rate_id: Text<1, 60>,
    /// The tier you showed: 422 `price_unavailable` when it is not in sale for so many. Else a
    /// quantity beyond what is left of a tier goes on in the next, as another item.
    #[deserr(default)]
    #[schema(inline)]
    pub price_id: Option<Text<1, 60>>,
    /// How many tickets (1).
    #[deserr(default)]
    #[schema(inline)]
    pub quantity: Option<Quantity>,
}

/// One ticket and its holder.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewTicket {
    /// The rate.
    #[schema(inline)]
    pub rate_id: Text<1, 60>,
    /// The tier you showed: 422 `price_unavailable` when it is not in sale for so many. Else a
    /// quantity beyond what is left of a tier goes on in the next, as another item.
    #[deserr(default)]
    #[schema(inline)]
    pub price_id: Option<Text<1, 60>>,
    /// The holder's name.
    #[deserr(default)]
    #[schema(inline)]
    pub full_name: Option<Text<1, 200>>,
    /// The ticket is mailed there instead of to the buyer.
    #[deserr(default)]
    #[schema(inline)]
    pub email: Option<Email>,
    /// The holder's telephone.
    #[deserr(default)]
    #[schema(inline)]
    pub phone: Option<Text<3, 40>>,
}

/// Who buys.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Buyer {
    /// The name.
    #[deserr(default)]
    #[schema(inline)]
    pub name: Option<Text<1, 200>>,
    /// The e-mail.
    #[deserr(default)]
    #[schema(inline)]
    pub email: Option<Email>,
    /// The telephone.
    #[deserr(default)]
    #[schema(inline)]
    pub phone: Option<Text<3, 40>>,
}

/// More time: exactly one of the two.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Extend {
    /// Seconds from now.
    #[deserr(default)]
    #[schema(inline)]
    pub expires_in: Option<HoldSeconds>,
    /// The instant to hold the stock until.
    #[deserr(default)]
    #[schema(inline)]
    pub expires_at: Option<Instant>,
}

/// What its creator may change of a payment: absent leaves, null clears.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct PaymentFields {
    /// Yours to fill, at most 1 kB; shown to nobody else. Replaced as a whole.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub metadata: Patch<Metadata>,
    /// What it is, in words.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub description: Patch<Text<1, 500>>,
    /// Your own name for it. 409 `reference_taken`.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub reference: Patch<Reference>,
    /// A customer of yours.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub customer_id: Patch<Text<1, 60>>,
}

/// How to pay.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Pay {
    /// The means.
    pub payment_method: PaymentMethod,
    /// The payment's own, required with a publishable key.
    #[deserr(default)]
    #[schema(inline)]
    pub client_secret: Option<Text<1, 200>>,
}

crate::text_enum! {
    /// A means of paying here.
    pub enum MethodType {
        /// A card.
        Card = "card",
    }
}

/// A card that is to be charged later, by its token.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewMethod {
    /// The kind.
    #[deserr(rename = "type")]
    #[schema(rename = "type")]
    pub kind: MethodType,
    /// The card, in test mode.
    pub card: Card,
}

/// A means of paying: in test mode `card` with a listed test number or a `token` of
/// `/payment-methods`, in live mode the `token` of a provider.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct PaymentMethod {
    /// The kind.
    #[deserr(rename = "type")]
    #[schema(rename = "type")]
    pub kind: MethodType,
    /// A card, in test mode.
    #[deserr(default)]
    pub card: Option<Card>,
    /// A token instead of the card.
    #[deserr(default)]
    #[schema(inline)]
    pub token: Option<Text<1, 255>>,
}

/// A card as a buyer types it. Never stored, hashed or logged.
#[derive(Deserr, ToSchema, Clone)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Card {
    /// One of the test numbers; spaces are ignored.
    #[schema(inline)]
    pub number: Text<12, 30>,
    /// Month, 1 to 12. Not checked against today in test mode.
    #[schema(inline)]
    pub exp_month: Count<1, 12>,
    /// Year, four digits.
    #[schema(inline)]
    pub exp_year: Count<2000, 2100>,
    /// The code on the card.
    #[schema(inline)]
    pub cvc: Text<3, 4>,
}

impl std::fmt::Debug for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Card(..)")
    }
}

/// Money that came in elsewhere.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct MarkPaid {
    /// When it came in; now when absent, never in the future.
    #[deserr(default)]
    #[schema(inline)]
    pub paid_at: Option<Instant>,
    /// How it came in.
    #[deserr(default, rename = "type")]
    #[schema(rename = "type")]
    pub kind: Option<PaymentType>,
}

/// Completing a payment without money.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Finalize {
    /// Must be true: you may do this in the buyer's name.
    pub accepted_terms_and_conditions: bool,
}

/// Money to give back.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewRefund {
    /// Minor units. The rest when absent: of the tickets named, else of the payment.
    #[deserr(default)]
    #[schema(inline)]
    pub amount: Option<Amount>,
    /// Tickets it is for: they admit nobody from then on and their places are for sale again.
    /// Without any, no ticket is touched.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    pub tickets: Option<Vec<Text<1, 60>>>,
    /// Why, in words.
    #[deserr(default)]
    #[schema(inline)]
    pub reason: Option<Text<1, 500>>,
}

/// An amount in minor units.
pub type Amount = Count<1, AMOUNT_MAX_MINOR>;

/// Money to give back for one ticket.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct RefundTicket {
    /// Decimal, above 0.
    #[schema(inline)]
    pub amount: DecimalInput,
}

/// Tickets the organization gives out itself.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct DirectIssue {
    /// Who they are for.
    #[deserr(default)]
    #[schema(inline)]
    pub attendee_name: Option<Text<1, 200>>,
    /// Where they are mailed; nowhere when absent.
    #[deserr(default)]
    #[schema(inline)]
    pub attendee_email: Option<Email>,
    /// How many (1).
    #[deserr(default)]
    #[schema(inline)]
    pub quantity: Option<Quantity>,
    /// Of which rate of the event; its first when absent.
    #[deserr(default)]
    #[schema(inline)]
    pub rate_id: Option<Text<1, 60>>,
}
