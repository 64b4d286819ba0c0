//! What a credential may do, and what a handler demands.
//!
//! A handler states its demand in its signature, `Actor<WriteEvents>`, so that no handler can be
//! written without one.

use crate::text_enum;

text_enum! {
    /// A right of an API key. Every secret key has `read`.
    pub enum KeyScope {
        /// See everything of the tenant.
        Read = "read",
        /// Events, ticket rates and locations.
        WriteEvents = "write:events",
        /// Create, pay and cancel payments.
        WritePayments = "write:payments",
        /// Issue and send tickets.
        WriteTickets = "write:tickets",
        /// Let people in.
        WriteCheckins = "write:checkins",
        /// Give money back.
        WriteRefunds = "write:refunds",
        /// Record money that moved elsewhere.
        WriteBalancePayments = "write:balance_payments",
        /// Change attendees.
        WriteAttendees = "write:attendees",
        /// Change customers.
        WriteCustomers = "write:customers",
        /// Change discount codes.
        WriteDiscounts = "write:discounts",
        /// Change webhook endpoints.
        WriteWebhooks = "write:webhooks",
        /// Change API keys.
        WriteKeys = "write:keys",
    }
}

/// Which kind of tenant may call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Organizations only.
    Organization,
    /// Either, each its own side.
    Both,
}

/// A handler's demand.
pub trait Permission: 'static {
    /// The scope the credential must have.
    const SCOPE: KeyScope;
    /// Who may call at all.
    const SIDE: Side;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $scope:ident, $side:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Permission for $name {
            const SCOPE: KeyScope = KeyScope::$scope;
            const SIDE: Side = Side::$side;
        }
    )* };
}

permissions! {
    /// See what is one's own.
    Read = Read, Both;
    /// Change the catalogue: organizations only.
    WriteEvents = WriteEvents, Organization;
    /// Sell.
    WritePayments = WritePayments, Both;
    /// Work the door: organizations only.
    WriteCheckins = WriteCheckins, Organization;
}
