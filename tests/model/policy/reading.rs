//! Parses a policy: every key is checked, and an invalid key is named by its path.

use super::node::{BadKey, Groups, Node};
use super::preset::{NAMES, merge, preset};
use super::{
    AutoReply, Entry, Invite, Member, OnAgentOffline, Otherwise, Per, Policy, Queue, Rating,
    Routing, Service, SessionPolicy, Strategy, TimeOfYear,
};
use crate::model::calendar;
use crate::model::value::{HOUR_MS, MINUTE_MS, Ms, clock_ms, is_id, shaped};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The policy that `patch` makes of its preset.
pub fn read(patch: &Map<String, Value>) -> Result<Policy, BadKey> {
    let name = match patch.get("preset") {
        None => "standard",
        Some(name) => name
            .as_str()
            .filter(|name| NAMES.contains(name))
            .ok_or("preset")?,
    };
    let mut merged = preset(name);
    merge(&mut merged, patch);
    let root = Node {
        map: &merged,
        path: String::new(),
    };
    root.only(&[
        "preset",
        "timezone",
        "buyer_space",
        "routing",
        "session",
        "auto_reply",
        "invite",
        "rating",
        "service",
    ])?;
    let replies = root.object("auto_reply")?;
    replies.only(&["offline", "queued"])?;
    Ok(Policy {
        zone: root.value("timezone", |value| calendar::zone(value.as_str()?))?,
        buyer_space: root.value("buyer_space", name_of)?,
        routing: routing(&root.object("routing")?)?,
        session: session(&root.object("session")?)?,
        offline_reply: auto_reply(&replies.object("offline")?)?,
        queued_reply: auto_reply(&replies.object("queued")?)?,
        invite: invite(&root.object("invite")?)?,
        rating: rating(&root.object("rating")?)?,
        service: service(&root.object("service")?)?,
    })
}

fn name_of(value: &Value) -> Option<String> {
    value.as_str().filter(|name| is_id(name)).map(str::to_owned)
}

fn routing(node: &Node) -> Result<Routing, BadKey> {
    node.only(&[
        "strategy",
        "recent",
        "groups",
        "entries",
        "order_status",
        "overflow",
        "when_scope_offline",
        "offline",
        "queue",
    ])?;
    let recent = node.object("recent")?;
    recent.only(&["window", "over_capacity", "away_window", "otherwise"])?;
    let named = node.object("groups")?;
    let groups = Some(named.map);
    Ok(Routing {
        strategy: node.one_of(
            "strategy",
            &[
                ("least_saturated", Strategy::LeastSaturated),
                ("fewest_today", Strategy::FewestToday),
                ("random", Strategy::Random),
            ],
        )?,
        recent_window: recent.duration("window")?,
        recent_over_capacity: recent.flag("over_capacity")?,
        recent_away_window: recent.duration("away_window")?,
        recent_otherwise: recent.one_of(
            "otherwise",
            &[
                ("continue", Otherwise::Continue),
                ("random_online", Otherwise::RandomOnline),
                ("random_if_ungrouped", Otherwise::RandomIfUngrouped),
            ],
        )?,
        groups: named.lists(None)?,
        entries: entries(&node.object("entries")?, groups)?,
        order_status: node.object("order_status")?.lists(groups)?,
        overflow: node.flag("overflow")?,
        any_online_when_scope_offline: node.one_of(
            "when_scope_offline",
            &[("wait", false), ("any_online", true)],
        )?,
        rota: rota(&node.object("offline")?, groups)?,
        queue: queue(&node.object("queue")?)?,
    })
}

fn entries(node: &Node, groups: Groups) -> Result<BTreeMap<String, Entry>, BadKey> {
    let mut entries = BTreeMap::new();
    for (name, entry) in node.objects()? {
        if name.contains('/') {
            return Err(node.path_of(&name));
        }
        entry.only(&["questions", "members"])?;
        let mut read = Entry::default();
        if entry.map.contains_key("questions") {
            read.questions = entry.object("questions")?.lists(groups)?;
        }
        if entry.map.contains_key("members") {
            read.members = Some(entry.members("members", groups)?).filter(|list| !list.is_empty());
        }
        entries.insert(name, read);
    }
    Ok(entries)
}

fn rota(node: &Node, groups: Groups) -> Result<Option<Vec<Member>>, BadKey> {
    node.only(&["mode", "members"])?;
    let on = node.one_of("mode", &[("wait", false), ("rota", true)])?;
    let members = node.members("members", groups)?;
    Ok(on.then_some(members))
}

fn queue(node: &Node) -> Result<Queue, BadKey> {
    node.only(&[
        "limit",
        "max_wait",
        "show_position_below",
        "prompt",
        "busy_prompt",
    ])?;
    Ok(Queue {
        limit: node.count("limit")?,
        max_wait: node.duration("max_wait")?,
        show_position_below: node.count("show_position_below")?,
        prompt: node.text("prompt")?,
        busy_prompt: node.text("busy_prompt")?,
    })
}

fn session(node: &Node) -> Result<SessionPolicy, BadKey> {
    node.only(&[
        "close_after_buyer_silence",
        "requires_agent_reply",
        "on_agent_offline",
    ])?;
    Ok(SessionPolicy {
        close_after_buyer_silence: node.duration("close_after_buyer_silence")?,
        requires_agent_reply: node.flag("requires_agent_reply")?,
        on_agent_offline: node.one_of(
            "on_agent_offline",
            &[
                ("keep", OnAgentOffline::Keep),
                ("close", OnAgentOffline::Close),
                ("reroute", OnAgentOffline::Reroute),
            ],
        )?,
    })
}

fn auto_reply(node: &Node) -> Result<AutoReply, BadKey> {
    node.only(&["enabled", "text"])?;
    let (enabled, text) = (node.flag("enabled")?, node.text("text")?);
    if enabled && text.is_empty() {
        return Err(node.path_of("text"));
    }
    Ok(AutoReply { enabled, text })
}

fn invite(node: &Node) -> Result<Invite, BadKey> {
    node.only(&[
        "auto",
        "auto_percent",
        "after",
        "agent_spoke_last",
        "longer_than",
        "bots",
        "suspended",
        "auto_quiet",
        "auto_per_shop_day",
        "shops_per_buyer_day",
        "quiet_after_rating",
        "manual",
        "manual_quiet",
        "manual_needs_contact",
    ])?;
    Ok(Invite {
        auto: node.flag("auto")?,
        auto_percent_hundredths: node.decimal("auto_percent", 2, 100)?,
        after: node.value("after", |value| {
            value.as_array()?.iter().map(close_reason).collect()
        })?,
        agent_spoke_last: node.flag("agent_spoke_last")?,
        longer_than: node.duration("longer_than")?,
        bots: node.flag("bots")?,
        suspended: node.value("suspended", |value| {
            value.as_array()?.iter().map(window).collect()
        })?,
        auto_quiet: node.duration("auto_quiet")?,
        auto_per_shop_day: node.count("auto_per_shop_day")?,
        shops_per_buyer_day: node.count("shops_per_buyer_day")?,
        quiet_after_rating: node.duration("quiet_after_rating")?,
        manual: node.flag("manual")?,
        manual_quiet: node.duration("manual_quiet")?,
        manual_needs_contact: node.flag("manual_needs_contact")?,
    })
}

fn close_reason(value: &Value) -> Option<String> {
    let reason = value.as_str()?;
    ["timeout", "agent", "buyer"]
        .contains(&reason)
        .then(|| reason.to_owned())
}

fn window(value: &Value) -> Option<(TimeOfYear, TimeOfYear)> {
    let object = value.as_object()?;
    if object.keys().any(|key| key != "from" && key != "to") {
        return None;
    }
    let end = |key: &str| time_of_year(object.get(key)?.as_str()?);
    let (from, to) = (end("from")?, end("to")?);
    (from != to).then_some((from, to))
}

/// `MM-DDTHH:MM`, on a day that some year has.
fn time_of_year(text: &str) -> Option<TimeOfYear> {
    const LEAP_YEAR: i16 = 2000;
    if !shaped(text, "dd-ddTdd:dd") {
        return None;
    }
    let date = jiff::civil::Date::new(LEAP_YEAR, text[..2].parse().ok()?, text[3..5].parse().ok()?)
        .ok()?;
    Some((date.month(), date.day(), clock_ms(&text[6..], 23)?))
}

fn rating(node: &Node) -> Result<Rating, BadKey> {
    const CHOICES: [(&str, Per); 2] = [("agent", Per::Agent), ("shop", Per::Shop)];
    node.only(&["per", "window", "contact", "card_valid"])?;
    Ok(Rating {
        per: node.one_of("per", &CHOICES)?,
        window: node.duration("window")?,
        contact: node.one_of("contact", &CHOICES)?,
        card_valid: node.some_duration("card_valid")?,
    })
}

fn service(node: &Node) -> Result<Service, BadKey> {
    node.only(&["reply", "good_rate", "attitude", "min_sample"])?;
    let reply = node.object("reply")?;
    reply.only(&[
        "within",
        "remind_after",
        "from",
        "to",
        "min_rate",
        "count_bot",
        "penalty_above",
    ])?;
    let (good, attitude) = (node.object("good_rate")?, node.object("attitude")?);
    good.only(&["min"])?;
    attitude.only(&["max"])?;
    let (from, to) = counted_hours(&reply)?;
    Ok(Service {
        within: reply.some_duration("within")?,
        remind_after: reply.duration("remind_after")?,
        from,
        to,
        min_rate: reply.decimal("min_rate", 4, 1)?,
        count_bot: reply.flag("count_bot")?,
        penalty_above: reply.count("penalty_above")?,
        good_rate_min: good.decimal("min", 4, 1)?,
        attitude_max: attitude.decimal("max", 4, 1)?,
        min_sample: node.count("min_sample")?,
    })
}

/// `from` is 00:00–23:59, `to` 00:01–24:00, and later.
fn counted_hours(reply: &Node) -> Result<(Ms, Ms), BadKey> {
    let from = reply.value("from", |value| clock_ms(value.as_str()?, 23))?;
    let to = reply.value("to", |value| clock_ms(value.as_str()?, 24))?;
    if !(MINUTE_MS..=24 * HOUR_MS).contains(&to) || from >= to {
        return Err(reply.path_of("to"));
    }
    Ok((from, to))
}
