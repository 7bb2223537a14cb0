//! The keys of a policy, read from the wire form laid over a preset; what is wrong is named by its path.
//!
//! Objects merge key by key onto the preset's; arrays, `groups`, `entries` and `order_status` replace the
//! preset's (contract, section 4).

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::reader::{
    Object, Read, Spot, count, duration, flag, name, percent, root, share, some_duration, text,
    word, zone,
};
use super::{
    AutoReplies, AutoReply, Entry, InviteAfter, InvitePolicy, Member, Offline, Policy, Preset,
    QueuePolicy, RatingPolicy, Recent, ReplyPolicy, Routing, ServicePolicy, SessionPolicy,
    Suspension,
};
use crate::domain::base::calendar::LocalTime;
use crate::domain::base::id::Id;
use crate::domain::base::time::days_in_month;

/// Why a policy is refused (`policy_invalid`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The bad key: the keys that lead to it joined by dots, names in maps included, ending at an array's.
    pub path: String,
    /// What would be right, as a part of an English sentence.
    pub expected: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.expected)
    }
}

impl std::error::Error for PolicyError {}

impl Policy {
    /// Reads the wire form of a policy, a JSON object, laid over the preset that it names.
    pub fn parse(value: &Value) -> Result<Policy, PolicyError> {
        let named = value.get("preset").filter(|value| !value.is_null());
        let preset = match named {
            Some(value) => word::<Preset>(Spot::top("preset", value))?,
            None => Preset::Standard,
        };
        root(&[&[value], preset.layers()].concat(), policy)
    }
}

fn policy(at: &mut Object<'_>) -> Read<Policy> {
    Ok(Policy {
        preset: at.read("preset", word)?,
        timezone: at.read("timezone", zone)?,
        buyer_space: at.read("buyer_space", name)?,
        routing: at.object("routing", routing)?,
        session: at.object("session", session)?,
        auto_reply: at.object("auto_reply", auto_replies)?,
        invite: at.object("invite", invite)?,
        rating: at.object("rating", rating)?,
        service: at.object("service", service)?,
    })
}

fn routing(at: &mut Object<'_>) -> Read<Routing> {
    let groups = at.read("groups", |spot| spot.map(group))?;
    let scope = |spot: Spot<'_>| members(spot, &groups);
    Ok(Routing {
        strategy: at.read("strategy", word)?,
        recent: at.object("recent", recent)?,
        entries: at.read("entries", |spot| spot.map(|spot| entry(spot, &groups)))?,
        order_status: at
            .read("order_status", |spot| spot.map(scope))
            .map(without_empty)?,
        overflow: at.read("overflow", flag)?,
        when_scope_offline: at.read("when_scope_offline", word)?,
        offline: at.object("offline", |at| {
            Ok(Offline {
                mode: at.read("mode", word)?,
                members: at.read("members", scope)?,
            })
        })?,
        queue: at.object("queue", queue)?,
        groups,
    })
}

fn recent(at: &mut Object<'_>) -> Read<Recent> {
    Ok(Recent {
        window: at.read("window", duration)?,
        over_capacity: at.read("over_capacity", flag)?,
        away_window: at.read("away_window", duration)?,
        otherwise: at.read("otherwise", word)?,
    })
}

type Groups = BTreeMap<Id, Vec<Member>>;

fn group(spot: Spot<'_>) -> Read<Vec<Member>> {
    const BE: &str = "be an array of agent ids and role:NAME";
    spot.list(BE, |spot| match member(spot)? {
        Member::Group(_) => Err(spot.must("hold agents and roles, no groups")),
        single @ (Member::Agent(_) | Member::Role(_)) => Ok(single),
    })
}

fn entry(spot: Spot<'_>, groups: &Groups) -> Read<Entry> {
    if spot.key().contains('/') {
        return Err(spot.must("have a name without /"));
    }
    let scope = |spot: Spot<'_>| members(spot, groups);
    spot.object(|at| {
        let questions = at.read_if("questions", |spot| spot.map(scope))?;
        Ok(Entry {
            questions: without_empty(questions.unwrap_or_default()),
            members: at.read_if("members", scope)?.unwrap_or_default(),
        })
    })
}

/// An empty question or status list is as if it were not there.
fn without_empty(mut lists: Groups) -> Groups {
    lists.retain(|_, members| !members.is_empty());
    lists
}

fn members(spot: Spot<'_>, groups: &Groups) -> Read<Vec<Member>> {
    const BE: &str = "be an array of agent ids, group:NAME and role:NAME";
    spot.list(BE, |spot| match member(spot)? {
        Member::Group(group) if !groups.contains_key(&group) => Err(spot.must(&format!(
            "name groups that routing.groups has, which has no {group:?}"
        ))),
        known @ (Member::Agent(_) | Member::Group(_) | Member::Role(_)) => Ok(known),
    })
}

fn member(spot: Spot<'_>) -> Read<Member> {
    const BE: &str = "hold agent ids, group:NAME and role:NAME, names of 1 to 128 bytes without control characters";
    let text = spot.str(BE)?;
    let member = if let Some(group) = text.strip_prefix("group:") {
        Id::new(group).map(Member::Group)
    } else if let Some(role) = text.strip_prefix("role:") {
        Id::new(role).map(Member::Role)
    } else {
        Id::new(text).map(Member::Agent)
    };
    member.ok_or_else(|| spot.must(BE))
}

fn queue(at: &mut Object<'_>) -> Read<QueuePolicy> {
    Ok(QueuePolicy {
        limit: at.read("limit", count)?,
        max_wait: at.read("max_wait", duration)?,
        show_position_below: at.read("show_position_below", count)?,
        prompt: at.read("prompt", text)?,
        busy_prompt: at.read("busy_prompt", text)?,
    })
}

fn session(at: &mut Object<'_>) -> Read<SessionPolicy> {
    Ok(SessionPolicy {
        close_after_buyer_silence: at.read("close_after_buyer_silence", duration)?,
        requires_agent_reply: at.read("requires_agent_reply", flag)?,
        on_agent_offline: at.read("on_agent_offline", word)?,
    })
}

fn auto_replies(at: &mut Object<'_>) -> Read<AutoReplies> {
    Ok(AutoReplies {
        offline: at.object("offline", auto_reply)?,
        queued: at.object("queued", auto_reply)?,
    })
}

fn auto_reply(at: &mut Object<'_>) -> Read<AutoReply> {
    let reply = AutoReply {
        enabled: at.read("enabled", flag)?,
        text: at.read("text", text)?,
    };
    if reply.enabled && reply.text.is_empty() {
        return Err(at.error("text", "must not be empty where the reply is enabled"));
    }
    Ok(reply)
}

fn invite(at: &mut Object<'_>) -> Read<InvitePolicy> {
    Ok(InvitePolicy {
        auto: at.read("auto", flag)?,
        auto_per_myriad: at.read("auto_percent", percent)?,
        after: at.read("after", after)?,
        agent_spoke_last: at.read("agent_spoke_last", flag)?,
        longer_than: at.read("longer_than", duration)?,
        bots: at.read("bots", flag)?,
        suspended: at.read("suspended", |spot| {
            spot.list("be an array of objects with from and to", suspension)
        })?,
        auto_quiet: at.read("auto_quiet", duration)?,
        auto_per_shop_day: at.read("auto_per_shop_day", count)?,
        shops_per_buyer_day: at.read("shops_per_buyer_day", count)?,
        quiet_after_rating: at.read("quiet_after_rating", duration)?,
        manual: at.read("manual", flag)?,
        manual_quiet: at.read("manual_quiet", duration)?,
        manual_needs_contact: at.read("manual_needs_contact", flag)?,
    })
}

fn after(spot: Spot<'_>) -> Read<InviteAfter> {
    const BE: &str = "be an array of timeout, agent and buyer";
    let reasons = spot.list(BE, |spot| match spot.str(BE)? {
        reason @ ("timeout" | "agent" | "buyer") => Ok(reason.to_owned()),
        _ => Err(spot.must(BE)),
    })?;
    let has = |wanted: &str| reasons.iter().any(|reason| reason == wanted);
    Ok(InviteAfter {
        timeout: has("timeout"),
        agent: has("agent"),
        buyer: has("buyer"),
    })
}

fn suspension(spot: Spot<'_>) -> Read<Suspension> {
    let ends = spot.object(|at| Ok((at.read_if("from", yearly)?, at.read_if("to", yearly)?)))?;
    match ends {
        (Some(from), Some(to)) if from != to => Ok(Suspension { from, to }),
        (Some(_), Some(_)) => Err(spot.must("hold windows whose from and to differ")),
        (None, _) | (Some(_), None) => Err(spot.must("hold windows that have both from and to")),
    }
}

/// `MM-DDTHH:MM` on a day that some year has.
fn yearly(spot: Spot<'_>) -> Read<LocalTime> {
    const BE: &str =
        "hold windows from and to MM-DDTHH:MM, days that a year has, from 00:00 to 23:59";
    yearly_of(spot.str(BE)?).ok_or_else(|| spot.must(BE))
}

fn yearly_of(text: &str) -> Option<LocalTime> {
    /// One with a 29th of February.
    const LEAP_YEAR: i64 = 2000;
    let (date, time) = text.split_once('T')?;
    let (month, day) = two_numbers(date, '-')?;
    let known = (1..=12).contains(&month)
        && (1..=days_in_month(LEAP_YEAR, i64::from(month))).contains(&i64::from(day));
    let of_day_ms = clock_of(time, 0..=LAST_MINUTE)?;
    known.then_some(LocalTime {
        month,
        day,
        of_day_ms,
    })
}

/// 23:59, in minutes since 00:00.
const LAST_MINUTE: u32 = 24 * 60 - 1;

/// `HH:MM` within a range of minutes, in milliseconds since 00:00.
fn clock_of(text: &str, minutes: RangeInclusive<u32>) -> Option<u32> {
    let (hour, minute) = two_numbers(text, ':')?;
    let of_day = u32::from(hour) * 60 + u32::from(minute);
    (minute < 60 && minutes.contains(&of_day)).then_some(of_day * 60_000)
}

/// Two digits, a mark, two digits.
fn two_numbers(text: &str, mark: char) -> Option<(u8, u8)> {
    let (one, other) = text.split_once(mark)?;
    let number = |digits: &str| match *digits.as_bytes() {
        [ten @ b'0'..=b'9', one @ b'0'..=b'9'] => Some((ten - b'0') * 10 + (one - b'0')),
        _ => None,
    };
    Some((number(one)?, number(other)?))
}

fn rating(at: &mut Object<'_>) -> Read<RatingPolicy> {
    Ok(RatingPolicy {
        per: at.read("per", word)?,
        window: at.read("window", duration)?,
        contact: at.read("contact", word)?,
        card_valid: at.read("card_valid", some_duration)?,
    })
}

fn service(at: &mut Object<'_>) -> Read<ServicePolicy> {
    Ok(ServicePolicy {
        reply: at.object("reply", reply)?,
        good_rate_min: at.object("good_rate", |at| at.read("min", share))?,
        attitude_max: at.object("attitude", |at| at.read("max", share))?,
        min_sample: at.read("min_sample", count)?,
    })
}

fn reply(at: &mut Object<'_>) -> Read<ReplyPolicy> {
    let from = |spot: Spot<'_>| {
        let from_ms = clock_of(spot.str(FROM)?, 0..=LAST_MINUTE);
        from_ms.ok_or_else(|| spot.must(FROM))
    };
    let to = |spot: Spot<'_>| {
        let to_ms = clock_of(spot.str(TO)?, 1..=LAST_MINUTE + 1);
        to_ms.ok_or_else(|| spot.must(TO))
    };
    let reply = ReplyPolicy {
        within: at.read("within", some_duration)?,
        remind_after: at.read("remind_after", duration)?,
        from_ms: at.read("from", from)?,
        to_ms: at.read("to", to)?,
        min_rate: at.read("min_rate", share)?,
        count_bot: at.read("count_bot", flag)?,
        penalty_above: at.read("penalty_above", count)?,
    };
    if reply.from_ms >= reply.to_ms {
        return Err(at.error("to", "must be later than service.reply.from"));
    }
    Ok(reply)
}

const FROM: &str = "be a time of day from \"00:00\" to \"23:59\"";
const TO: &str = "be a time of day from \"00:01\" to \"24:00\"";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::base::ratio::Share;
    use crate::domain::base::time::Duration;
    use crate::domain::policy::Strategy;

    #[test]
    fn an_error_names_the_bad_key() {
        let long = "x".repeat(129);
        let longer = format!(r#"{{"routing":{{"groups":{{"{long}":[]}}}}}}"#);
        let long_path = format!("routing.groups.{long}");
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
        ];
        for (policy, path) in rows {
            let error = Policy::parse(&serde_json::from_str(policy).unwrap()).unwrap_err();
            assert_eq!(error.path, path, "{policy}: {error}");
            assert!(error.to_string().starts_with(&format!("{path}: ")));
        }
    }

    #[test]
    fn a_year_has_these_days() {
        for (text, good) in [
            ("01-01T00:00", true),
            ("02-29T23:59", true),
            ("12-31T12:30", true),
            ("02-30T00:00", false),
            ("04-31T00:00", false),
            ("00-01T00:00", false),
            ("13-01T00:00", false),
            ("01-00T00:00", false),
            ("01-01T24:00", false),
            ("01-01T00:60", false),
            ("01-01 00:00", false),
            ("1-01T00:00", false),
            ("01-01T00:00:00", false),
            ("+1-01T00:00", false),
            ("01-01T0０:00", false),
        ] {
            assert_eq!(yearly_of(text).is_some(), good, "{text}");
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
            (policy.service.reply.min_rate, policy.service.good_rate_min),
            (Share::ONE, Share::ZERO)
        );
        assert_eq!(
            (policy.invite.auto_per_myriad, policy.invite.after),
            (0, InviteAfter::default())
        );
    }
}
