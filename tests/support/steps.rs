//! Short random traces of one shop that shrink: few agents, few buyers and short windows, so that events conflict.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use xiaoer::domain::base::time::Instant;

/// Where a trace begins: 23:50 in Shanghai on a Sunday, so that days, weeks and months end soon.
const START: Instant = Instant::from_ms(1_793_548_200_000);

/// How long after the event before it an event comes, in milliseconds.
const PAUSES_MS: [i64; 12] = [
    0, 0, 0, 1, 1_000, 9_999, 10_000, 30_000, 60_000, 180_000, 600_000, 3_600_000,
];

const PRESETS: [&str; 5] = ["standard", "douyin", "taobao", "pinduoduo", "kuaishou"];
const AGENTS: [&str; 4] = ["anna", "bo", "carl", "dai"];
const BUYERS: [&str; 6] = ["b0", "b1", "b2", "b3", "b4", "b5"];
/// Online counts twice, so that somebody is mostly there.
const PRESENCES: [&str; 4] = [
    "agent.online",
    "agent.online",
    "agent.away",
    "agent.offline",
];
const ENTRIES: [&str; 3] = ["live", "other", "message"];

/// One event, whose session is a number counted from the newest one backwards.
#[derive(Clone, Debug)]
pub struct Step {
    pause_ms: i64,
    session: usize,
    event: Value,
}

/// A trace of up to `events_max` events, one JSON object a line; the first two lines are the shop and an agent.
pub fn traces(events_max: usize) -> impl Strategy<Value = Vec<String>> {
    let steps = prop::collection::vec(step(), 1..events_max);
    (select(&PRESETS[..]), steps).prop_map(|(preset, steps)| lines(preset, steps))
}

fn step() -> impl Strategy<Value = Step> {
    let step = |(pause_ms, session, event)| Step {
        pause_ms,
        session,
        event,
    };
    (select(&PAUSES_MS[..]), 0..4usize, event()).prop_map(step)
}

fn event() -> impl Strategy<Value = Value> {
    let agent = || select(&AGENTS[..]);
    let buyer = || select(&BUYERS[..]);
    let on_session = |kind: &str| Just(json!({ "type": kind, "session": "" }));
    prop_oneof![
        6 => (buyer(), select(&ENTRIES[..]), 0..3u8)
            .prop_map(|(buyer, entry, kind)| opened(buyer, entry, kind)),
        5 => (agent(), select(&PRESENCES[..]))
            .prop_map(|(agent, presence)| json!({ "type": presence, "agent": agent })),
        2 => (agent(), 1..3u8).prop_map(|(agent, n)| {
            json!({ "type": "agent.configured", "agent": agent, "capacity": n, "weight": n })
        }),
        1 => agent().prop_map(|agent| json!({ "type": "agent.removed", "agent": agent })),
        5 => on_session("buyer.message"),
        4 => on_session("agent.message"),
        1 => on_session("bot.message"),
        2 => on_session("session.handoff"),
        2 => agent().prop_map(|to| {
            json!({ "type": "session.transferred", "session": "", "to": to })
        }),
        4 => select(&["agent", "buyer"][..]).prop_map(|by| {
            json!({ "type": "session.closed", "session": "", "by": by })
        }),
        2 => on_session("invite.requested"),
        1 => on_session("rating.opened"),
        2 => (1..=5u8).prop_map(|stars| {
            json!({ "type": "rating.submitted", "session": "", "stars": stars })
        }),
        1 => (buyer(), any::<bool>()).prop_map(|(buyer, risk)| {
            json!({ "type": "buyer.flagged", "buyer": buyer, "risk": risk })
        }),
        1 => select(&PRESETS[..]).prop_map(configured),
        1 => Just(json!({ "type": "clock" })),
    ]
}

fn opened(buyer: &str, entry: &str, kind: u8) -> Value {
    let mut event = json!({ "type": "session.opened", "buyer": buyer, "entry": entry });
    match kind {
        0 => event["bot"] = json!(true),
        1 => event["question"] = json!("size"),
        _ => event["order_status"] = json!("unpaid"),
    }
    event
}

/// A preset, with scopes, and with windows so short that a short trace meets their ends.
fn configured(preset: &str) -> Value {
    let within = json!({ "within": "1m", "remind_after": "30s", "min_rate": 0.5 });
    json!({ "type": "shop.configured", "policy": {
        "preset": preset,
        "routing": {
            "recent": { "window": "10m", "away_window": "1m" },
            "entries": { "live": { "members": ["anna", "bo"], "questions": { "size": ["carl"] } } },
            "order_status": { "unpaid": ["dai"] },
            "offline": { "members": ["anna"] },
            "queue": { "limit": 3, "max_wait": "3m" },
        },
        "session": { "close_after_buyer_silence": "1m" },
        "invite": { "auto": true, "auto_percent": 100, "auto_quiet": "10m", "longer_than": "0s",
                    "quiet_after_rating": "3m" },
        "service": { "reply": within, "good_rate": { "min": 0.8 }, "min_sample": 1 },
    } })
}

fn lines(preset: &str, steps: Vec<Step>) -> Vec<String> {
    let mut now = START;
    let mut opened = 0;
    let mut events = vec![
        configured(preset),
        json!({ "type": "agent.configured", "agent": "anna", "capacity": 1 }),
    ];
    events
        .iter_mut()
        .for_each(|event| event["at"] = written(now));
    for Step {
        pause_ms,
        session,
        mut event,
    } in steps
    {
        now = Instant::from_ms(now.ms() + pause_ms);
        event["at"] = written(now);
        if event["type"] == "session.opened" {
            opened += 1;
            event["session"] = json!(format!("s{opened}"));
        } else if event.get("session").is_some() {
            event["session"] = json!(format!("s{}", (opened - session as i64).max(1)));
        }
        events.push(event);
    }
    events.iter().map(Value::to_string).collect()
}

/// A `clock` event.
pub fn clock(at: Instant) -> String {
    json!({ "type": "clock", "at": written(at) }).to_string()
}

fn written(at: Instant) -> Value {
    let mut buffer = [0; xiaoer::domain::base::time::STAMP_BYTES_MAX];
    Value::from(at.at_offset(0).write(&mut buffer))
}
