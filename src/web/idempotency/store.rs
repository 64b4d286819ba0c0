//! The table `idempotency_keys`. Owned: every query names tenant and mode.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text};

use super::{Claim, Name, RETENTION_SECONDS, in_flight};
use crate::db::schema::idempotency_keys::{self, self as keys};
use crate::db::{AnyConnection, Guard, Prepared, Tx, Verdict};
use crate::kernel::{Mode, Result, Timestamp};
use crate::web::answer::Answer;
use crate::{append_only, on_each};

/// Answers forgotten in one transaction, or a few more that are just as old.
const SWEEP_MAX: i64 = 500;

/// What is known about a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// It is free.
    Nothing,
    /// It was used for another request.
    OtherRequest,
    /// Its request is waiting for an outside provider.
    Owed,
    /// Its request succeeded with this.
    Answer(Answer),
}

#[derive(Insertable)]
#[diesel(table_name = keys, treat_none_as_default_value = false)]
struct Row {
    tenant_id: String,
    mode: Mode,
    idempotency_key: String,
    fingerprint: String,
    status: Option<i32>,
    body: Option<String>,
    created_at: Timestamp,
}
append_only!(
    Row,
    idempotency_keys,
    10,
    [tenant_id, mode, idempotency_key, fingerprint, status, body, created_at,]
);

#[diesel::dsl::auto_type(no_type_alias)]
fn named<'a>(name: &'a Name) -> _ {
    let tenant: &'a str = name.tenant.as_str();
    let mode: Mode = name.mode;
    let key: &'a str = name.key.as_str();
    keys::table
        .filter(keys::tenant_id.eq(tenant))
        .filter(keys::mode.eq(mode))
        .filter(keys::idempotency_key.eq(key))
}

/// `false` when another transaction has this key. Held until this transaction ends. On SQLite
/// transactions do not overlap.
pub(super) fn try_lock(tx: &mut Tx<'_>, name: &Name) -> Result<bool> {
    #[derive(diesel::QueryableByName)]
    struct Locked {
        #[diesel(sql_type = Bool)]
        locked: bool,
    }
    let AnyConnection::Postgres(conn) = tx.conn()? else {
        return Ok(true);
    };
    let row: Locked = diesel::sql_query("SELECT pg_try_advisory_xact_lock($1) AS locked")
        .bind::<BigInt, _>(lock_number(name))
        .get_result(conn)?;
    Ok(row.locked)
}

fn lock_number(name: &Name) -> i64 {
    use sha2::{Digest, Sha256};
    let text = format!("{}\n{}\n{}", name.tenant, name.mode.as_str(), name.key);
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).fold(0_i64, |number, byte| (number << 8) | i64::from(*byte))
}

/// Of each key: whether this transaction has it now, and whether something is kept under it. Each
/// is looked up: of `EXISTS` PostgreSQL may make a table of all keys first, and does until it has
/// statistics.
const CLAIM: &str = "SELECT pg_try_advisory_xact_lock(w.number) AS locked, \
     (SELECT TRUE FROM idempotency_keys k WHERE k.tenant_id = w.tenant AND k.mode = w.mode \
     AND k.idempotency_key = w.name) IS NOT NULL AS known \
     FROM UNNEST(?, ?, ?, ?) WITH ORDINALITY w (number, tenant, mode, name, place) \
     ORDER BY w.place";

#[derive(diesel::QueryableByName)]
struct Claimed {
    #[diesel(sql_type = Bool)]
    locked: bool,
    #[diesel(sql_type = Bool)]
    known: bool,
}

/// A planned request: its key must be free when it is recorded.
impl Guard for Name {
    fn check(names: &[&Self], conn: &mut AnyConnection) -> QueryResult<Vec<Verdict>> {
        let claimed: Vec<Claimed> = match conn {
            AnyConnection::Postgres(conn) => {
                let column = |of: fn(&Name) -> &str| names.iter().map(|name| of(name)).collect();
                let tenants: Vec<&str> = column(|name| &name.tenant);
                let modes: Vec<&str> = column(|name| name.mode.as_str());
                let keys: Vec<&str> = column(|name| &name.key);
                let numbers: Vec<i64> = names.iter().map(|name| lock_number(name)).collect();
                Prepared::new(CLAIM)
                    .bind::<Array<BigInt>, _>(numbers)
                    .bind::<Array<Text>, _>(tenants)
                    .bind::<Array<Text>, _>(modes)
                    .bind::<Array<Text>, _>(keys)
                    .load(conn)?
            }
            AnyConnection::Sqlite(conn) => {
                let known = |name: &&Self| {
                    let found = named(name).select(keys::mode).first::<Mode>(conn).optional()?;
                    Ok(Claimed { locked: true, known: found.is_some() })
                };
                names.iter().map(known).collect::<QueryResult<_>>()?
            }
        };
        let verdict = |claimed: Claimed| match claimed {
            Claimed { locked: false, .. } => Verdict::Refused(in_flight()),
            Claimed { known: true, .. } => Verdict::Stale,
            Claimed { .. } => Verdict::Holds,
        };
        Ok(claimed.into_iter().map(verdict).collect())
    }
}

pub(super) fn find(tx: &mut Tx<'_>, claim: &Claim) -> Result<Found> {
    let row = named(&claim.name).select((keys::fingerprint, keys::status, keys::body));
    let row: Option<(String, Option<i32>, Option<String>)> =
        on_each!(tx.conn()?, |c| row.first(c)).optional()?;
    Ok(match row {
        None => Found::Nothing,
        Some((fingerprint, _, _)) if fingerprint != claim.fingerprint => Found::OtherRequest,
        Some((_, Some(status), Some(body))) => {
            let status = u16::try_from(status).unwrap_or(200);
            Found::Answer(Answer { status, body, kept: None })
        }
        Some(_) => Found::Owed,
    })
}

fn row(tx: &Tx<'_>, claim: &Claim, answer: Option<&Answer>) -> Row {
    Row {
        tenant_id: claim.name.tenant.clone(),
        mode: claim.name.mode,
        idempotency_key: claim.name.key.clone(),
        fingerprint: claim.fingerprint.clone(),
        status: answer.map(|answer| i32::from(answer.status)),
        body: answer.map(|answer| answer.kept.as_ref().unwrap_or(&answer.body).clone()),
        created_at: tx.now(),
    }
}

pub(super) fn keep(tx: &mut Tx<'_>, claim: &Claim, answer: &Answer) {
    let row = row(tx, claim, Some(answer));
    tx.append(row);
}

pub(super) fn open(tx: &mut Tx<'_>, claim: &Claim) {
    let row = row(tx, claim, None);
    tx.append(row);
}

pub(super) fn close(tx: &mut Tx<'_>, name: &Name, answer: &Answer) -> Result<()> {
    diesel::update(named(name))
        .set((keys::status.eq(Some(i32::from(answer.status))), keys::body.eq(Some(&answer.body))))
        .execute(tx.conn()?)?;
    Ok(())
}

pub(super) fn free(tx: &mut Tx<'_>, name: &Name) -> Result<()> {
    diesel::delete(named(name)).execute(tx.conn()?)?;
    Ok(())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn answered_before(before: Timestamp) -> _ {
    keys::table.filter(keys::created_at.lt(before)).filter(keys::status.is_not_null())
}

/// Whether there is anything to forget. The order makes PostgreSQL go by the index: it takes a
/// third of all rows to be that old, and would read them all to find that none is.
pub fn any_old(tx: &mut Tx<'_>) -> Result<bool> {
    let old = answered_before(tx.now().plus_seconds(-RETENTION_SECONDS));
    let any = old.select(keys::tenant_id).order(keys::created_at).limit(1);
    Ok(on_each!(tx.conn()?, |c| any.first::<String>(c)).optional()?.is_some())
}

/// Forgets the oldest answers past the retention, so many at a time. Owed answers stay.
pub fn sweep(tx: &mut Tx<'_>) -> Result<usize> {
    let before = tx.now().plus_seconds(-RETENTION_SECONDS);
    let oldest: Vec<Timestamp> = answered_before(before)
        .order(keys::created_at)
        .limit(SWEEP_MAX)
        .select(keys::created_at)
        .load(tx.conn()?)?;
    let Some(last) = oldest.last() else {
        return Ok(0);
    };
    let old = answered_before(before).filter(keys::created_at.le(*last));
    Ok(diesel::delete(old).execute(tx.conn()?)?)
}
