//! From a sale to a message: words from the templates, pictures inline.

use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use serde::Serialize;
use serde_json::Value;

use super::template;
use crate::catalog::Event;
use crate::kernel::ids::Id;
use crate::kernel::{Error, Money, Result, Timestamp};
use crate::parties::Organization;
use crate::payments::{Item, Payment, Refund};
use crate::tickets::{Ticket, qr};

/// What a letter says.
#[derive(Serialize)]
pub struct Letter {
    pub to: String,
    pub organization: String,
    pub title: String,
    pub venue: Option<String>,
    /// In the event's own zone, which is named.
    pub starts: Option<String>,
    pub buyer: Option<String>,
    pub receipt: Option<Receipt>,
    pub refund: Option<Given>,
    /// Who is asked about the money, when it says that the event is cancelled.
    pub called_off: Option<String>,
    pub tickets: Vec<TicketPart>,
}

/// What was paid.
#[derive(Serialize)]
pub struct Receipt {
    payment_id: String,
    paid_at: Option<String>,
    lines: Vec<Line>,
    fees: String,
    total: String,
}

#[derive(Serialize)]
struct Line {
    quantity: i64,
    name: String,
    unit_price: String,
    fees: String,
    total: String,
}

/// What was given back.
#[derive(Serialize)]
pub struct Given {
    payment_id: String,
    amount: String,
    /// The card it goes back to: its last four digits.
    card: Option<String>,
    reason: Option<String>,
}

impl Given {
    /// What a refund says to the buyer.
    pub fn new(payment: &Payment, refund: &Refund) -> Self {
        let card = payment.card.as_ref().filter(|_| refund.attempt_id.is_some());
        let last4 =
            |card: &crate::db::types::Json| card.0.get("last4")?.as_str().map(str::to_owned);
        Self {
            payment_id: payment.id.to_string(),
            amount: Money::new(refund.amount_minor, refund.currency).to_string(),
            card: card.and_then(last4),
            reason: refund.reason.clone(),
        }
    }
}

/// One ticket.
#[derive(Serialize)]
pub struct TicketPart {
    number: i64,
    name: String,
    holder: Option<String>,
    code: String,
    /// Content id of its picture.
    picture: String,
}

impl Letter {
    /// A letter with nothing in it yet, from an organization about something.
    pub fn new(title: String, organization: &Organization, to: String) -> Self {
        Self {
            to,
            organization: organization.name.clone(),
            title,
            venue: None,
            starts: None,
            buyer: None,
            receipt: None,
            refund: None,
            called_off: None,
            tickets: Vec::new(),
        }
    }

    /// Where and when the event is that it is about.
    pub fn with_event(self, event: &Event) -> Self {
        let starts = event.start_date.map(|at| local_time(at, event.timezone.as_deref()));
        Self { venue: event.venue.clone(), starts, ..self }
    }
}

/// `Tuesday, 31 December 2030, 23:00 (Europe/Madrid)`.
fn local_time(at: Timestamp, zone: Option<&str>) -> String {
    let zone: chrono_tz::Tz = zone.and_then(|zone| zone.parse().ok()).unwrap_or(chrono_tz::UTC);
    let local = at.to_chrono().with_timezone(&zone);
    format!("{} ({})", local.format("%A, %-d %B %Y, %H:%M"), zone.name())
}

fn bought_name(price: &Value) -> String {
    price.get("name").and_then(Value::as_str).unwrap_or("Ticket").to_owned()
}

impl Receipt {
    /// The receipt of a payment.
    pub fn new(payment: &Payment, items: &[Item], tickets: &[Ticket]) -> Self {
        let money = |minor: i64| Money::new(minor, payment.currency).to_string();
        let name = |item: &Item| {
            let of_item = |ticket: &&Ticket| {
                ticket.price.0.get("_id").and_then(Value::as_str) == Some(item.price_id.as_str())
            };
            let ticket = tickets.iter().find(of_item);
            ticket.map_or_else(|| "Ticket".to_owned(), |ticket| bought_name(&ticket.price.0))
        };
        let line = |item: &Item| Line {
            quantity: item.quantity,
            name: name(item),
            unit_price: money(item.unit_minor),
            fees: money(item.fees_minor),
            total: money(item.quantity * item.unit_minor + item.fees_minor),
        };
        Self {
            payment_id: payment.id.to_string(),
            paid_at: payment.paid_at.map(|at| at.to_chrono().format("%-d %B %Y").to_string()),
            lines: items.iter().map(line).collect(),
            fees: money(payment.fees_minor),
            total: money(payment.amount_minor),
        }
    }
}

impl TicketPart {
    /// A ticket as a letter shows it.
    pub fn new(ticket: &Ticket) -> Self {
        Self {
            number: ticket.position + 1,
            name: bought_name(&ticket.price.0),
            holder: ticket.full_name.clone(),
            code: ticket.code.clone(),
            picture: format!("{}@rialto", ticket.id),
        }
    }
}

/// A message, and how it looks: what is shown where mail is captured.
pub struct Outgoing {
    pub message: Message,
    pub to: String,
    pub subject: String,
    /// With its pictures inside.
    pub page: String,
}

/// Whom a message is for, what it is about, and the work that sends it: the same work makes the
/// same Message-ID at every try.
pub struct Envelope<'a> {
    pub to: String,
    pub subject: String,
    pub work: &'a str,
}

impl Envelope<'_> {
    /// Puts words without pictures in: the two templates of a name.
    pub fn with_words(
        self,
        sender: &Mailbox,
        (name, values): (&str, &impl Serialize),
    ) -> Result<Outgoing> {
        let page = template::render(&format!("{name}.html"), values)?;
        let text = template::render(&format!("{name}.txt"), values)?;
        let html = SinglePart::html(page.clone());
        let words = MultiPart::alternative().singlepart(SinglePart::plain(text)).singlepart(html);
        self.sealed(sender, words, page)
    }

    fn sealed(self, sender: &Mailbox, parts: MultiPart, page: String) -> Result<Outgoing> {
        let Self { to, subject, work } = self;
        let address = to.parse::<Address>().map_err(Error::internal)?;
        let message = Message::builder()
            .from(sender.clone())
            .to(Mailbox::new(None, address))
            .subject(subject.clone())
            .message_id(Some(format!("<{work}@{}>", sender.email.domain())))
            .multipart(parts)
            .map_err(Error::internal)?;
        Ok(Outgoing { message, to, subject, page })
    }
}

/// The message of a letter.
pub fn message(letter: &Letter, delivery: &str, sender: &Mailbox) -> Result<Outgoing> {
    let subject = match (&letter.refund, letter.tickets.len()) {
        _ if letter.called_off.is_some() => format!("Cancelled: {}", letter.title),
        (Some(_), _) => format!("Your refund: {}", letter.title),
        (None, 0) => format!("Your receipt: {}", letter.title),
        (None, 1) => format!("Your ticket: {}", letter.title),
        (None, count) => format!("Your {count} tickets: {}", letter.title),
    };
    let name = match letter.refund {
        _ if letter.called_off.is_some() => "cancelled",
        Some(_) => "refund",
        None => "tickets",
    };
    let mut page = template::render(&format!("{name}.html"), letter)?;
    let mut html = MultiPart::related().singlepart(SinglePart::html(page.clone()));
    for ticket in &letter.tickets {
        let kind = ContentType::parse("image/png").map_err(Error::internal)?;
        let picture = qr::png(&ticket.code)?;
        let inside = format!("data:image/png;base64,{}", data_encoding::BASE64.encode(&picture));
        page = page.replace(&format!("cid:{}", ticket.picture), &inside);
        let attachment = Attachment::new_inline(ticket.picture.clone());
        html = html.singlepart(attachment.body(picture, kind));
    }
    let text = SinglePart::plain(template::render(&format!("{name}.txt"), letter)?);
    let words = MultiPart::alternative().singlepart(text).multipart(html);
    Envelope { to: letter.to.clone(), subject, work: delivery }.sealed(sender, words, page)
}
