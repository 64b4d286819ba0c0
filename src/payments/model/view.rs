//! A payment as it is shown.

use serde::Serialize;
use serde_json::{Number, Value};
use utoipa::ToSchema;

use super::{LateOutcome, PaymentStatus, PaymentType};
use crate::db::Tenant;
use crate::kernel::ids::TicketId;
use crate::kernel::{Mode, Money, Timestamp};
use crate::parties::Collects;
use crate::payments::store::{Item, Payment};

/// A payment's total, in decimal major units.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct TotalView {
    /// What the buyer pays, fees included.
    #[schema(value_type = f64, example = 20.6)]
    pub amount: Number,
    /// The fees in it.
    #[schema(value_type = f64, example = 0.6)]
    pub fees: Number,
    /// The discount taken off it.
    #[schema(value_type = f64, example = 0)]
    pub discount: Number,
    /// The tax in it.
    #[schema(value_type = f64, example = 0)]
    pub tax: Number,
}

/// So many tickets of one rate at one price.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct ItemView {
    rate_id: String,
    price_id: String,
    quantity: i64,
    /// Decimal price of one ticket, without its fee.
    #[schema(value_type = f64)]
    unit_price: Number,
    /// Decimal fees of the line.
    #[schema(value_type = f64)]
    fees: Number,
    /// Decimal supplements of the line.
    #[schema(value_type = f64)]
    supplements: Number,
    /// Decimal discount on the line.
    #[schema(value_type = f64)]
    discount: Number,
}

/// Who buys.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct BuyerView {
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

/// Addresses of a payment.
#[derive(Serialize, ToSchema, Clone, Debug, Default)]
pub struct AddressesView {
    #[schema(value_type = Option<Object>)]
    buyer: Option<Value>,
    #[schema(value_type = Option<Object>)]
    shipment: Option<Value>,
}

/// The log-in service a buyer used.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct AuthLoginView {
    #[serde(rename = "type")]
    #[schema(example = "NO_LOGIN")]
    kind: &'static str,
    profile_url: Option<String>,
    profile_id: Option<String>,
}

/// Money that came after a payment had ended.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct LateView {
    outcome: LateOutcome,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// A payment. Every field is always present, null when unknown.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct PaymentView {
    _id: String,
    id: String,
    status: PaymentStatus,
    mode: Mode,
    /// The rate of the first item.
    rate_id: Option<String>,
    organization_id: String,
    /// Null for an organization's own sale.
    channel_id: Option<String>,
    /// Null for a plain charge.
    event_id: Option<String>,
    /// Null for a plain charge.
    #[schema(example = "ticket")]
    resource_type: Option<&'static str>,
    /// The tickets.
    resource_ids: Vec<String>,
    items: Vec<ItemView>,
    total: TotalView,
    /// Minor units: what the buyer pays.
    amount: i64,
    /// Minor units, gross of refunds.
    amount_paid: i64,
    /// Minor units.
    amount_refunded: i64,
    /// Minor units: what is still owed; negative when overpaid.
    balance: i64,
    currency: String,
    collects: Collects,
    send_resources: bool,
    /// The creator's own; null for the other side.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    /// The creator's own; null for the other side.
    reference: Option<String>,
    #[serde(rename = "type")]
    kind: Option<PaymentType>,
    /// The card that paid: brand and last four digits.
    #[schema(value_type = Option<Object>)]
    payment_method: Option<Value>,
    language: Option<String>,
    description: Option<String>,
    invoice_number: Option<String>,
    discount_code: Option<String>,
    /// The creator's own; null for the other side.
    customer_id: Option<String>,
    buyer: BuyerView,
    addresses: AddressesView,
    #[schema(value_type = Vec<Object>)]
    user_data: Vec<Value>,
    application_data: Option<String>,
    #[schema(example = "CHANNEL_API_V1")]
    distribution_channel: &'static str,
    num_tickets: i64,
    #[schema(example = "FALSE")]
    double_opt_in: &'static str,
    supplementary_service: bool,
    auth_login: AuthLoginView,
    start_identifier: Option<String>,
    receipt_url: Option<String>,
    payment_url: Option<String>,
    /// Money that came after the end, and what became of it.
    late: Option<LateView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    paid_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A payment that was just made, as its creator sees it.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct CreatedPaymentView {
    #[serde(flatten)]
    payment: PaymentView,
    /// With a publishable key, lets the buyer's browser read this payment and pay it.
    client_secret: Option<String>,
}

impl CreatedPaymentView {
    /// A payment, as it is kept: its secret is put in when it is shown.
    pub fn new(payment: PaymentView) -> Self {
        Self { payment, client_secret: None }
    }
}

impl PaymentView {
    /// The payment's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A payment at an instant, as one side sees it; or, without a reader, its buyer.
    pub fn new(
        payment: &Payment,
        items: &[Item],
        tickets: Vec<TicketId>,
        (reader, now): (Option<&Tenant>, Timestamp),
    ) -> Self {
        let money = |minor: i64| Money::new(minor, payment.currency).number();
        let own = Some(&payment.creator()) == reader;
        let id = payment.id.to_string();
        let item = |item: &Item| ItemView {
            rate_id: item.rate_id.to_string(),
            price_id: item.price_id.to_string(),
            quantity: item.quantity,
            unit_price: money(item.unit_minor),
            fees: money(item.fees_minor),
            supplements: money(0),
            discount: money(0),
        };
        Self {
            _id: id.clone(),
            id,
            status: payment.status_at(now),
            mode: payment.mode,
            rate_id: items.first().map(|item| item.rate_id.to_string()),
            organization_id: payment.organization_id.to_string(),
            channel_id: payment.channel_id.as_ref().map(ToString::to_string),
            event_id: payment.event_id.as_ref().map(ToString::to_string),
            resource_type: payment.event_id.is_some().then_some("ticket"),
            resource_ids: tickets.iter().map(ToString::to_string).collect(),
            items: items.iter().map(item).collect(),
            total: TotalView {
                amount: money(payment.amount_minor),
                fees: money(payment.fees_minor),
                discount: money(0),
                tax: money(0),
            },
            amount: payment.amount_minor,
            amount_paid: payment.paid_minor,
            amount_refunded: payment.refunded_minor,
            balance: payment.amount_minor - payment.refundable_minor(),
            currency: payment.currency.code().to_owned(),
            collects: payment.collects,
            send_resources: payment.send_resources,
            metadata: own.then(|| payment.metadata.0.clone()),
            reference: payment.reference.clone().filter(|_| own),
            kind: payment.kind,
            payment_method: payment
                .card
                .as_ref()
                .map(|card| serde_json::json!({"type": "card", "card": card.0})),
            language: payment.language.clone(),
            description: payment.description.clone(),
            invoice_number: None,
            discount_code: None,
            customer_id: payment.customer_id.clone().filter(|_| own).map(|id| id.to_string()),
            buyer: BuyerView {
                name: payment.buyer_name.clone(),
                email: payment.buyer_email.clone(),
                phone: payment.buyer_phone.clone(),
            },
            addresses: AddressesView::default(),
            user_data: Vec::new(),
            application_data: None,
            distribution_channel: "CHANNEL_API_V1",
            num_tickets: payment.num_tickets,
            double_opt_in: "FALSE",
            supplementary_service: false,
            auth_login: AuthLoginView { kind: "NO_LOGIN", profile_url: None, profile_id: None },
            start_identifier: None,
            receipt_url: None,
            payment_url: None,
            late: payment
                .late_at
                .zip(payment.late_outcome)
                .map(|(at, outcome)| LateView { outcome, at }),
            created_at: payment.created_at,
            started_at: None,
            paid_at: payment.paid_at,
            expires_at: payment.expires_at,
            updated_at: payment.updated_at,
        }
    }
}
