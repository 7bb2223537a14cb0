//! Parses a policy: every key is checked, and an invalid key is named by its path.

use super::node::{BadKey, Groups, Node};
use super::preset::{NAMES, merge, preset};
use super::{
    AutoReply, Entry, Hours, Interval, Invite, Member, OnAgentOffline, Otherwise, Per, Policy,
    Queue, Rating, Routing, Service, SessionPolicy, Strategy, TakeBack, TimeOfYear, Unit,
};
use crate::model::calendar;
use crate::model::value::{HOUR_MS, MINUTE_MS, Ms, clock_ms, is_id, shaped};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// H1: as many intervals a day has at most, and as many days are named at most.
const INTERVALS_MAX: usize = 8;
const DAYS_MAX: usize = 400;

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
    if names_only_its_prompt(patch) {
        merged["routing"]["queue"]["next_prompt"] = Value::from("");
    }
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
        "hours",
        "session",
        "auto_reply",
        "invite",
        "rating",
        "service",
    ])?;
    let replies = root.object("auto_reply")?;
    replies.only(&["offline", "queued", "closed"])?;
    Ok(Policy {
        zone: root.value("timezone", |value| calendar::zone(value.as_str()?))?,
        buyer_space: root.value("buyer_space", name_of)?,
        routing: routing(&root.object("routing")?)?,
        hours: hours(&root.object("hours")?)?,
        session: session(&root.object("session")?)?,
        offline_reply: auto_reply(&replies.object("offline")?)?,
        queued_reply: auto_reply(&replies.object("queued")?)?,
        closed_reply: auto_reply(&replies.object("closed")?)?,
        invite: invite(&root.object("invite")?)?,
        rating: rating(&root.object("rating")?)?,
        service: service(&root.object("service")?)?,
    })
}

/// R6a: a policy that names `prompt` and not `next_prompt` has an empty one.
fn names_only_its_prompt(patch: &Map<String, Value>) -> bool {
    let queue = patch
        .get("routing")
        .and_then(|routing| routing.get("queue"));
    queue.is_some_and(|queue| queue.get("prompt").is_some() && queue.get("next_prompt").is_none())
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
        "take_back",
        "priority",
    ])?;
    let offline = node.object("offline")?;
    offline.only(&["mode", "members", "hand_over"])?;
    let priority = node.object("priority")?;
    priority.only(&["age"])?;
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
        rota: rota(&offline, groups)?,
        hand_over: offline.one_of("hand_over", &[("keep", false), ("online", true)])?,
        queue: queue(&node.object("queue")?)?,
        take_back: take_back(&node.object("take_back")?)?,
        priority_age: priority.duration("age")?,
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
    let on = node.one_of("mode", &[("wait", false), ("rota", true)])?;
    let members = node.members("members", groups)?;
    Ok(on.then_some(members))
}

fn queue(node: &Node) -> Result<Queue, BadKey> {
    node.only(&[
        "mode",
        "limit",
        "max_wait",
        "leave_grace",
        "show_position_below",
        "prompt",
        "next_prompt",
        "busy_prompt",
    ])?;
    Ok(Queue {
        nobody_waits_for_room: node.one_of("mode", &[("wait", false), ("none", true)])?,
        limit: node.count("limit")?,
        max_wait: node.duration("max_wait")?,
        leave_grace: node.duration("leave_grace")?,
        show_position_below: node.count("show_position_below")?,
        prompt: node.text("prompt")?,
        next_prompt: node.text("next_prompt")?,
        busy_prompt: node.text("busy_prompt")?,
    })
}

fn take_back(node: &Node) -> Result<TakeBack, BadKey> {
    node.only(&["after", "each", "max", "otherwise", "away_after"])?;
    Ok(TakeBack {
        after: node.duration("after")?,
        each: node.flag("each")?,
        max: node.count("max")?,
        otherwise_queue: node.one_of("otherwise", &[("stay", false), ("queue", true)])?,
        away_after: node.count("away_after")?,
    })
}

fn hours(node: &Node) -> Result<Hours, BadKey> {
    node.only(&["week", "days", "outside", "prompt"])?;
    let (week, days) = (node.object("week")?, node.object("days")?);
    week.only(&calendar::WEEKDAYS)?;
    if days.map.len() > DAYS_MAX {
        return Err(node.path_of("days"));
    }
    if let Some(bad) = days.map.keys().find(|day| !calendar::is_day(day)) {
        return Err(days.path_of(bad));
    }
    Ok(Hours {
        week: intervals_by_name(&week)?,
        days: intervals_by_name(&days)?,
        offline_outside: node.one_of("outside", &[("inform", false), ("offline", true)])?,
        prompt: node.text("prompt")?,
    })
}

fn intervals_by_name(node: &Node) -> Result<BTreeMap<String, Vec<Interval>>, BadKey> {
    node.map
        .keys()
        .map(|name| Ok((name.clone(), node.value(name, intervals)?)))
        .collect()
}

/// In order, none beginning before the one before it ends.
fn intervals(value: &Value) -> Option<Vec<Interval>> {
    let list = value.as_array()?;
    let intervals: Vec<Interval> = list.iter().map(interval).collect::<Option<_>>()?;
    let in_order = intervals.windows(2).all(|pair| pair[0].1 <= pair[1].0);
    (in_order && intervals.len() <= INTERVALS_MAX).then_some(intervals)
}

/// `HH:MM-HH:MM`, 00:00 to 24:00, the first earlier than the second.
fn interval(value: &Value) -> Option<Interval> {
    let (from, to) = value.as_str()?.split_once('-')?;
    let (from, to) = (day_time(from)?, day_time(to)?);
    (from < to).then_some((from, to))
}

/// `HH:MM`, 00:00 to 24:00.
fn day_time(text: &str) -> Option<Ms> {
    clock_ms(text, 24).filter(|time| *time <= 24 * HOUR_MS)
}

fn session(node: &Node) -> Result<SessionPolicy, BadKey> {
    node.only(&[
        "close_after_buyer_silence",
        "requires_agent_reply",
        "on_agent_offline",
        "wrap_up",
        "late_reply",
        "lateness",
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
        wrap_up: node.duration("wrap_up")?,
        late_reply: node.duration("late_reply")?,
        lateness: node.duration("lateness")?,
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
        "quiet_after_opening",
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
        quiet_after_opening: node.flag("quiet_after_opening")?,
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
    node.only(&["reply", "good_rate", "attitude", "min_sample", "daily"])?;
    let reply = node.object("reply")?;
    reply.only(&[
        "within",
        "remind_after",
        "from",
        "to",
        "min_rate",
        "min_sample",
        "count_bot",
        "effective_bot",
        "penalty_above",
        "unit",
        "in_hours",
    ])?;
    let (good, attitude) = (node.object("good_rate")?, node.object("attitude")?);
    good.only(&["min", "human", "from", "to"])?;
    attitude.only(&["max"])?;
    let (from, to) = counted_hours(&reply)?;
    let (good_rate_from, good_rate_to) = counted_hours(&good)?;
    let min_sample = node.count("min_sample")?;
    let reply_min_sample = match reply.map.contains_key("min_sample") {
        true => reply.count("min_sample")?,
        false => min_sample,
    };
    Ok(Service {
        within: reply.some_duration("within")?,
        remind_after: reply.duration("remind_after")?,
        from,
        to,
        min_rate: reply.decimal("min_rate", 4, 1)?,
        reply_min_sample,
        count_bot: reply.flag("count_bot")?,
        effective_bot: reply.flag("effective_bot")?,
        penalty_above: reply.count("penalty_above")?,
        unit: reply.one_of(
            "unit",
            &[
                ("buyer", Unit::Buyer),
                ("round", Unit::Round),
                ("session", Unit::Session),
            ],
        )?,
        in_hours: reply.flag("in_hours")?,
        good_rate_min: good.decimal("min", 4, 1)?,
        good_rate_human: good.flag("human")?,
        good_rate_from,
        good_rate_to,
        attitude_max: attitude.decimal("max", 4, 1)?,
        min_sample,
        daily: node.flag("daily")?,
    })
}

/// `from` is 00:00–23:59, `to` 00:01–24:00, and later.
fn counted_hours(node: &Node) -> Result<(Ms, Ms), BadKey> {
    let from = node.value("from", |value| clock_ms(value.as_str()?, 23))?;
    let to = node.value("to", |value| day_time(value.as_str()?))?;
    if to < MINUTE_MS || from >= to {
        return Err(node.path_of("to"));
    }
    Ok((from, to))
}
