//! What happened to a payment, in order.

use super::{find, store};
use crate::db::Tx;
use crate::kernel::Result;
use crate::kernel::page::{Page, PageRequest};
use crate::outbox::feed::{self, Entry};

/// The changes of a payment the caller may see and of its refunds, oldest first.
pub fn read(tx: &mut Tx<'_>, id: &str, page: &PageRequest) -> Result<Page<Entry>> {
    let payment = find(tx, id)?;
    let refunds = store::refunds_of_payment(tx, &payment)?;
    let refunds = refunds.iter().map(|refund| refund.id.to_string());
    let objects: Vec<String> = refunds.chain([payment.id.to_string()]).collect();
    feed::of_objects(tx, (&payment.organization_id, &objects), page)
}
