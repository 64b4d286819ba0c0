//! The table `members`.

use diesel::prelude::*;

use crate::append_only;
use crate::db::schema::{members, users};
use crate::db::{MultiBackend, Tenant, Tx};
use crate::kernel::ids::{ChannelId, Id, MemberId, OrganizationId, UserId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Result, Timestamp};
use crate::web::permission::Role;

/// A user's place in a tenant.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Member {
    pub id: MemberId,
    pub tenant: Tenant,
    pub user_id: UserId,
    pub role: Role,
    pub created_at: Timestamp,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = members, treat_none_as_default_value = false)]
struct Row {
    id: MemberId,
    organization_id: Option<OrganizationId>,
    channel_id: Option<ChannelId>,
    user_id: UserId,
    role: Role,
    created_at: Timestamp,
}
append_only!(Row, members, 6, [id, organization_id, channel_id, user_id, role, created_at]);

impl TryFrom<Row> for Member {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let tenant = Tenant::of(row.organization_id, row.channel_id);
        let tenant = tenant.ok_or_else(|| Error::internal("a member must have one tenant"))?;
        let Row { id, user_id, role, created_at, .. } = row;
        Ok(Self { id, tenant, user_id, role, created_at })
    }
}

/// The base query: a tenant's own.
fn of<'a>(tenant: &'a Tenant) -> members::BoxedQuery<'a, MultiBackend> {
    match tenant {
        Tenant::Organization(id) => {
            members::table.filter(members::organization_id.eq(id)).into_boxed()
        }
        Tenant::Channel(id) => members::table.filter(members::channel_id.eq(id)).into_boxed(),
    }
}

pub(in crate::accounts) fn append_member(tx: &mut Tx<'_>, member: &Member) {
    let Member { id, tenant, user_id, role, created_at } = member.clone();
    let (organization_id, channel_id) = tenant.columns();
    tx.append(Row { id, organization_id, channel_id, user_id, role, created_at });
}

pub(in crate::accounts) fn member(tx: &mut Tx<'_>, id: &MemberId) -> Result<Option<Member>> {
    let row = members::table.find(id).first::<Row>(tx.conn()?).optional()?;
    row.map(TryInto::try_into).transpose()
}

/// A user's places, oldest first.
pub(in crate::accounts) fn members_of_user(tx: &mut Tx<'_>, user: &UserId) -> Result<Vec<Member>> {
    let rows = members::table.filter(members::user_id.eq(user)).order(members::id);
    rows.load::<Row>(tx.conn()?)?.into_iter().map(TryInto::try_into).collect()
}

/// One of the tenant's own members, and who that is: name and e-mail.
pub(in crate::accounts) fn own_member(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    id: &MemberId,
) -> Result<Option<Member>> {
    let row = of(tenant).filter(members::id.eq(id)).first::<Row>(tx.conn()?).optional()?;
    row.map(TryInto::try_into).transpose()
}

/// The tenant's members, newest first.
pub(in crate::accounts) fn list_members(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    page: &PageRequest,
) -> Result<Page<Member>> {
    let mut query = of(tenant);
    if let Some(after) = &page.after {
        query = query.filter(members::id.lt(MemberId::from_text(after.clone())));
    }
    let query = query.order(members::id.desc()).limit(page.limit + 1).offset(page.offset);
    let rows = query.load::<Row>(tx.conn()?)?;
    let members: Vec<Member> = rows.into_iter().map(TryInto::try_into).collect::<Result<_>>()?;
    Ok(Page::cut(members, page, |member| member.id.to_string()))
}

/// Whether somebody with this confirmed e-mail is a member of a tenant.
pub(in crate::accounts) fn has_member(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    email: &str,
) -> Result<bool> {
    let theirs = users::table
        .filter(users::email.eq(email))
        .filter(users::confirmed_at.is_not_null())
        .select(users::id);
    let found = of(tenant).filter(members::user_id.eq_any(theirs)).select(members::id);
    Ok(found.first::<MemberId>(tx.conn()?).optional()?.is_some())
}

/// All members of a tenant.
pub(in crate::accounts) fn members_of(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<Vec<Member>> {
    let rows = of(tenant).order(members::id).load::<Row>(tx.conn()?)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The tenant's owners, locked until the transaction ends: two at once cannot both leave.
pub(in crate::accounts) fn lock_owners(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<Vec<MemberId>> {
    use crate::db::AnyConnection;
    let owners = members::table.filter(members::role.eq(Role::Owner)).select(members::id);
    let organization =
        owners.order(members::id).filter(members::organization_id.eq(match tenant {
            Tenant::Organization(id) => Some(id.clone()),
            Tenant::Channel(_) => None,
        }));
    let channel = owners.order(members::id).filter(members::channel_id.eq(match tenant {
        Tenant::Channel(id) => Some(id.clone()),
        Tenant::Organization(_) => None,
    }));
    let is_organization = matches!(tenant, Tenant::Organization(_));
    Ok(match (tx.conn()?, is_organization) {
        (AnyConnection::Postgres(conn), true) => organization.for_update().load(conn)?,
        (AnyConnection::Postgres(conn), false) => channel.for_update().load(conn)?,
        (AnyConnection::Sqlite(conn), true) => organization.load(conn)?,
        (AnyConnection::Sqlite(conn), false) => channel.load(conn)?,
    })
}

/// Gives a member who has one role another; `false` when they have it no longer.
pub(in crate::accounts) fn set_role(
    tx: &mut Tx<'_>,
    id: &MemberId,
    from: Role,
    to: Role,
) -> Result<bool> {
    let member = members::table.find(id).filter(members::role.eq(from));
    let set = diesel::update(member).set(members::role.eq(to));
    Ok(set.execute(tx.conn()?)? == 1)
}

pub(in crate::accounts) fn delete_member(tx: &mut Tx<'_>, id: &MemberId) -> Result<bool> {
    Ok(diesel::delete(members::table.find(id)).execute(tx.conn()?)? == 1)
}

/// Gives a place to another user.
pub(in crate::accounts) fn hand_over(tx: &mut Tx<'_>, id: &MemberId, user: &UserId) -> Result<()> {
    diesel::update(members::table.find(id)).set(members::user_id.eq(user)).execute(tx.conn()?)?;
    Ok(())
}
