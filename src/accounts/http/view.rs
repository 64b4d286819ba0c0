//! Sessions and members as they are answered.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::super::model::ACCESS_SECONDS;
use super::super::ops::log_in::kind;
use super::super::ops::sessions::Opened;
use super::super::store::{Invitation, InvitationStatus, Member, User};
use super::super::token::{self, Access};
use super::cookie;
use crate::kernel::secret::ServerKey;
use crate::kernel::{Result, Timestamp};
use crate::web::permission::Role;
use crate::web::{Data, State};

/// A session.
#[derive(Serialize, ToSchema)]
pub struct SessionView {
    /// To be sent as `Authorization: Bearer`.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds that the access token works.
    expires_in: i64,
    /// Exchanges for the next session answer, once; null when it went into the cookie.
    refresh_token: Option<String>,
    /// The tenant it is for.
    tenant: TenantView,
    /// As what.
    member: RoleView,
}

/// A tenant.
#[derive(Serialize, ToSchema)]
pub struct TenantView {
    _id: String,
    id: String,
    /// `organization` or `channel`.
    kind: &'static str,
    name: String,
    slug: String,
}

/// A member's role.
#[derive(Serialize, ToSchema)]
pub struct RoleView {
    _id: String,
    id: String,
    role: Role,
}

/// Answers a session; its refresh token in the body or in the cookie.
pub fn answer(
    state: &State,
    opened: Opened,
    status: StatusCode,
    in_cookie: bool,
) -> Result<HttpResponse> {
    let key: &ServerKey = state.db.environment().get()?;
    let Opened { session, member, name, slug } = opened;
    let access = Access {
        user: member.user_id.clone(),
        tenant: member.tenant.as_str().to_owned(),
        member: member.id.clone(),
        session: session.id.clone(),
    };
    let refresh = token::refresh(key, &session.id, session.generation);
    let (id, tenant) = (member.id.to_string(), member.tenant.as_str().to_owned());
    let view = SessionView {
        access_token: access.sign(key, state.db.now())?,
        token_type: "Bearer",
        expires_in: ACCESS_SECONDS,
        refresh_token: (!in_cookie).then(|| refresh.clone()),
        tenant: TenantView {
            _id: tenant.clone(),
            id: tenant,
            kind: kind(&member.tenant),
            name,
            slug,
        },
        member: RoleView { _id: id.clone(), id, role: member.role },
    };
    let mut response = HttpResponse::build(status);
    if in_cookie {
        response.cookie(cookie::of(state, refresh));
    }
    Ok(response.json(Data::new(view)))
}

/// A session, as an example.
pub fn session_example() -> Value {
    json!({"success": true, "data": {
        "access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiIsImtpZCI6IjIzMCJ9.e30.c2ln",
        "token_type": "Bearer", "expires_in": 600, "refresh_token": "rt.ses_01.0.c2ln",
        "tenant": {"_id": "org_01", "id": "org_01", "kind": "organization", "name": "Sala Apolo",
            "slug": "sala-apolo"},
        "member": {"_id": "mem_01", "id": "mem_01", "role": "owner"}}})
}

/// A member.
#[derive(Serialize, ToSchema)]
pub struct MemberView {
    _id: String,
    id: String,
    name: String,
    email: String,
    role: Role,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<(Member, User)> for MemberView {
    fn from((member, user): (Member, User)) -> Self {
        let id = member.id.to_string();
        Self {
            _id: id.clone(),
            id,
            name: user.name,
            email: user.email,
            role: member.role,
            created_at: member.created_at,
        }
    }
}

/// A member, as an example.
pub fn member_object() -> Value {
    json!({"_id": "mem_01", "id": "mem_01", "name": "Ana Lopez", "email": "ana@example.com",
        "role": "box_office", "created_at": "2026-01-01T00:00:00.000Z"})
}

/// An invitation.
#[derive(Serialize, ToSchema)]
pub struct InvitationView {
    _id: String,
    id: String,
    email: String,
    role: Role,
    /// The member who invited; null when it was the operator of the service.
    invited_by: Option<String>,
    status: InvitationStatus,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// It can be accepted until then.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        let id = invitation.id.to_string();
        Self {
            _id: id.clone(),
            id,
            email: invitation.email,
            role: invitation.role,
            invited_by: invitation.invited_by.map(|member| member.to_string()),
            status: invitation.status,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}

/// An invitation, as an example.
pub fn invitation_object() -> Value {
    json!({"_id": "inv_01", "id": "inv_01", "email": "eva@example.com", "role": "scanner",
        "invited_by": "mem_01", "status": "open", "created_at": "2026-01-01T00:00:00.000Z",
        "expires_at": "2026-01-04T00:00:00.000Z"})
}
