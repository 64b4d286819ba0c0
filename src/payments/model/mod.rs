//! The rules of a payment's life, and how it is shown.

mod customer;
mod refund;
mod view;

use serde_json::Value;

use super::store::Payment;
use crate::db::types::Json;
use crate::db::{Tenant, Tx};
use crate::kernel::ids::OrganizationId;
use crate::kernel::{Error, Kind, Money, Result, Timestamp};
use crate::parties::Collects;
use crate::text_enum;

pub use customer::CustomerView;
pub use refund::{RefundView, shares};
pub use view::{CreatedPaymentView, PaymentView};

text_enum! {
    /// Where a payment stands.
    pub enum PaymentStatus {
        /// Unpaid; holds stock until `expires_at`.
        Pending = "pending",
        /// Bought on account: the tickets are valid, the money comes later.
        Authorized = "authorized",
        /// The money is in; the tickets are valid.
        Paid = "paid",
        /// Its time ran out; its stock is released.
        Expired = "expired",
        /// Given up or called back; its stock is released.
        Cancelled = "cancelled",
    }
}

text_enum! {
    /// How a payment was or will be paid.
    pub enum PaymentType {
        /// A card.
        Card = "card",
        /// Direct debit.
        DirectDebit = "direct_debit",
        /// On invoice.
        Invoice = "invoice",
        /// In advance, by transfer.
        Prepayment = "prepayment",
        /// PayPal.
        Paypal = "paypal",
        /// Sofort.
        Sofort = "sofort",
        /// Nothing was owed.
        Free = "free",
        /// Cash.
        Cash = "cash",
        /// A cheque.
        Cheque = "cheque",
        /// A bank transfer.
        BankTransfer = "bank_transfer",
        /// The organizer's own way.
        Direct = "direct",
    }
}

/// What can happen to a payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timing {
    /// The money is in, or none was owed.
    Complete,
    /// Its time ran out.
    Expire,
    /// It was given up.
    Cancel,
    /// Its tickets go out, the money comes later.
    Authorize,
    /// The money came late, and there was still enough of everything.
    Revive,
    /// The organization calls it back after its tickets were valid.
    CallBack,
}

text_enum! {
    /// What became of money that came late.
    pub enum LateOutcome {
        /// The same was held again at the held prices, and is paid.
        HeldAgain = "held_again",
        /// The platform gives it back.
        Refunded = "refunded",
        /// Who collected it has to give it back.
        RefundBuyer = "refund_buyer",
    }
}

impl PaymentStatus {
    /// The one transition function. `None`: not from here.
    pub fn next(self, timing: Timing) -> Option<Self> {
        match (self, timing) {
            (Self::Pending | Self::Authorized, Timing::Complete) => Some(Self::Paid),
            (Self::Pending, Timing::Authorize) => Some(Self::Authorized),
            (Self::Pending, Timing::Expire) => Some(Self::Expired),
            (Self::Pending, Timing::Cancel) => Some(Self::Cancelled),
            (Self::Expired, Timing::Revive) => Some(Self::Paid),
            (Self::Paid | Self::Authorized, Timing::CallBack) => Some(Self::Cancelled),
            (Self::Pending, Timing::Revive | Timing::CallBack)
            | (Self::Authorized, Timing::Expire | Timing::Cancel)
            | (Self::Authorized, Timing::Authorize | Timing::Revive)
            | (Self::Paid | Self::Expired | Self::Cancelled, _) => None,
        }
    }

    fn allowed_actions(self) -> &'static [&'static str] {
        match self {
            Self::Pending => &["pay", "mark-paid", "finalize", "authorize", "extend", "cancel"],
            Self::Authorized => &["mark-paid", "cancel"],
            Self::Paid => &["refunds", "cancel"],
            Self::Expired => &[],
            Self::Cancelled => &["refunds"],
        }
    }

    /// 409: not from this status.
    pub fn conflict(self) -> Error {
        let message = format!("The payment is {}.", self.as_str());
        Error::conflict("wrong_status", message)
            .with("current_status", self.as_str())
            .with("allowed_actions", self.allowed_actions().to_vec())
    }
}

/// 410: too late, and nothing was charged.
pub fn payment_expired(payment: &Payment) -> Error {
    let message = format!("The payment expired at {}.", payment.expires_at.rfc3339());
    Error::new(Kind::Gone, "payment_expired", message).with("current_status", "expired")
}

/// 409: a provider is being asked.
pub fn payment_processing() -> Error {
    let message = "This payment is being processed.";
    Error::conflict("payment_processing", message)
        .with("current_status", "pending")
        .with("allowed_actions", Vec::<String>::new())
        .retry_after(2)
}

impl Payment {
    /// What every payment begins as: pending, for the platform to collect, with nobody's name.
    pub fn begun(
        tx: &Tx<'_>,
        organization: OrganizationId,
        (amount, fees): (Money, Money),
    ) -> Result<Self> {
        Ok(Self {
            organization_id: organization,
            id: tx.id(),
            mode: tx.mode()?,
            channel_id: None,
            event_id: None,
            status: PaymentStatus::Pending,
            collects: Collects::Platform,
            currency: amount.currency,
            amount_minor: amount.minor,
            fees_minor: fees.minor,
            paid_minor: 0,
            refunded_minor: 0,
            num_tickets: 0,
            send_resources: false,
            metadata: Json(Value::Object(serde_json::Map::new())),
            reference: None,
            kind: None,
            card: None,
            language: None,
            description: None,
            buyer_name: None,
            buyer_email: None,
            buyer_phone: None,
            processing_attempt_id: None,
            late_at: None,
            version: 1,
            created_at: tx.now(),
            paid_at: None,
            expires_at: tx.now(),
            updated_at: tx.now(),
            customer_id: None,
            authorized_at: None,
            late_outcome: None,
        })
    }

    /// The status at an instant: a pending payment whose time has run out is expired, unless a
    /// provider is being asked.
    pub fn status_at(&self, now: Timestamp) -> PaymentStatus {
        let overdue = self.processing_attempt_id.is_none() && self.expires_at <= now;
        match self.status {
            PaymentStatus::Pending if overdue => PaymentStatus::Expired,
            status => status,
        }
    }

    /// Who made it.
    pub fn creator(&self) -> Tenant {
        match &self.channel_id {
            Some(channel) => Tenant::Channel(channel.clone()),
            None => Tenant::Organization(self.organization_id.clone()),
        }
    }

    /// Money that came in and has not been given back, in minor units.
    pub fn refundable_minor(&self) -> i64 {
        self.paid_minor - self.refunded_minor
    }

    /// What is owed in all.
    pub fn amount(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }
}
