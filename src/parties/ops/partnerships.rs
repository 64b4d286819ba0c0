//! Operations on partnerships.
//!
//! The organization invites and proposes terms, the channel accepts; either side suspends, and
//! resumes what it suspended, or ends. What was sold before keeps the terms it was sold under.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::known;
use super::super::model::{Collects, Commission, Partnership, PartnershipStatus, PartySide, Terms};
use super::super::store::{self, Organization};
use super::super::view::PartnershipView;
use crate::db::{Tenant, Tx};
use crate::kernel::ids::{ChannelId, Id, OrganizationId, PartnershipId, RateId};
use crate::kernel::input::{Faults, Patch};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Error, Mode, Result};
use crate::outbox::{ChangeKind, Emit, Job, NewChange, jobs};
use crate::parties::input::{RATES_MAX, RateIds};

/// The kind of the job that tells a channel of an offer.
pub const OFFERED: &str = "parties.offered";
/// The mail about an offer is not repeated within so long.
const OFFER_MAIL_SECONDS: i64 = 86_400;

fn new_partnership(
    tx: &Tx<'_>,
    (organization, channel): (&OrganizationId, &ChannelId),
    status: PartnershipStatus,
    terms: Terms,
) -> Partnership {
    Partnership {
        id: tx.id(),
        organization_id: organization.clone(),
        channel_id: channel.clone(),
        status,
        terms,
        proposed: None,
        suspended_by: None,
        rate_ids: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    }
}

fn exists(partnership: &Partnership) -> Error {
    Error::conflict("partnership_exists", "These two are partners already.")
        .with("current_status", partnership.status.as_str())
        .with("partnership_id", partnership.id.as_str())
}

/// Creates a partnership, already active: the operator vouches for both sides. 409
/// `partnership_exists`.
pub fn create_partnership(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    channel: &ChannelId,
    terms: Terms,
) -> Result<Partnership> {
    if let Some(before) = store::partnership(tx, organization, channel)? {
        return Err(exists(&before));
    }
    let pair = (organization, channel);
    let partnership = new_partnership(tx, pair, PartnershipStatus::Active, terms);
    store::append_partnership(tx, &partnership);
    Ok(partnership)
}

/// Moves a partnership to another status: the operator's way.
pub fn set_partnership_status(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    channel: &ChannelId,
    status: PartnershipStatus,
) -> Result<()> {
    let before = store::partnership(tx, organization, channel)?.ok_or_else(Error::not_found)?;
    let suspended = status == PartnershipStatus::Suspended;
    let suspended_by = suspended.then_some(PartySide::Organization);
    change(tx, &before, Partnership { status, suspended_by, ..before.clone() }).map(|_| ())
}

/// The partnership of an organization and a channel, if it is active.
pub fn active_partnership(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    channel: &ChannelId,
) -> Result<Option<Partnership>> {
    let found = known::partnership(tx, organization, channel)?;
    Ok(found.filter(|partnership| partnership.status == PartnershipStatus::Active))
}

/// The partnership of an organization and a channel, whatever its status: for slices that were told
/// of it.
pub fn partnership_of(
    tx: &mut Tx<'_>,
    organization: &OrganizationId,
    channel: &ChannelId,
) -> Result<Option<Partnership>> {
    store::partnership(tx, organization, channel)
}

fn party(side: &Tenant) -> PartySide {
    match side {
        Tenant::Organization(_) => PartySide::Organization,
        Tenant::Channel(_) => PartySide::Channel,
    }
}

fn find(tx: &mut Tx<'_>, id: &str) -> Result<Partnership> {
    let side = tx.tenant()?;
    let id = PartnershipId::parse(id).ok_or_else(Error::not_found)?;
    store::own_partnership(tx, &side, &id)?.ok_or_else(Error::not_found)
}

/// A partnership as both sides see it.
fn view(tx: &mut Tx<'_>, partnership: &Partnership) -> Result<PartnershipView> {
    let organization = super::organization(tx, &partnership.organization_id)?;
    let channel = super::channel(tx, &partnership.channel_id)?;
    Ok(PartnershipView::new(partnership, &organization, &channel))
}

/// One's own partnership.
pub fn read_partnership(tx: &mut Tx<'_>, id: &str) -> Result<PartnershipView> {
    let partnership = find(tx, id)?;
    view(tx, &partnership)
}

/// One's own partnerships, newest first.
pub fn list_partnerships(
    tx: &mut Tx<'_>,
    status: Option<PartnershipStatus>,
    page: &PageRequest,
) -> Result<Page<PartnershipView>> {
    let side = tx.tenant()?;
    let found = store::list_partnerships(tx, &side, status, page)?;
    let rows: Result<Vec<_>> = found.rows.iter().map(|row| view(tx, row)).collect();
    Ok(Page { rows: rows?, limit: found.limit, next: found.next })
}

/// Which channel is meant.
#[derive(Clone, Debug)]
pub enum ChannelRef {
    /// By its id.
    Id(String),
    /// By its slug.
    Slug(String),
}

/// The acting organization: the terms of a partnership may be in its currency.
pub fn acting_organization(tx: &mut Tx<'_>) -> Result<Organization> {
    let id = tx.scope().organization().cloned();
    let id = id.ok_or_else(|| Error::internal("partnerships are offered by organizations"))?;
    super::organization(tx, &id)
}

/// Offers a partnership to a channel; one that has ended is offered anew. 404 without such a
/// channel, 409 `partnership_exists`.
pub fn invite(
    tx: &mut Tx<'_>,
    wanted: &ChannelRef,
    (terms, rates): (Terms, Option<&RateIds>),
) -> Result<PartnershipView> {
    let organization = acting_organization(tx)?;
    let channel = match wanted {
        ChannelRef::Slug(slug) => super::channel_by_slug(tx, slug)?,
        ChannelRef::Id(id) => {
            let id = ChannelId::parse(id).ok_or_else(Error::not_found)?;
            super::channel(tx, &id)?
        }
    };
    // Held: neither leaves meanwhile.
    if !store::both_there(tx, &organization.id, &channel.id)? {
        return Err(Error::not_found());
    }
    let pair = (&organization.id, &channel.id);
    let rate_ids = rates.map(|rates| own_rates(tx, rates)).transpose()?;
    let offered = new_partnership(tx, pair, PartnershipStatus::Invited, terms);
    let invited = Partnership { rate_ids, ..offered };
    let before = store::partnership(tx, pair.0, pair.1)?;
    tell_of_offer(tx, &invited, before.as_ref());
    match before {
        None => {
            store::append_partnership(tx, &invited);
            let shown = PartnershipView::new(&invited, &organization, &channel);
            emit(tx, &invited, &shown)?;
            Ok(shown)
        }
        Some(before) if before.status == PartnershipStatus::Ended => change(tx, &before, invited),
        Some(before) => Err(exists(&before)),
    }
}

/// Has the channel told of an offer, once a day at most: an offer can be taken back and repeated.
fn tell_of_offer(tx: &mut Tx<'_>, invited: &Partnership, before: Option<&Partnership>) {
    let since = tx.now().plus_seconds(-OFFER_MAIL_SECONDS);
    if before.is_none_or(|before| before.created_at < since) {
        let payload = json!({"organization_id": invited.organization_id,
            "channel_id": invited.channel_id});
        jobs::enqueue(tx, Job::now(OFFERED, payload));
    }
}

/// What looks up whether rates are an organization's own: rates are another room's.
pub struct OwnRates(pub fn(&mut Tx<'_>, &OrganizationId, &RateId) -> Result<bool>);

/// 400 for what is no rate of the acting organization.
fn own_rates(tx: &mut Tx<'_>, wanted: &RateIds) -> Result<Vec<RateId>> {
    let owner = tx.scope().organization().cloned();
    let owner =
        owner.ok_or_else(|| Error::internal("partnerships are offered by organizations"))?;
    let OwnRates(is_own) = tx.environment().get()?;
    let mut faults = Faults::default();
    let reason = format!("must have at most {RATES_MAX} elements");
    faults.check(wanted.len() <= RATES_MAX, "rate_ids", reason);
    let mut ids = Vec::new();
    for (index, text) in wanted.iter().take(RATES_MAX).enumerate() {
        match RateId::parse(&text.0) {
            Some(id) if is_own(tx, &owner, &id)? => ids.push(id),
            _ => faults.add(format!("rate_ids[{index}]"), "is no ticket rate of yours"),
        }
    }
    ids.sort();
    ids.dedup();
    faults.finish().map(|()| ids)
}

/// The rates that a channel is limited to, of the organizations that have limited it.
pub fn limits(
    tx: &mut Tx<'_>,
    channel: &ChannelId,
) -> Result<BTreeMap<OrganizationId, Partnership>> {
    let limited = store::limited(tx, channel)?.into_iter();
    Ok(limited.map(|limited| (limited.organization_id.clone(), limited)).collect())
}

/// What an organization wants changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewTerms {
    /// Who takes the money.
    pub collects: Option<Collects>,
    /// The channel's share.
    pub commission: Option<Commission>,
    /// Whether the channel may have tickets go out before they are paid.
    pub on_account: Option<bool>,
}

impl NewTerms {
    fn over(self, terms: Terms) -> Terms {
        Terms {
            collects: self.collects.unwrap_or(terms.collects),
            commission: self.commission.unwrap_or(terms.commission),
            on_account: self.on_account.unwrap_or(terms.on_account),
        }
    }
}

/// Changes the terms of an offer, or proposes others to a partner: they hold when the channel
/// accepts them. Which rates it sells holds at once. 409 `wrong_status` when it has ended.
pub fn propose(
    tx: &mut Tx<'_>,
    id: &str,
    (new, rates): (NewTerms, &Patch<RateIds>),
) -> Result<PartnershipView> {
    let before = find(tx, id)?;
    let mut after = before.clone();
    match rates {
        Patch::Absent => {}
        Patch::Clear => after.rate_ids = None,
        Patch::Set(rates) => after.rate_ids = Some(own_rates(tx, rates)?),
    }
    match before.status {
        PartnershipStatus::Invited => after.terms = new.over(before.terms),
        PartnershipStatus::Active | PartnershipStatus::Suspended => {
            let proposed = new.over(before.proposed.unwrap_or(before.terms));
            after.proposed = (proposed != before.terms).then_some(proposed);
        }
        PartnershipStatus::Ended => return Err(wrong_status(&before)),
    }
    change(tx, &before, after)
}

/// Accepts an offer, or other terms. With a version: only what was seen. 409 `wrong_status` when
/// nothing waits, `terms_changed`.
pub fn accept(tx: &mut Tx<'_>, id: &str, version: Option<i64>) -> Result<PartnershipView> {
    let before = find(tx, id)?;
    if version.is_some_and(|version| version != before.version) {
        let error = Error::conflict("terms_changed", "This is not what you have seen.");
        return Err(error.with("version", before.version));
    }
    let mut after = before.clone();
    match (before.status, before.proposed) {
        (PartnershipStatus::Invited, _) => after.status = PartnershipStatus::Active,
        (PartnershipStatus::Active | PartnershipStatus::Suspended, Some(terms)) => {
            (after.terms, after.proposed) = (terms, None);
        }
        (PartnershipStatus::Active | PartnershipStatus::Suspended, None)
        | (PartnershipStatus::Ended, _) => return Err(wrong_status(&before)),
    }
    change(tx, &before, after)
}

/// Suspends a partnership: nothing new is seen or sold. 409 `wrong_status`.
pub fn suspend(tx: &mut Tx<'_>, id: &str) -> Result<PartnershipView> {
    let before = find(tx, id)?;
    if before.status != PartnershipStatus::Active {
        return Err(wrong_status(&before));
    }
    let suspended_by = Some(party(&tx.tenant()?));
    let status = PartnershipStatus::Suspended;
    change(tx, &before, Partnership { status, suspended_by, ..before.clone() })
}

/// Resumes a partnership that one has suspended oneself. 403 when the other side did; 409
/// `wrong_status`.
pub fn resume(tx: &mut Tx<'_>, id: &str) -> Result<PartnershipView> {
    let before = find(tx, id)?;
    if before.status != PartnershipStatus::Suspended {
        return Err(wrong_status(&before));
    }
    if before.suspended_by != Some(party(&tx.tenant()?)) {
        return Err(Error::wrong_principal("Only who has suspended it can resume it."));
    }
    let status = PartnershipStatus::Active;
    change(tx, &before, Partnership { status, suspended_by: None, ..before.clone() })
}

/// Ends a partnership, or declines an offer. 409 `wrong_status` when it has ended.
pub fn end(tx: &mut Tx<'_>, id: &str) -> Result<PartnershipView> {
    let before = find(tx, id)?;
    if before.status == PartnershipStatus::Ended {
        return Err(wrong_status(&before));
    }
    end_partnership(tx, &before)
}

/// A partnership is over.
pub(in crate::parties) fn end_partnership(
    tx: &mut Tx<'_>,
    before: &Partnership,
) -> Result<PartnershipView> {
    change(tx, before, before.ended())
}

/// Stores a change, unless somebody else was faster, and tells both sides.
fn change(tx: &mut Tx<'_>, before: &Partnership, after: Partnership) -> Result<PartnershipView> {
    let after = Partnership { version: before.version + 1, updated_at: tx.now(), ..after };
    if !store::save_partnership(tx, &after, before.version)? {
        return Err(Error::rerun("the partnership has changed"));
    }
    let shown = view(tx, &after)?;
    emit(tx, &after, &shown)?;
    Ok(shown)
}

/// A partnership spans both modes, and is told in both.
fn emit(tx: &mut Tx<'_>, partnership: &Partnership, shown: &PartnershipView) -> Result<()> {
    let object = serde_json::to_value(shown).map_err(Error::internal)?;
    for mode in Mode::ALL {
        tx.emit(NewChange {
            kind: ChangeKind::PartnershipUpdated,
            mode: *mode,
            organization: partnership.organization_id.clone(),
            channel: Some(partnership.channel_id.clone()),
            event: None,
            object_id: partnership.id.to_string(),
            sequence: partnership.version,
            for_organization: object.clone(),
            for_channel: Some(object.clone()),
        })?;
    }
    Ok(())
}

fn wrong_status(partnership: &Partnership) -> Error {
    let allowed: &[&str] = match (partnership.status, partnership.proposed) {
        (PartnershipStatus::Invited, _) => &["accept", "update", "end"],
        (PartnershipStatus::Active, Some(_)) => &["accept", "update", "suspend", "end"],
        (PartnershipStatus::Active, None) => &["update", "suspend", "end"],
        (PartnershipStatus::Suspended, Some(_)) => &["accept", "update", "resume", "end"],
        (PartnershipStatus::Suspended, None) => &["update", "resume", "end"],
        (PartnershipStatus::Ended, _) => &["create"],
    };
    Error::conflict("wrong_status", "The partnership's status does not allow this.")
        .with("current_status", partnership.status.as_str())
        .with("allowed_actions", allowed)
}
