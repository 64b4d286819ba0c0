//! A change has one object as two sides see it. They are the same but for a few fields, so the
//! channel's is kept as what differs from the organization's: half of what a sale writes.

use serde_json::{Map, Value};

/// The fields of the organization's object that the channel's does not have.
const WITHOUT: &str = "$without";

/// What makes the channel's object of the organization's.
pub(super) fn difference(organization: &Value, channel: &Value) -> Value {
    let (Value::Object(theirs), Value::Object(own)) = (organization, channel) else {
        return channel.clone();
    };
    let differs = |(name, value): &(&String, &Value)| theirs.get(*name) != Some(*value);
    let mut fields: Map<String, Value> =
        own.iter().filter(differs).map(|(name, value)| (name.clone(), value.clone())).collect();
    let missing: Vec<Value> =
        theirs.keys().filter(|name| !own.contains_key(*name)).map(|n| n.clone().into()).collect();
    if !missing.is_empty() {
        fields.insert(WITHOUT.to_owned(), missing.into());
    }
    Value::Object(fields)
}

/// The channel's object. A difference that names every field is the whole object: what was kept
/// before there were differences reads the same.
pub(super) fn of_channel(organization: Value, difference: Value) -> Value {
    let (Value::Object(mut object), Value::Object(mut fields)) = (organization, difference.clone())
    else {
        return difference;
    };
    for name in fields.remove(WITHOUT).iter().filter_map(Value::as_array).flatten() {
        object.remove(name.as_str().unwrap_or_default());
    }
    object.extend(fields);
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

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
        assert_eq!(difference(&one, &other), json!({"b": null, "$without": ["c"]}));
        assert_eq!(
            of_channel(json!({"a": 1, "b": 1}), json!({"a": 1, "b": 2})),
            json!({"a": 1, "b": 2})
        );
    }
}
