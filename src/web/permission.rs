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

text_enum! {
    /// What a member is, and with it what they may do.
    pub enum Role {
        /// Everything, and alone removes members.
        Owner = "owner",
        /// Everything else.
        Admin = "admin",
        /// Payments, tickets, attendees and the door.
        BoxOffice = "box_office",
        /// The door.
        Scanner = "scanner",
        /// Looks.
        Viewer = "viewer",
    }
}

impl Role {
    /// The rights a role has.
    pub fn scopes(self) -> &'static [KeyScope] {
        match self {
            Self::Owner | Self::Admin => KeyScope::ALL,
            Self::BoxOffice => &[
                KeyScope::Read,
                KeyScope::WritePayments,
                KeyScope::WriteTickets,
                KeyScope::WriteAttendees,
                KeyScope::WriteCheckins,
            ],
            Self::Scanner => &[KeyScope::WriteCheckins],
            Self::Viewer => &[KeyScope::Read],
        }
    }

    /// Whether a member with this role manages the tenant.
    pub fn manages(self) -> bool {
        match self {
            Self::Owner | Self::Admin => true,
            Self::BoxOffice | Self::Scanner | Self::Viewer => false,
        }
    }

    /// Whether a member with this role may make, change or invite one with that: nobody above
    /// themselves.
    pub fn may_appoint(self, other: Self) -> bool {
        match self {
            Self::Owner => true,
            Self::Admin => other != Self::Owner,
            Self::BoxOffice | Self::Scanner | Self::Viewer => false,
        }
    }
}

text_enum! {
    /// A set of rights with a name.
    pub enum Preset {
        /// Everything.
        Admin = "admin",
        /// Catalogue, sales and people.
        Editor = "editor",
        /// Attendees and the door.
        AttendeeManager = "attendee_manager",
        /// Reading.
        Viewer = "viewer",
    }
}

impl Preset {
    /// The rights besides `read`.
    pub fn scopes(self) -> &'static [KeyScope] {
        use KeyScope as S;
        match self {
            Self::Admin => S::ALL,
            Self::Editor => &[
                S::WriteEvents,
                S::WritePayments,
                S::WriteTickets,
                S::WriteAttendees,
                S::WriteCustomers,
                S::WriteDiscounts,
            ],
            Self::AttendeeManager => &[S::WriteAttendees, S::WriteCheckins],
            Self::Viewer => &[],
        }
    }
}

/// Which kind of tenant may call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Organizations only.
    Organization,
    /// Channels only.
    Channel,
    /// Either, each its own side.
    Both,
}

/// What a credential must be good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Demand {
    /// It is somebody's.
    Anybody,
    /// It has this right.
    Scope(KeyScope),
    /// It has this right, or is publishable: what a buyer's browser may do.
    ScopeOrPublishable(KeyScope),
    /// It is the session of a member.
    Member,
    /// It is the session of an owner or admin.
    Manager,
    /// It is the session of an owner.
    Owner,
}

/// A handler's demand.
pub trait Permission: 'static {
    /// What the credential must be good for.
    const DEMAND: Demand;
    /// Who may call at all.
    const SIDE: Side;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $demand:expr, $side:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Permission for $name {
            const DEMAND: Demand = $demand;
            const SIDE: Side = Side::$side;
        }
    )* };
}

permissions! {
    /// Be known.
    Anybody = Demand::Anybody, Both;
    /// See what is one's own.
    Read = Demand::Scope(KeyScope::Read), Both;
    /// See what only the organization has of the catalogue.
    ReadOwnCatalogue = Demand::Scope(KeyScope::Read), Organization;
    /// Change the catalogue: organizations only.
    WriteEvents = Demand::Scope(KeyScope::WriteEvents), Organization;
    /// See the catalogue, or one payment with its `client_secret`.
    ReadPublic = Demand::ScopeOrPublishable(KeyScope::Read), Both;
    /// Pay, for oneself or with a payment's `client_secret`.
    Pay = Demand::ScopeOrPublishable(KeyScope::WritePayments), Both;
    /// Sell.
    WritePayments = Demand::Scope(KeyScope::WritePayments), Both;
    /// Give tickets out: organizations only.
    IssueTickets = Demand::Scope(KeyScope::WriteTickets), Organization;
    /// Send and transfer tickets.
    WriteTickets = Demand::Scope(KeyScope::WriteTickets), Both;
    /// Change what is known of ticket holders.
    WriteAttendees = Demand::Scope(KeyScope::WriteAttendees), Both;
    /// Change customers.
    WriteCustomers = Demand::Scope(KeyScope::WriteCustomers), Both;
    /// Give money back.
    WriteRefunds = Demand::Scope(KeyScope::WriteRefunds), Both;
    /// Give an event's money back: organizations only.
    WriteEventRefunds = Demand::Scope(KeyScope::WriteRefunds), Organization;
    /// Work the door: organizations only.
    WriteCheckins = Demand::Scope(KeyScope::WriteCheckins), Organization;
    /// Be logged in.
    Member = Demand::Member, Both;
    /// Change API keys.
    WriteKeys = Demand::Scope(KeyScope::WriteKeys), Both;
    /// Manage who else may log in, and with whom one works.
    Manager = Demand::Manager, Both;
    /// Offer to work together: organizations only.
    OrganizationManager = Demand::Manager, Organization;
    /// Accept that: channels only.
    ChannelManager = Demand::Manager, Channel;
    /// Remove those.
    Owner = Demand::Owner, Both;
}
