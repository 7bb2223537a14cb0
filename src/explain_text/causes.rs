//! Causes in words: what led to a close, a notice, an automatic reply or a new routing (S3, R5, R6, R9).

use super::phrase::Locale;
use super::{candidates, hours};
use crate::domain::base::time::{Duration, OffsetTimestamp};
use crate::domain::explain::explanation::{Absence, Candidate, Evidence};
use crate::domain::protocol::decision::WaitReason;
use crate::domain::state::session::Speaker;

/// Why a session was routed again (R9).
pub(super) fn rerouted(locale: Locale, agent: &Candidate, absence: Absence) -> String {
    let absent = absent(locale, agent, absence);
    locale.say(
        format!("{absent}，重新分流，不再看最近联系客服"),
        format!("{absent}: routed anew, without the recent agent"),
    )
}

/// Which agent is missing, and since when.
pub(super) fn absent(locale: Locale, agent: &Candidate, absence: Absence) -> String {
    let who = locale.agent(&agent.agent);
    match absence {
        Absence::WentOffline => locale.say(
            format!("原客服{who}离线"),
            format!("{who}, who had it, went offline"),
        ),
        Absence::Removed => locale.say(
            format!("原客服{who}已从店铺移除"),
            format!("{who}, who had it, was removed"),
        ),
        Absence::AlreadyOffline => locale.say(
            format!("买家发来消息时，客服{who}离线"),
            format!("{who}, who has it, was offline when the buyer wrote"),
        ),
    }
}

/// What a note says about a `session.closed`.
pub(super) fn of_close(locale: Locale, _: &[Evidence], note: &Evidence) -> Option<String> {
    if let Evidence::Silent {
        since,
        length,
        last,
    } = note
    {
        return Some(silent(locale, *since, *length, *last));
    }
    if let Evidence::WaitedOut {
        pool,
        since,
        max_wait,
    } = note
    {
        let (pool, since, wait) = (
            locale.pool(pool),
            locale.time(*since),
            locale.length(*max_wait),
        );
        return Some(locale.say(
            format!("从 {since} 起在{pool}队列排队，排满最长等待 {wait}，自动结束。"),
            format!("It waited for {pool} since {since}, for {wait}, which is the longest wait."),
        ));
    }
    if let Evidence::GaveUp {
        pool,
        since,
        away_since,
        leave_grace,
    } = note
    {
        return Some(gave_up(locale, pool, *since, *away_since, *leave_grace));
    }
    if let Evidence::Blocked { until } = note {
        return Some(blocked(locale, *until));
    }
    if let Evidence::Absent { agent, absence } = note {
        let absent = absent(locale, agent, *absence);
        return Some(locale.say(
            format!("{absent}，店铺设置为 TA 手上的会话随之结束。"),
            format!("{absent}, and the policy closes the sessions of such an agent."),
        ));
    }
    None
}

/// What a block means, and when it ends (B1).
pub(super) fn blocked(locale: Locale, until: Option<OffsetTimestamp>) -> String {
    match until {
        Some(until) => {
            let until = locale.time(until);
            locale.say(
                format!("买家被拉黑，到 {until} 自动解除；这期间不能发起会话，也不能评价。"),
                format!("The buyer is blocked until {until}: until then it can neither open a session nor rate."),
            )
        }
        None => locale.say(
            "买家被拉黑，没有期限；解除拉黑之前不能发起会话，也不能评价。".to_owned(),
            "The buyer is blocked without an end: it can neither open a session nor rate until it is unblocked."
                .to_owned(),
        ),
    }
}

fn gave_up(
    locale: Locale,
    pool: &str,
    since: OffsetTimestamp,
    away_since: Option<OffsetTimestamp>,
    leave_grace: Duration,
) -> String {
    let (pool, since) = (locale.pool(pool), locale.time(since));
    match away_since {
        Some(away_since) => {
            let (away_since, grace) = (locale.time(away_since), locale.length(leave_grace));
            locale.say(
                format!(
                    "买家从 {since} 起在{pool}队列排队，{away_since} 起不在页面上；名次保留了 {grace}，买家没有回来，会话结束。"
                ),
                format!(
                    "The buyer waited for {pool} since {since} and was away from the page since {away_since}. Its \
                     place was kept for {grace}, and it did not come back."
                ),
            )
        }
        None => locale.say(
            format!("买家从 {since} 起在{pool}队列排队，离开页面后没有回来；名次保留的时间到了，会话结束。"),
            format!(
                "The buyer waited for {pool} since {since}, left the page and did not come back in the time for \
                 which its place was kept."
            ),
        ),
    }
}

fn silent(
    locale: Locale,
    since: OffsetTimestamp,
    length: Duration,
    last: Option<Speaker>,
) -> String {
    let (since, length) = (locale.time(since), locale.length(length));
    let last = match last {
        None => locale.say("没有人说过话", "no message was sent"),
        Some(Speaker::Buyer) => locale.say("最后说话的是买家", "the buyer spoke last"),
        Some(Speaker::Agent) => locale.say("最后说话的是客服", "the agent spoke last"),
        Some(Speaker::Bot) => locale.say("最后说话的是机器人", "the bot spoke last"),
    };
    locale.say(
        format!("从 {since} 起计时，买家满 {length}没有说话，自动结束（{last}）。"),
        format!("The clock started at {since}; the buyer said nothing for {length} ({last})."),
    )
}

/// What a note says about an `agent.notified`.
pub(super) fn of_notice(locale: Locale, notes: &[Evidence], note: &Evidence) -> Option<String> {
    if let Evidence::LeftToRota { agent, shut } = note {
        let (stands, why) = (stands(locale, agent), no_agent(locale, *shut));
        return Some(locale.say(
            format!("{why}，会话按离线分流留给了 TA（{stands}，含这个会话）。"),
            format!(
                "{why}, and the offline rota left the session to this agent ({stands}, this one included)."
            ),
        ));
    }
    if let Evidence::Absent { agent, .. } = note {
        let (stands, elsewhere) = (stands(locale, agent), elsewhere(locale, notes));
        return Some(locale.say(
            format!("买家发来消息时 TA 不在（{stands}），{elsewhere}。"),
            format!("The buyer wrote while this agent was not there ({stands}), and {elsewhere}."),
        ));
    }
    None
}

/// Why a session with an offline agent goes to no other one (R9c).
fn elsewhere(locale: Locale, notes: &[Evidence]) -> &'static str {
    let mut looked_at = None;
    for note in notes {
        if let Evidence::Shut { .. } = note {
            return locale.say(
                "店铺不在营业时间，会话留给 TA",
                "the shop is closed, so it stays",
            );
        }
        if let Evidence::Candidates {
            candidates: found, ..
        } = note
        {
            looked_at = Some(found);
        }
    }
    match looked_at {
        None => locale.say(
            "全店也没有其他客服在线",
            "no other agent of the shop is online",
        ),
        Some(found) if candidates::one_is_online(found) => locale.say(
            "其他在线客服都满载，会话留给 TA",
            "every agent that is online is full, so it stays",
        ),
        Some(_) => locale.say(
            "能接的其他客服都不在线，会话留给 TA",
            "no agent that may serve it is online, so it stays",
        ),
    }
}

/// Why routing found no agent online, at the start of a sentence.
fn no_agent(locale: Locale, shut: bool) -> &'static str {
    match shut {
        true => locale.say("店铺不在营业时间", "The shop is closed"),
        false => locale.say("全店没有客服在线", "No agent of the shop is online"),
    }
}

/// What a note says about an `auto_reply.sent`.
pub(super) fn of_reply(locale: Locale, notes: &[Evidence], note: &Evidence) -> Option<String> {
    let once = once(locale, notes);
    if let Evidence::LeftToRota { agent, shut } = note {
        let (agent, why) = (locale.agent_last(&agent.agent), no_agent(locale, *shut));
        return Some(locale.say(
            format!("{why}，会话按离线分流留给了{agent}。{once}"),
            format!("{why}, and the offline rota left the session to {agent}.{once}"),
        ));
    }
    if let Evidence::Absent { agent, absence } = note {
        let (absent, elsewhere) = (absent(locale, agent, *absence), elsewhere(locale, notes));
        return Some(locale.say(
            format!("{absent}，{elsewhere}。{once}"),
            format!("{absent}, and {elsewhere}.{once}"),
        ));
    }
    if let Evidence::Waits {
        pool,
        position,
        reason,
    } = note
    {
        let pool = locale.pool(pool);
        return Some(waits(locale, &pool, *position, *reason, once));
    }
    if let Evidence::ClosedReply { until } = note {
        return Some(hours::closed_reply(locale, *until));
    }
    None
}

fn waits(locale: Locale, pool: &str, position: u32, reason: WaitReason, once: &str) -> String {
    let why = waiting_for(locale, reason);
    let sent = match reason {
        WaitReason::NobodyOnline | WaitReason::Closed => once,
        WaitReason::AllBusy
        | WaitReason::ScopeOffline
        | WaitReason::NoAnswer
        | WaitReason::OfflineHandover => locale.say(
            "店铺开启了排队自动回复。",
            " The policy sends this reply to a buyer who begins to wait.",
        ),
    };
    locale.say(
        format!("{why}，会话开始在{pool}队列排队（第 {position} 位）。{sent}"),
        format!("It began to wait for {pool}, at position {position}: {why}.{sent}"),
    )
}

/// What is said of the offline reply, unless the reply of a closed shop takes its place.
fn once(locale: Locale, notes: &[Evidence]) -> &'static str {
    let closed = notes
        .iter()
        .any(|note| matches!(note, Evidence::ClosedReply { .. }));
    if closed {
        return "";
    }
    locale.say(
        "店铺开启了离线自动回复，每个会话一次。",
        " The policy sends this reply when no agent is online, once per session.",
    )
}

/// `离线 3/5`.
fn stands(locale: Locale, agent: &Candidate) -> String {
    let (presence, load) = (locale.presence(agent.presence), locale.load(agent));
    format!("{presence} {load}")
}

pub(super) fn waiting_for(locale: Locale, reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::AllBusy => locale.say("在线客服都满载", "every online agent is full"),
        WaitReason::ScopeOffline => {
            locale.say("能接的客服都不在线", "no agent that may serve it is online")
        }
        WaitReason::NobodyOnline => {
            locale.say("全店没有客服在线", "no agent of the shop is online")
        }
        WaitReason::Closed => locale.say("店铺不在营业时间", "the shop is closed"),
        WaitReason::NoAnswer => locale.say(
            "原客服没有及时回复，其他客服都没有空",
            "its agent did not answer in time, and no other agent is free",
        ),
        WaitReason::OfflineHandover => locale.say(
            "原客服不在线，在线客服都没有空",
            "its agent is offline, and no agent that is online is free",
        ),
    }
}
