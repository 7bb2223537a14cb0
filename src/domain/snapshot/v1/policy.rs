//! The policy in form 1: complete, merged JSON of the first edition of the rules.
//!
//! Keys of the second edition are left out and get the values of the policy's preset. One of them needs care: a policy
//! that names its own `routing.queue.prompt` and no `next_prompt` has an empty one (R6), and a merged policy always
//! names the prompt. All presets of the first edition had the same prompt. A policy with that prompt is taken as one that
//! did not name it, as if it was read from the journal again.

use serde_json::Value;

use crate::domain::snapshot::InvalidPart;

/// The prompt of all presets of the first edition.
const PROMPT: &str = "前面还有{ahead}位，请稍候";

/// The prompt at position 1 that came with it in the second edition.
const NEXT_PROMPT: &str = "您是下一位，请稍候";

/// The same policy with the keys of the second edition that do not follow from its preset.
pub(super) fn of_second_edition(policy: &str) -> Result<String, InvalidPart> {
    let policy: Result<Value, _> = serde_json::from_str(policy);
    let mut policy = policy.map_err(|error| error.to_string())?;
    let queue = policy.pointer_mut("/routing/queue");
    if let Some(queue) = queue.and_then(Value::as_object_mut)
        && queue.get("prompt").and_then(Value::as_str) == Some(PROMPT)
    {
        queue
            .entry("next_prompt")
            .or_insert_with(|| NEXT_PROMPT.into());
    }
    Ok(policy.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::policy::{Policy, Preset};

    /// A merged policy as the first edition wrote it: without the keys of the second.
    fn first_edition(sent: &Value) -> String {
        let mut merged = serde_json::to_value(Policy::parse(sent).unwrap()).unwrap();
        for (section, keys) in [
            ("", vec!["hours"]),
            ("/routing", vec!["take_back", "priority"]),
            ("/routing/offline", vec!["hand_over"]),
            ("/routing/queue", vec!["mode", "leave_grace", "next_prompt"]),
            ("/session", vec!["wrap_up", "late_reply", "lateness"]),
            ("/auto_reply", vec!["closed"]),
            ("/invite", vec!["quiet_after_opening"]),
            ("/service", vec!["daily"]),
            (
                "/service/reply",
                vec!["unit", "in_hours", "min_sample", "effective_bot"],
            ),
            ("/service/good_rate", vec!["human", "from", "to"]),
        ] {
            let section = merged.pointer_mut(section).unwrap();
            for key in keys {
                section.as_object_mut().unwrap().remove(key).expect(key);
            }
        }
        merged.to_string()
    }

    /// What form 1 has of a policy is the policy that the journal has, as it was sent.
    #[test]
    fn a_stored_policy_is_the_one_that_was_sent() {
        let presets = ["standard", "douyin", "taobao", "pinduoduo", "kuaishou"];
        let queues = [
            json!({}),
            json!({ "limit": 3, "busy_prompt": "busy" }),
            json!({ "prompt": "{ahead}" }),
            json!({ "prompt": "" }),
            json!({ "prompt": null }),
        ];
        for preset in presets {
            for queue in &queues {
                let sent = json!({
                    "preset": preset,
                    "routing": { "queue": queue, "groups": { "a": ["anna"] } },
                    "service": { "min_sample": 7 },
                });
                let stored = of_second_edition(&first_edition(&sent)).unwrap();
                let stored = serde_json::from_str(&stored).unwrap();
                let read = Policy::parse(&stored);
                assert_eq!(read, Policy::parse(&sent), "{sent}");
            }
        }
        for &preset in Preset::ALL {
            let prompts = Policy::preset(preset).routing.queue;
            assert_eq!(
                (prompts.prompt.as_str(), prompts.next_prompt.as_str()),
                (PROMPT, NEXT_PROMPT)
            );
        }
        assert!(of_second_edition("{").is_err());
    }
}
