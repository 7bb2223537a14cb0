//! The recent agent in words: who it is, its state, and the result (R1).

use crate::domain::explain::explanation::{Candidate, RecentAgent, RecentFinding};
use crate::domain::policy::{QueueMode, Recent};
use crate::domain::protocol::codes::Presence;

use super::phrase::Locale;

/// Which case of R1 it was.
pub(super) fn rule(known: Option<&RecentAgent>) -> &'static str {
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

/// The result; `anyone` where the buyer goes to any agent instead.
pub(super) fn outcome(
    locale: Locale,
    known: Option<&RecentAgent>,
    (policy, queue): (&Recent, QueueMode),
    anyone: bool,
) -> String {
    let title = locale.say("最近联系客服：", "recent agent: ");
    if policy.window.is_zero() {
        let off = locale.say("店铺没有开启", "the policy does not look for one");
        return format!("{title}{off}");
    }
    let Some(known) = known else {
        return format!("{title}{}", locale.say("没有记录", "none known"));
    };
    let (agent, until) = (
        locale.agent_alone(&known.agent.agent),
        locale.time(known.until),
    );
    let window = locale.length(policy.window);
    let who = match known.finding {
        RecentFinding::Passed | RecentFinding::NotRoutable => locale.say(
            format!("{agent}（到 {until}）"),
            format!("{agent} until {until}"),
        ),
        RecentFinding::Takes | RecentFinding::Full | RecentFinding::Unavailable => locale.say(
            format!("{agent}（到 {until}，{window}内有效）"),
            format!("{agent} until {until}, within {window}"),
        ),
    };
    let (comma, found) = (
        locale.say("，", ", "),
        found(locale, known, (policy, queue), &window),
    );
    format!("{title}{who}{comma}{found}{}", then(locale, known, anyone))
}

fn found(
    locale: Locale,
    known: &RecentAgent,
    (policy, queue): (&Recent, QueueMode),
    window: &str,
) -> String {
    let stands = stands(locale, &known.agent);
    match known.finding {
        RecentFinding::Passed => locale.say(
            format!("已满 {window}，不算"),
            format!("{window} ago or longer, so it does not count"),
        ),
        RecentFinding::NotRoutable => locale
            .say("现在不接买家了", "who takes no buyers any more")
            .to_owned(),
        RecentFinding::Takes => {
            let despite = despite(locale, &known.agent, policy, queue);
            format!("{stands}{despite}")
        }
        RecentFinding::Full => locale.say(
            format!("{stands}，但满载，店铺设置为不超出上限"),
            format!("{stands}, but full, and the policy keeps to its capacity"),
        ),
        RecentFinding::Unavailable => {
            let because = because(locale, known, policy);
            format!("{stands}{because}")
        }
    }
}

/// `在线 5/5`.
fn stands(locale: Locale, agent: &Candidate) -> String {
    match agent.presence {
        Presence::Offline => locale.presence(Presence::Offline).to_owned(),
        here @ (Presence::Online | Presence::Away) => {
            format!("{} {}", locale.presence(here), locale.load(agent))
        }
    }
}

fn is_full(agent: &Candidate) -> bool {
    agent.load >= agent.capacity
}

/// Why the recent agent was assigned although it is away or full.
fn despite(locale: Locale, agent: &Candidate, policy: &Recent, queue: QueueMode) -> String {
    let window = locale.length(policy.away_window);
    let away = locale.say(
        format!("（{window}内接待过的，小休也接）"),
        format!(" (taken while away, within {window})"),
    );
    let full = match queue {
        QueueMode::None if !policy.over_capacity => locale.say(
            "（满载也接，店铺设置为不排队）",
            " (full, but the shop has no queue)",
        ),
        QueueMode::None | QueueMode::Wait => locale.say(
            "（满载也接，店铺允许超出上限）",
            " (full, but the policy allows more than its capacity)",
        ),
    };
    let mut state = String::new();
    if agent.presence == Presence::Away {
        state.push_str(&away);
    }
    if is_full(agent) {
        state.push_str(full);
    }
    state
}

/// Why an agent who is away was not assigned; an offline agent needs no further reason.
fn because(locale: Locale, known: &RecentAgent, policy: &Recent) -> String {
    if known.agent.presence == Presence::Offline {
        return String::new();
    }
    let window = locale.length(policy.away_window);
    // Away, served within the window, and yet not to be had: then it was full.
    let covered = locale
        .now()
        .is_some_and(|now| known.until.instant.covers(policy.away_window, now.instant));
    match (policy.away_window.is_zero(), covered) {
        (true, _) => locale
            .say("（小休时不接）", " (takes no buyers while away)")
            .to_owned(),
        (false, false) => locale.say(
            format!("（小休时只接 {window}内接待过的）"),
            format!(" (takes only those of the last {window} while away)"),
        ),
        (false, true) => locale.say("（而且满载）", " (and full)").to_owned(),
    }
}

fn then(locale: Locale, known: &RecentAgent, anyone: bool) -> &'static str {
    match known.finding {
        RecentFinding::Takes => locale.say("，直接分给 TA", ": gets the buyer"),
        RecentFinding::Unavailable if anyone => "",
        RecentFinding::Full | RecentFinding::Unavailable => {
            locale.say("，继续看下一条", ": on to the next rule")
        }
        RecentFinding::Passed | RecentFinding::NotRoutable => "",
    }
}
