//! Events of a session in words: closes, notices to agents and automatic replies, with their causes (S3, R5, R6, R9).

use crate::domain::base::id::Id;
use crate::domain::explain::explanation::Evidence;
use crate::domain::protocol::decision::CloseReason;

use super::phrase::Locale;
use super::{causes, invite, routing_steps};

/// The rule behind a close for which nothing was noted.
pub(super) fn rule_of_close(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Timeout => "S3",
        CloseReason::AgentOffline => "R9",
        CloseReason::Abandoned => "S7",
        CloseReason::Blocked => "B1",
        CloseReason::Agent | CloseReason::Buyer | CloseReason::System => "contract",
    }
}

/// `session.closed`.
pub(super) fn closed(
    locale: Locale,
    (session, buyer, agent): (&Id, &Id, Option<&Id>),
    reason: CloseReason,
    notes: &[Evidence],
) -> Vec<String> {
    let by = invite::closed_by(locale, reason);
    let served = match agent {
        Some(agent) => {
            let agent = locale.agent(agent);
            locale.say(format!("由{agent}接待"), format!("served by {agent}"))
        }
        None => locale.say("没有人接待过".to_owned(), "never served".to_owned()),
    };
    let sentence = locale.say(
        format!("会话 {session}（买家 {buyer}，{served}）已结束：{by}。"),
        format!("Session {session} (buyer {buyer}, {served}) has ended: {by}."),
    );
    with_causes(locale, sentence, notes, causes::of_close)
}

/// `agent.notified`.
pub(super) fn notified(
    locale: Locale,
    agent: &Id,
    session: &Id,
    notes: &[Evidence],
) -> Vec<String> {
    let agent = locale.agent(agent);
    let sentence = locale.say(
        format!("已向{agent}的手机推送会话 {session}。"),
        format!("Session {session} was pushed to the phone of {agent}."),
    );
    with_causes(locale, sentence, notes, causes::of_notice)
}

/// `auto_reply.sent`.
pub(super) fn auto_reply(
    locale: Locale,
    session: &Id,
    text: &str,
    notes: &[Evidence],
) -> Vec<String> {
    let text = locale.quoted(text);
    let sentence = locale.say(
        format!("在会话 {session} 里自动回复了买家：{text}"),
        format!("The buyer of session {session} was told automatically: {text}"),
    );
    with_causes(locale, sentence, notes, causes::of_reply)
}

/// What was decided, then what led to it, each with its rule, then the agents that were looked at.
fn with_causes(
    locale: Locale,
    sentence: String,
    notes: &[Evidence],
    cause: fn(Locale, &[Evidence], &Evidence) -> Option<String>,
) -> Vec<String> {
    let (mut lines, mut tables) = (vec![sentence], Vec::new());
    for (place, note) in notes.iter().enumerate() {
        let Some(rule) = routing_steps::rule_of(notes, place) else {
            continue;
        };
        if let Some(cause) = cause(locale, notes, note) {
            lines.push(format!("[{rule}] {cause}"));
        }
        if let Evidence::Candidates { .. } = note {
            tables.extend(routing_steps::table(locale, note, rule));
        }
    }
    lines.extend(tables);
    lines
}
