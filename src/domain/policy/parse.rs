//! Parses a policy from JSON, or TOML in a file, and merges it with a preset.
//!
//! Objects are merged with the preset's key by key. Arrays, `groups`, `entries` and `order_status` replace the preset's
//! (contract, section 4).

use std::fmt;

use serde_json::Value;

use super::choice::Choice;
use super::preset::{Preset, json_of_toml};
use super::problem::PolicyError;
use super::reader::read_layers;
use super::table::Policy;

/// Why a policy file is invalid.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyFileError {
    /// The file is not TOML. The error has the line and the column.
    Toml(toml::de::Error),
    /// The file is TOML, but not a valid policy.
    Policy(PolicyError),
}

impl Policy {
    /// Parses a policy, a JSON object, and merges it with the preset that it names.
    ///
    /// # Errors
    ///
    /// All problems of the policy. If the preset is unknown, the rest is checked against the standard preset.
    pub fn parse(value: &Value) -> Result<Policy, PolicyError> {
        let named = value.get("preset").and_then(Value::as_str);
        let preset = named.and_then(Preset::of_word);
        let preset = preset.unwrap_or(Preset::Standard);
        let own = own_prompt(value);
        read_layers::<Policy>(&[own.as_ref().unwrap_or(value), preset.value()])
    }

    /// The policy that names this preset and nothing else.
    pub fn preset(preset: Preset) -> Policy {
        match Policy::parse(preset.value()) {
            Ok(policy) => policy,
            // The presets are part of the program, and a test parses all of them.
            Err(error) => panic!("the built-in preset {}: {error}", preset.word()),
        }
    }

    /// Parses a policy file: TOML with the same keys as the JSON form.
    pub fn from_toml(text: &str) -> Result<Policy, PolicyFileError> {
        let value = json_of_toml(text).map_err(PolicyFileError::Toml)?;
        Policy::parse(&value).map_err(PolicyFileError::Policy)
    }
}

/// The policy with an empty `next_prompt`, if it names its own `prompt` and no `next_prompt` (R6): the preset's would
/// speak in another voice.
fn own_prompt(value: &Value) -> Option<Value> {
    let given = |queue: &Value, key: &str| queue.get(key).is_some_and(|value| !value.is_null());
    let queue = value.get("routing")?.get("queue")?;
    if !given(queue, "prompt") || given(queue, "next_prompt") {
        return None;
    }
    let mut own = value.clone();
    own["routing"]["queue"]["next_prompt"] = Value::String(String::new());
    Some(own)
}

impl fmt::Display for PolicyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PolicyFileError::Toml(error) => error.fmt(f),
            PolicyFileError::Policy(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PolicyFileError {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::expect;
    use serde_json::json;

    use super::*;
    use crate::domain::base::id::Id;
    use crate::domain::base::ratio::Share;
    use crate::domain::base::time::Duration;
    use crate::domain::policy::{
        Entry, InviteAfter, MESSAGE_BYTES_MAX, Member, PROBLEMS_MAX, Strategy, Wording,
    };

    #[test]
    fn an_error_names_the_bad_key() {
        let long = "x".repeat(129);
        let longer = format!(r#"{{"routing":{{"groups":{{"{long}":[]}}}}}}"#);
        let long_path = format!("routing.groups.{long}");
        let days = (0..401).map(|n| format!(r#""20{:02}-01-{:02}":[]"#, n / 28, n % 28 + 1));
        let days: Vec<String> = days.collect();
        let many_days = format!(r#"{{"hours":{{"days":{{{}}}}}}}"#, days.join(","));
        #[rustfmt::skip]
        let rows = [
            ("[]", "policy"),
            ("1", "policy"),
            (r#"{"preset":"amazon"}"#, "preset"),
            (r#"{"preset":1}"#, "preset"),
            (r#"{"prset":"douyin"}"#, "prset"),
            (r#"{"timezone":"asia/shanghai"}"#, "timezone"),
            (r#"{"timezone":8}"#, "timezone"),
            (r#"{"buyer_space":""}"#, "buyer_space"),
            (r#"{"routing":[]}"#, "routing"),
            (r#"{"routing":{"strategy":"Random"}}"#, "routing.strategy"),
            (r#"{"routing":{"overflow":"true"}}"#, "routing.overflow"),
            (r#"{"routing":{"recent":{"windw":"1h"}}}"#, "routing.recent.windw"),
            (r#"{"routing":{"recent":{"window":"1 hour"}}}"#, "routing.recent.window"),
            (r#"{"routing":{"recent":{"window":3600}}}"#, "routing.recent.window"),
            (r#"{"routing":{"recent":{"window":"3651d"}}}"#, "routing.recent.window"),
            (r#"{"routing":{"groups":[]}}"#, "routing.groups"),
            (r#"{"routing":{"groups":{"":[]}}}"#, "routing.groups."),
            (r#"{"routing":{"groups":{"a\nb":[]}}}"#, "routing.groups.a\nb"),
            (&longer, &long_path),
            (r#"{"routing":{"groups":{"a":"anna"}}}"#, "routing.groups.a"),
            (r#"{"routing":{"groups":{"a":["group:b"],"b":[]}}}"#, "routing.groups.a"),
            (r#"{"routing":{"groups":{"a":[null]}}}"#, "routing.groups.a"),
            (r#"{"routing":{"groups":{"a":["role:"]}}}"#, "routing.groups.a"),
            (r#"{"routing":{"entries":{"a/b":{}}}}"#, "routing.entries.a/b"),
            (r#"{"routing":{"entries":{"live":["bo"]}}}"#, "routing.entries.live"),
            (r#"{"routing":{"entries":{"live":{"member":[]}}}}"#, "routing.entries.live.member"),
            (r#"{"routing":{"entries":{"live":{"members":["group:x"]}}}}"#, "routing.entries.live.members"),
            (r#"{"routing":{"entries":{"live":{"members":[""]}}}}"#, "routing.entries.live.members"),
            (r#"{"routing":{"entries":{"live":{"questions":{"几天发货":[1]}}}}}"#, "routing.entries.live.questions.几天发货"),
            (r#"{"routing":{"entries":{"live":{"questions":{"几天发货":["group:x"]}}}}}"#, "routing.entries.live.questions.几天发货"),
            (r#"{"routing":{"entries":{"live":{"questions":{"":[]}}}}}"#, "routing.entries.live.questions."),
            (r#"{"routing":{"order_status":{"unpaid":["group:"]}}}"#, "routing.order_status.unpaid"),
            (r#"{"routing":{"order_status":{"unpaid":["group:x"]},"groups":{"x":null}}}"#, "routing.order_status.unpaid"),
            (r#"{"routing":{"offline":{"members":["group:x"]}}}"#, "routing.offline.members"),
            (r#"{"routing":{"queue":{"limit":10.0}}}"#, "routing.queue.limit"),
            (r#"{"routing":{"queue":{"limit":1e1}}}"#, "routing.queue.limit"),
            (r#"{"routing":{"queue":{"limit":-1}}}"#, "routing.queue.limit"),
            (r#"{"routing":{"queue":{"limit":1000001}}}"#, "routing.queue.limit"),
            (r#"{"routing":{"queue":{"limit":4294967296}}}"#, "routing.queue.limit"),
            (r#"{"routing":{"queue":{"prompt":1}}}"#, "routing.queue.prompt"),
            (r#"{"session":{"on_agent_offline":"stay"}}"#, "session.on_agent_offline"),
            (r#"{"auto_reply":{"offline":{"enabled":true}}}"#, "auto_reply.offline.text"),
            (r#"{"auto_reply":{"queued":{"enabled":true,"text":""}}}"#, "auto_reply.queued.text"),
            (r#"{"auto_reply":{"que":{}}}"#, "auto_reply.que"),
            (r#"{"invite":{"auto_percent":26.431}}"#, "invite.auto_percent"),
            (r#"{"invite":{"auto_percent":100.01}}"#, "invite.auto_percent"),
            (r#"{"invite":{"auto_percent":"50"}}"#, "invite.auto_percent"),
            (r#"{"invite":{"after":["system"]}}"#, "invite.after"),
            (r#"{"invite":{"after":"timeout"}}"#, "invite.after"),
            (r#"{"invite":{"after":["agent",null]}}"#, "invite.after"),
            (r#"{"invite":{"suspended":{}}}"#, "invite.suspended"),
            (r#"{"invite":{"suspended":[null]}}"#, "invite.suspended"),
            (r#"{"invite":{"suspended":[{"from":"01-01T00:00"}]}}"#, "invite.suspended"),
            (r#"{"invite":{"suspended":[{"from":"01-01T00:00","to":null}]}}"#, "invite.suspended"),
            (r#"{"invite":{"suspended":[{"form":"01-01T00:00","to":"01-02T00:00"}]}}"#, "invite.suspended"),
            (r#"{"invite":{"suspended":[{"from":"01-01T00:00","to":"01-01T00:00"}]}}"#, "invite.suspended"),
            (r#"{"rating":{"card_valid":"0s"}}"#, "rating.card_valid"),
            (r#"{"rating":{"per":"bot"}}"#, "rating.per"),
            (r#"{"service":{"good_rate":0.8}}"#, "service.good_rate"),
            (r#"{"service":{"good_rate":{"min":0.80001}}}"#, "service.good_rate.min"),
            (r#"{"service":{"good_rate":{"min":1e-320}}}"#, "service.good_rate.min"),
            (r#"{"service":{"attitude":{"max":1.0001}}}"#, "service.attitude.max"),
            (r#"{"service":{"attitude":{"max":-0.0001}}}"#, "service.attitude.max"),
            (r#"{"service":{"reply":{"min_rate":1e300}}}"#, "service.reply.min_rate"),
            (r#"{"service":{"reply":{"within":"0s"}}}"#, "service.reply.within"),
            (r#"{"service":{"reply":{"from":"24:00"}}}"#, "service.reply.from"),
            (r#"{"service":{"reply":{"from":"8:00"}}}"#, "service.reply.from"),
            (r#"{"service":{"reply":{"from":"08:60"}}}"#, "service.reply.from"),
            (r#"{"service":{"reply":{"from":"08:00:00"}}}"#, "service.reply.from"),
            (r#"{"service":{"reply":{"to":"00:00"}}}"#, "service.reply.to"),
            (r#"{"service":{"reply":{"to":"24:01"}}}"#, "service.reply.to"),
            (r#"{"service":{"reply":{"from":"08:00","to":"08:00"}}}"#, "service.reply.to"),
            (r#"{"preset":"pinduoduo","service":{"reply":{"from":"23:00"}}}"#, "service.reply.to"),
            (r#"{"service":{"reply":{"min_sample":1.5}}}"#, "service.reply.min_sample"),
            (r#"{"service":{"reply":{"unit":"message"}}}"#, "service.reply.unit"),
            (r#"{"service":{"reply":{"in_hours":"yes"}}}"#, "service.reply.in_hours"),
            (r#"{"service":{"good_rate":{"from":"23:00","to":"08:00"}}}"#, "service.good_rate.to"),
            (r#"{"service":{"good_rate":{"human":0}}}"#, "service.good_rate.human"),
            (r#"{"service":{"daily":1}}"#, "service.daily"),
            (r#"{"hours":[]}"#, "hours"),
            (r#"{"hours":{"weeks":{}}}"#, "hours.weeks"),
            (r#"{"hours":{"week":[]}}"#, "hours.week"),
            (r#"{"hours":{"week":{"monday":[]}}}"#, "hours.week.monday"),
            (r#"{"hours":{"week":{"mon":"09:00-12:00"}}}"#, "hours.week.mon"),
            (r#"{"hours":{"week":{"mon":["9:00-12:00"]}}}"#, "hours.week.mon"),
            (r#"{"hours":{"week":{"mon":["09:00-09:00"]}}}"#, "hours.week.mon"),
            (r#"{"hours":{"week":{"mon":["12:00-09:00"]}}}"#, "hours.week.mon"),
            (r#"{"hours":{"week":{"mon":["09:00-24:01"]}}}"#, "hours.week.mon"),
            (r#"{"hours":{"week":{"mon":[null]}}}"#, "hours.week.mon"),
            (r#"{"hours":{"week":{"mon":["09:00-12:00","11:59-13:00"]}}}"#, "hours.week.mon"),
            (r#"{"hours":{"week":{"mon":["13:00-14:00","09:00-12:00"]}}}"#, "hours.week.mon"),
            (r#"{"hours":{"week":{"mon":["00:00-01:00","01:00-02:00","02:00-03:00","03:00-04:00","04:00-05:00","05:00-06:00","06:00-07:00","07:00-08:00","08:00-09:00"]}}}"#, "hours.week.mon"),
            (r#"{"hours":{"days":{"2026-02-29":[]}}}"#, "hours.days.2026-02-29"),
            (r#"{"hours":{"days":{"1999-12-31":[]}}}"#, "hours.days.1999-12-31"),
            (r#"{"hours":{"days":{"2026-1-1":[]}}}"#, "hours.days.2026-1-1"),
            (r#"{"hours":{"days":{"2026-10-01":["00:00-25:00"]}}}"#, "hours.days.2026-10-01"),
            (&many_days, "hours.days"),
            (r#"{"hours":{"outside":"closed"}}"#, "hours.outside"),
            (r#"{"hours":{"prompt":null,"outsid":1}}"#, "hours.outsid"),
            (r#"{"auto_reply":{"closed":{"enabled":true}}}"#, "auto_reply.closed.text"),
            (r#"{"routing":{"take_back":{"after":60}}}"#, "routing.take_back.after"),
            (r#"{"routing":{"take_back":{"each":"no"}}}"#, "routing.take_back.each"),
            (r#"{"routing":{"take_back":{"max":-1}}}"#, "routing.take_back.max"),
            (r#"{"routing":{"take_back":{"otherwise":"wait"}}}"#, "routing.take_back.otherwise"),
            (r#"{"routing":{"take_back":{"away_after":1000001}}}"#, "routing.take_back.away_after"),
            (r#"{"routing":{"take_back":{"presence":"away"}}}"#, "routing.take_back.presence"),
            (r#"{"routing":{"priority":{"age":"-1s"}}}"#, "routing.priority.age"),
            (r#"{"routing":{"queue":{"mode":"off"}}}"#, "routing.queue.mode"),
            (r#"{"routing":{"queue":{"leave_grace":"soon"}}}"#, "routing.queue.leave_grace"),
            (r#"{"routing":{"queue":{"next_prompt":7}}}"#, "routing.queue.next_prompt"),
            (r#"{"routing":{"offline":{"hand_over":"away"}}}"#, "routing.offline.hand_over"),
            (r#"{"session":{"wrap_up":30}}"#, "session.wrap_up"),
            (r#"{"session":{"late_reply":"3651d"}}"#, "session.late_reply"),
            (r#"{"session":{"lateness":""}}"#, "session.lateness"),
            (r#"{"invite":{"quiet_after_opening":1}}"#, "invite.quiet_after_opening"),
        ];
        for (policy, path) in rows {
            let error = Policy::parse(&serde_json::from_str(policy).unwrap()).unwrap_err();
            assert_eq!(error.problems()[0].path, path, "{policy}: {error}");
            assert!(error.to_string().starts_with(&format!("{path}: ")));
            let mut problems = error.problems().iter();
            assert!(
                problems.all(|problem| problem.path == path),
                "{policy}: {error}"
            );
        }
    }

    /// All problems of a policy, each as its path and the expected form in both languages.
    fn problems(policy: &Value) -> Vec<(String, String, String)> {
        let error = Policy::parse(policy).unwrap_err();
        let problems = error.problems().iter().cloned().map(|problem| {
            let Wording { english, chinese } = problem.expected;
            (problem.path, english, chinese)
        });
        problems.collect()
    }

    #[test]
    fn all_that_is_wrong_is_named_in_both_languages() {
        let policy = json!({
            "preset": "taobo",
            "routing": {
                "strategy": "randm",
                "groups": { "bad": ["role:"], "good": [] },
                "entries": { "live": { "members": ["group:bad", "group:none", 7], "memberz": [] } },
                "queue": { "limit": -1, "prompt": 1 },
            },
            "auto_reply": { "offline": { "enabled": true }, "queued": { "enabled": "yes", "text": "" } },
            "invite": { "suspended": [{ "from": "01-01T00:00" }, { "from": "01-01T00:00", "to": "01-01T00:00" }] },
            "service": { "reply": { "within": "0s", "from": "10:00", "to": "10:00" }, "good": 1 },
            "timezon": "Asia/Shanghai",
        });
        let found = problems(&policy);
        let found: Vec<String> = found
            .iter()
            .map(|(path, english, chinese)| format!("{path}: {english} / {chinese}\n"))
            .collect();
        expect![[r#"
            preset: must be one of standard, douyin, taobao, pinduoduo, kuaishou, kuaishou-2023 (perhaps "taobao" was meant) / 必须是 standard、douyin、taobao、pinduoduo、kuaishou、kuaishou-2023 之一（是否想写 "taobao"）
            routing.strategy: must be one of least_saturated, fewest_today, random (perhaps "random" was meant) / 必须是 least_saturated、fewest_today、random 之一（是否想写 "random"）
            routing.groups.bad: must hold agent ids, group:NAME and role:NAME, names of 1 to 128 bytes without control characters / 元素须为客服编号、group:组名或 role:角色，名称为 1 到 128 字节，且不含控制字符
            routing.entries.live.members: must name groups that routing.groups has, which has no "none" / 只能引用 routing.groups 中的组，其中没有 "none"
            routing.entries.live.members: must hold agent ids, group:NAME and role:NAME, names of 1 to 128 bytes without control characters / 元素须为客服编号、group:组名或 role:角色，名称为 1 到 128 字节，且不含控制字符
            routing.entries.live.memberz: "memberz" is no known key, perhaps "members" was meant / 没有 "memberz" 这个键，是否想写 "members"
            routing.queue.limit: must be a whole number from 0 to 1000000, without a fraction / 必须是 0 到 1000000 的整数，不带小数
            routing.queue.prompt: must be a string / 必须是字符串
            auto_reply.offline.text: must not be empty where the reply is enabled / 启用自动回复时不可为空
            auto_reply.queued.enabled: must be true or false / 必须是 true 或 false
            invite.suspended: must hold objects that have "to" / 其中每个对象必须有 "to"
            invite.suspended: must hold windows whose from and to differ / 时段的 from 和 to 不可相同
            service.reply.within: must be longer than 0s: a duration such as "3m", at most 3650 days / 必须大于 0s：时长，例如 "3m"，不超过 3650 天
            service.reply.to: must be later than service.reply.from / 必须晚于 service.reply.from
            service.good: "good" is no known key, there are reply, good_rate, attitude, min_sample, daily / 没有 "good" 这个键，可用的有 reply、good_rate、attitude、min_sample、daily
            timezon: "timezon" is no known key, perhaps "timezone" was meant / 没有 "timezon" 这个键，是否想写 "timezone"
        "#]].assert_eq(&found.concat());
    }

    #[test]
    fn what_cannot_be_judged_is_no_problem() {
        for (policy, path) in [
            // The groups are unknown.
            (
                json!({ "routing": { "groups": [], "offline": { "members": ["group:x"] } } }),
                "routing.groups",
            ),
            (
                json!({ "service": { "reply": { "from": "8:00", "to": "00:01" } } }),
                "service.reply.from",
            ),
            (
                json!({ "auto_reply": { "offline": { "enabled": true, "text": 1 } } }),
                "auto_reply.offline.text",
            ),
        ] {
            let found = problems(&policy);
            let paths: Vec<&str> = found.iter().map(|(path, ..)| path.as_str()).collect();
            assert_eq!(paths, [path], "{policy}");
        }
    }

    #[test]
    fn a_list_of_problems_is_bounded() {
        let keys = |count: usize, length: usize| {
            let keys = (0..count).map(|n| (format!("{n:0length$}"), json!(n)));
            Value::Object(keys.collect())
        };
        for (count, length, listed, cut) in [
            (PROBLEMS_MAX, 3, PROBLEMS_MAX, false),
            (PROBLEMS_MAX + 1, 3, PROBLEMS_MAX, true),
            (3, MESSAGE_BYTES_MAX, 3, true),
        ] {
            let error = Policy::parse(&keys(count, length)).unwrap_err();
            assert_eq!(error.problems().len(), listed);
            let message = error.to_string();
            assert_eq!(message.ends_with("; and more"), cut, "{message}");
            assert!(message.len() < 2 * MESSAGE_BYTES_MAX);
        }
        let lists = json!({ "routing": { "groups": { "a": vec![1; 100], "b": [1] } } });
        assert_eq!(problems(&lists).len(), 2);
    }

    #[test]
    fn a_policy_with_its_own_prompt_is_not_given_the_next_prompt_of_its_preset() {
        let preset = Policy::preset(Preset::Standard).routing.queue.next_prompt;
        for (queue, next_prompt) in [
            (json!({}), preset.as_str()),
            (json!({ "prompt": null }), &preset),
            (json!({ "busy_prompt": "b" }), &preset),
            (json!({ "prompt": "p" }), ""),
            (json!({ "prompt": "p", "next_prompt": null }), ""),
            (json!({ "prompt": "p", "next_prompt": "n" }), "n"),
            (json!({ "next_prompt": "n" }), "n"),
        ] {
            let policy = json!({ "preset": "taobao", "routing": { "queue": queue } });
            let read = Policy::parse(&policy).unwrap().routing.queue.next_prompt;
            assert_eq!(read, next_prompt, "{policy}");
        }
    }

    #[test]
    fn objects_merge_and_arrays_and_maps_replace() {
        let policy = Policy::parse(&json!({
            "preset": "taobao",
            "routing": { "recent": { "window": "1h" }, "strategy": null, "groups": null },
            "invite": { "suspended": [], "after": null, "auto_percent": 26.43 },
            "service": null,
            "session": {},
            "unknown": null,
        }));
        let mut wanted = Policy::preset(Preset::Taobao);
        wanted.routing.recent.window = Duration::from_ms(3_600_000);
        wanted.invite.suspended = Vec::new();
        wanted.invite.auto_per_myriad = 2643;
        assert_eq!(wanted.routing.strategy, Strategy::FewestToday);
        assert_eq!(policy, Ok(wanted));
    }

    #[test]
    fn null_in_a_map_is_left_out_and_so_is_an_empty_list() {
        let policy = Policy::parse(&json!({ "preset": null, "routing": {
            "groups": { "a": [], "b": null, "": null },
            "entries": { "live": { "questions": { "x": [], "y": ["bo"], "z": null }, "members": null }, "m": {}, "a/b": null },
            "order_status": { "unpaid": [], "shipped": ["group:a"] },
        } }))
        .unwrap();
        let keys =
            |map: &BTreeMap<Id, Vec<Member>>| map.keys().map(Id::to_string).collect::<Vec<_>>();
        assert_eq!(keys(&policy.routing.groups), ["a"]);
        assert_eq!(keys(&policy.routing.order_status), ["shipped"]);
        let entries: Vec<&str> = policy.routing.entries.keys().map(Id::as_str).collect();
        assert_eq!(entries, ["live", "m"]);
        assert_eq!(keys(&policy.routing.entries["live"].questions), ["y"]);
        assert_eq!(policy.routing.entries["m"], Entry::default());
    }

    #[test]
    fn the_ends_of_the_ranges_are_within() {
        let policy = Policy::parse(&json!({
            "routing": { "queue": { "limit": 0, "show_position_below": 1_000_000 } },
            "service": { "reply": { "from": "23:59", "min_rate": 1.0, "within": "1ms" }, "good_rate": { "min": -0.0 } },
            "invite": { "auto_percent": 0, "after": [] },
        }))
        .unwrap();
        assert_eq!(policy.routing.queue.limit, 0);
        assert_eq!(policy.routing.queue.show_position_below, 1_000_000);
        assert_eq!(
            (policy.service.reply.from_ms, policy.service.reply.to_ms),
            (86_340_000, 86_400_000)
        );
        assert_eq!(
            (policy.service.reply.min_rate, policy.service.good_rate.min),
            (Share::ONE, Share::ZERO)
        );
        assert_eq!(
            (policy.invite.auto_per_myriad, policy.invite.after),
            (0, InviteAfter::default())
        );
    }

    fn rendered(policy: &Value) -> Value {
        let policy = Policy::parse(policy).unwrap();
        let value = serde_json::to_value(&policy).unwrap();
        assert_eq!(Policy::parse(&value), Ok(policy.clone()));
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(
            Policy::parse(&serde_json::from_str(&text).unwrap()),
            Ok(policy)
        );
        value
    }

    #[test]
    fn the_example_of_the_contract_comes_back() {
        let example = json!({
            "preset": "douyin", "timezone": "Asia/Shanghai", "buyer_space": "douyin",
            "routing": {
                "strategy": "least_saturated",
                "recent": { "window": "48h", "over_capacity": false, "away_window": "0s", "otherwise": "continue" },
                "groups": { "presale": ["anna", "bo"] },
                "entries": {
                    "product_detail": { "questions": {}, "members": ["anna", "group:presale"] },
                    "live": { "questions": { "几天发货": ["bo"], "发什么快递": ["anna"] }, "members": ["bo"] },
                },
                "order_status": { "unpaid": ["group:presale"], "shipped": ["role:aftersale"] },
                "overflow": false, "when_scope_offline": "wait",
                "offline": { "mode": "wait", "members": [], "hand_over": "keep" },
                "queue": { "mode": "wait", "limit": 10000, "max_wait": "24h", "leave_grace": "0s",
                    "show_position_below": 20, "prompt": "前面还有{ahead}位，请稍候", "next_prompt": "您是下一位，请稍候",
                    "busy_prompt": "咨询人数较多，请耐心等待或稍后再来" },
                "take_back": { "after": "0s", "each": false, "max": 1, "otherwise": "stay", "away_after": 0 },
                "priority": { "age": "0s" },
            },
            "hours": {
                "week": { "mon": ["09:00-12:00", "13:00-24:00"] }, "days": { "2026-10-01": [] },
                "outside": "inform", "prompt": "",
            },
            "session": { "close_after_buyer_silence": "5m", "requires_agent_reply": true, "on_agent_offline": "keep",
                "wrap_up": "0s", "late_reply": "0s", "lateness": "10m" },
            "auto_reply": { "offline": { "enabled": false, "text": "…" }, "queued": { "enabled": true, "text": "…" },
                "closed": { "enabled": false, "text": "…" } },
            "invite": {
                "auto": true, "auto_percent": 100, "after": ["timeout", "agent", "buyer"],
                "agent_spoke_last": false, "longer_than": "0s", "bots": false,
                "suspended": [{ "from": "10-31T22:00", "to": "11-01T02:00" }],
                "auto_quiet": "24h", "auto_per_shop_day": 0, "shops_per_buyer_day": 0, "quiet_after_rating": "24h",
                "quiet_after_opening": false, "manual": true, "manual_quiet": "24h", "manual_needs_contact": true,
            },
            "rating": { "per": "agent", "window": "24h", "contact": "agent", "card_valid": "24h" },
            "service": {
                "reply": { "within": "3m", "remind_after": "1m 40s", "from": "08:00", "to": "23:00",
                    "min_rate": 0.5, "min_sample": 5, "count_bot": true, "effective_bot": true, "penalty_above": 100,
                    "unit": "buyer", "in_hours": false },
                "good_rate": { "min": 0.8, "human": true, "from": "08:00", "to": "23:00" },
                "attitude": { "max": 0.06 }, "min_sample": 20, "daily": false,
            },
        });
        assert_eq!(rendered(&example), example);
    }

    #[test]
    fn what_is_read_is_written() {
        for (key, value) in [
            (
                "/routing/groups",
                json!({ "presale": ["anna", "role:admin"], "none": [] }),
            ),
            (
                "/routing/entries",
                json!({ "live": { "questions": { "几天发货": ["bo"] }, "members": [] } }),
            ),
            (
                "/routing/order_status",
                json!({ "unpaid": ["group:presale", "role:group:x", "a:b"] }),
            ),
            ("/invite/after", json!(["agent", "buyer"])),
            ("/invite/after", json!([])),
            (
                "/invite/suspended",
                json!([{ "from": "12-31T22:00", "to": "01-01T02:05" }]),
            ),
            (
                "/invite/suspended",
                json!([{ "from": "02-29T00:00", "to": "02-29T23:59" }]),
            ),
            ("/service/reply/from", json!("23:59")),
            ("/service/reply/to", json!("00:01")),
            ("/routing/queue/max_wait", json!("87600h")),
            ("/routing/queue/max_wait", json!("1h 30m 1s 5ms")),
            ("/routing/queue/prompt", json!("\"{ahead}\"\n")),
            ("/timezone", json!("America/New_York")),
        ] {
            let groups = json!({ "presale": [] });
            let mut policy = json!({ "routing": { "groups": groups } });
            let (place, last) = key.rsplit_once('/').unwrap();
            let mut at = &mut policy;
            for step in place.split('/').skip(1) {
                at = at.as_object_mut().unwrap().entry(step).or_insert(json!({}));
            }
            at[last] = value.clone();
            assert_eq!(rendered(&policy).pointer(key), Some(&value), "{key}");
        }
    }

    #[test]
    fn every_share_and_every_percentage_is_exact() {
        for parts in 0..=10_000_u16 {
            let share = format!("{}.{:04}", parts / 10_000, parts % 10_000);
            let percent = format!("{}.{:02}", parts / 100, parts % 100);
            let text = format!(
                r#"{{"service":{{"reply":{{"min_rate":{share}}}}},"invite":{{"auto_percent":{percent}}}}}"#
            );
            let policy = Policy::parse(&serde_json::from_str(&text).unwrap()).unwrap();
            assert_eq!(policy.service.reply.min_rate, Share(parts), "{share}");
            assert_eq!(policy.invite.auto_per_myriad, parts, "{percent}");
            if parts % 7 == 0 {
                rendered(&serde_json::from_str(&text).unwrap());
            }
        }
    }
}
