//! A ticket as it is shown, and the making of codes.

use serde::Serialize;
use serde_json::{Number, Value, json};
use utoipa::ToSchema;

use super::store::{Ticket, TicketRefund, TicketStatus};
use crate::kernel::ids::{AttendeeId, Id, TicketId, base32};
use crate::kernel::{Money, Timestamp, secret};

/// Random bytes in a code: the 128 bits that OWASP ASVS 11.5.1 asks for.
const CODE_RANDOM_BYTES: usize = 16;
/// A code begins with four bytes of time, in units of 64 ms.
const CODE_TIME_SHIFT: u32 = 6;

/// A new code. Its first characters tell the time and keep no secret: new codes stand side by side
/// in the index, where random ones would each take a page of their own. They come round again
/// after eight years, which harms nothing. Upper case, because QR codes hold upper case in fewer
/// dots.
pub fn new_code(now: Timestamp) -> String {
    let [_, _, _, _, time @ ..] =
        (now.to_chrono().timestamp_millis() >> CODE_TIME_SHIFT).to_be_bytes();
    let random = secret::random::<CODE_RANDOM_BYTES>();
    base32(&[&time[..], &random].concat()).to_ascii_uppercase()
}

/// A ticket as the API document shows it.
pub fn example() -> Value {
    json!({"_id": "tkt_01", "id": "tkt_01", "payment_id": "pay_01", "organization_id": "org_01",
        "event_id": "evt_01", "ticket_rate_id": "rate_01", "channel_id": "ch_01",
        "status": "active", "qr_code": "DMBVH6R0AH1VG5M7W2K9T4N8Q3XB6C5E",
        "price": {"_id": "price_01", "name": "General admission", "price": 20}, "currency": "EUR",
        "full_name": "Ana Lopez", "email": null, "phone": null, "for": 1, "enter": 1,
        "entry_time": "2030-12-31T22:10:00.000Z", "total_price": 20.6, "total_fees": 0.6,
        "refunded": 0, "refunds": [],
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z"})
}

/// Money given back for a ticket.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct TicketRefundView {
    refund_id: String,
    /// Decimal.
    #[schema(value_type = f64)]
    amount: Number,
    /// The tenant that gave it back; null where the platform did so by itself.
    by: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// A ticket.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct TicketView {
    _id: String,
    id: String,
    payment_id: String,
    organization_id: String,
    event_id: String,
    ticket_rate_id: String,
    channel_id: Option<String>,
    status: TicketStatus,
    /// What the QR code says; admits only while `active`.
    qr_code: String,
    /// The price tier as it was when bought.
    #[schema(value_type = Object)]
    price: Value,
    currency: String,
    full_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    /// How many people it admits.
    r#for: i64,
    /// How many of them are inside.
    enter: i64,
    /// When the last of them came in.
    #[schema(value_type = Option<String>, format = DateTime)]
    entry_time: Option<Timestamp>,
    /// Decimal: price and fee.
    #[schema(value_type = f64)]
    total_price: Number,
    /// Decimal: the fee in it.
    #[schema(value_type = f64)]
    total_fees: Number,
    /// Decimal: what of it was given back.
    #[schema(value_type = f64)]
    refunded: Number,
    refunds: Vec<TicketRefundView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl TicketView {
    /// A ticket with what was given back for it.
    pub fn new(ticket: Ticket, refunds: &[TicketRefund]) -> Self {
        let id = ticket.id.to_string();
        let money = |minor: i64| Money::new(minor, ticket.currency).number();
        Self {
            _id: id.clone(),
            id,
            payment_id: ticket.payment_id.to_string(),
            organization_id: ticket.organization_id.to_string(),
            event_id: ticket.event_id.to_string(),
            ticket_rate_id: ticket.rate_id.to_string(),
            channel_id: ticket.channel_id.map(|id| id.to_string()),
            status: ticket.status,
            qr_code: ticket.code,
            price: ticket.price.0,
            currency: ticket.currency.code().to_owned(),
            full_name: ticket.full_name,
            email: ticket.email,
            phone: ticket.phone,
            r#for: ticket.admits,
            enter: ticket.entered,
            entry_time: ticket.entry_time,
            total_price: money(ticket.price_minor + ticket.fee_minor),
            total_fees: money(ticket.fee_minor),
            refunded: money(ticket.refunded_minor),
            refunds: refunds
                .iter()
                .map(|refund| TicketRefundView {
                    refund_id: refund.refund_id.to_string(),
                    amount: money(refund.amount_minor),
                    by: refund.requested_by.clone(),
                    at: refund.created_at,
                })
                .collect(),
            created_at: ticket.created_at,
            updated_at: ticket.updated_at,
        }
    }
}

/// The person on a ticket.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct AttendeeView {
    _id: String,
    id: String,
    ticket_id: String,
    payment_id: String,
    organization_id: String,
    event_id: String,
    ticket_rate_id: String,
    channel_id: Option<String>,
    full_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    /// The ticket's.
    status: TicketStatus,
    /// Whether somebody has come in with the ticket.
    checked_in: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    entry_time: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Ticket> for AttendeeView {
    fn from(ticket: Ticket) -> Self {
        let body = ticket.id.as_str().trim_start_matches(TicketId::PREFIX);
        let id = format!("{}{body}", AttendeeId::PREFIX);
        Self {
            _id: id.clone(),
            id,
            ticket_id: ticket.id.to_string(),
            payment_id: ticket.payment_id.to_string(),
            organization_id: ticket.organization_id.to_string(),
            event_id: ticket.event_id.to_string(),
            ticket_rate_id: ticket.rate_id.to_string(),
            channel_id: ticket.channel_id.map(|id| id.to_string()),
            full_name: ticket.full_name,
            email: ticket.email,
            phone: ticket.phone,
            status: ticket.status,
            checked_in: ticket.entry_time.is_some(),
            entry_time: ticket.entry_time,
            created_at: ticket.created_at,
            updated_at: ticket.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::new_code;
    use crate::kernel::Clock;

    #[test]
    fn codes_begin_with_their_time_and_share_nothing_else() {
        let now = Clock::default().now();
        let [one, two, later] = [now, now, now.plus_seconds(1)].map(new_code);
        assert_eq!(one.len(), 32);
        assert_eq!(one.get(..6), two.get(..6));
        assert!(one < later && two < later);
        let alike = one.chars().zip(two.chars()).skip(7).filter(|(a, b)| a == b).count();
        assert!(alike < 13, "{one} {two}");
    }
}
