//! All other decisions in words: closes, notices, replies that come late, scores (S3, R5, R6, R9, M1 to M6).

use crate::domain::decision::{CloseReason, Period, Rate};
use crate::domain::id::Id;
use crate::domain::policy::Share;
use crate::domain::time::Stamp;

use super::invite;
use super::phrase::{Voice, rate, share};

/// The rule behind a close.
pub(super) fn rule_of_close(reason: CloseReason, agent: Option<&Id>) -> &'static str {
    match (reason, agent) {
        (CloseReason::Timeout, Some(_)) => "S3",
        // Whom nobody ever served has no silence timer: it was the longest wait.
        (CloseReason::Timeout, None) => "R6",
        (CloseReason::AgentOffline, _) => "R9",
        (CloseReason::Agent | CloseReason::Buyer | CloseReason::System, _) => "contract",
    }
}

/// `session.closed`.
pub(super) fn closed(
    voice: Voice,
    session: &Id,
    buyer: &Id,
    agent: Option<&Id>,
    reason: CloseReason,
) -> Vec<String> {
    let by = invite::closed_by(voice, reason);
    let served = match agent {
        Some(agent) => {
            let agent = voice.agent(agent);
            voice.say(format!("由{agent}接待"), format!("served by {agent}"))
        }
        None => voice.say("没有人接待过".to_owned(), "never served".to_owned()),
    };
    let mut lines = vec![voice.say(
        format!("会话 {session}（买家 {buyer}，{served}）已结束：{by}。"),
        format!("Session {session} (buyer {buyer}, {served}) has ended: {by}."),
    )];
    let more = match rule_of_close(reason, agent) {
        "S3" => voice.say(
            "[S3] 买家太久没有说话；如果当时在排队，则是排队超过了最长等待 [R6]。",
            "[S3] The buyer was silent for as long as the policy allows; or waited for as long, if it was in a queue [R6].",
        ),
        "R6" => voice.say(
            "[R6] 排队超过最长等待时间，自动结束。",
            "[R6] It waited for as long as the policy allows.",
        ),
        "R9" => voice.say(
            "[R9] 店铺设置为：客服离线，TA 手上的会话随之结束。",
            "[R9] The policy closes what an agent has when it goes offline.",
        ),
        _ => "",
    };
    lines.extend((!more.is_empty()).then(|| more.to_owned()));
    lines
}

/// `agent.notified`.
pub(super) fn notified(voice: Voice, agent: &Id, session: &Id) -> Vec<String> {
    let agent = voice.agent(agent);
    vec![
        voice.say(
            format!("已向{agent}的手机推送会话 {session}。"),
            format!("Session {session} was pushed to the phone of {agent}."),
        ),
        voice.say(
            "[R5、R9] 客服不在线，却分到了买家，或手上的买家又发来消息。".to_owned(),
            "[R5, R9] The agent is offline and got a buyer, or a message of one it has.".to_owned(),
        ),
    ]
}

/// `auto_reply.sent`.
pub(super) fn auto_reply(voice: Voice, session: &Id, text: &str) -> Vec<String> {
    let text = voice.quoted(text);
    vec![
        voice.say(
            format!("在会话 {session} 里自动回复了买家：{text}"),
            format!("The buyer of session {session} was told automatically: {text}"),
        ),
        voice.say(
            "[R5、R6、R9] 店铺开启了自动回复：没有客服在线（每个会话一次）或开始排队时发送。".to_owned(),
            "[R5, R6, R9] The policy says so when nobody is online (once a session), or when a buyer begins to wait."
                .to_owned(),
        ),
    ]
}

/// Who should have replied.
fn responsible(voice: Voice, agent: Option<&Id>) -> String {
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
    voice: Voice,
    at: Option<Stamp>,
    (session, buyer, agent): (&Id, &Id, Option<&Id>),
    since: Stamp,
    overdue_at: Stamp,
) -> Vec<String> {
    let waited = at
        .map(|at| voice.length(at.instant - since.instant))
        .unwrap_or_default();
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
            format!("[M3] {until} 之前回复就不算超时。"),
            format!("[M3] A reply before {until} is still in time."),
        ),
    ]
}

/// `reply.overdue`.
pub(super) fn overdue(
    voice: Voice,
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
    voice: Voice,
    period: Period,
    value: Rate,
    line: Share,
    needed: Option<u64>,
) -> Vec<String> {
    let told = alert_line(voice, period, value, line, needed);
    vec![
        format!("{told}{}", voice.say("。", ".")),
        defined(voice, period),
    ]
}

/// `score.alert` in one line, without a full stop.
pub(super) fn alert_line(
    voice: Voice,
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
pub(super) fn recovered(voice: Voice, period: Period, value: Rate, line: Share) -> Vec<String> {
    let told = recovered_line(voice, period, value, line);
    vec![
        format!("{told}{}", voice.say("。", ".")),
        defined(voice, period),
    ]
}

/// `score.recovered` in one line, without a full stop.
pub(super) fn recovered_line(voice: Voice, period: Period, value: Rate, line: Share) -> String {
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

fn defined(voice: Voice, period: Period) -> String {
    let (rule, and) = (rule_of_score(period), voice.say("、", ", "));
    format!("[{rule}{and}M6] {}", definition(voice, period))
}

/// How a score is counted.
fn definition(voice: Voice, period: Period) -> &'static str {
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
