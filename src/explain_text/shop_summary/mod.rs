//! A shop's summary on a screen or two: sessions, waits, agents and their days, invitations, scores against their
//! thresholds, and highlights.

mod agent_days;
mod figures;

use std::collections::BTreeMap;

use crate::domain::base::ratio::Share;
use crate::domain::policy::{ReplyUnit, ServicePolicy};
use crate::domain::protocol::decision::BlockCode;
use crate::domain::protocol::rating::Level;
use crate::domain::read::report::{
    AgentReport, DayReport, Decimal, MonthReport, Report, WeekReport,
};

use super::notable_decisions::{Highlight, Highlights};
use super::phrase::{Locale, decimal, share};
use super::table::{Side, TextTable};
use super::{Language, invite, rating, score};
use agent_days::agent_days;
use figures::{AGENTS_MAX, agent_name, length_of, more_agents, rate, when_of};

/// How many of the latest days, weeks and months are listed.
const PERIODS_MAX: usize = 3;

/// The state of a shop, as lines of text without a line break at the end.
///
/// Scores are compared with `service`, the current policy. Highlights are listed where `highlights` has seen the
/// shop's decisions.
pub fn summary(
    report: &Report,
    service: &ServicePolicy,
    highlights: &Highlights,
    language: Language,
) -> String {
    let locale = Locale::new(language, None);
    let mut parts = vec![
        part(locale.say("接待", "Sessions"), sessions(locale, report)),
        part(locale.say("客服", "Agents"), agents(locale, &report.agents)),
    ];
    let days = agent_days(locale, report).into_iter();
    parts.extend(days.map(|(title, lines)| part(&title, lines)));
    parts.extend([
        part(
            locale.say("邀评", "Invites"),
            invites(locale, report, highlights),
        ),
        part(
            locale.say("分数", "Scores"),
            scores(locale, report, service),
        ),
        part(
            locale.say("值得留意", "Worth a look"),
            events(locale, highlights),
        ),
    ]);
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("\n\n")
}

fn part(title: &str, lines: Vec<String>) -> Option<String> {
    let lines: Vec<String> = lines.iter().map(|line| format!("  {line}")).collect();
    (!lines.is_empty()).then(|| format!("{title}\n{}", lines.join("\n")))
}

fn sessions(locale: Locale, report: &Report) -> Vec<String> {
    let it = &report.sessions;
    let (opened, bot, assigned) = (it.opened, it.bot_only, it.assigned);
    let (queued, closed) = (it.queued, it.closed);
    // Sessions that left the queue before their turn, or still wait.
    let unserved = match opened.saturating_sub(assigned + bot) {
        0 => String::new(),
        n => locale.say(
            format!("，没等到客服 {n}"),
            format!(", {n} never reached an agent"),
        ),
    };
    let mut lines = vec![locale.say(
        format!(
            "来访 {opened}，机器人独自接待 {bot}，人工接待 {assigned}{unserved}；排过队 {queued}，已结束 {closed}"
        ),
        format!(
            "{opened} opened, {bot} by the bot alone, {assigned} assigned{unserved}; {queued} queued, {closed} closed"
        ),
    )];
    if report.waits.count > 0 {
        let length = |seconds: Decimal| locale.length(length_of(seconds));
        let (mean, p50) = (length(report.waits.mean), length(report.waits.p50));
        let (p95, max) = (length(report.waits.p95), length(report.waits.max));
        let none = report.waits.p95.scaled == 0;
        let within = if none {
            "95% 的买家不用等".to_owned()
        } else {
            format!("95% 的买家不超过 {p95}")
        };
        lines.push(locale.say(
            format!("等待人工：平均 {mean}，中位 {p50}，{within}，最长 {max}"),
            format!(
                "Waits for an agent: mean {mean}, median {p50}, 95% within {p95}, longest {max}"
            ),
        ));
    }
    lines
}

fn agents(locale: Locale, agents: &BTreeMap<String, AgentReport>) -> Vec<String> {
    let mut ordered: Vec<(&String, &AgentReport)> = agents.iter().collect();
    ordered.sort_by(|a, b| b.1.assigned.cmp(&a.1.assigned).then_with(|| a.0.cmp(b.0)));
    let mut table = TextTable::new(&[
        (locale.say("客服", "agent"), Side::Left),
        (locale.say("接待", "assigned"), Side::Right),
        (rating::level(locale, Level::Satisfied), Side::Right),
        (rating::level(locale, Level::Neutral), Side::Right),
        (rating::level(locale, Level::Disappointed), Side::Right),
        (locale.say("平均星级", "mean stars"), Side::Right),
        (locale.say("好评率", "good rate"), Side::Right),
    ]);
    for (id, agent) in ordered.iter().take(AGENTS_MAX) {
        let name = agent_name(locale, id);
        let stars = agent
            .mean_stars
            .map(|stars| decimal((stars.scaled + 50) / 100, 100));
        table.row([
            name.to_owned(),
            agent.assigned.to_string(),
            agent.satisfied.to_string(),
            agent.neutral.to_string(),
            agent.disappointed.to_string(),
            stars.unwrap_or_else(|| "-".to_owned()),
            agent.good_rate.map_or_else(|| "-".to_owned(), rate),
        ]);
    }
    let mut lines = if ordered.is_empty() {
        Vec::new()
    } else {
        table.lines("")
    };
    lines.extend(more_agents(locale, ordered.len()));
    lines
}

fn invites(locale: Locale, report: &Report, highlights: &Highlights) -> Vec<String> {
    let it = &report.invites;
    let (auto, manual) = (it.auto_sent, it.manual_sent);
    let blocked = match highlights.blocked_in_all {
        0 => String::new(),
        n => locale.say(format!("，没有发出 {n}"), format!(", {n} kept back")),
    };
    let mut lines = vec![locale.say(
        format!("自动发出 {auto}，客服手动发出 {manual}{blocked}"),
        format!("{auto} sent automatically, {manual} by the agents' button{blocked}"),
    )];
    let counts = BlockCode::ALL.iter().zip(it.blocked.0);
    let mut counts: Vec<(u64, BlockCode)> = counts
        .filter(|(_, count)| *count > 0)
        .map(|(&code, count)| (count, code))
        .collect();
    counts.sort_by_key(|&(count, code)| (std::cmp::Reverse(count), code));
    if counts.is_empty() {
        return lines;
    }
    lines.push(
        locale
            .say(
                "没有发出的原因（一次可能有几个）：",
                "Kept back because (one may have several reasons):",
            )
            .to_owned(),
    );
    let mut table = TextTable::headless(&[Side::Right, Side::Left]);
    for (count, code) in counts {
        let (rule, reason) = (invite::rule(code), invite::blocked(locale, code));
        table.row([count.to_string(), format!("{reason} [{rule}]")]);
    }
    lines.extend(table.lines("  "));
    lines
}

fn latest<T>(periods: &BTreeMap<String, T>) -> impl Iterator<Item = (&String, &T)> {
    periods
        .iter()
        .skip(periods.len().saturating_sub(PERIODS_MAX))
}

fn scores(locale: Locale, report: &Report, service: &ServicePolicy) -> Vec<String> {
    let days = latest(&report.days).map(|(when, day)| day_line(locale, when, day, service));
    let weeks = latest(&report.weeks).map(|(when, week)| week_line(locale, when, week, service));
    let months = latest(&report.months).filter(|(_, month)| month.unhappy > 0);
    let months = months.map(|(when, month)| month_line(locale, when, month, service));
    days.chain(weeks).chain(months).collect()
}

/// The threshold of a rate; `None` where the policy has none.
fn held_against(locale: Locale, line: Share, off: Share, bad: Option<bool>) -> String {
    if line == off {
        return String::new();
    }
    let line = share(line);
    match bad {
        Some(true) => locale.say(
            format!("，没达到 {line} 的线"),
            format!(", below its line of {line}"),
        ),
        Some(false) => locale.say(
            format!("，达标（线是 {line}）"),
            format!(", on the right side of {line}"),
        ),
        None => String::new(),
    }
}

fn day_line(locale: Locale, when: &str, day: &DayReport, service: &ServicePolicy) -> String {
    let value = day.reply_rate.map_or_else(|| "-".to_owned(), rate);
    let min = service.reply.min_rate;
    let (consulting, late) = (day.consulting, day.late);
    let bad = (consulting - late.min(consulting)) * 10_000 < u64::from(min.0) * consulting;
    let line = held_against(locale, min, Share::ZERO, Some(bad));
    let counts = day_counts(locale, day, &locale.length(service.reply.within));
    let when = when_of(locale, when);
    let risk = if day.penalty_risk {
        locale.say(
            "；当天有效回复不到一半，有处罚风险",
            "; less than half were answered: a penalty may follow",
        )
    } else {
        ""
    };
    locale.say(
        format!("{when} 人工回复率 {value}{line}：{counts}{risk}"),
        format!("{when} reply rate {value}{line}: {counts}{risk}"),
    )
}

/// What consulted and was late on a day, in the unit of the reply rate (M12), and how many buyers got a reply (M2).
fn day_counts(locale: Locale, day: &DayReport, within: &str) -> String {
    let (all, late, buyers, replied) = (day.consulting, day.late, day.buyers, day.replied);
    match day.unit {
        ReplyUnit::Buyer => locale.say(
            format!("咨询 {all} 人，{late} 人等 {within}还没回复，{replied} 人当天得到回复"),
            format!(
                "{all} buyers consulted, {late} waited {within} or longer, {replied} were answered that day"
            ),
        ),
        ReplyUnit::Round => locale.say(
            format!("对话 {all} 轮，{late} 轮等 {within}还没回复；咨询 {buyers} 人，{replied} 人当天得到回复"),
            format!(
                "{all} rounds, {late} waited {within} or longer; {buyers} buyers consulted, {replied} were answered \
                 that day"
            ),
        ),
        ReplyUnit::Session => locale.say(
            format!("咨询会话 {all} 个，{late} 个首轮等 {within}还没回复；咨询 {buyers} 人，{replied} 人当天得到回复"),
            format!(
                "{all} sessions, {late} waited {within} or longer in their first round; {buyers} buyers consulted, \
                 {replied} were answered that day"
            ),
        ),
    }
}

fn week_line(locale: Locale, when: &str, week: &WeekReport, service: &ServicePolicy) -> String {
    let when = when_of(locale, when);
    let all = week.satisfied + week.neutral + week.disappointed;
    let value = |rated: Option<Decimal>| rated.map_or_else(|| "-".to_owned(), rate);
    let (total, satisfied) = (value(week.good_rate), week.satisfied);
    let min = service.good_rate.min;
    let judged = week.judged.ratings;
    let bad = (judged > 0).then_some(week.good_needed != Some(0));
    let line = held_against(locale, min, Share::ZERO, bad);
    let needed = match week.good_needed {
        Some(0) => String::new(),
        Some(n) => locale.say(
            format!("，还差 {n} 个满意"),
            format!(", {n} more satisfied needed"),
        ),
        None => locale.say(
            "，再多满意也达不到".to_owned(),
            ", which no number of satisfied reaches".to_owned(),
        ),
    };
    if judged == all {
        return locale.say(
            format!("{when} 好评率 {total}{line}{needed}：{all} 个评价里 {satisfied} 个满意"),
            format!(
                "{when} good rate {total}{line}{needed}: {satisfied} of {all} ratings satisfied"
            ),
        );
    }
    // The threshold is for the ratings that are judged (M4).
    let value = value(week.judged.good_rate);
    locale.say(
        format!(
            "{when} 好评率 {value}{line}{needed}：{all} 个评价里 {judged} 个计入；全部评价的好评率是 {total}，{satisfied} 个满意"
        ),
        format!(
            "{when} good rate {value}{line}{needed}: {judged} of {all} ratings are judged; of all, {satisfied} are \
             satisfied ({total})"
        ),
    )
}

fn month_line(locale: Locale, when: &str, month: &MonthReport, service: &ServicePolicy) -> String {
    let when = when_of(locale, when);
    let value = month.attitude_rate.map_or_else(|| "-".to_owned(), rate);
    let (unhappy, attitude) = (month.unhappy, month.attitude);
    let max = service.attitude.max;
    let bad = attitude * 10_000 > u64::from(max.0) * unhappy;
    let line = match (max == Share::ONE, bad) {
        (true, _) => String::new(),
        (false, true) => locale.say(
            format!("，超过 {} 的线", share(max)),
            format!(", above its line of {}", share(max)),
        ),
        (false, false) => held_against(locale, max, Share::ONE, Some(false)),
    };
    locale.say(
        format!("{when} 服务态度差占比 {value}{line}：{unhappy} 个一般或不满意的评价里有 {attitude} 个"),
        format!("{when} attitude rate {value}{line}: {attitude} of {unhappy} neutral or disappointed ratings"),
    )
}

fn events(locale: Locale, highlights: &Highlights) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(longest) = &highlights.longest_wait {
        let waited = locale.length(longest.waited);
        let at = longest.at.map(|at| locale.time(at)).unwrap_or_default();
        let (session, agent, seq) = (&longest.session, locale.agent(&longest.agent), longest.seq);
        lines.push(locale.say(
            format!("{at} 等得最久：会话 {session} 排队 {waited}，最后由{agent}接待（#{seq}）"),
            format!(
                "{at} longest wait: session {session} waited {waited} and went to {agent} (#{seq})"
            ),
        ));
    }
    for alert in &highlights.alerts {
        let at = alert.at.map(|at| locale.time(at)).unwrap_or_default();
        let seq = alert.seq;
        let line = match alert.word {
            Highlight::Alert(needed) => {
                score::alert_line(locale, alert.period, alert.value, alert.line, needed)
            }
            Highlight::Recovered => {
                score::recovered_line(locale, alert.period, alert.value, alert.line)
            }
        };
        lines.push(locale.say(
            format!("{at} {line}（#{seq}）"),
            format!("{at} {line} (#{seq})"),
        ));
    }
    lines.extend(counted(locale, highlights));
    lines
}

fn counted(locale: Locale, highlights: &Highlights) -> Vec<String> {
    let more = highlights.alerts_in_all - highlights.alerts.len() as u64;
    let rows = [
        (
            more,
            locale.say("条预警和恢复没有列出", "more alerts and recoveries"),
        ),
        (
            highlights.overdue,
            locale.say("次回复超时", "replies overdue"),
        ),
        (
            highlights.rejected,
            locale.say("个事件没有生效", "events rejected"),
        ),
    ];
    rows.into_iter()
        .filter(|&(n, _)| n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect()
}
