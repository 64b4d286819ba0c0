//! Who acts: every query and every write carries one of these.

use crate::kernel::Mode;
use crate::kernel::ids::{ChannelId, Id, OrganizationId};

/// One of the two kinds of tenant.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Tenant {
    /// Owns events and sales.
    Organization(OrganizationId),
    /// Resells.
    Channel(ChannelId),
}

impl Tenant {
    /// The tenant of two columns, of which exactly one must be set.
    pub fn of(organization: Option<OrganizationId>, channel: Option<ChannelId>) -> Option<Self> {
        match (organization, channel) {
            (Some(id), None) => Some(Self::Organization(id)),
            (None, Some(id)) => Some(Self::Channel(id)),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    /// The two columns of a tenant.
    pub fn columns(self) -> (Option<OrganizationId>, Option<ChannelId>) {
        match self {
            Self::Organization(id) => (Some(id), None),
            Self::Channel(id) => (None, Some(id)),
        }
    }

    /// The tenant's identifier as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Organization(id) => id.as_str(),
            Self::Channel(id) => id.as_str(),
        }
    }
}

/// The right to see and change one tenant's rows of one mode, or a platform's task.
///
/// Only the actor extractor, the worker and the operator's commands issue one; `tests/it/tidy.rs`
/// counts the places.
#[derive(Clone, Debug)]
pub struct Scope(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Tenant { tenant: Tenant, mode: Mode, public: bool },
    Platform { reason: &'static str },
}

impl Scope {
    /// A tenant's scope in one mode.
    pub fn issue(tenant: Tenant, mode: Mode) -> Self {
        Self(Inner::Tenant { tenant, mode, public: false })
    }

    /// The same for somebody who stands outside: what the tenant shows to everybody.
    pub fn publicly(self) -> Self {
        match self.0 {
            Inner::Tenant { tenant, mode, .. } => {
                Self(Inner::Tenant { tenant, mode, public: true })
            }
            Inner::Platform { .. } => self,
        }
    }

    /// Whether it is for somebody who stands outside.
    pub fn is_public(&self) -> bool {
        matches!(self.0, Inner::Tenant { public: true, .. })
    }

    /// The acting organization that sees all of what is its own.
    pub fn owner(&self) -> Option<&OrganizationId> {
        self.organization().filter(|_| !self.is_public())
    }

    /// A scope that sees every tenant, for a task of the platform that is named here.
    pub fn platform(reason: &'static str) -> Self {
        Self(Inner::Platform { reason })
    }

    /// The tenant, if this is one's scope.
    pub fn tenant(&self) -> Option<&Tenant> {
        match &self.0 {
            Inner::Tenant { tenant, .. } => Some(tenant),
            Inner::Platform { .. } => None,
        }
    }

    /// The mode, if this is a tenant's scope.
    pub fn mode(&self) -> Option<Mode> {
        match &self.0 {
            Inner::Tenant { mode, .. } => Some(*mode),
            Inner::Platform { .. } => None,
        }
    }

    /// The acting organization, if it is one.
    pub fn organization(&self) -> Option<&OrganizationId> {
        match self.tenant() {
            Some(Tenant::Organization(id)) => Some(id),
            Some(Tenant::Channel(_)) | None => None,
        }
    }

    /// The acting channel, if it is one.
    pub fn channel(&self) -> Option<&ChannelId> {
        match self.tenant() {
            Some(Tenant::Channel(id)) => Some(id),
            Some(Tenant::Organization(_)) | None => None,
        }
    }

    /// What a platform task is for.
    pub fn reason(&self) -> Option<&'static str> {
        match &self.0 {
            Inner::Tenant { .. } => None,
            Inner::Platform { reason } => Some(reason),
        }
    }
}
