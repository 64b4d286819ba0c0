//! The table `partnerships`, shared by its two sides.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use serde_json::{Value, json};

use super::Organization;
use crate::append_only;
use crate::db::schema::{organizations, partnerships};
use crate::db::types::{Instant, Json};
use crate::db::{AnyConnection, Guard, MultiBackend, Prepared, Tenant, Tx, Verdict};
use crate::kernel::ids::{ChannelId, Id, OrganizationId, PartnershipId, RateId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Result, Timestamp};
use crate::on_each;
use crate::parties::model::{
    Collects, Commission, CommissionType, Partnership, PartnershipStatus, PartySide, Terms,
};

#[derive(Insertable, Queryable, AsChangeset)]
#[diesel(table_name = partnerships, primary_key(organization_id, channel_id))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
struct PartnershipRow {
    organization_id: OrganizationId,
    channel_id: ChannelId,
    id: PartnershipId,
    status: PartnershipStatus,
    collects: Collects,
    commission_type: CommissionType,
    commission_quantity: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    on_account: bool,
    proposed: Option<Json>,
    suspended_by: Option<PartySide>,
    version: i64,
    rate_ids: Option<Json>,
}
append_only!(
    PartnershipRow,
    partnerships,
    3,
    [
        organization_id,
        channel_id,
        id,
        status,
        collects,
        commission_type,
        commission_quantity,
        created_at,
        updated_at,
        on_account,
        proposed,
        suspended_by,
        version,
        rate_ids,
    ]
);

impl From<PartnershipRow> for Partnership {
    fn from(row: PartnershipRow) -> Self {
        let commission =
            Commission { kind: row.commission_type, quantity: row.commission_quantity };
        Self {
            id: row.id,
            organization_id: row.organization_id,
            channel_id: row.channel_id,
            status: row.status,
            terms: Terms { collects: row.collects, commission, on_account: row.on_account },
            proposed: row.proposed.and_then(|json| read_terms(&json.0)),
            suspended_by: row.suspended_by,
            rate_ids: row.rate_ids.map(|json| read_rates(&json.0)),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl From<&Partnership> for PartnershipRow {
    fn from(partnership: &Partnership) -> Self {
        let terms = partnership.terms;
        Self {
            organization_id: partnership.organization_id.clone(),
            channel_id: partnership.channel_id.clone(),
            id: partnership.id.clone(),
            status: partnership.status,
            collects: terms.collects,
            commission_type: terms.commission.kind,
            commission_quantity: terms.commission.quantity,
            created_at: partnership.created_at,
            updated_at: partnership.updated_at,
            on_account: terms.on_account,
            proposed: partnership.proposed.as_ref().map(|terms| Json(write_terms(terms))),
            suspended_by: partnership.suspended_by,
            version: partnership.version,
            rate_ids: partnership.rate_ids.as_ref().map(|ids| Json(json!(ids))),
        }
    }
}

fn read_rates(json: &Value) -> Vec<RateId> {
    let ids = json.as_array().into_iter().flatten();
    ids.filter_map(|id| RateId::parse(id.as_str()?)).collect()
}

fn write_terms(terms: &Terms) -> Value {
    json!({"collects": terms.collects, "commission_type": terms.commission.kind,
        "commission_quantity": terms.commission.quantity, "on_account": terms.on_account})
}

fn read_terms(json: &Value) -> Option<Terms> {
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    Some(Terms {
        collects: Collects::parse(text("collects")?)?,
        commission: Commission {
            kind: CommissionType::parse(text("commission_type")?)?,
            quantity: json.get("commission_quantity")?.as_i64()?,
        },
        on_account: json.get("on_account")?.as_bool()?,
    })
}

pub(in crate::parties) fn append_partnership(tx: &mut Tx<'_>, partnership: &Partnership) {
    tx.append(PartnershipRow::from(partnership));
}

/// The base query: a side's own.
fn of<'a>(side: &'a Tenant) -> partnerships::BoxedQuery<'a, MultiBackend> {
    match side {
        Tenant::Organization(id) => {
            partnerships::table.filter(partnerships::organization_id.eq(id)).into_boxed()
        }
        Tenant::Channel(id) => {
            partnerships::table.filter(partnerships::channel_id.eq(id)).into_boxed()
        }
    }
}

/// One of a side's own, by its id.
pub(in crate::parties) fn own_partnership(
    tx: &mut Tx<'_>,
    side: &Tenant,
    id: &PartnershipId,
) -> Result<Option<Partnership>> {
    let row = of(side).filter(partnerships::id.eq(id)).first::<PartnershipRow>(tx.conn()?);
    Ok(row.optional()?.map(Into::into))
}

/// A side's own, newest first.
pub(in crate::parties) fn list_partnerships(
    tx: &mut Tx<'_>,
    side: &Tenant,
    status: Option<PartnershipStatus>,
    page: &PageRequest,
) -> Result<Page<Partnership>> {
    let mut query = of(side);
    if let Some(status) = status {
        query = query.filter(partnerships::status.eq(status));
    }
    if let Some(after) = &page.after {
        query = query.filter(partnerships::id.lt(PartnershipId::from_text(after.clone())));
    }
    let query = query.order(partnerships::id.desc()).limit(page.limit + 1).offset(page.offset);
    let rows: Vec<PartnershipRow> = query.load(tx.conn()?)?;
    let rows = rows.into_iter().map(Partnership::from).collect();
    Ok(Page::cut(rows, page, |partnership: &Partnership| partnership.id.to_string()))
}

/// All of a side's own.
pub(in crate::parties) fn partnerships_of(
    tx: &mut Tx<'_>,
    side: &Tenant,
) -> Result<Vec<Partnership>> {
    let rows: Vec<PartnershipRow> = of(side).order(partnerships::id).load(tx.conn()?)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores a partnership as changed, unless somebody else has changed it since `version`.
pub(in crate::parties) fn save_partnership(
    tx: &mut Tx<'_>,
    partnership: &Partnership,
    version: i64,
) -> Result<bool> {
    let Partnership { organization_id, channel_id, .. } = partnership;
    let unchanged = partnerships::table.find((organization_id, channel_id));
    let changed = diesel::update(unchanged.filter(partnerships::version.eq(version)))
        .set(PartnershipRow::from(partnership))
        .execute(tx.conn()?)?;
    Ok(changed == 1)
}

pub(in crate::parties) fn partnership(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    channel: &ChannelId,
) -> Result<Option<Partnership>> {
    let row = partnerships::table.find((organization, channel)).first::<PartnershipRow>(tx.conn()?);
    Ok(row.optional()?.map(Into::into))
}

/// The same, which nobody changes before this transaction ends. SQLite has one writer.
pub(in crate::parties) fn partnership_held(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    channel: &ChannelId,
) -> Result<Option<Partnership>> {
    let row = partnerships::table.find((organization, channel));
    let found: QueryResult<PartnershipRow> = match tx.conn()? {
        AnyConnection::Postgres(conn) => row.for_share().first(conn),
        AnyConnection::Sqlite(conn) => row.first(conn),
    };
    Ok(found.optional()?.map(Into::into))
}

/// A plan relied on this partnership: it must still be active on the same terms.
pub(in crate::parties) struct StillPartners {
    pub(in crate::parties) organization: OrganizationId,
    pub(in crate::parties) channel: ChannelId,
    pub(in crate::parties) updated_at: Timestamp,
}

/// Those of the partnerships that are active; nobody changes them before this transaction ends.
const ACTIVE: &str = "SELECT p.organization_id, p.channel_id, p.updated_at FROM partnerships p \
     JOIN UNNEST(?, ?) w (organization_id, channel_id) \
     ON w.organization_id = p.organization_id AND w.channel_id = p.channel_id \
     WHERE p.status = 'active' ORDER BY p.organization_id, p.channel_id FOR SHARE OF p";

#[derive(QueryableByName, Queryable)]
struct ActiveRow {
    #[diesel(sql_type = Text)]
    organization_id: OrganizationId,
    #[diesel(sql_type = Text)]
    channel_id: ChannelId,
    #[diesel(sql_type = Instant)]
    updated_at: Timestamp,
}

impl Guard for StillPartners {
    fn check(guards: &[&Self], conn: &mut AnyConnection) -> QueryResult<Vec<Verdict>> {
        let pair = |guard: &&'_ Self| (guard.organization.clone(), guard.channel.clone());
        let pairs: BTreeSet<_> = guards.iter().map(pair).collect();
        let active: Vec<ActiveRow> = match conn {
            AnyConnection::Postgres(conn) => {
                let (organizations, channels): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
                Prepared::new(ACTIVE)
                    .bind::<Array<Text>, _>(organizations)
                    .bind::<Array<Text>, _>(channels)
                    .load(conn)?
            }
            AnyConnection::Sqlite(conn) => {
                let active = |(organization, channel): (OrganizationId, ChannelId)| {
                    partnerships::table
                        .find((organization, channel))
                        .filter(partnerships::status.eq(PartnershipStatus::Active))
                        .select((
                            partnerships::organization_id,
                            partnerships::channel_id,
                            partnerships::updated_at,
                        ))
                        .first(conn)
                        .optional()
                };
                let found = pairs.into_iter().map(active).collect::<QueryResult<Vec<_>>>()?;
                found.into_iter().flatten().collect()
            }
        };
        let verdict = |guard: &&Self| {
            let same = |row: &ActiveRow| {
                row.organization_id == guard.organization
                    && row.channel_id == guard.channel
                    && row.updated_at == guard.updated_at
            };
            if active.iter().any(same) { Verdict::Holds } else { Verdict::Stale }
        };
        Ok(guards.iter().map(verdict).collect())
    }
}

/// The organizations whose active partner a channel is.
#[diesel::dsl::auto_type(no_type_alias)]
fn hosts_of<'a>(channel: &'a ChannelId) -> _ {
    let active: PartnershipStatus = PartnershipStatus::Active;
    partnerships::table
        .filter(partnerships::channel_id.eq(channel))
        .filter(partnerships::status.eq(active))
        .select(partnerships::organization_id)
}

pub(in crate::parties) fn hosts(tx: &mut Tx<'_>, channel: &ChannelId) -> Result<Vec<Organization>> {
    let hosts = organizations::table
        .filter(organizations::id.eq_any(hosts_of(channel)))
        .order(organizations::id);
    Ok(on_each!(tx.conn()?, |c| hosts.load(c))?)
}

pub(in crate::parties) fn host_ids(
    tx: &mut Tx<'_>,
    channel: &ChannelId,
) -> Result<Vec<OrganizationId>> {
    let ids = hosts_of(channel).order(partnerships::organization_id);
    Ok(on_each!(tx.conn()?, |c| ids.load(c))?)
}

/// The partnerships of a channel that are limited to some rates, whatever their status: whether
/// the channel sees anything is asked of its events.
pub(in crate::parties) fn limited(
    tx: &mut Tx<'_>,
    channel: &ChannelId,
) -> Result<Vec<Partnership>> {
    let limited = partnerships::table
        .filter(partnerships::channel_id.eq(channel))
        .filter(partnerships::rate_ids.is_not_null());
    let rows: Vec<PartnershipRow> = on_each!(tx.conn()?, |c| limited.load(c))?;
    Ok(rows.into_iter().map(Into::into).collect())
}
