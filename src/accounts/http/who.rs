//! `GET /v1/auth`.

use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::ops::passwords;
use crate::db::{Tenant, Tx};
use crate::kernel::{Mode, Result, Timestamp};
use crate::parties::{Channel, Organization, ops};
use crate::web::permission::{Anybody, Role};
use crate::web::{Actor, Data, KeyScope, Principal, ReadErrors, state::State};

/// Who the credential is.
#[derive(Serialize, ToSchema)]
pub struct AuthView {
    /// Always `Authed`.
    message: &'static str,
    /// The mode of this request.
    mode: Mode,
    /// What the credential may do.
    scopes: Vec<KeyScope>,
    /// Set for a channel.
    channel: Option<ChannelView>,
    /// Set for an organization.
    organization: Option<OrganizationView>,
    /// Who it is, when it is a member's session and not a key.
    member: Option<SelfView>,
}

/// A member as they see themselves.
#[derive(Serialize, ToSchema)]
pub struct SelfView {
    _id: String,
    id: String,
    name: String,
    email: String,
    /// Whether the e-mail is confirmed; until then the tenant works in test mode only.
    email_confirmed: bool,
    role: Role,
    /// Whether log-in asks for a one-time password.
    totp: bool,
}

/// A channel and the organizations it sells for.
#[derive(Serialize, ToSchema)]
pub struct ChannelView {
    _id: String,
    id: String,
    name: String,
    slug: String,
    /// Organizations with an active partnership.
    hosts: Vec<HostView>,
}

/// An organization as its channels see it; `_id` is what is called `organization_id` elsewhere.
#[derive(Serialize, ToSchema)]
pub struct HostView {
    _id: String,
    id: String,
    name: String,
    slug: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// An organization as it sees itself.
#[derive(Serialize, ToSchema)]
pub struct OrganizationView {
    _id: String,
    id: String,
    name: String,
    slug: String,
    /// The currency new events get.
    currency: Option<String>,
    /// The time zone new events get.
    timezone: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Organization> for HostView {
    fn from(host: Organization) -> Self {
        let id = host.id.to_string();
        Self { _id: id.clone(), id, name: host.name, slug: host.slug, created_at: host.created_at }
    }
}

impl From<Organization> for OrganizationView {
    fn from(own: Organization) -> Self {
        let Organization { id, name, slug, currency, timezone, created_at, .. } = own;
        let id = id.to_string();
        Self { _id: id.clone(), id, name, slug, currency, timezone, created_at }
    }
}

impl ChannelView {
    fn new(channel: Channel, hosts: Vec<Organization>) -> Self {
        let id = channel.id.to_string();
        let hosts = hosts.into_iter().map(Into::into).collect();
        Self { _id: id.clone(), id, name: channel.name, slug: channel.slug, hosts }
    }
}

/// Who am I
///
/// Checks a credential and names the tenant behind it, and the member when it is a session. For a
/// channel, `hosts` are the organizations whose events it may sell.
#[utoipa::path(operation_id = "auth.read", tag = "auth",
    security(("api_key" = []), ("bearer" = []), ("basic" = [])),
    responses(
        (status = 200, body = Data<AuthView>, example = json!({"success": true, "data": {
            "message": "Authed", "mode": "test", "scopes": ["read", "write:payments"],
            "channel": {"_id": "ch_01", "id": "ch_01", "name": "Night Guide", "slug": "night-guide",
                "hosts": [{"_id": "org_01", "id": "org_01", "name": "Sala Apolo",
                    "slug": "sala-apolo", "created_at": "2026-01-01T00:00:00.000Z"}]},
            "organization": null, "member": null}})),
        ReadErrors,
    ))]
#[get("/auth")]
pub async fn auth(state: State, actor: Actor<Anybody>) -> Result<HttpResponse> {
    let principal = actor.principal().clone();
    let view = state.db.read(actor.scope(), move |tx| view(tx, principal.clone())).await?;
    Ok(HttpResponse::Ok().json(Data::new(view)))
}

fn view(tx: &mut Tx<'_>, principal: Principal) -> Result<AuthView> {
    let Principal { tenant, mode, scopes, member, .. } = principal;
    let (channel, organization) = match tenant {
        Tenant::Channel(id) => {
            let hosts = ops::hosts(tx, &id)?;
            (Some(ChannelView::new(ops::channel(tx, &id)?, hosts)), None)
        }
        Tenant::Organization(id) => (None, Some(ops::organization(tx, &id)?.into())),
    };
    let member = match member {
        None => None,
        Some(member) => {
            let user = passwords::user_of(tx, &member)?;
            let id = member.id.to_string();
            Some(SelfView {
                _id: id.clone(),
                id,
                name: user.name,
                email: user.email,
                email_confirmed: user.confirmed_at.is_some(),
                role: member.role,
                totp: user.totp_since.is_some(),
            })
        }
    };
    Ok(AuthView { message: "Authed", mode, scopes, channel, organization, member })
}
