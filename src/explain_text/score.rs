//! Scores in words: alerts, recoveries, and how each score is counted (M1, M4, M5, M6).

use crate::domain::base::ratio::Share;
use crate::domain::explain::explanation::Evidence;
use crate::domain::protocol::decision::{Period, Rate};

use super::phrase::{Locale, rate, share};

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
    locale: Locale,
    period: Period,
    value: Rate,
    line: Share,
    needed: Option<u64>,
    notes: &[Evidence],
) -> Vec<String> {
    let sentence = alert_line(locale, period, value, line, needed);
    judged(locale, period, sentence, notes)
}

/// `score.alert` in one line, without a full stop.
pub(super) fn alert_line(
    locale: Locale,
    period: Period,
    value: Rate,
    line: Share,
    needed: Option<u64>,
) -> String {
    let (when, metric) = (locale.period(period), locale.metric(period));
    let (value, line) = (rate(locale, value), share(line));
    let past = match period {
        Period::ReplyRate(_) | Period::GoodRate(_) => locale.say("低于", "below"),
        Period::AttitudeRate(_) => locale.say("高于", "above"),
    };
    let needed = needed.map(|needed| {
        locale.say(
            format!("，再有 {needed} 个满意就能达标"),
            format!("; {needed} more satisfied ratings bring it back"),
        )
    });
    let needed = needed.unwrap_or_default();
    locale.say(
        format!("预警：{when} {metric} {value}，{past} {line} 的线{needed}"),
        format!("Alert: the {metric} of {when} is {value}, {past} its line of {line}{needed}"),
    )
}

/// `score.recovered`.
pub(super) fn recovered(
    locale: Locale,
    period: Period,
    value: Rate,
    line: Share,
    notes: &[Evidence],
) -> Vec<String> {
    let sentence = recovered_line(locale, period, value, line);
    judged(locale, period, sentence, notes)
}

/// `score.recovered` in one line, without a full stop.
pub(super) fn recovered_line(locale: Locale, period: Period, value: Rate, line: Share) -> String {
    let (when, metric) = (locale.period(period), locale.metric(period));
    let (value, line) = (rate(locale, value), share(line));
    let back = match period {
        Period::ReplyRate(_) | Period::GoodRate(_) => "达到",
        Period::AttitudeRate(_) => "不再高于",
    };
    locale.say(
        format!("恢复：{when} {metric} {value}，{back} {line} 的线"),
        format!("Recovered: the {metric} of {when} is {value}, its line is {line}"),
    )
}

/// What was said of a rate, how it is counted, and of how many.
fn judged(locale: Locale, period: Period, sentence: String, notes: &[Evidence]) -> Vec<String> {
    let rule = rule_of_score(period);
    let mut lines = vec![
        format!("{sentence}{}", locale.say("。", ".")),
        format!("[{rule}] {}", definition(locale, period)),
    ];
    for note in notes {
        if let Evidence::Judged {
            rate, min_sample, ..
        } = note
        {
            lines.push(format!(
                "[M6] {}",
                sample(locale, period, rate.under, *min_sample)
            ));
        }
    }
    lines
}

/// How large the sample is, and how large it has to be.
fn sample(locale: Locale, period: Period, size: u64, min: u32) -> String {
    let of = match period {
        Period::ReplyRate(_) => locale.say("位咨询买家", "consulting buyers"),
        Period::GoodRate(_) => locale.say("个评价", "ratings"),
        Period::AttitudeRate(_) => {
            locale.say("个一般或不满意的评价", "neutral and disappointed ratings")
        }
    };
    locale.say(
        format!("样本有 {size} {of}，满 {min} 才判断。"),
        format!("Sample of {of}: {size}; a rate is judged from {min} on."),
    )
}

/// How a score is counted.
fn definition(locale: Locale, period: Period) -> &'static str {
    match period {
        Period::ReplyRate(_) => locale.say(
            "人工回复率 = 没有超时的咨询买家 ÷ 当天咨询买家，按人算。",
            "Consulting buyers who were not kept late, by all who consulted that day.",
        ),
        Period::GoodRate(_) => locale.say(
            "好评率 = 满意 ÷ 本周全部评价。",
            "Satisfied ratings by all of that week.",
        ),
        Period::AttitudeRate(_) => locale.say(
            "一般和不满意的评价里，勾选了服务态度差的占比，按月算。",
            "Of the month's neutral and disappointed ratings, those that name the attitude.",
        ),
    }
}
