//! The table `invitations`.

use diesel::prelude::*;

use crate::db::schema::invitations;
use crate::db::{MultiBackend, Tenant, Tx};
use crate::kernel::ids::{ChannelId, Id, InvitationId, MemberId, OrganizationId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Result, Timestamp};
use crate::web::permission::Role;
use crate::{append_only, text_enum};

text_enum! {
    /// Where an invitation stands. One that is open stops working at its `expires_at`.
    pub enum InvitationStatus {
        /// It can be accepted.
        Open = "open",
        /// It was.
        Accepted = "accepted",
        /// It was taken back, or another was sent to the same e-mail.
        Withdrawn = "withdrawn",
    }
}

/// An offer to become a member.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Invitation {
    pub id: InvitationId,
    pub tenant: Tenant,
    pub email: String,
    pub role: Role,
    /// The member who did; none when it was the operator.
    pub invited_by: Option<MemberId>,
    pub status: InvitationStatus,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = invitations, treat_none_as_default_value = false)]
struct Row {
    id: InvitationId,
    organization_id: Option<OrganizationId>,
    channel_id: Option<ChannelId>,
    email: String,
    role: Role,
    invited_by: Option<MemberId>,
    status: InvitationStatus,
    created_at: Timestamp,
    expires_at: Timestamp,
}
append_only!(
    Row,
    invitations,
    8,
    [id, organization_id, channel_id, email, role, invited_by, status, created_at, expires_at,]
);

impl TryFrom<Row> for Invitation {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let tenant = Tenant::of(row.organization_id, row.channel_id);
        let tenant = tenant.ok_or_else(|| Error::internal("an invitation must have one tenant"))?;
        let Row { id, email, role, invited_by, status, created_at, expires_at, .. } = row;
        Ok(Self { id, tenant, email, role, invited_by, status, created_at, expires_at })
    }
}

/// The base query: a tenant's own.
fn of<'a>(tenant: &'a Tenant) -> invitations::BoxedQuery<'a, MultiBackend> {
    match tenant {
        Tenant::Organization(id) => {
            invitations::table.filter(invitations::organization_id.eq(id)).into_boxed()
        }
        Tenant::Channel(id) => {
            invitations::table.filter(invitations::channel_id.eq(id)).into_boxed()
        }
    }
}

pub(in crate::accounts) fn append_invitation(tx: &mut Tx<'_>, invitation: &Invitation) {
    let Invitation { id, tenant, email, role, invited_by, status, created_at, expires_at } =
        invitation.clone();
    let (organization_id, channel_id) = tenant.columns();
    tx.append(Row {
        id,
        organization_id,
        channel_id,
        email,
        role,
        invited_by,
        status,
        created_at,
        expires_at,
    });
}

/// By its id, which only the holder of its token or of a tenant's scope is asked for.
pub(in crate::accounts) fn invitation(
    tx: &mut Tx<'_>,
    id: &InvitationId,
) -> Result<Option<Invitation>> {
    let row = invitations::table.find(id).first::<Row>(tx.conn()?).optional()?;
    row.map(TryInto::try_into).transpose()
}

pub(in crate::accounts) fn own_invitation(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    id: &InvitationId,
) -> Result<Option<Invitation>> {
    let row = of(tenant).filter(invitations::id.eq(id)).first::<Row>(tx.conn()?).optional()?;
    row.map(TryInto::try_into).transpose()
}

/// The tenant's invitations, newest first.
pub(in crate::accounts) fn list_invitations(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    page: &PageRequest,
) -> Result<Page<Invitation>> {
    let mut query = of(tenant);
    if let Some(after) = &page.after {
        query = query.filter(invitations::id.lt(InvitationId::from_text(after.clone())));
    }
    let query = query.order(invitations::id.desc()).limit(page.limit + 1).offset(page.offset);
    let rows = query.load::<Row>(tx.conn()?)?;
    let all: Vec<Invitation> = rows.into_iter().map(TryInto::try_into).collect::<Result<_>>()?;
    Ok(Page::cut(all, page, |invitation| invitation.id.to_string()))
}

/// Moves an open invitation on; `false` when it was not open.
pub(in crate::accounts) fn close_invitation(
    tx: &mut Tx<'_>,
    id: &InvitationId,
    status: InvitationStatus,
) -> Result<bool> {
    let open = invitations::table.find(id);
    let open = open.filter(invitations::status.eq(InvitationStatus::Open));
    let closed = diesel::update(open).set(invitations::status.eq(status)).execute(tx.conn()?)?;
    Ok(closed == 1)
}

/// The tenant's open invitations of an e-mail.
pub(in crate::accounts) fn open_invitations(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    email: &str,
) -> Result<Vec<InvitationId>> {
    let open = of(tenant)
        .filter(invitations::email.eq(email))
        .filter(invitations::status.eq(InvitationStatus::Open))
        .select(invitations::id);
    Ok(open.load(tx.conn()?)?)
}

/// Forgets every invitation of a tenant, and with them the e-mails of who was invited.
pub(in crate::accounts) fn forget_invitations(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<()> {
    let (organization, channel) = tenant.clone().columns();
    let of_tenant =
        invitations::organization_id.eq(organization).or(invitations::channel_id.eq(channel));
    diesel::delete(invitations::table.filter(of_tenant)).execute(tx.conn()?)?;
    Ok(())
}
