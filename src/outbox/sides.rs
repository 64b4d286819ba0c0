//! A change has one object as two sides see it. They are the same but for a few fields, so the
//! channel's is kept as what differs from the organization's: half of what a sale writes.

use serde_json::{Map, Value, json};

/// Fields of the channel's object that are not the organization's. Marks a difference: what lacks
/// it is a whole object, and nothing of the other side is added to that.
const DIFFERS: &str = "$differs";
/// Fields of the organization's object that the channel's does not have.
const WITHOUT: &str = "$without";

/// What makes the channel's object of the organization's.
pub(super) fn difference(organization: &Value, channel: &Value) -> Value {
    let (Value::Object(theirs), Value::Object(own)) = (organization, channel) else {
        return channel.clone();
    };
    let differs = |(name, value): &(&String, &Value)| theirs.get(*name) != Some(*value);
    let fields: Map<String, Value> =
        own.iter().filter(differs).map(|(name, value)| (name.clone(), value.clone())).collect();
    let without: Vec<&String> = theirs.keys().filter(|name| !own.contains_key(*name)).collect();
    json!({DIFFERS: fields, WITHOUT: without})
}

/// The channel's object.
pub(super) fn of_channel(organization: Value, mut kept: Value) -> Value {
    let (Value::Object(mut object), Some(Value::Object(fields))) =
        (organization, kept.get_mut(DIFFERS).map(Value::take))
    else {
        return kept;
    };
    let without = kept.get(WITHOUT).and_then(Value::as_array).into_iter().flatten();
    for name in without.filter_map(Value::as_str) {
        object.remove(name);
    }
    object.extend(fields);
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn object() -> impl Strategy<Value = Value> {
        let value = prop_oneof![Just(Value::Null), (0..3).prop_map(Value::from)];
        prop::collection::btree_map("[a-e]", value, 0..5).prop_map(|map| json!(map))
    }

    proptest! {
        #[test]
        fn a_difference_gives_back_the_other_side(one in object(), other in object()) {
            let kept = difference(&one, &other);
            prop_assert_eq!(of_channel(one, kept), other);
        }
    }

    #[test]
    fn only_what_differs_is_kept() {
        let (one, other) = (json!({"a": 1, "b": 2, "c": 3}), json!({"a": 1, "b": null}));
        let kept = json!({"$differs": {"b": null}, "$without": ["c"]});
        assert_eq!(difference(&one, &other), kept);
    }

    /// As they were kept before there were differences.
    #[test]
    fn a_whole_object_is_given_nothing_of_the_other_side() {
        let (one, whole) = (json!({"a": 1, "secret": 1}), json!({"a": 2}));
        assert_eq!(of_channel(one, whole.clone()), whole);
    }
}
