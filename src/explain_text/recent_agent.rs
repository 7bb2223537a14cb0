//! The agent that a buyer knows, in words: who, how it stood, and what came of it (R1).

use crate::domain::explain::explanation::{Candidate, Known, RecentFinding};
use crate::domain::policy::Recent;
use crate::domain::protocol::codes::Presence;

use super::phrase::Locale;

/// Which case of R1 it was.
pub(super) fn rule(known: Option<&Known>) -> &'static str {
    let Some(known) = known else {
        return "R1";
    };
    match (known.finding, known.agent.presence) {
        (RecentFinding::Passed | RecentFinding::NotRoutable, _) => "R1",
        (RecentFinding::Takes, Presence::Away) => "R1b",
        (RecentFinding::Takes, Presence::Online | Presence::Offline) => "R1a",
        (RecentFinding::Full, _) => "R1c",
        (RecentFinding::Unavailable, _) => "R1d",
    }
}

/// What was found; `anyone` where the buyer goes to anybody instead.
pub(super) fn told(voice: Locale, known: Option<&Known>, policy: &Recent, anyone: bool) -> String {
    let title = voice.say("最近联系客服：", "recent agent: ");
    if policy.window.is_zero() {
        let off = voice.say("店铺没有开启", "the policy does not look for one");
        return format!("{title}{off}");
    }
    let Some(known) = known else {
        return format!("{title}{}", voice.say("没有记录", "none known"));
    };
    let (agent, until) = (
        voice.agent_alone(&known.agent.agent),
        voice.time(known.until),
    );
    let window = voice.length(policy.window);
    let who = match known.finding {
        RecentFinding::Passed | RecentFinding::NotRoutable => voice.say(
            format!("{agent}（到 {until}）"),
            format!("{agent} until {until}"),
        ),
        RecentFinding::Takes | RecentFinding::Full | RecentFinding::Unavailable => voice.say(
            format!("{agent}（到 {until}，{window}内有效）"),
            format!("{agent} until {until}, within {window}"),
        ),
    };
    let (comma, found) = (voice.say("，", ", "), found(voice, known, policy, &window));
    format!("{title}{who}{comma}{found}{}", then(voice, known, anyone))
}

fn found(voice: Locale, known: &Known, policy: &Recent, window: &str) -> String {
    let stands = stands(voice, &known.agent);
    match known.finding {
        RecentFinding::Passed => voice.say(
            format!("已满 {window}，不算"),
            format!("{window} ago or longer, so it does not count"),
        ),
        RecentFinding::NotRoutable => voice
            .say("现在不接买家了", "who takes no buyers any more")
            .to_owned(),
        RecentFinding::Takes => {
            let despite = despite(voice, &known.agent, policy);
            format!("{stands}{despite}")
        }
        RecentFinding::Full => voice.say(
            format!("{stands}，但满载，店铺设置为不超出上限"),
            format!("{stands}, but full, and the policy keeps to its capacity"),
        ),
        RecentFinding::Unavailable => {
            let because = because(voice, known, policy);
            format!("{stands}{because}")
        }
    }
}

/// `在线 5/5`.
fn stands(voice: Locale, agent: &Candidate) -> String {
    let (load, capacity) = (agent.load, agent.capacity);
    match agent.presence {
        Presence::Offline => voice.presence(Presence::Offline).to_owned(),
        here @ (Presence::Online | Presence::Away) => {
            format!("{} {load}/{capacity}", voice.presence(here))
        }
    }
}

fn is_full(agent: &Candidate) -> bool {
    agent.load >= agent.capacity
}

/// What did not keep the agent from its buyer.
fn despite(voice: Locale, agent: &Candidate, policy: &Recent) -> String {
    let window = voice.length(policy.away_window);
    let away = voice.say(
        format!("（{window}内接待过的，小休也接）"),
        format!(" (taken while away, within {window})"),
    );
    let full = voice.say(
        "（满载也接，店铺允许超出上限）",
        " (full, but the policy allows more than its capacity)",
    );
    let mut told = String::new();
    if agent.presence == Presence::Away {
        told.push_str(&away);
    }
    if is_full(agent) {
        told.push_str(full);
    }
    told
}

/// Why an agent who is away was not to be had; that one is offline says it all.
fn because(voice: Locale, known: &Known, policy: &Recent) -> String {
    if known.agent.presence == Presence::Offline {
        return String::new();
    }
    let window = voice.length(policy.away_window);
    // Away, served within the window, and yet not to be had: then it was full.
    let covered = voice
        .now()
        .is_some_and(|now| known.until.instant.covers(policy.away_window, now.instant));
    match (policy.away_window.is_zero(), covered) {
        (true, _) => voice
            .say("（小休时不接）", " (takes nobody while away)")
            .to_owned(),
        (false, false) => voice.say(
            format!("（小休时只接 {window}内接待过的）"),
            format!(" (takes only those of the last {window} while away)"),
        ),
        (false, true) => voice.say("（而且满载）", " (and full)").to_owned(),
    }
}

fn then(voice: Locale, known: &Known, anyone: bool) -> &'static str {
    match known.finding {
        RecentFinding::Takes => voice.say("，直接分给 TA", ": gets the buyer"),
        RecentFinding::Unavailable if anyone => "",
        RecentFinding::Full | RecentFinding::Unavailable => {
            voice.say("，继续看下一条", ": on to the next rule")
        }
        RecentFinding::Passed | RecentFinding::NotRoutable => "",
    }
}
