//! All other decisions in words: closes, notices, replies that come late, scores (S3, R5, R6, R9, M1 to M6).

use crate::domain::base::id::Id;
use crate::domain::base::ratio::Share;
use crate::domain::base::time::Stamp;
use crate::domain::explain::explanation::Evidence;
use crate::domain::protocol::decision::{CloseReason, Period, Rate};

use super::phrase::{Locale, rate, share};
use super::{causes, invite, routing_steps};

/// The rule behind a close for which nothing was noted.
pub(super) fn rule_of_close(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Timeout => "S3",
        CloseReason::AgentOffline => "R9",
        CloseReason::Agent | CloseReason::Buyer | CloseReason::System => "contract",
    }
}

/// `session.closed`.
pub(super) fn closed(
    voice: Locale,
    (session, buyer, agent): (&Id, &Id, Option<&Id>),
    reason: CloseReason,
    notes: &[Evidence],
) -> Vec<String> {
    let by = invite::closed_by(voice, reason);
    let served = match agent {
        Some(agent) => {
            let agent = voice.agent(agent);
            voice.say(format!("由{agent}接待"), format!("served by {agent}"))
        }
        None => voice.say("没有人接待过".to_owned(), "never served".to_owned()),
    };
    let told = voice.say(
        format!("会话 {session}（买家 {buyer}，{served}）已结束：{by}。"),
        format!("Session {session} (buyer {buyer}, {served}) has ended: {by}."),
    );
    with_causes(voice, told, notes, causes::of_close)
}

/// `agent.notified`.
pub(super) fn notified(voice: Locale, agent: &Id, session: &Id, notes: &[Evidence]) -> Vec<String> {
    let agent = voice.agent(agent);
    let told = voice.say(
        format!("已向{agent}的手机推送会话 {session}。"),
        format!("Session {session} was pushed to the phone of {agent}."),
    );
    with_causes(voice, told, notes, causes::of_notice)
}

/// `auto_reply.sent`.
pub(super) fn auto_reply(
    voice: Locale,
    session: &Id,
    text: &str,
    notes: &[Evidence],
) -> Vec<String> {
    let text = voice.quoted(text);
    let told = voice.say(
        format!("在会话 {session} 里自动回复了买家：{text}"),
        format!("The buyer of session {session} was told automatically: {text}"),
    );
    with_causes(voice, told, notes, causes::of_reply)
}

/// What was decided, then what led to it, each with its rule.
fn with_causes(
    voice: Locale,
    told: String,
    notes: &[Evidence],
    cause: fn(Locale, &Evidence) -> Option<String>,
) -> Vec<String> {
    let causes = notes.iter().enumerate().filter_map(|(place, note)| {
        let rule = routing_steps::rule_of(notes, place)?;
        Some(format!("[{rule}] {}", cause(voice, note)?))
    });
    std::iter::once(told).chain(causes).collect()
}

/// Who should have replied.
fn responsible(voice: Locale, agent: Option<&Id>) -> String {
    match agent {
        Some(agent) => {
            let agent = voice.agent(agent);
            voice.say(format!("由{agent}负责"), format!("it is with {agent}"))
        }
        None => voice.say(
            "还在排队，没有客服".to_owned(),
            "it waits, with no agent".to_owned(),
        ),
    }
}

/// `reply.due`.
pub(super) fn due(
    voice: Locale,
    at: Option<Stamp>,
    (session, buyer, agent): (&Id, &Id, Option<&Id>),
    since: Stamp,
    overdue_at: Stamp,
) -> Vec<String> {
    let waited = at
        .map(|at| voice.length(at.instant - since.instant))
        .unwrap_or_default();
    let within = voice.length(overdue_at.instant - since.instant);
    let (since, until) = (voice.time(since), voice.time(overdue_at));
    let who = responsible(voice, agent);
    vec![
        voice.say(
            format!("慢响应提醒：会话 {session} 的买家 {buyer} 从 {since} 起已等了 {waited}，还没有人工回复（{who}）。"),
            format!(
                "Slow response: buyer {buyer} of session {session} has waited for a human reply for {waited}, \
                 since {since} ({who})."
            ),
        ),
        voice.say(
            format!("[M3] 等满 {waited}提醒，等满 {within}算超时：{until} 之前回复就不算。"),
            format!(
                "[M3] Reminder after {waited}, late after {within}: a reply before {until} is still in time."
            ),
        ),
    ]
}

/// `reply.overdue`.
pub(super) fn overdue(
    voice: Locale,
    at: Option<Stamp>,
    (session, buyer, agent): (&Id, &Id, Option<&Id>),
    since: Stamp,
) -> Vec<String> {
    let waited = at
        .map(|at| voice.length(at.instant - since.instant))
        .unwrap_or_default();
    let (since, who) = (voice.time(since), responsible(voice, agent));
    vec![
        voice.say(
            format!("回复超时：会话 {session} 的买家 {buyer} 在 {since} 发的消息，{waited}内没有人工回复（{who}）。"),
            format!(
                "Reply overdue: what buyer {buyer} wrote in session {session} at {since} got no human reply within \
                 {waited} ({who})."
            ),
        ),
        voice.say(
            "[M1、M3] 这位买家在发消息那天计为超时，拉低当天的人工回复率。".to_owned(),
            "[M1, M3] The buyer counts as late on the day of the message, which lowers that day's reply rate.".to_owned(),
        ),
    ]
}

/// The rule of a score.
pub(super) fn rule_of_score(period: Period) -> &'static str {
    match period {
        Period::ReplyRate(_) => "M1",
        Period::GoodRate(_) => "M4",
        Period::AttitudeRate(_) => "M5",
    }
}

/// `score.alert`.
pub(super) fn alert(
    voice: Locale,
    period: Period,
    value: Rate,
    line: Share,
    needed: Option<u64>,
    notes: &[Evidence],
) -> Vec<String> {
    let told = alert_line(voice, period, value, line, needed);
    judged(voice, period, told, notes)
}

/// `score.alert` in one line, without a full stop.
pub(super) fn alert_line(
    voice: Locale,
    period: Period,
    value: Rate,
    line: Share,
    needed: Option<u64>,
) -> String {
    let (when, metric) = (voice.period(period), voice.metric(period));
    let (value, line) = (rate(voice, value), share(line));
    let past = match period {
        Period::ReplyRate(_) | Period::GoodRate(_) => voice.say("低于", "below"),
        Period::AttitudeRate(_) => voice.say("高于", "above"),
    };
    let needed = needed.map(|needed| {
        voice.say(
            format!("，再有 {needed} 个满意就能达标"),
            format!("; {needed} more satisfied ratings bring it back"),
        )
    });
    let needed = needed.unwrap_or_default();
    voice.say(
        format!("预警：{when} {metric} {value}，{past} {line} 的线{needed}"),
        format!("Alert: the {metric} of {when} is {value}, {past} its line of {line}{needed}"),
    )
}

/// `score.recovered`.
pub(super) fn recovered(
    voice: Locale,
    period: Period,
    value: Rate,
    line: Share,
    notes: &[Evidence],
) -> Vec<String> {
    let told = recovered_line(voice, period, value, line);
    judged(voice, period, told, notes)
}

/// `score.recovered` in one line, without a full stop.
pub(super) fn recovered_line(voice: Locale, period: Period, value: Rate, line: Share) -> String {
    let (when, metric) = (voice.period(period), voice.metric(period));
    let (value, line) = (rate(voice, value), share(line));
    let back = match period {
        Period::ReplyRate(_) | Period::GoodRate(_) => "达到",
        Period::AttitudeRate(_) => "不再高于",
    };
    voice.say(
        format!("恢复：{when} {metric} {value}，{back} {line} 的线"),
        format!("Recovered: the {metric} of {when} is {value}, its line is {line}"),
    )
}

/// What was said of a rate, how it is counted, and of how many.
fn judged(voice: Locale, period: Period, told: String, notes: &[Evidence]) -> Vec<String> {
    let rule = rule_of_score(period);
    let mut lines = vec![
        format!("{told}{}", voice.say("。", ".")),
        format!("[{rule}] {}", definition(voice, period)),
    ];
    for note in notes {
        if let Evidence::Judged {
            rate, min_sample, ..
        } = note
        {
            lines.push(format!(
                "[M6] {}",
                sample(voice, period, rate.under, *min_sample)
            ));
        }
    }
    lines
}

/// How large the sample is, and how large it has to be.
fn sample(voice: Locale, period: Period, size: u64, min: u32) -> String {
    let of = match period {
        Period::ReplyRate(_) => voice.say("位咨询买家", "consulting buyers"),
        Period::GoodRate(_) => voice.say("个评价", "ratings"),
        Period::AttitudeRate(_) => {
            voice.say("个一般或不满意的评价", "neutral and disappointed ratings")
        }
    };
    voice.say(
        format!("样本有 {size} {of}，满 {min} 才判断。"),
        format!("Sample of {of}: {size}; a rate is judged from {min} on."),
    )
}

/// How a score is counted.
fn definition(voice: Locale, period: Period) -> &'static str {
    match period {
        Period::ReplyRate(_) => voice.say(
            "人工回复率 = 没有超时的咨询买家 ÷ 当天咨询买家，按人算。",
            "Consulting buyers who were not kept late, by all who consulted that day.",
        ),
        Period::GoodRate(_) => voice.say(
            "好评率 = 满意 ÷ 本周全部评价。",
            "Satisfied ratings by all of that week.",
        ),
        Period::AttitudeRate(_) => voice.say(
            "一般和不满意的评价里，勾选了服务态度差的占比，按月算。",
            "Of the month's neutral and disappointed ratings, those that name the attitude.",
        ),
    }
}
