//! From a credential to an actor.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use secrecy::{ExposeSecret, SecretString};

use super::permission::{Demand, KeyScope, Permission, Role, Side};
use super::state::State;
use crate::db::{Scope, Tenant, Tx};
use crate::kernel::ids::{MemberId, SessionId, UserId};
use crate::kernel::{Error, Kind, Mode, Result};

/// Longest credential looked at.
const CREDENTIAL_MAX_BYTES: usize = 4096;

/// A secret as it came with a request.
#[derive(Clone, Debug)]
pub struct Credential(pub SecretString);

/// Whose a credential is, and what it may do.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The tenant.
    pub tenant: Tenant,
    /// The mode this request works in.
    pub mode: Mode,
    /// What it may do.
    pub scopes: Vec<KeyScope>,
    /// Who, when it is a member's session and not a key.
    pub member: Option<Membership>,
    /// Whether the tenant may work in live mode: not before an owner has confirmed their e-mail.
    pub confirmed: bool,
}

/// A member at work.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The member.
    pub id: MemberId,
    /// Who that is.
    pub user: UserId,
    /// In which session.
    pub session: SessionId,
    /// As what.
    pub role: Role,
}

/// Knows one kind of credential.
pub trait Authenticate: Send + Sync {
    /// Whether a credential has this kind's form at all.
    fn recognizes(&self, credential: &Credential) -> bool;
    /// Whose it is; `None` when it is nobody's any more, or never was.
    fn authenticate(
        &self,
        tx: &mut Tx<'_>,
        credential: &Credential,
        wanted: Option<Mode>,
    ) -> Result<Option<Principal>>;
}

/// The caller, who has been found to have permission `P`. The only way a request gets a scope.
#[derive(Debug)]
pub struct Actor<P> {
    scope: Scope,
    principal: Principal,
    permission: PhantomData<P>,
}

impl<P> Actor<P> {
    /// Whose rows may be touched.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Who it is.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }
}

impl Principal {
    /// A publishable key: it has no scopes, and everybody may know it.
    pub fn is_publishable(&self) -> bool {
        self.member.is_none() && self.scopes.is_empty()
    }
}

impl<P: Permission> Actor<P> {
    fn admit(principal: Principal) -> Result<Self> {
        match (P::SIDE, &principal.tenant) {
            (Side::Organization, Tenant::Channel(_)) => {
                return Err(Error::wrong_principal("Only an organization can do this."));
            }
            (Side::Channel, Tenant::Organization(_)) => {
                return Err(Error::wrong_principal("Only a channel can do this."));
            }
            (Side::Organization | Side::Channel | Side::Both, _) => {}
        }
        meet(P::DEMAND, &principal)?;
        if bound_to_mode(P::DEMAND) && principal.mode == Mode::Live && !principal.confirmed {
            return Err(email_unconfirmed());
        }
        let scope = Scope::issue(principal.tenant.clone(), principal.mode);
        let scope = if principal.is_publishable() { scope.publicly() } else { scope };
        Ok(Self { scope, principal, permission: PhantomData })
    }
}

/// Whether a credential is good for what a handler demands.
fn meet(demand: Demand, principal: &Principal) -> Result<()> {
    let roles: &[Role] = match demand {
        Demand::Anybody => return Ok(()),
        Demand::ScopeOrPublishable(_) if principal.is_publishable() => return Ok(()),
        Demand::Scope(scope) | Demand::ScopeOrPublishable(scope) => {
            if principal.scopes.contains(&scope) {
                return Ok(());
            }
            let needed = scope.as_str();
            let message = format!("This credential lacks the scope {needed}.");
            let error = Error::new(Kind::Forbidden, "missing_scope", message);
            return Err(error.with("required_scope", needed));
        }
        Demand::Member => Role::ALL,
        Demand::Manager => &[Role::Owner, Role::Admin],
        Demand::Owner => &[Role::Owner],
    };
    match &principal.member {
        Some(member) if roles.contains(&member.role) => Ok(()),
        Some(_) => {
            let needed: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            let message = format!("This needs the role {}.", needed.join(" or "));
            let error = Error::new(Kind::Forbidden, "missing_role", message);
            Err(error.with("required_roles", needed))
        }
        None => Err(Error::wrong_principal("Only a member can do this, in a session.")),
    }
}

/// Who one is, and who else belongs to a tenant, has no mode.
fn bound_to_mode(demand: Demand) -> bool {
    match demand {
        Demand::Scope(_) | Demand::ScopeOrPublishable(_) => true,
        Demand::Anybody | Demand::Member | Demand::Manager | Demand::Owner => false,
    }
}

/// 403: a tenant works in test mode until an owner has confirmed their e-mail.
pub fn email_unconfirmed() -> Error {
    let message = "Confirm your e-mail first; until then send Rialto-Mode: test.";
    Error::new(Kind::Forbidden, "email_unconfirmed", message)
}

impl<P: Permission> FromRequest for Actor<P> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = request.app_data::<State>().cloned();
        let credential = credential_of(request);
        let wanted = wanted_mode(request);
        Box::pin(async move {
            let state = state.ok_or_else(|| Error::internal("no application state"))?;
            let (credential, wanted) = (credential?, wanted?);
            let scope = Scope::platform("looking up a credential");
            let db = state.db.clone();
            let found = db.recall(&scope, move |tx| {
                let known = state.authenticators.iter().find(|a| a.recognizes(&credential));
                known.map_or(Ok(None), |known| known.authenticate(tx, &credential, wanted))
            });
            Self::admit(found.await?.ok_or_else(unauthorized)?)
        })
    }
}

/// 401, the same for a missing, malformed, unknown, expired or revoked credential.
pub fn unauthorized() -> Error {
    Error::new(Kind::Unauthenticated, "unauthorized", "No valid credential was sent.")
}

/// The secret in `X-Api-Key`, `Authorization: Bearer`, or the user name of HTTP Basic.
fn credential_of(request: &HttpRequest) -> Result<Credential> {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let found = match (text("x-api-key"), text(header::AUTHORIZATION.as_str())) {
        (Some(key), _) => Some(key.to_owned()),
        (None, Some(authorization)) => secret_in(authorization),
        (None, None) => None,
    };
    found
        .filter(|secret| !secret.is_empty() && secret.len() <= CREDENTIAL_MAX_BYTES)
        .map(|secret| Credential(secret.into()))
        .ok_or_else(unauthorized)
}

fn secret_in(authorization: &str) -> Option<String> {
    let (scheme, rest) = authorization.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let pair = data_encoding::BASE64.decode(rest.trim().as_bytes()).ok()?;
        let pair = String::from_utf8(pair).ok()?;
        return pair.split_once(':').map(|(user, _)| user.to_owned());
    }
    None
}

fn wanted_mode(request: &HttpRequest) -> Result<Option<Mode>> {
    let Some(value) = request.headers().get("rialto-mode") else {
        return Ok(None);
    };
    let mode = value.to_str().ok().and_then(Mode::parse);
    mode.map(Some).ok_or_else(|| Error::invalid_field("Rialto-Mode", "must be live or test"))
}

/// 400: the key's mode and the `Rialto-Mode` header contradict each other.
pub fn mode_mismatch() -> Error {
    let message = "This key's mode is not the one in the Rialto-Mode header.";
    Error::new(Kind::Invalid, "mode_mismatch", message)
}

impl Credential {
    /// The secret itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}
