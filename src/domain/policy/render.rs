//! A policy written back in the wire form, whole and merged: what is read from it is the same policy.
//!
//! Here too is the one list of words for every choice, which the parser reads and this room writes.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{
    AutoReplies, AutoReply, Entry, InviteAfter, InvitePolicy, Member, Offline, OfflineMode,
    OnAgentOffline, Policy, Preset, QueuePolicy, RatingPolicy, Recent, RecentOtherwise,
    ReplyPolicy, Routing, ServicePolicy, SessionPolicy, Strategy, Suspension, WhenScopeOffline,
    Whom,
};
use crate::domain::base::calendar::LocalTime;
use crate::domain::base::ratio::Share;

/// A choice of few, each written as one word.
pub(super) trait Word: Copy + 'static {
    /// Every choice.
    const CHOICES: &'static [Self];

    /// The word for this one.
    fn word(self) -> &'static str;
}

/// Gives a type its words, and writes it as one.
macro_rules! words {
    ($choice:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl Word for $choice {
            const CHOICES: &'static [$choice] = &[$($choice::$variant),+];

            fn word(self) -> &'static str {
                match self {
                    $($choice::$variant => $word),+
                }
            }
        }

        impl Serialize for $choice {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }
    };
}

words!(Preset {
    Standard = "standard",
    Douyin = "douyin",
    Taobao = "taobao",
    Pinduoduo = "pinduoduo",
    Kuaishou = "kuaishou",
});
words!(Strategy {
    LeastSaturated = "least_saturated",
    FewestToday = "fewest_today",
    Random = "random",
});
words!(RecentOtherwise {
    Continue = "continue",
    RandomOnline = "random_online",
    RandomIfUngrouped = "random_if_ungrouped",
});
words!(WhenScopeOffline { Wait = "wait", AnyOnline = "any_online" });
words!(OfflineMode { Wait = "wait", Rota = "rota" });
words!(OnAgentOffline { Keep = "keep", Close = "close", Reroute = "reroute" });
words!(Whom { Agent = "agent", Shop = "shop" });

/// Writes a type as an object of these keys.
macro_rules! object {
    ($type:ident, $it:ident => { $($key:literal: $value:expr),+ $(,)? }) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $it = self;
                let mut object = serializer.serialize_map(None)?;
                $(object.serialize_entry($key, &$value)?;)+
                object.end()
            }
        }
    };
}

object!(Policy, it => {
    "preset": it.preset,
    "timezone": it.timezone,
    "buyer_space": it.buyer_space,
    "routing": it.routing,
    "session": it.session,
    "auto_reply": it.auto_reply,
    "invite": it.invite,
    "rating": it.rating,
    "service": it.service,
});

object!(Routing, it => {
    "strategy": it.strategy,
    "recent": it.recent,
    "groups": it.groups,
    "entries": it.entries,
    "order_status": it.order_status,
    "overflow": it.overflow,
    "when_scope_offline": it.when_scope_offline,
    "offline": it.offline,
    "queue": it.queue,
});

object!(Recent, it => {
    "window": it.window,
    "over_capacity": it.over_capacity,
    "away_window": it.away_window,
    "otherwise": it.otherwise,
});

object!(Entry, it => { "questions": it.questions, "members": it.members });

object!(Offline, it => { "mode": it.mode, "members": it.members });

object!(QueuePolicy, it => {
    "limit": it.limit,
    "max_wait": it.max_wait,
    "show_position_below": it.show_position_below,
    "prompt": it.prompt,
    "busy_prompt": it.busy_prompt,
});

object!(SessionPolicy, it => {
    "close_after_buyer_silence": it.close_after_buyer_silence,
    "requires_agent_reply": it.requires_agent_reply,
    "on_agent_offline": it.on_agent_offline,
});

object!(AutoReplies, it => { "offline": it.offline, "queued": it.queued });

object!(AutoReply, it => { "enabled": it.enabled, "text": it.text });

object!(InvitePolicy, it => {
    "auto": it.auto,
    "auto_percent": Decimal { parts: it.auto_per_myriad, of_one: 100 },
    "after": it.after,
    "agent_spoke_last": it.agent_spoke_last,
    "longer_than": it.longer_than,
    "bots": it.bots,
    "suspended": it.suspended,
    "auto_quiet": it.auto_quiet,
    "auto_per_shop_day": it.auto_per_shop_day,
    "shops_per_buyer_day": it.shops_per_buyer_day,
    "quiet_after_rating": it.quiet_after_rating,
    "manual": it.manual,
    "manual_quiet": it.manual_quiet,
    "manual_needs_contact": it.manual_needs_contact,
});

object!(Suspension, it => { "from": yearly(it.from), "to": yearly(it.to) });

object!(RatingPolicy, it => {
    "per": it.per,
    "window": it.window,
    "contact": it.contact,
    "card_valid": it.card_valid,
});

object!(ServicePolicy, it => {
    "reply": it.reply,
    "good_rate": BTreeMap::from([("min", it.good_rate_min)]),
    "attitude": BTreeMap::from([("max", it.attitude_max)]),
    "min_sample": it.min_sample,
});

object!(ReplyPolicy, it => {
    "within": it.within,
    "remind_after": it.remind_after,
    "from": clock(it.from_ms),
    "to": clock(it.to_ms),
    "min_rate": it.min_rate,
    "count_bot": it.count_bot,
    "penalty_above": it.penalty_above,
});

impl Serialize for Member {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Member::Agent(agent) => agent.serialize(serializer),
            Member::Group(group) => serializer.collect_str(&format_args!("group:{group}")),
            Member::Role(role) => serializer.collect_str(&format_args!("role:{role}")),
        }
    }
}

impl Serialize for InviteAfter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let reasons = [
            (self.timeout, "timeout"),
            (self.agent, "agent"),
            (self.buyer, "buyer"),
        ];
        serializer.collect_seq(reasons.iter().filter(|(on, _)| *on).map(|(_, word)| word))
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Share(parts) = *self;
        Decimal {
            parts,
            of_one: Share::ONE.0,
        }
        .serialize(serializer)
    }
}

/// A number in parts of one. The quotient is the float nearest to it, whose shortest form is the decimal.
struct Decimal {
    parts: u16,
    of_one: u16,
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.parts.is_multiple_of(self.of_one) {
            serializer.serialize_u16(self.parts / self.of_one)
        } else {
            serializer.serialize_f64(f64::from(self.parts) / f64::from(self.of_one))
        }
    }
}

/// `HH:MM`; 24:00 is the end of a day.
fn clock(of_day_ms: u32) -> String {
    let minutes = of_day_ms / 60_000;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `MM-DDTHH:MM`, of every year.
fn yearly(at: LocalTime) -> String {
    format!("{:02}-{:02}T{}", at.month, at.day, clock(at.of_day_ms))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

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
                "offline": { "mode": "wait", "members": [] },
                "queue": { "limit": 10000, "max_wait": "24h", "show_position_below": 20,
                    "prompt": "前面还有{ahead}位，请稍候", "busy_prompt": "咨询人数较多，请耐心等待或稍后再来" },
            },
            "session": { "close_after_buyer_silence": "5m", "requires_agent_reply": true, "on_agent_offline": "keep" },
            "auto_reply": { "offline": { "enabled": false, "text": "…" }, "queued": { "enabled": true, "text": "…" } },
            "invite": {
                "auto": true, "auto_percent": 100, "after": ["timeout", "agent", "buyer"],
                "agent_spoke_last": false, "longer_than": "0s", "bots": false,
                "suspended": [{ "from": "10-31T22:00", "to": "11-01T02:00" }],
                "auto_quiet": "24h", "auto_per_shop_day": 0, "shops_per_buyer_day": 0, "quiet_after_rating": "24h",
                "manual": true, "manual_quiet": "24h", "manual_needs_contact": true,
            },
            "rating": { "per": "agent", "window": "24h", "contact": "agent", "card_valid": "24h" },
            "service": {
                "reply": { "within": "3m", "remind_after": "1m 40s", "from": "08:00", "to": "23:00",
                    "min_rate": 0.5, "count_bot": true, "penalty_above": 100 },
                "good_rate": { "min": 0.8 }, "attitude": { "max": 0.06 }, "min_sample": 20,
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
        for (parts, text) in [
            (5000, "0.5"),
            (0, "0"),
            (10_000, "1"),
            (1, "0.0001"),
            (1250, "0.125"),
        ] {
            assert_eq!(serde_json::to_string(&Share(parts)).unwrap(), text);
        }
        let percent = Decimal {
            parts: 2643,
            of_one: 100,
        };
        assert_eq!(serde_json::to_string(&percent).unwrap(), "26.43");
    }
}
