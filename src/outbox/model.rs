//! Changes and who listens to them.

use serde_json::Value;

use super::jobs::Job;
use super::store;
use crate::db::Tx;
use crate::kernel::ids::{ChangeId, ChannelId, EventId, OrganizationId};
use crate::kernel::{Mode, Result, Timestamp};
use crate::text_enum;

text_enum! {
    /// What happened.
    pub enum ChangeKind {
        /// An event was created.
        EventCreated = "event.created",
        /// An event's fields changed.
        EventUpdated = "event.updated",
        /// An event went on sale.
        EventPublished = "event.published",
        /// An event was called off.
        EventCancelled = "event.cancelled",
        /// A ticket rate was created or changed.
        TicketRateUpdated = "ticket_rate.updated",
        /// A ticket rate was deleted; nothing of it was ever sold.
        TicketRateDeleted = "ticket_rate.deleted",
        /// An event was deleted; nothing of it was ever sold.
        EventDeleted = "event.deleted",
        /// A ticket became valid.
        TicketCreated = "ticket.created",
        /// A ticket lost its validity, or never got it.
        TicketVoided = "ticket.voided",
        /// Somebody was let in.
        TicketCheckedIn = "ticket.checked_in",
        /// Somebody went out again.
        TicketCheckedOut = "ticket.checked_out",
        /// Somebody had been let in by mistake.
        TicketCheckInUndone = "ticket.checkin_undone",
        /// A ticket has another holder and another code; the old code admits nobody.
        TicketTransferred = "ticket.transferred",
        /// What is known of a ticket's holder changed.
        TicketUpdated = "ticket.updated",
        /// A payment was created; it holds stock, unless it is a plain charge.
        PaymentCreated = "payment.created",
        /// A payment's money is in.
        PaymentCompleted = "payment.completed",
        /// A try at paying failed; the payment is still pending (a plain charge is cancelled next).
        PaymentFailed = "payment.failed",
        /// A payment holds its stock for longer.
        PaymentExtended = "payment.extended",
        /// What its creator wrote on a payment changed, or how much of it was given back.
        PaymentUpdated = "payment.updated",
        /// A payment's tickets are valid; its money comes later.
        PaymentAuthorized = "payment.authorized",
        /// A payment's time ran out; its stock is released.
        PaymentExpired = "payment.expired",
        /// A payment was given up; its stock is released.
        PaymentCancelled = "payment.cancelled",
        /// Money arrived for a payment that had ended.
        PaymentLate = "payment.late",
        /// Money is to be given back.
        RefundCreated = "refund.created",
        /// It was given back, or could not be.
        RefundProcessed = "refund.processed",
        /// A message could not be sent, after all tries.
        DeliveryFailed = "delivery.failed",
        /// A customer was created.
        CustomerCreated = "customer.created",
        /// A partnership was offered, accepted, changed, suspended, resumed or ended.
        PartnershipUpdated = "partnership.updated",
    }
}

/// A change to record.
pub struct NewChange {
    /// What happened.
    pub kind: ChangeKind,
    /// In which mode.
    pub mode: Mode,
    /// The organization's side of it.
    pub organization: OrganizationId,
    /// The channel's side, where there is one.
    pub channel: Option<ChannelId>,
    /// The event it concerns.
    pub event: Option<EventId>,
    /// The object that changed.
    pub object_id: String,
    /// The object's own count of changes, from 1.
    pub sequence: i64,
    /// The object as the organization sees it.
    pub for_organization: Value,
    /// The object as the channel sees it.
    pub for_channel: Option<Value>,
}

/// A recorded change.
pub struct Change {
    /// Its identifier: the same in the feed and in webhooks.
    pub id: ChangeId,
    /// When.
    pub created_at: Timestamp,
    /// What.
    pub what: NewChange,
}

/// Turns a change into work, or not.
pub type Listener = fn(&Change) -> Option<Job>;

/// Everybody who listens; part of the environment.
#[derive(Default)]
pub struct Listeners(pub Vec<Listener>);

/// Recording changes, as an ability of a transaction.
pub trait Emit {
    /// Records a change and the jobs its listeners return.
    fn emit(&mut self, change: NewChange) -> Result<()>;
}

impl Emit for Tx<'_> {
    fn emit(&mut self, what: NewChange) -> Result<()> {
        let change = Change { id: self.id(), created_at: self.now(), what };
        for listener in &self.environment().get::<Listeners>()?.0 {
            if let Some(job) = listener(&change) {
                super::jobs::enqueue(self, job);
            }
        }
        store::append_change(self, change);
        Ok(())
    }
}
