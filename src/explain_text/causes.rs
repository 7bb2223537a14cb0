//! Causes in words: what led to a close, a notice, an automatic reply or a new routing (S3, R5, R6, R9).

use super::phrase::Locale;
use crate::domain::base::time::{Duration, Stamp};
use crate::domain::explain::explanation::{Absence, Candidate, Evidence};
use crate::domain::protocol::decision::WaitReason;
use crate::domain::state::session::Speaker;

/// Why a session was routed anew (R9).
pub(super) fn rerouted(voice: Locale, agent: &Candidate, absence: Absence) -> String {
    let absent = absent(voice, agent, absence);
    voice.say(
        format!("{absent}，重新分流，不再看最近联系客服"),
        format!("{absent}: routed anew, without the recent agent"),
    )
}

/// Who is missing, and since what.
pub(super) fn absent(voice: Locale, agent: &Candidate, absence: Absence) -> String {
    let who = voice.agent(&agent.agent);
    match absence {
        Absence::WentOffline => voice.say(
            format!("原客服{who}离线"),
            format!("{who}, who had it, went offline"),
        ),
        Absence::Removed => voice.say(
            format!("原客服{who}已从店铺移除"),
            format!("{who}, who had it, was removed"),
        ),
        Absence::AlreadyOffline => voice.say(
            format!("买家发来消息时，客服{who}离线"),
            format!("{who}, who has it, was offline when the buyer wrote"),
        ),
    }
}

/// What a note says about a `session.closed`.
pub(super) fn of_close(voice: Locale, note: &Evidence) -> Option<String> {
    if let Evidence::Silent {
        since,
        length,
        last,
    } = note
    {
        return Some(silent(voice, *since, *length, *last));
    }
    if let Evidence::WaitedOut {
        pool,
        since,
        max_wait,
    } = note
    {
        let (pool, since, wait) = (
            voice.pool(pool),
            voice.time(*since),
            voice.length(*max_wait),
        );
        return Some(voice.say(
            format!("从 {since} 起在{pool}队列排队，排满最长等待 {wait}，自动结束。"),
            format!("It waited for {pool} since {since}, for {wait}, which is the longest wait."),
        ));
    }
    if let Evidence::Absent { agent, absence } = note {
        let absent = absent(voice, agent, *absence);
        return Some(voice.say(
            format!("{absent}，店铺设置为 TA 手上的会话随之结束。"),
            format!("The policy closes what such an agent has: {absent}."),
        ));
    }
    None
}

fn silent(voice: Locale, since: Stamp, length: Duration, last: Option<Speaker>) -> String {
    let (since, length) = (voice.time(since), voice.length(length));
    let last = match last {
        None => voice.say("没有人说过话", "nobody spoke"),
        Some(Speaker::Buyer) => voice.say("最后说话的是买家", "the buyer spoke last"),
        Some(Speaker::Agent) => voice.say("最后说话的是客服", "the agent spoke last"),
        Some(Speaker::Bot) => voice.say("最后说话的是机器人", "the bot spoke last"),
    };
    voice.say(
        format!("从 {since} 起计时，买家满 {length}没有说话，自动结束（{last}）。"),
        format!("The clock started at {since}; the buyer said nothing for {length} ({last})."),
    )
}

/// What a note says about an `agent.notified`.
pub(super) fn of_notice(voice: Locale, note: &Evidence) -> Option<String> {
    if let Evidence::LeftToRota(agent) = note {
        let stands = stands(voice, agent);
        return Some(voice.say(
            format!("全店没有客服在线，会话按离线分流留给了 TA（{stands}，含这个会话）。"),
            format!(
                "Nobody of the shop is online, and the offline rota left the session to this agent \
                 ({stands}, this one included)."
            ),
        ));
    }
    if let Evidence::Absent { agent, .. } = note {
        let stands = stands(voice, agent);
        return Some(voice.say(
            format!("买家发来消息时 TA 不在（{stands}），全店也没有其他客服在线。"),
            format!(
                "The buyer wrote while this agent was not there ({stands}), and nobody else of the shop is online."
            ),
        ));
    }
    None
}

/// What a note says about an `auto_reply.sent`.
pub(super) fn of_reply(voice: Locale, note: &Evidence) -> Option<String> {
    if let Evidence::LeftToRota(agent) = note {
        let agent = voice.agent_last(&agent.agent);
        return Some(voice.say(
            format!("全店没有客服在线，会话按离线分流留给了{agent}。{}", once(voice)),
            format!(
                "Nobody of the shop is online, and the offline rota left the session to {agent}. {}",
                once(voice)
            ),
        ));
    }
    if let Evidence::Absent { agent, absence } = note {
        let absent = absent(voice, agent, *absence);
        return Some(voice.say(
            format!("{absent}，全店也没有其他客服在线。{}", once(voice)),
            format!("Nobody of the shop is online: {absent}. {}", once(voice)),
        ));
    }
    if let Evidence::Waits {
        pool,
        position,
        reason,
    } = note
    {
        return Some(waits(voice, &voice.pool(pool), *position, *reason));
    }
    None
}

fn waits(voice: Locale, pool: &str, position: u32, reason: WaitReason) -> String {
    let why = waiting_for(voice, reason);
    let sent = match reason {
        WaitReason::NobodyOnline => once(voice),
        WaitReason::AllBusy | WaitReason::ScopeOffline => voice.say(
            "店铺开启了排队自动回复。",
            "The policy replies so when a buyer begins to wait.",
        ),
    };
    voice.say(
        format!("{why}，会话开始在{pool}队列排队（第 {position} 位）。{sent}"),
        format!("It began to wait for {pool}, at position {position}: {why}. {sent}"),
    )
}

fn once(voice: Locale) -> &'static str {
    voice.say(
        "店铺开启了离线自动回复，每个会话一次。",
        "The policy replies so when nobody is online, once a session.",
    )
}

/// `离线 3/5`.
fn stands(voice: Locale, agent: &Candidate) -> String {
    let (presence, load) = (voice.presence(agent.presence), agent.load);
    format!("{presence} {load}/{}", agent.capacity)
}

pub(super) fn waiting_for(voice: Locale, reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::AllBusy => voice.say("在线客服都满载", "everybody online is full"),
        WaitReason::ScopeOffline => {
            voice.say("能接的客服都不在线", "nobody who serves it is online")
        }
        WaitReason::NobodyOnline => voice.say("全店没有客服在线", "nobody of the shop is online"),
    }
}
