//! Routing in a sentence: who got a buyer and for what reason, or where it waits (R1 to R9).

use crate::domain::base::time::Duration;
use crate::domain::explain::explanation::{Comparison, Evidence, Known};
use crate::domain::policy::Strategy;
use crate::domain::protocol::decision::{AssignReason, DecisionBody};

use super::phrase::Locale;
use super::{candidates, causes};

/// `session.assigned` in one sentence.
pub(super) fn assigned(voice: Locale, body: &DecisionBody, notes: &[Evidence]) -> String {
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
    let because = because(voice, *reason, notes, *waited);
    let repeat = repeat(voice, *reason, *repeat_visit);
    let agent = voice.agent(agent);
    voice.say(
        format!("会话 {session}（买家 {buyer}）由{agent}接待：{because}{repeat}。"),
        format!("Session {session} (buyer {buyer}) goes to {agent}: {because}{repeat}."),
    )
}

/// `session.queued` in one sentence.
pub(super) fn queued(voice: Locale, body: &DecisionBody) -> String {
    let DecisionBody::SessionQueued {
        session,
        buyer,
        pool,
        position,
        reason,
        prompt,
    } = body
    else {
        return String::new();
    };
    let (pool, reason, told) = (
        voice.pool(pool),
        causes::waiting_for(voice, *reason),
        voice.quoted(prompt),
    );
    voice.say(
        format!(
            "会话 {session}（买家 {buyer}）开始排队，在{pool}队列排第 {position} 位：{reason}。买家看到{told}。"
        ),
        format!(
            "Session {session} (buyer {buyer}) waits at position {position} of the queue for {pool}: {reason}. \
             The buyer reads {told}."
        ),
    )
}

fn because(voice: Locale, reason: AssignReason, notes: &[Evidence], waited: Duration) -> String {
    let turn = turn(voice, notes);
    let scope = scope_of(voice, notes);
    match reason {
        AssignReason::RecentAgent => voice.say(
            "买家最近联系的客服就是 TA，优先接待，不用排队".to_owned(),
            "this buyer's recent agent, so without queueing".to_owned(),
        ),
        AssignReason::RecentAgentUnavailable => {
            let recent = recent(voice, notes);
            voice.say(
                format!("{recent}，随机分给一位空闲客服"),
                format!("{recent}, so anybody free was drawn"),
            )
        }
        AssignReason::Question | AssignReason::Entry | AssignReason::OrderStatus => voice.say(
            format!("按{scope}分流，{turn}"),
            format!("routed by {scope}, {turn}"),
        ),
        AssignReason::All => voice.say(
            format!("没有指定分组，全店空闲客服里{turn}"),
            format!("no group is set, so anybody free may serve, {turn}"),
        ),
        AssignReason::ScopeOffline => voice.say(
            format!("{scope}的客服都不在线，改由全店空闲客服随机接待"),
            format!("nobody of {scope} is online, so anybody free was drawn"),
        ),
        AssignReason::Overflow => voice.say(
            format!("{scope}的客服都满载，溢出给全店空闲客服，{turn}"),
            format!("everybody of {scope} is full, so it overflows to anybody free, {turn}"),
        ),
        AssignReason::Queue if waited.is_zero() => voice.say(
            format!("刚开始排队就有客服空出来，{turn}"),
            format!("somebody was free as soon as it queued, {turn}"),
        ),
        AssignReason::Queue => {
            let waited = voice.length(waited);
            voice.say(
                format!("排队 {waited}后有客服空出来，{turn}"),
                format!("somebody became free after {waited} of waiting, {turn}"),
            )
        }
        AssignReason::OfflineRota => voice.say(
            "全店没有客服在线，按离线分流留给 TA".to_owned(),
            "nobody is online, so the offline rota leaves it to this agent".to_owned(),
        ),
        AssignReason::Manual => voice.say(
            "人工分配或转接".to_owned(),
            "assigned or transferred by hand".to_owned(),
        ),
        AssignReason::AgentOffline => {
            let absent = absent(voice, notes);
            voice.say(
                format!("{absent}，重新分流（{scope}），{turn}"),
                format!("{absent}, so it was routed anew ({scope}), {turn}"),
            )
        }
    }
}

/// Who the recent agent is, and that it is not to be had.
fn recent(voice: Locale, notes: &[Evidence]) -> String {
    let known = notes.iter().find_map(|note| {
        if let Evidence::Recent { known, .. } = note {
            known.as_ref()
        } else {
            None
        }
    });
    let Some(Known { agent, .. }) = known else {
        return voice
            .say("最近联系的客服不在", "the recent agent is not there")
            .to_owned();
    };
    let (who, presence) = (voice.agent(&agent.agent), voice.presence(agent.presence));
    voice.say(
        format!("最近联系的客服{who}{presence}"),
        format!("{who}, the buyer's recent agent, is {presence}"),
    )
}

/// Who had the session, and why not any more.
fn absent(voice: Locale, notes: &[Evidence]) -> String {
    let told = notes.iter().find_map(|note| {
        if let Evidence::Absent { agent, absence } = note {
            Some(causes::absent(voice, agent, *absence))
        } else {
            None
        }
    });
    told.unwrap_or_else(|| voice.say("原客服离线", "its agent is offline").to_owned())
}

/// How the last comparison came to its pick.
fn turn(voice: Locale, notes: &[Evidence]) -> String {
    let mut by = None;
    for note in notes {
        if let Evidence::Candidates { by: this, .. } = note {
            by = Some(*this);
        }
    }
    match by {
        Some(Comparison::Strategy(Strategy::Random) | Comparison::Lot) => {
            voice.say("随机抽中 TA".to_owned(), "drawn at random".to_owned())
        }
        Some(by @ (Comparison::Strategy(_) | Comparison::Rota)) => {
            let by = candidates::comparison(voice, by);
            voice.say(format!("按“{by}”轮到 TA"), format!("next by \"{by}\""))
        }
        None => voice.say("轮到 TA".to_owned(), "whose turn it is".to_owned()),
    }
}

fn repeat(voice: Locale, reason: AssignReason, repeat_visit: bool) -> &'static str {
    if !repeat_visit || reason == AssignReason::RecentAgent {
        return "";
    }
    voice.say("（重复来访）", " (a repeat visit)")
}

fn scope_of(voice: Locale, notes: &[Evidence]) -> String {
    let scope = notes.iter().find_map(|note| {
        if let Evidence::Scope(scope) = note {
            Some(scope.pool_name())
        } else {
            None
        }
    });
    voice.pool(scope.as_deref().unwrap_or("all"))
}
