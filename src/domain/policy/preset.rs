//! Presets: policies that match the platforms, as files that are part of the program.
//!
//! `data/presets/standard.toml` is generated from the table of keys and has all of them. The others are written by hand
//! and have only the keys that differ (rules, *Presets*). A new preset needs a file and a row here.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::choice::choices;

/// Generates the presets. The file of each has the preset's name.
macro_rules! presets {
    ($($(#[$doc:meta])* $preset:ident = $name:literal,)+) => {
        choices! {
            /// The preset that provides the keys which a policy omits.
            Preset { $($(#[$doc])* $preset = $name,)+ }
        }

        impl Preset {
            /// The text of the preset's file.
            pub fn file(self) -> &'static str {
                match self {
                    $(Preset::$preset => {
                        include_str!(concat!("../../../data/presets/", $name, ".toml"))
                    })+
                }
            }
        }
    };
}

presets! {
    /// The default preset.
    Standard = "standard",
    /// Douyin 飞鸽.
    Douyin = "douyin",
    /// Taobao 千牛.
    Taobao = "taobao",
    /// Pinduoduo 拼多多.
    Pinduoduo = "pinduoduo",
    /// Kuaishou 快手.
    Kuaishou = "kuaishou",
    /// Kuaishou 快手, as several reports describe it since 2023.
    Kuaishou2023 = "kuaishou-2023",
}

impl Preset {
    /// The preset's file as JSON, parsed once per process. An invalid file is a bug; a test parses all of them.
    pub fn value(self) -> &'static Value {
        static VALUES: [OnceLock<Value>; Preset::ALL.len()] =
            [const { OnceLock::new() }; Preset::ALL.len()];
        VALUES[self as usize].get_or_init(|| match json_of_toml(self.file()) {
            Ok(value) => value,
            Err(error) => panic!("the built-in preset {}: {error}", self.word()),
        })
    }
}

/// Converts TOML to JSON.
pub fn json_of_toml(text: &str) -> Result<Value, toml::de::Error> {
    let table: toml::Table = toml::from_str(text)?;
    Ok(json_of_table(table))
}

fn json_of_table(table: toml::Table) -> Value {
    let entries = table.into_iter().map(|(key, value)| (key, json(value)));
    Value::Object(entries.collect::<Map<String, Value>>())
}

/// A value without a JSON form, such as `nan`, becomes a string, which no numeric key accepts.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) if number.is_finite() => Value::from(number),
        toml::Value::Float(number) => Value::String(number.to_string()),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(stamp) => Value::String(stamp.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Table(table) => json_of_table(table),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::policy::Policy;
    use crate::domain::policy::choice::Choice;

    #[test]
    fn names_are_those_of_the_contract() {
        let names: Vec<&str> = Preset::ALL.iter().map(|preset| preset.word()).collect();
        let wanted = [
            "standard",
            "douyin",
            "taobao",
            "pinduoduo",
            "kuaishou",
            "kuaishou-2023",
        ];
        assert_eq!(names, wanted);
        for &preset in Preset::ALL {
            assert_eq!(Preset::of_word(preset.word()), Some(preset));
        }
        assert_eq!(Preset::of_word("Douyin"), None);
    }

    /// The table of the rules, row by row: the presets in the order of `Preset::ALL`.
    #[test]
    fn values_are_those_of_the_rules() {
        let same = |value: Value| json!([value, value, value, value, value, value]);
        let all = json!(["timeout", "agent", "buyer"]);
        let eleven = json!([
            { "from": "10-31T22:00", "to": "11-01T02:00" },
            { "from": "11-03T22:00", "to": "11-04T02:00" },
            { "from": "11-10T22:00", "to": "11-11T02:00" },
            { "from": "11-11T22:00", "to": "11-12T02:00" },
        ]);
        #[rustfmt::skip]
        let rows = [
            ("preset", json!(["standard", "douyin", "taobao", "pinduoduo", "kuaishou", "kuaishou-2023"])),
            ("timezone", same(json!("Asia/Shanghai"))),
            ("buyer_space", json!(["standard", "douyin", "taobao", "pinduoduo", "kuaishou", "kuaishou"])),
            ("routing/strategy", json!(["least_saturated", "least_saturated", "fewest_today", "fewest_today", "fewest_today", "fewest_today"])),
            ("routing/recent/window", json!(["72h", "48h", "72h", "720h", "72h", "72h"])),
            ("routing/recent/over_capacity", json!([false, false, true, true, true, true])),
            ("routing/recent/away_window", json!(["0s", "0s", "24h", "0s", "0s", "0s"])),
            ("routing/recent/otherwise", json!(["continue", "continue", "continue", "random_online", "random_if_ungrouped", "random_if_ungrouped"])),
            ("routing/groups", same(json!({}))),
            ("routing/entries", same(json!({}))),
            ("routing/order_status", same(json!({}))),
            ("routing/overflow", json!([true, false, false, false, false, false])),
            ("routing/when_scope_offline", json!(["any_online", "wait", "any_online", "any_online", "any_online", "any_online"])),
            ("routing/offline/mode", json!(["wait", "wait", "rota", "rota", "rota", "rota"])),
            ("routing/offline/members", same(json!([]))),
            ("routing/offline/hand_over", same(json!("keep"))),
            ("routing/queue/mode", same(json!("wait"))),
            ("routing/queue/limit", same(json!(10_000))),
            ("routing/queue/max_wait", same(json!("24h"))),
            ("routing/queue/leave_grace", same(json!("0s"))),
            ("routing/queue/show_position_below", same(json!(20))),
            ("routing/queue/prompt", same(json!("前面还有{ahead}位，请稍候"))),
            ("routing/queue/next_prompt", same(json!("您是下一位，请稍候"))),
            ("routing/queue/busy_prompt", same(json!("咨询人数较多，请耐心等待或稍后再来"))),
            ("routing/take_back/after", same(json!("0s"))),
            ("routing/take_back/each", same(json!(false))),
            ("routing/take_back/max", same(json!(1))),
            ("routing/take_back/otherwise", same(json!("stay"))),
            ("routing/take_back/away_after", same(json!(0))),
            ("routing/priority/age", same(json!("0s"))),
            ("hours/week", same(json!({}))),
            ("hours/days", same(json!({}))),
            ("hours/outside", same(json!("inform"))),
            ("hours/prompt", same(json!(""))),
            ("session/close_after_buyer_silence", json!(["10m", "5m", "5m", "30m", "10m", "10m"])),
            ("session/requires_agent_reply", json!([true, true, false, true, true, true])),
            ("session/on_agent_offline", json!(["reroute", "keep", "close", "keep", "keep", "close"])),
            ("session/wrap_up", same(json!("0s"))),
            ("session/late_reply", same(json!("0s"))),
            ("session/lateness", same(json!("10m"))),
            ("auto_reply/offline/enabled", same(json!(false))),
            ("auto_reply/offline/text", same(json!(""))),
            ("auto_reply/queued/enabled", same(json!(false))),
            ("auto_reply/queued/text", same(json!(""))),
            ("auto_reply/closed/enabled", same(json!(false))),
            ("auto_reply/closed/text", same(json!(""))),
            ("invite/auto", json!([true, true, true, false, true, true])),
            ("invite/auto_percent", json!([100, 50, 100, 100, 100, 100])),
            ("invite/after", json!([all, all, ["timeout"], all, all, all])),
            ("invite/agent_spoke_last", json!([false, false, true, false, false, false])),
            ("invite/longer_than", json!(["0s", "0s", "9m", "0s", "0s", "0s"])),
            ("invite/bots", same(json!(false))),
            ("invite/suspended", json!([[], [], eleven, [], [], []])),
            ("invite/auto_quiet", json!(["24h", "24h", "0s", "24h", "24h", "24h"])),
            ("invite/auto_per_shop_day", json!([0, 0, 1, 0, 0, 0])),
            ("invite/shops_per_buyer_day", json!([2, 0, 2, 0, 0, 0])),
            ("invite/quiet_after_rating", same(json!("24h"))),
            ("invite/quiet_after_opening", json!([true, false, false, true, true, true])),
            ("invite/manual", json!([true, false, true, false, true, true])),
            ("invite/manual_quiet", same(json!("24h"))),
            ("invite/manual_needs_contact", same(json!(true))),
            ("rating/per", json!(["agent", "shop", "agent", "shop", "agent", "agent"])),
            ("rating/window", same(json!("24h"))),
            ("rating/contact", json!(["agent", "shop", "agent", "shop", "agent", "agent"])),
            ("rating/card_valid", same(json!("24h"))),
            ("service/reply/within", same(json!("3m"))),
            ("service/reply/remind_after", same(json!("1m 40s"))),
            ("service/reply/from", json!(["00:00", "00:00", "00:00", "08:00", "00:00", "08:00"])),
            ("service/reply/to", json!(["24:00", "24:00", "24:00", "23:00", "24:00", "23:00"])),
            ("service/reply/min_rate", json!([0, 0, 0, 0.5, 0, 0.7])),
            ("service/reply/min_sample", json!([null, null, null, 5, null, null])),
            ("service/reply/unit", same(json!("buyer"))),
            ("service/reply/in_hours", same(json!(false))),
            ("service/reply/count_bot", json!([false, false, false, true, false, false])),
            ("service/reply/effective_bot", json!([false, false, false, true, false, false])),
            ("service/reply/penalty_above", json!([0, 0, 0, 100, 0, 0])),
            ("service/good_rate/min", json!([0, 0, 0, 0, 0.8, 0.8])),
            ("service/good_rate/human", json!([false, false, false, false, false, true])),
            ("service/good_rate/from", json!(["00:00", "00:00", "00:00", "00:00", "00:00", "08:00"])),
            ("service/good_rate/to", json!(["24:00", "24:00", "24:00", "24:00", "24:00", "23:00"])),
            ("service/attitude/max", json!([1, 1, 1, 1, 0.06, 0.06])),
            ("service/min_sample", same(json!(20))),
            ("service/daily", json!([false, false, false, true, false, false])),
        ];
        for (at, preset) in Preset::ALL.iter().copied().enumerate() {
            let policy = serde_json::to_value(Policy::preset(preset)).unwrap();
            let name = preset.word();
            for (key, values) in &rows {
                let value = policy.pointer(&format!("/{key}"));
                assert_eq!(value, values.get(at), "{name}: {key}");
            }
            assert_eq!(
                leaves(&policy).len(),
                rows.len(),
                "{name}: a key has no row"
            );
        }
    }

    /// The paths of all values. Maps are empty in a preset, and arrays count as values.
    fn leaves(value: &Value) -> Vec<(String, &Value)> {
        let Some(object) = value.as_object().filter(|object| !object.is_empty()) else {
            return vec![(String::new(), value)];
        };
        let below = |(key, value)| {
            let paths = leaves(value).into_iter();
            paths.map(move |(path, leaf)| (format!("/{key}{path}"), leaf))
        };
        object.iter().flat_map(below).collect()
    }

    #[test]
    fn standard_holds_every_key_and_the_others_what_differs() {
        let standard = Preset::Standard.value();
        // TOML has no null: a key without a value in the preset is a comment in its file.
        let paths = |value| {
            let known = leaves(value)
                .into_iter()
                .filter(|(_, leaf)| !leaf.is_null());
            known.map(|(path, _)| path)
        };
        let rendered = serde_json::to_value(Policy::preset(Preset::Standard)).unwrap();
        assert!(paths(standard).eq(paths(&rendered)));
        for preset in &Preset::ALL[1..] {
            for (path, leaf) in leaves(preset.value()) {
                let default = standard.pointer(&path);
                assert_ne!(default, Some(leaf), "{}: {path}", preset.word());
            }
        }
    }

    #[test]
    fn a_preset_file_is_a_policy_file() {
        for &preset in Preset::ALL {
            let policy = Policy::preset(preset);
            assert_eq!(policy.preset, preset);
            assert_eq!(Policy::from_toml(preset.file()), Ok(policy.clone()));
            let named = json!({ "preset": preset.word() });
            assert_eq!(Policy::parse(&named), Ok(policy));
        }
        assert_eq!(Policy::from_toml(""), Ok(Policy::preset(Preset::Standard)));
    }

    #[test]
    fn a_policy_file_is_refused_with_the_place() {
        for (text, begin) in [
            ("routing = ", "TOML parse error at line 1, column"),
            (
                "invite.auto = true\ninvite.auto = false",
                "TOML parse error at line 2",
            ),
            ("routing.recent.windw = '1h'", "routing.recent.windw: "),
            ("routing.queue.limit = 10.0", "routing.queue.limit: "),
            ("invite.auto_percent = nan", "invite.auto_percent: "),
            ("service.attitude.max = -inf", "service.attitude.max: "),
            ("timezone = 2026-11-11", "timezone: "),
        ] {
            let message = Policy::from_toml(text).unwrap_err().to_string();
            assert!(message.starts_with(begin), "{text}: {message}");
        }
    }
}
