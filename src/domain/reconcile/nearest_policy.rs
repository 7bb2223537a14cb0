//! The policy of this core that is nearest to a policy that an older core accepted.

use serde_json::{Map, Value};

use crate::domain::policy::{Policy, Preset};

impl Policy {
    /// The policy in `value`. If this core rejects it, the policy with all keys that this core accepts.
    pub(super) fn nearest(value: &Value) -> Policy {
        if let Ok(policy) = Policy::parse(value) {
            return policy;
        }
        let mut taken = Map::new();
        let mut nearest = Policy::preset(Preset::Standard);
        let keys = value.as_object().into_iter().flatten();
        // A key may refer to another key, so rejected keys are tried again after all others.
        for (key, value) in keys.clone().chain(keys) {
            let whole = [(None, value.clone())];
            let parts = value.as_object().into_iter().flatten();
            let parts = parts.map(|(part, value)| (Some(part), value.clone()));
            for (part, value) in whole.into_iter().chain(parts) {
                let mut tried = taken.clone();
                put(&mut tried, key, part, value);
                if let Ok(policy) = Policy::parse(&Value::Object(tried.clone())) {
                    (taken, nearest) = (tried, policy);
                    if part.is_none() {
                        break;
                    }
                }
            }
        }
        nearest
    }
}

/// Sets a key, or a part of it.
fn put(to: &mut Map<String, Value>, key: &str, part: Option<&String>, value: Value) {
    match part {
        None => {
            to.insert(key.to_owned(), value);
        }
        Some(part) => {
            let known = to
                .entry(key.to_owned())
                .or_insert_with(|| Map::new().into());
            if let Some(known) = known.as_object_mut() {
                known.insert(part.clone(), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_this_core_takes_of_a_policy_is_kept() {
        let sound = json!({
            "preset": "douyin",
            "routing": { "groups": { "a": ["anna"] }, "strategy": "random",
                         "entries": { "live": { "members": ["group:a"] } } },
            "invite": { "auto": false },
        });
        let expected = Policy::parse(&sound).unwrap();
        assert_eq!(Policy::nearest(&sound), expected);
        let mut with_more = sound;
        with_more["routing"]["queue"] = json!({ "limit": -1 });
        with_more["routing"]["of_an_older_core"] = json!(7);
        with_more["nothing"] = json!("of it");
        assert!(Policy::parse(&with_more).is_err());
        assert_eq!(Policy::nearest(&with_more), expected);
        for nonsense in [json!(null), json!([1]), json!({ "preset": 7 })] {
            assert_eq!(Policy::nearest(&nonsense), Policy::preset(Preset::Standard));
        }
    }
}
