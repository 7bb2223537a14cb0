//! Reply deadlines in words: reminders, and replies that are overdue (M1, M3, M12).

use crate::domain::base::id::Id;
use crate::domain::base::time::OffsetTimestamp;
use crate::domain::explain::explanation::Evidence;
use crate::domain::policy::ReplyUnit;

use super::phrase::Locale;

/// Who should have replied.
fn responsible(locale: Locale, agent: Option<&Id>) -> String {
    match agent {
        Some(agent) => {
            let agent = locale.agent(agent);
            locale.say(format!("由{agent}负责"), format!("it is with {agent}"))
        }
        None => locale.say(
            "还在排队，没有客服".to_owned(),
            "it waits, with no agent".to_owned(),
        ),
    }
}

/// `reply.due`.
pub(super) fn due(
    locale: Locale,
    at: Option<OffsetTimestamp>,
    (session, buyer, agent): (&Id, &Id, Option<&Id>),
    since: OffsetTimestamp,
    overdue_at: OffsetTimestamp,
) -> Vec<String> {
    let waited = at
        .map(|at| locale.length(at.instant - since.instant))
        .unwrap_or_default();
    let within = locale.length(overdue_at.instant - since.instant);
    let (since, until) = (locale.time(since), locale.time(overdue_at));
    let who = responsible(locale, agent);
    // A message that comes late may be late already (T1).
    let over = at.is_some_and(|at| at.instant >= overdue_at.instant);
    let limit = match over {
        true => locale.say(
            format!("[M3] 消息晚到，已过了 {within}的时限（{until}）。"),
            format!("[M3] The message came late: its limit of {within} has passed at {until}."),
        ),
        false => locale.say(
            format!("[M3] 等满 {waited}提醒，等满 {within}算超时：{until} 之前回复就不算。"),
            format!(
                "[M3] Reminder after {waited}, late after {within}: a reply before {until} is still in time."
            ),
        ),
    };
    vec![
        locale.say(
            format!("慢响应提醒：会话 {session} 的买家 {buyer} 从 {since} 起已等了 {waited}，还没有人工回复（{who}）。"),
            format!(
                "Slow response: buyer {buyer} of session {session} has waited for a human reply for {waited}, \
                 since {since} ({who})."
            ),
        ),
        limit,
    ]
}

/// `reply.overdue`.
pub(super) fn overdue(
    locale: Locale,
    at: Option<OffsetTimestamp>,
    (session, buyer, agent): (&Id, &Id, Option<&Id>),
    since: OffsetTimestamp,
    notes: &[Evidence],
) -> Vec<String> {
    let waited = at
        .map(|at| locale.length(at.instant - since.instant))
        .unwrap_or_default();
    let (since, who) = (locale.time(since), responsible(locale, agent));
    vec![
        locale.say(
            format!("回复超时：会话 {session} 的买家 {buyer} 在 {since} 发的消息，{waited}内没有人工回复（{who}）。"),
            format!(
                "Reply overdue: what buyer {buyer} wrote in session {session} at {since} got no human reply within \
                 {waited} ({who})."
            ),
        ),
        counts_as(locale, notes).to_owned(),
    ]
}

/// What the reply rate makes of a late round, in its unit (M12).
fn counts_as(locale: Locale, notes: &[Evidence]) -> &'static str {
    let late = notes.iter().find_map(|note| {
        if let Evidence::LateRound { unit, first } = note {
            Some((*unit, *first))
        } else {
            None
        }
    });
    match late {
        None | Some((ReplyUnit::Buyer, _)) => locale.say(
            "[M1、M3] 这位买家在发消息那天计为超时，拉低当天的人工回复率。",
            "[M1, M3] The buyer counts as late on the day of the message, which lowers that day's reply rate.",
        ),
        Some((ReplyUnit::Round, _)) => locale.say(
            "[M3、M12] 这一轮对话在发消息那天计为超时，拉低当天按轮次算的人工回复率。",
            "[M3, M12] The round counts as late on the day of the message, which lowers that day's reply rate of rounds.",
        ),
        Some((ReplyUnit::Session, true)) => locale.say(
            "[M3、M12] 这个会话的首轮在发消息那天计为超时，拉低当天按会话算的人工回复率。",
            "[M3, M12] The session's first round counts as late on the day of the message, which lowers that day's reply \
             rate of sessions.",
        ),
        Some((ReplyUnit::Session, false)) => locale.say(
            "[M3、M12] 人工回复率只看每个会话的首轮，这不是首轮，不影响回复率。",
            "[M3, M12] The reply rate counts the first round of each session alone, and this is a later one.",
        ),
    }
}
