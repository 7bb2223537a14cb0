//! Decisions that the shop takes by its own clock, in words: sessions taken back (R10), agents set away (R10e), opening
//! hours (H3) and the summary of a day (M13).

use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::base::ratio::{Rate, Share};
use crate::domain::base::time::OffsetTimestamp;
use crate::domain::protocol::decision::Period;

use super::phrase::{Locale, rate, share};

/// `session.taken_back`.
pub(super) fn taken_back(
    locale: Locale,
    (session, buyer, agent): (&Id, &Id, &Id),
    since: OffsetTimestamp,
    bounce: u32,
) -> Vec<String> {
    let (agent, since) = (locale.agent(agent), locale.time(since));
    vec![
        locale.say(
            format!("会话 {session}（买家 {buyer}）从{agent}转走：买家从 {since} 起没有得到回复，这是第 {bounce} 次转走。"),
            format!(
                "Session {session} (buyer {buyer}) was taken from {agent}: the buyer has had no reply since {since}. \
                 It was taken back {bounce} times so far."
            ),
        ),
        locale.say(
            "[R10] 店铺设置了超时转接：客服超时未回复，会话转给别人，没有人空闲时按设置留下或排队。".to_owned(),
            "[R10] The policy takes a session from an agent that does not answer in time. Another agent gets it; if \
             none is free, it stays or waits, as the policy says."
                .to_owned(),
        ),
    ]
}

/// `agent.presence_set`.
pub(super) fn presence_set(locale: Locale, agent: &Id) -> Vec<String> {
    let agent = locale.agent(agent);
    vec![
        locale.say(
            format!("{agent}被自动设为小休：连续多个会话没有及时回复。"),
            format!("{agent} was set away: several sessions in a row got no reply in time."),
        ),
        locale.say(
            "[R10e] 连续被转走的会话数达到店铺的设置；客服重新上线后恢复接待。".to_owned(),
            "[R10e] As many sessions as the policy allows were taken from the agent, one after the other. It gets \
             sessions again when it comes online."
                .to_owned(),
        ),
    ]
}

/// `hours.opened` and `hours.closed`.
pub(super) fn hours(locale: Locale, open: bool, until: Option<OffsetTimestamp>) -> Vec<String> {
    let until = until.map(|until| locale.time(until));
    let until = match (&until, open) {
        (Some(until), true) => {
            locale.say(format!("，到 {until} 结束营业"), format!(", until {until}"))
        }
        (Some(until), false) => {
            locale.say(format!("，{until} 开始营业"), format!(", until {until}"))
        }
        (None, _) => String::new(),
    };
    let sentence = match open {
        true => locale.say(
            format!("店铺开始营业{until}。"),
            format!("The shop is open{until}."),
        ),
        false => locale.say(
            format!("店铺结束营业{until}。"),
            format!("The shop is closed{until}."),
        ),
    };
    vec![
        sentence,
        locale.say(
            "[H3] 按店铺设置的营业时间和节假日。".to_owned(),
            "[H3] By the opening hours and holidays of the policy.".to_owned(),
        ),
    ]
}

/// What the summary of a day says.
pub(super) struct DayScore {
    pub(super) period: Day,
    pub(super) consulting: u64,
    pub(super) late: u64,
    pub(super) value: Option<Rate>,
    pub(super) threshold: Share,
    pub(super) below: bool,
    pub(super) effective_rate: Rate,
    pub(super) penalty_risk: bool,
}

/// `score.day`.
pub(super) fn day(locale: Locale, score: &DayScore) -> Vec<String> {
    let day = locale.period(Period::ReplyRate(score.period));
    let (consulting, late) = (score.consulting, score.late);
    let value = score.value.map_or_else(String::new, |value| {
        let value = rate(locale, value);
        locale.say(
            format!("，3 分钟回复率 {value}"),
            format!(", a reply rate of {value}"),
        )
    });
    let threshold = share(score.threshold);
    let below = match score.below {
        true => locale.say(
            format!("，低于警戒线 {threshold}"),
            format!(", below the threshold of {threshold}"),
        ),
        false => String::new(),
    };
    let effective = rate(locale, score.effective_rate);
    let risk = match score.penalty_risk {
        true => locale.say(
            "，有处罚风险".to_owned(),
            ", at risk of a penalty".to_owned(),
        ),
        false => String::new(),
    };
    vec![
        locale.say(
            format!("{day}总结：咨询 {consulting}，超时 {late}{value}{below}；有效回复率 {effective}{risk}。"),
            format!(
                "Summary of {day}: {consulting} consulted, {late} late{value}{below}; effective rate \
                 {effective}{risk}."
            ),
        ),
        locale.say(
            "[M13] 当日的回复期限都过了，数字不会再因为新消息而变。".to_owned(),
            "[M13] All replies of the day were due, so new messages do not change these counts.".to_owned(),
        ),
    ]
}
