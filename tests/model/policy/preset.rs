//! The presets: the table at the head of rules.md, each as its differences from `standard`.

use serde_json::{Map, Value, json};

pub const NAMES: [&str; 6] = [
    "standard",
    "douyin",
    "taobao",
    "pinduoduo",
    "kuaishou",
    "kuaishou-2023",
];

/// The whole policy of the preset of that name.
pub fn preset(name: &str) -> Map<String, Value> {
    let mut whole = object(standard());
    let changes = match name {
        "douyin" => douyin(),
        "taobao" => taobao(),
        "pinduoduo" => pinduoduo(),
        "kuaishou" | "kuaishou-2023" => kuaishou(),
        _ => json!({}),
    };
    whole.insert("preset".to_owned(), Value::from(name));
    whole.insert("buyer_space".to_owned(), Value::from(name));
    merge(&mut whole, &object(changes));
    if name == "kuaishou-2023" {
        merge(&mut whole, &object(kuaishou_since_2023()));
    }
    whole
}

/// Objects merge key by key; arrays and the maps named *map* replace.
pub fn merge(onto: &mut Map<String, Value>, from: &Map<String, Value>) {
    const MAPS: [&str; 5] = ["groups", "entries", "order_status", "week", "days"];
    for (key, value) in from {
        match (onto.get_mut(key), value) {
            (Some(Value::Object(old)), Value::Object(new)) if !MAPS.contains(&key.as_str()) => {
                merge(old, new);
            }
            _ => {
                onto.insert(key.clone(), value.clone());
            }
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("presets are objects")
}

fn standard() -> Value {
    json!({
        "preset": "standard",
        "timezone": "Asia/Shanghai",
        "buyer_space": "standard",
        "routing": {
            "strategy": "least_saturated",
            "recent": { "window": "72h", "over_capacity": false, "away_window": "0s", "otherwise": "continue" },
            "groups": {},
            "entries": {},
            "order_status": {},
            "overflow": true,
            "when_scope_offline": "any_online",
            "offline": { "mode": "wait", "members": [], "hand_over": "keep" },
            "queue": {
                "mode": "wait", "limit": 10000, "max_wait": "24h", "leave_grace": "0s", "show_position_below": 20,
                "prompt": "前面还有{ahead}位，请稍候",
                "next_prompt": "您是下一位，请稍候",
                "busy_prompt": "咨询人数较多，请耐心等待或稍后再来"
            },
            "take_back": { "after": "0s", "each": false, "max": 1, "otherwise": "stay", "away_after": 0 },
            "priority": { "age": "0s" }
        },
        "hours": { "week": {}, "days": {}, "outside": "inform", "prompt": "" },
        "session": {
            "close_after_buyer_silence": "10m", "requires_agent_reply": true, "on_agent_offline": "reroute",
            "wrap_up": "0s", "late_reply": "0s", "lateness": "10m"
        },
        "auto_reply": {
            "offline": { "enabled": false, "text": "" },
            "queued": { "enabled": false, "text": "" },
            "closed": { "enabled": false, "text": "" }
        },
        "invite": {
            "auto": true, "auto_percent": 100, "after": ["timeout", "agent", "buyer"],
            "agent_spoke_last": false, "longer_than": "0s", "bots": false, "suspended": [],
            "auto_quiet": "24h", "auto_per_shop_day": 0, "shops_per_buyer_day": 2,
            "quiet_after_rating": "24h", "quiet_after_opening": true,
            "manual": true, "manual_quiet": "24h", "manual_needs_contact": true
        },
        "rating": { "per": "agent", "window": "24h", "contact": "agent", "card_valid": "24h" },
        "service": {
            "reply": {
                "within": "3m", "remind_after": "100s", "from": "00:00", "to": "24:00",
                "min_rate": 0, "count_bot": false, "effective_bot": false, "penalty_above": 0,
                "unit": "buyer", "in_hours": false
            },
            "good_rate": { "min": 0, "human": false, "from": "00:00", "to": "24:00" },
            "attitude": { "max": 1 }, "min_sample": 20, "daily": false
        }
    })
}

fn douyin() -> Value {
    json!({
        "routing": { "recent": { "window": "48h" }, "overflow": false, "when_scope_offline": "wait" },
        "session": { "close_after_buyer_silence": "5m", "on_agent_offline": "keep" },
        "invite": { "auto_percent": 50, "shops_per_buyer_day": 0, "manual": false, "quiet_after_opening": false },
        "rating": { "per": "shop", "contact": "shop" }
    })
}

fn taobao() -> Value {
    json!({
        "routing": {
            "strategy": "fewest_today",
            "recent": { "over_capacity": true, "away_window": "24h" },
            "overflow": false,
            "offline": { "mode": "rota" }
        },
        "session": {
            "close_after_buyer_silence": "5m", "requires_agent_reply": false, "on_agent_offline": "close"
        },
        "invite": {
            "after": ["timeout"], "agent_spoke_last": true, "longer_than": "9m",
            "suspended": [
                { "from": "10-31T22:00", "to": "11-01T02:00" },
                { "from": "11-03T22:00", "to": "11-04T02:00" },
                { "from": "11-10T22:00", "to": "11-11T02:00" },
                { "from": "11-11T22:00", "to": "11-12T02:00" }
            ],
            "auto_quiet": "0s", "auto_per_shop_day": 1, "quiet_after_opening": false
        }
    })
}

fn pinduoduo() -> Value {
    json!({
        "routing": {
            "strategy": "fewest_today",
            "recent": { "window": "720h", "over_capacity": true, "otherwise": "random_online" },
            "overflow": false,
            "offline": { "mode": "rota" }
        },
        "session": { "close_after_buyer_silence": "30m", "on_agent_offline": "keep" },
        "invite": { "auto": false, "shops_per_buyer_day": 0, "manual": false },
        "rating": { "per": "shop", "contact": "shop" },
        "service": {
            "reply": {
                "from": "08:00", "to": "23:00", "min_rate": 0.5, "min_sample": 5, "count_bot": true,
                "effective_bot": true, "penalty_above": 100
            },
            "daily": true
        }
    })
}

fn kuaishou() -> Value {
    json!({
        "routing": {
            "strategy": "fewest_today",
            "recent": { "over_capacity": true, "otherwise": "random_if_ungrouped" },
            "overflow": false,
            "offline": { "mode": "rota" }
        },
        "session": { "on_agent_offline": "keep" },
        "invite": { "shops_per_buyer_day": 0 },
        "service": { "good_rate": { "min": 0.8 }, "attitude": { "max": 0.06 } }
    })
}

/// What differs from `kuaishou`.
fn kuaishou_since_2023() -> Value {
    json!({
        "buyer_space": "kuaishou",
        "session": { "on_agent_offline": "close" },
        "service": {
            "reply": { "from": "08:00", "to": "23:00", "min_rate": 0.7 },
            "good_rate": { "human": true, "from": "08:00", "to": "23:00" }
        }
    })
}
