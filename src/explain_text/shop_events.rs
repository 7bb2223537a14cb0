//! Decisions that the shop takes by its own clock, in words: the summary of a day (M13).

use crate::domain::base::calendar::Day;
use crate::domain::base::ratio::{Rate, Share};
use crate::domain::protocol::decision::Period;

use super::phrase::{Locale, rate, share};

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
