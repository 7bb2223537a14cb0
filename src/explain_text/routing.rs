//! Routing in a sentence: which agent got a session and why, or where it waits (R1 to R9).

use crate::domain::base::time::Duration;
use crate::domain::explain::explanation::{Candidate, Comparison, Evidence, RecentAgent};
use crate::domain::policy::Strategy;
use crate::domain::protocol::decision::{AssignReason, DecisionBody};

use super::phrase::Locale;
use super::{candidates, causes, take_back};

/// `session.assigned` in one sentence.
pub(super) fn assigned(locale: Locale, body: &DecisionBody, notes: &[Evidence]) -> String {
    let DecisionBody::SessionAssigned {
        session,
        buyer,
        agent,
        reason,
        repeat_visit,
        waited,
    } = body
    else {
        return String::new();
    };
    let because = because(locale, *reason, notes, *waited);
    let repeat = repeat(locale, *reason, *repeat_visit);
    let agent = locale.agent(agent);
    locale.say(
        format!("会话 {session}（买家 {buyer}）由{agent}接待：{because}{repeat}。"),
        format!("Session {session} (buyer {buyer}) goes to {agent}: {because}{repeat}."),
    )
}

/// `session.queued` in one sentence.
pub(super) fn queued(locale: Locale, body: &DecisionBody) -> String {
    let DecisionBody::SessionQueued {
        session,
        buyer,
        pool,
        position,
        reason,
        prompt,
        priority: _,
    } = body
    else {
        return String::new();
    };
    let (pool, reason) = (locale.pool(pool), causes::waiting_for(locale, *reason));
    let text = match prompt.is_empty() {
        true => locale.say("没有提示文字".to_owned(), "no prompt".to_owned()),
        false => locale.quoted(prompt),
    };
    locale.say(
        format!(
            "会话 {session}（买家 {buyer}）开始排队，在{pool}队列排第 {position} 位：{reason}。买家看到{text}。"
        ),
        format!(
            "Session {session} (buyer {buyer}) waits at position {position} of the queue for {pool}: {reason}. \
             The buyer reads {text}."
        ),
    )
}

fn because(locale: Locale, reason: AssignReason, notes: &[Evidence], waited: Duration) -> String {
    let turn = turn(locale, notes);
    let scope = scope_of(locale, notes);
    match reason {
        AssignReason::RecentAgent => locale.say(
            "买家最近联系的客服就是 TA，优先接待，不用排队".to_owned(),
            "this buyer's recent agent, so without queueing".to_owned(),
        ),
        AssignReason::RecentAgentUnavailable => {
            let recent = recent(locale, notes);
            locale.say(
                format!("{recent}，随机分给一位空闲客服"),
                format!("{recent}, so a free agent was drawn at random"),
            )
        }
        AssignReason::Question | AssignReason::Entry | AssignReason::OrderStatus => locale.say(
            format!("按{scope}分流，{turn}"),
            format!("routed by {scope}, {turn}"),
        ),
        AssignReason::All => locale.say(
            format!("没有指定分组，全店空闲客服里{turn}"),
            format!("no group is set, so any free agent may serve, {turn}"),
        ),
        AssignReason::ScopeOffline => locale.say(
            format!("{scope}的客服都不在线，改由全店空闲客服随机接待"),
            format!(
                "no agent of {scope} is online, so a free agent of the shop was drawn at random"
            ),
        ),
        AssignReason::Overflow => locale.say(
            format!("{scope}的客服都满载，溢出给全店空闲客服，{turn}"),
            format!(
                "every online agent of {scope} is full, so it overflows to any free agent, {turn}"
            ),
        ),
        AssignReason::Queue if waited.is_zero() => locale.say(
            format!("刚开始排队就有客服空出来，{turn}"),
            format!("an agent was free as soon as it queued, {turn}"),
        ),
        AssignReason::Queue => {
            let waited = locale.length(waited);
            locale.say(
                format!("排队 {waited}后有客服空出来，{turn}"),
                format!("an agent became free after {waited} of waiting, {turn}"),
            )
        }
        AssignReason::OfflineRota if is_shut(notes) => locale.say(
            "店铺不在营业时间，按离线分流留给 TA".to_owned(),
            "the shop is closed, so the offline rota leaves it to this agent".to_owned(),
        ),
        AssignReason::OfflineRota => locale.say(
            "全店没有客服在线，按离线分流留给 TA".to_owned(),
            "no agent is online, so the offline rota leaves it to this agent".to_owned(),
        ),
        AssignReason::NoAnswer => {
            let before = take_back::not_answered(notes).map(|found| &found.agent);
            let before = previous(locale, before);
            locale.say(
                format!("{before}没有及时回复，重新分流（{scope}），{turn}"),
                format!("{before} did not answer in time, so it was routed anew ({scope}), {turn}"),
            )
        }
        AssignReason::OfflineHandover => {
            let before = notes.iter().find_map(|note| {
                if let Evidence::HandedOver { agent, .. } = note {
                    Some(agent)
                } else {
                    None
                }
            });
            let before = previous(locale, before);
            locale.say(
                format!("{before}离线，买家还在等回复，转给在线客服（{scope}），{turn}"),
                format!("{before} is offline and the buyer waits for a reply, so it was routed anew ({scope}), {turn}"),
            )
        }
        AssignReason::Manual => locale.say(
            "人工分配或转接".to_owned(),
            "assigned or transferred by hand".to_owned(),
        ),
        AssignReason::AgentOffline => {
            let absent = absent(locale, notes);
            locale.say(
                format!("{absent}，重新分流（{scope}），{turn}"),
                format!("{absent}, so it was routed anew ({scope}), {turn}"),
            )
        }
    }
}

/// Whether the shop was closed and treated that as offline (H2).
fn is_shut(notes: &[Evidence]) -> bool {
    notes
        .iter()
        .any(|note| matches!(note, Evidence::Shut { .. }))
}

/// The agent that had the session.
fn previous(locale: Locale, agent: Option<&Candidate>) -> String {
    match agent {
        Some(agent) => {
            let agent = locale.agent(&agent.agent);
            locale.say(format!("原客服{agent}"), format!("{agent}, who had it,"))
        }
        None => locale.say("原客服", "the previous agent").to_owned(),
    }
}

/// Who the recent agent is, and that it was not assigned.
fn recent(locale: Locale, notes: &[Evidence]) -> String {
    let known = notes.iter().find_map(|note| {
        if let Evidence::Recent { known, .. } = note {
            known.as_ref()
        } else {
            None
        }
    });
    let Some(RecentAgent { agent, .. }) = known else {
        return locale
            .say("最近联系的客服不在", "the recent agent is not there")
            .to_owned();
    };
    let (who, presence) = (locale.agent(&agent.agent), locale.presence(agent.presence));
    locale.say(
        format!("最近联系的客服{who}{presence}"),
        format!("{who}, the buyer's recent agent, is {presence}"),
    )
}

/// Which agent had the session, and why it no longer has.
fn absent(locale: Locale, notes: &[Evidence]) -> String {
    let text = notes.iter().find_map(|note| {
        if let Evidence::Absent { agent, absence } = note {
            Some(causes::absent(locale, agent, *absence))
        } else {
            None
        }
    });
    text.unwrap_or_else(|| locale.say("原客服离线", "its agent is offline").to_owned())
}

/// How the last comparison was decided.
fn turn(locale: Locale, notes: &[Evidence]) -> String {
    let mut by = None;
    for note in notes {
        if let Evidence::Candidates { by: this, .. } = note {
            by = Some(*this);
        }
    }
    match by {
        Some(Comparison::Strategy(Strategy::Random) | Comparison::Lot) => {
            locale.say("随机抽中 TA".to_owned(), "drawn at random".to_owned())
        }
        Some(by @ (Comparison::Strategy(_) | Comparison::Rota)) => {
            let by = candidates::comparison(locale, by);
            locale.say(format!("按“{by}”轮到 TA"), format!("next by \"{by}\""))
        }
        None => locale.say("轮到 TA".to_owned(), "whose turn it is".to_owned()),
    }
}

fn repeat(locale: Locale, reason: AssignReason, repeat_visit: bool) -> &'static str {
    if !repeat_visit || reason == AssignReason::RecentAgent {
        return "";
    }
    locale.say("（重复来访）", " (a repeat visit)")
}

fn scope_of(locale: Locale, notes: &[Evidence]) -> String {
    let scope = notes.iter().find_map(|note| {
        if let Evidence::Scope(scope) = note {
            Some(scope.pool_name())
        } else {
            None
        }
    });
    locale.pool(scope.as_deref().unwrap_or("all"))
}
