//! Money given back: how it is shared among tickets, and how it is shown.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::ids::TicketId;
use crate::kernel::{Mode, Timestamp};
use crate::payments::store::{Cause, Refund, RefundState};

/// Shares an amount among tickets in proportion to what is left of each, to the minor unit: what
/// rounding leaves over goes to those who lost most by it, the first before the later.
///
/// Needs `0 <= amount <= sum(left)`; then the shares sum up to the amount and none is above what
/// is left of its ticket.
pub fn shares(amount: i64, left: &[i64]) -> Vec<i64> {
    let total: i128 = left.iter().map(|left| i128::from(*left)).sum();
    if total == 0 {
        return vec![0; left.len()];
    }
    let exact = |left: &i64| i128::from(amount) * i128::from(*left);
    let floor = |left: &i64| i64::try_from(exact(left) / total).unwrap_or(0);
    let mut shares: Vec<i64> = left.iter().map(floor).collect();
    let mut by_loss: Vec<usize> = (0..left.len()).collect();
    let loss = |index: &usize| left.get(*index).map_or(0, |left| exact(left) % total);
    by_loss.sort_by_key(|index| (std::cmp::Reverse(loss(index)), *index));
    let over = amount - shares.iter().sum::<i64>();
    for index in by_loss.into_iter().take(usize::try_from(over).unwrap_or(0)) {
        if let Some(share) = shares.get_mut(index) {
            *share += 1;
        }
    }
    shares
}

/// Money given back, or to be given back.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct RefundView {
    _id: String,
    id: String,
    payment_id: String,
    organization_id: String,
    channel_id: Option<String>,
    /// Null for a plain charge.
    event_id: Option<String>,
    mode: Mode,
    /// `pending` while a provider is asked. Where the organization or the channel collects, the
    /// money moves elsewhere and it is `succeeded` at once.
    status: RefundState,
    /// Minor units.
    amount: i64,
    currency: String,
    /// Why, by itself or because somebody asked for it.
    cause: Cause,
    /// As whoever asked for it wrote it.
    reason: Option<String>,
    /// The tickets it was for: they admit nobody any more.
    tickets: Vec<String>,
    /// Why it failed.
    failure_code: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it succeeded or failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    processed_at: Option<Timestamp>,
}

impl RefundView {
    /// A refund with the tickets it was for.
    pub fn new(refund: &Refund, tickets: &[TicketId]) -> Self {
        let id = refund.id.to_string();
        Self {
            _id: id.clone(),
            id,
            payment_id: refund.payment_id.to_string(),
            organization_id: refund.organization_id.to_string(),
            channel_id: refund.channel_id.as_ref().map(ToString::to_string),
            event_id: refund.event_id.as_ref().map(ToString::to_string),
            mode: refund.mode,
            status: refund.state,
            amount: refund.amount_minor,
            currency: refund.currency.code().to_owned(),
            cause: refund.cause,
            reason: refund.reason.clone(),
            tickets: tickets.iter().map(ToString::to_string).collect(),
            failure_code: refund.failure_code.clone(),
            created_at: refund.created_at,
            processed_at: refund.processed_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shares_sum_up_and_stay_within_what_is_left(
            left in prop::collection::vec(0_i64..=1_000_000_000_000, 1..50),
            part in 0_u64..=1_000_000,
        ) {
            let total: i64 = left.iter().sum();
            let amount = i64::try_from(i128::from(total) * i128::from(part) / 1_000_000).unwrap();
            let shares = shares(amount, &left);
            prop_assert_eq!(shares.iter().sum::<i64>(), amount);
            for (share, left) in shares.iter().zip(&left) {
                prop_assert!((0..=*left).contains(share));
                // Never a whole unit away from its exact part.
                let exact = i128::from(amount) * i128::from(*left);
                let apart = (i128::from(*share) * i128::from(total) - exact).abs();
                prop_assert!(total == 0 || apart < i128::from(total));
            }
        }
    }

    #[test]
    fn what_rounding_leaves_goes_to_the_first_who_lost_most() {
        assert_eq!(shares(100, &[100, 100, 100]), [34, 33, 33]);
        assert_eq!(shares(1, &[1, 2, 2]), [0, 1, 0]);
        assert_eq!(shares(0, &[0, 5]), [0, 0]);
        assert_eq!(shares(0, &[0, 0]), [0, 0]);
    }
}
