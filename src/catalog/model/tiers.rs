//! How many tickets at which price: the tiers of a rate are sold in their order, each until its
//! time or its quantity has run out. What is given back opens its tier again while it is in time.

use crate::catalog::Price;
use crate::kernel::ids::PriceId;

/// A tier that is in time, and how much of it is left; `None` is as much as the rate has.
#[derive(Clone, Debug)]
pub struct Tier {
    /// The tier.
    pub price: Price,
    /// What is left of it.
    pub left: Option<i64>,
}

/// Why a quantity cannot be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unmet {
    /// All tiers together have only so many.
    Short(i64),
    /// The pinned tier is not the one in sale, or has less than was asked for.
    NotPinned,
}

/// Takes a quantity from the tiers in their order, and goes on in the next where one has too few:
/// the index of each tier and how many of it. A pinned tier must be the one in sale and have them
/// all. On an error nothing is taken.
pub fn allot(
    tiers: &mut [Tier],
    count: i64,
    pinned: Option<&PriceId>,
) -> Result<Vec<(usize, i64)>, Unmet> {
    let mut parts = Vec::new();
    let mut wanted = count;
    for (index, tier) in tiers.iter().enumerate() {
        let part = tier.left.map_or(wanted, |left| left.clamp(0, wanted));
        if part == 0 {
            continue;
        }
        if pinned.is_some_and(|pinned| *pinned != tier.price.id || part < wanted) {
            return Err(Unmet::NotPinned);
        }
        parts.push((index, part));
        wanted -= part;
        if wanted == 0 {
            break;
        }
    }
    if wanted > 0 {
        let short = Unmet::Short(count - wanted);
        return Err(if pinned.is_some() { Unmet::NotPinned } else { short });
    }
    for (index, part) in &parts {
        if let Some(left) = tiers.get_mut(*index).and_then(|tier| tier.left.as_mut()) {
            *left -= part;
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::FeeType;
    use crate::kernel::ids::{Id, OrganizationId, RateId};

    fn tiers(left: &[Option<i64>]) -> Vec<Tier> {
        let tier = |(index, left): (usize, &Option<i64>)| Tier {
            price: Price {
                organization_id: OrganizationId::from_text("org_1".to_owned()),
                id: PriceId::from_text(format!("price_{index}")),
                rate_id: RateId::from_text("rate_1".to_owned()),
                position: 0,
                name: String::new(),
                price_minor: 100,
                valid_until: None,
                quantity: *left,
                fee_type: FeeType::Fixed,
                fee_quantity: 0,
                includes: None,
                additional_info: None,
                active: true,
            },
            left: *left,
        };
        left.iter().enumerate().map(tier).collect()
    }

    fn left_of(tiers: &[Tier]) -> Vec<Option<i64>> {
        tiers.iter().map(|tier| tier.left).collect()
    }

    proptest! {
        #[test]
        fn quantities_are_met_in_order_or_not_at_all(
            left in prop::collection::vec(prop::option::weighted(0.8, 0_i64..30), 0..6),
            count in 1_i64..100,
        ) {
            let mut sold = tiers(&left);
            match allot(&mut sold, count, None) {
                Ok(parts) => {
                    prop_assert_eq!(parts.iter().map(|part| part.1).sum::<i64>(), count);
                    prop_assert!(parts.windows(2).all(|pair| pair[0].0 < pair[1].0));
                    for (index, tier) in left.iter().enumerate() {
                        let part = parts.iter().find(|part| part.0 == index).map_or(0, |p| p.1);
                        prop_assert!(part >= 0);
                        prop_assert_eq!(sold[index].left, tier.map(|left| left - part));
                        // A later tier is touched only when this one has nothing left.
                        let later = parts.iter().any(|part| part.0 > index);
                        prop_assert!(!later || sold[index].left == Some(0));
                    }
                }
                Err(Unmet::Short(all)) => {
                    prop_assert_eq!(left_of(&sold), left.clone());
                    prop_assert_eq!(left.iter().flatten().sum::<i64>(), all);
                    prop_assert!(all < count && left.iter().all(Option::is_some));
                }
                Err(Unmet::NotPinned) => prop_assert!(false, "nothing was pinned"),
            }
        }

        #[test]
        fn a_pinned_tier_has_them_all(
            left in prop::collection::vec(prop::option::weighted(0.8, 0_i64..30), 1..6),
            count in 1_i64..40,
            pinned in 0_usize..6,
        ) {
            let mut sold = tiers(&left);
            let pinned = PriceId::from_text(format!("price_{pinned}"));
            let first = left.iter().position(|left| *left != Some(0));
            let fits = first.is_some_and(|first| {
                pinned.as_str() == format!("price_{first}")
                    && left[first].is_none_or(|left| left >= count)
            });
            prop_assert_eq!(allot(&mut sold, count, Some(&pinned)).is_ok(), fits);
        }
    }
}
