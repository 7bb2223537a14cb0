//! Scores in words: alerts, recoveries, the summary of a day, and how each score is counted (M1, M2, M4 to M6, M12, M13).

use crate::domain::base::calendar::Day;
use crate::domain::base::ratio::Share;
use crate::domain::base::time::Duration;
use crate::domain::explain::explanation::{Evidence, ScoreBasis};
use crate::domain::policy::{GoodRatePolicy, ReplyPolicy, ReplyUnit};
use crate::domain::protocol::decision::{Period, Rate};

use super::phrase::{Locale, rate, share, time_of_day};

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
    let mut lines = vec![format!("{sentence}{}", locale.say("。", "."))];
    for note in notes {
        if let Evidence::Judged {
            rate,
            min_sample,
            basis,
            ..
        } = note
        {
            let (rule, counted) = counted(locale, *basis, *rate);
            lines.push(format!("[{rule}] {counted}"));
            let of = sample_of(locale, *basis);
            let size = rate.under;
            let sample = locale.say(
                format!("样本有 {size} {of}，满 {min_sample} 才判断。"),
                format!("Sample of {of}: {size}; a rate is judged from {min_sample} on."),
            );
            lines.push(format!("[M6] {sample}"));
        }
    }
    if lines.len() == 1 {
        lines.push(format!("[{}]", rule_of_score(period)));
    }
    lines
}

/// What a sample consists of.
fn sample_of(locale: Locale, basis: ScoreBasis) -> &'static str {
    match basis {
        ScoreBasis::Replies { unit, .. } => match unit {
            ReplyUnit::Buyer => locale.say("位咨询买家", "consulting buyers"),
            ReplyUnit::Round => locale.say("轮对话", "rounds"),
            ReplyUnit::Session => locale.say("个会话", "sessions"),
        },
        ScoreBasis::Ratings { .. } => locale.say("个评价", "ratings"),
        ScoreBasis::Attitude => {
            locale.say("个一般或不满意的评价", "neutral and disappointed ratings")
        }
    }
}

/// How a score is counted, with its rule.
fn counted(locale: Locale, basis: ScoreBasis, rate: Rate) -> (&'static str, String) {
    match basis {
        ScoreBasis::Replies { unit, within } => replies(locale, unit, within),
        ScoreBasis::Ratings { all, policy } => ("M4", ratings(locale, all, &policy, rate)),
        ScoreBasis::Attitude => {
            let attitude = locale.say(
                "一般和不满意的评价里，勾选了服务态度差的占比，按月算。",
                "Of the month's neutral and disappointed ratings, those that name the attitude.",
            );
            ("M5", attitude.to_owned())
        }
    }
}

/// The reply rate in its unit (M1, M12).
fn replies(locale: Locale, unit: ReplyUnit, within: Duration) -> (&'static str, String) {
    let within = locale.length(within);
    match unit {
        ReplyUnit::Buyer => (
            "M1",
            locale.say(
                format!("人工回复率 = 没有超时的咨询买家 ÷ 当天咨询买家，按人算；消息满 {within}没有人工回复算超时。"),
                format!(
                    "Consulting buyers who were not kept late, divided by all who consulted that day. A message without a \
                     human reply for {within} is late."
                ),
            ),
        ),
        ReplyUnit::Round => (
            "M12",
            locale.say(
                format!(
                    "人工回复率 = 没有超时的对话 ÷ 当天的对话，按轮次算：从买家发来消息到下一条人工回复是一轮，满 {within}没有回复算超时。"
                ),
                format!(
                    "Rounds that were answered in time, divided by all rounds of that day. A round lasts from a buyer's message \
                     to the next human reply; it is late after {within}."
                ),
            ),
        ),
        ReplyUnit::Session => (
            "M12",
            locale.say(
                format!("人工回复率 = 首轮没有超时的会话 ÷ 当天的会话，只看每个会话的第一轮：满 {within}没有人工回复算超时。"),
                format!(
                    "Sessions whose first round was answered in time, divided by all of that day. A round lasts from a buyer's \
                     message to the next human reply; it is late after {within}."
                ),
            ),
        ),
    }
}

/// The good rate, and which ratings of the week are judged (M4).
fn ratings(locale: Locale, all: Rate, policy: &GoodRatePolicy, judged: Rate) -> String {
    const DAY_MS: u32 = 86_400_000;
    let mut limits = Vec::new();
    if policy.human {
        limits.push(
            locale
                .say("不计机器人的评价", "those of the bot do not count")
                .to_owned(),
        );
    }
    if policy.from_ms > 0 || policy.to_ms < DAY_MS {
        let times = time_of_day(policy.from_ms, policy.to_ms);
        limits.push(locale.say(
            format!("只计 {times} 发出的评价卡"),
            format!("only cards made at {times} count"),
        ));
    }
    if limits.is_empty() && all == judged {
        return locale
            .say(
                "好评率 = 满意 ÷ 本周全部评价。",
                "Satisfied ratings divided by all ratings of that week.",
            )
            .to_owned();
    }
    let (all, judged) = (all.under, judged.under);
    let limits = limits.join(locale.say("，", ", "));
    let limits = match limits.is_empty() {
        true => String::new(),
        false => locale.say(format!("（{limits}）"), format!(" ({limits})")),
    };
    locale.say(
        format!("好评率 = 满意 ÷ 计入的评价。本周共 {all} 个评价，计入 {judged} 个{limits}。"),
        format!("Satisfied ratings divided by those that are judged: {judged} of the {all} ratings of that week{limits}."),
    )
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
pub(super) fn day(locale: Locale, score: &DayScore, notes: &[Evidence]) -> Vec<String> {
    let reply = notes.iter().find_map(|note| {
        if let Evidence::DaySummary { reply } = note {
            Some(reply)
        } else {
            None
        }
    });
    let day = locale.period(Period::ReplyRate(score.period));
    let counts = day_counts(
        locale,
        score,
        reply.map_or(ReplyUnit::Buyer, |reply| reply.unit),
    );
    let value = score.value.map_or_else(String::new, |value| {
        let (value, held) = (rate(locale, value), held(locale, score));
        locale.say(
            format!("，人工回复率 {value}{held}"),
            format!("; the reply rate is {value}{held}"),
        )
    });
    let effective = rate(locale, score.effective_rate);
    let risk = match score.penalty_risk {
        true => locale.say("，有处罚风险", ", at risk of a penalty"),
        false => "",
    };
    let mut lines = vec![locale.say(
        format!("{day} 总结：{counts}{value}；有效回复率 {effective}{risk}。"),
        format!("Summary of {day}: {counts}{value}; the effective rate is {effective}{risk}."),
    )];
    if let Some(reply) = reply {
        let (rule, counted) = replies(locale, reply.unit, reply.within);
        lines.push(format!("[{rule}] {counted}"));
        lines.push(format!("[M2] {}", effective_rate(locale, score, reply)));
        lines.push(format!("[M13] {}", day_is_over(locale, reply)));
    }
    lines
}

/// How many consulted, and how many of them were late.
fn day_counts(locale: Locale, score: &DayScore, unit: ReplyUnit) -> String {
    let (all, late) = (score.consulting, score.late);
    match unit {
        ReplyUnit::Buyer => locale.say(
            format!("咨询买家 {all} 位，超时 {late} 位"),
            format!("buyers who consulted: {all}, of them late: {late}"),
        ),
        ReplyUnit::Round => locale.say(
            format!("对话 {all} 轮，超时 {late} 轮"),
            format!("rounds: {all}, of them late: {late}"),
        ),
        ReplyUnit::Session => locale.say(
            format!("咨询会话 {all} 个，首轮超时 {late} 个"),
            format!("sessions: {all}, late in their first round: {late}"),
        ),
    }
}

/// The threshold of the day's rate, if there is one.
fn held(locale: Locale, score: &DayScore) -> String {
    let line = share(score.threshold);
    match (score.threshold == Share::ZERO, score.below) {
        (true, _) => String::new(),
        (false, true) => locale.say(
            format!("，低于 {line} 的线"),
            format!(", below its line of {line}"),
        ),
        (false, false) => locale.say(
            format!("，达到 {line} 的线"),
            format!(", its line is {line}"),
        ),
    }
}

/// The effective rate, and the risk of a penalty (M2).
fn effective_rate(locale: Locale, score: &DayScore, reply: &ReplyPolicy) -> String {
    let bot = match reply.effective_bot {
        true => locale.say("（机器人的回复也算）", " (replies of the bot count too)"),
        false => "",
    };
    let (buyers, above) = (score.effective_rate.under, reply.penalty_above);
    let risk = match (above, score.penalty_risk) {
        (0, _) => String::new(),
        (_, true) => locale.say(
            format!("咨询买家 {buyers} 位，超过 {above} 位，有效回复率又不到 50%，有处罚风险。"),
            format!(
                " More than {above} buyers consulted ({buyers}), and less than half of them were answered: a penalty \
                 may follow."
            ),
        ),
        (_, false) if buyers <= u64::from(above) => locale.say(
            format!("咨询买家 {buyers} 位，不超过 {above} 位，没有处罚风险。"),
            format!(" {buyers} buyers consulted, not more than {above}: there is no risk of a penalty."),
        ),
        (_, false) => locale.say(
            "有效回复率不低于 50%，没有处罚风险。".to_owned(),
            " At least half of them were answered: there is no risk of a penalty.".to_owned(),
        ),
    };
    locale.say(
        format!("有效回复率 = 当天得到过回复的咨询买家 ÷ 当天咨询买家{bot}。{risk}"),
        format!(
            "Consulting buyers who got a reply that day, divided by all who consulted{bot}.{risk}"
        ),
    )
}

/// When a day's summary is due (M13).
fn day_is_over(locale: Locale, reply: &ReplyPolicy) -> String {
    let within = locale.length(reply.within);
    locale.say(
        format!("当天最晚的消息也已满 {within}的回复时限，所以现在总结；不看最小样本，之后再有变化也不改这条。"),
        format!(
            "The last message of the day is {within} old by now, so its reply is in time or late. The summary has no \
             minimum sample, and later changes do not change it."
        ),
    )
}
