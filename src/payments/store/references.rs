//! The table `payment_references`: which payment has which of its creator's references now.

use std::collections::BTreeSet;

use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};

use super::{Payment, of_row};
use crate::db::schema::payment_references;
use crate::db::{AnyConnection, Guard, Prepared, Tx, Verdict};
use crate::kernel::ids::{OrganizationId, PaymentId};
use crate::kernel::{Mode, Result};
use crate::{append_only, on_each};

#[derive(Insertable)]
#[diesel(table_name = payment_references, treat_none_as_default_value = false)]
struct ReferenceRow {
    owner_id: String,
    mode: Mode,
    reference: String,
    organization_id: OrganizationId,
    payment_id: PaymentId,
}
append_only!(
    ReferenceRow,
    payment_references,
    43,
    [owner_id, mode, reference, organization_id, payment_id,]
);

/// A planned payment: nobody has its reference when it is recorded. Without it two of one batch
/// could fail on each other, and everybody else in the batch with them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct FreeReference {
    owner: String,
    mode: &'static str,
    reference: String,
}

#[derive(QueryableByName)]
struct Looked {
    #[diesel(sql_type = Bool)]
    taken: bool,
}

/// Looked up one by one, as keys are (`web::idempotency`).
const TAKEN: &str = "SELECT (SELECT TRUE FROM payment_references r WHERE r.owner_id = w.owner \
     AND r.mode = w.mode AND r.reference = w.reference) IS NOT NULL AS taken \
     FROM UNNEST(?, ?, ?) WITH ORDINALITY w (owner, mode, reference, place) ORDER BY w.place";

impl Guard for FreeReference {
    fn check(guards: &[&Self], conn: &mut AnyConnection) -> QueryResult<Vec<Verdict>> {
        let looked: Vec<Looked> = match conn {
            AnyConnection::Postgres(conn) => {
                let column = |of: fn(&Self) -> &str| guards.iter().map(|guard| of(guard)).collect();
                let owners: Vec<&str> = column(|guard| &guard.owner);
                let modes: Vec<&str> = column(|guard| guard.mode);
                let references: Vec<&str> = column(|guard| &guard.reference);
                Prepared::new(TAKEN)
                    .bind::<Array<Text>, _>(owners)
                    .bind::<Array<Text>, _>(modes)
                    .bind::<Array<Text>, _>(references)
                    .load(conn)?
            }
            AnyConnection::Sqlite(conn) => {
                let look = |Self { owner, mode, reference }: &&Self| {
                    let row = payment_references::table.find((owner, mode, reference));
                    let taken = select(exists(row)).get_result(conn)?;
                    Ok(Looked { taken })
                };
                guards.iter().map(look).collect::<QueryResult<_>>()?
            }
        };
        // The second of two that want the same is run again, and told who has it.
        let mut wanted: BTreeSet<&Self> = BTreeSet::new();
        let free = guards.iter().zip(looked).map(|(guard, Looked { taken })| {
            if !taken && wanted.insert(guard) { Verdict::Holds } else { Verdict::Stale }
        });
        Ok(free.collect())
    }
}

/// Takes a reference that is free.
pub(in crate::payments) fn append_reference(tx: &mut Tx<'_>, payment: &Payment, reference: &str) {
    let owner = payment.creator().as_str().to_owned();
    tx.guard(FreeReference {
        owner: owner.clone(),
        mode: payment.mode.as_str(),
        reference: reference.to_owned(),
    });
    tx.append(ReferenceRow {
        owner_id: owner,
        mode: payment.mode,
        reference: reference.to_owned(),
        organization_id: payment.organization_id.clone(),
        payment_id: payment.id.clone(),
    });
}

/// The payment that has a reference now.
pub(in crate::payments) fn by_reference(
    tx: &mut Tx<'_>,
    owner: &str,
    mode: Mode,
    reference: &str,
) -> Result<Option<Payment>> {
    let row = payment_references::table
        .find((owner, mode, reference))
        .select((payment_references::organization_id, payment_references::payment_id));
    let key: Option<(OrganizationId, PaymentId)> =
        on_each!(tx.conn()?, |c| row.first(c)).optional()?;
    key.map_or(Ok(None), |(organization, id)| of_row(tx, &organization, &id))
}

/// Frees the reference of a payment that ended.
pub(in crate::payments) fn free_reference(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    if let Some(reference) = &payment.reference {
        let creator = payment.creator();
        let row = payment_references::table.find((creator.as_str(), payment.mode, reference));
        diesel::delete(row).execute(tx.conn()?)?;
    }
    Ok(())
}
