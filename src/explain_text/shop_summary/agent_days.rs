//! The agents' day as a table: answers, cards, ratings, what was left unserved, and the time at the desk (M7 to M11).

use std::collections::BTreeSet;

use crate::domain::read::report::{Decimal, Report};
use crate::domain::read::sheet_report::{AnswerReport, DurationReport, Sheet, Unserved};
use crate::explain_text::phrase::Locale;
use crate::explain_text::table::{Side, TextTable};

use super::figures::{AGENTS_MAX, agent_name, length_of, minutes_of, more_agents, rate, when_of};

/// How many of the latest days have a table.
const DAYS_MAX: usize = 2;

/// A cell without a value.
const NONE: &str = "-";

/// The tables of the latest days: the title and the lines of each.
pub(super) fn agent_days(locale: Locale, report: &Report) -> Vec<(String, Vec<String>)> {
    let sheets = report.agents.values().map(|agent| &agent.sheets);
    let days: BTreeSet<&String> = sheets
        .flat_map(|sheets| sheets.days.iter())
        .filter(|(_, sheet)| is_at_work(sheet))
        .map(|(day, _)| day)
        .collect();
    let latest = days.iter().skip(days.len().saturating_sub(DAYS_MAX));
    let table = |&day: &&String| {
        let when = when_of(locale, day);
        let title = locale.say(format!("{when} 客服"), format!("Agents on {when}"));
        (title, day_lines(locale, report, day))
    };
    latest.map(table).collect()
}

/// Whether anything but idle hours is on the sheet.
fn is_at_work(sheet: &Sheet) -> bool {
    let Sheet {
        cards,
        ratings,
        answers,
        taken_back,
        linger,
        unserved,
        abandoned: _,
        time: _,
    } = sheet;
    cards.is_some()
        || ratings.is_some()
        || answers.is_some()
        || taken_back.is_some()
        || linger.is_some()
        || unserved.is_some()
}

fn day_lines(locale: Locale, report: &Report, day: &str) -> Vec<String> {
    let there = report.agents.iter().filter_map(|(id, agent)| {
        let sheet = agent.sheets.days.get(day)?;
        let idle = sheet
            .time
            .as_ref()
            .is_none_or(|time| time.online.scaled == 0);
        (is_at_work(sheet) || !idle).then_some((id.as_str(), sheet))
    });
    let mut there: Vec<(&str, &Sheet)> = there.collect();
    let buyers = |sheet: &Sheet| sheet.answers.as_ref().map_or(0, |answers| answers.buyers);
    there.sort_by_key(|&(id, sheet)| (std::cmp::Reverse(buyers(sheet)), id));
    let mut table = TextTable::new(&[
        (locale.say("客服", "agent"), Side::Left),
        (locale.say("咨询", "buyers"), Side::Right),
        (locale.say("回复率", "reply rate"), Side::Right),
        (locale.say("首次响应", "first answer"), Side::Right),
        (locale.say("平均响应", "each answer"), Side::Right),
        (locale.say("参评率", "cards rated"), Side::Right),
        (locale.say("好评率", "good rate"), Side::Right),
        (locale.say("结束前闲置", "linger"), Side::Right),
        (locale.say("不服务", "unserved"), Side::Right),
        (locale.say("在线", "online"), Side::Right),
        (locale.say("小休", "away"), Side::Right),
        (locale.say("满负荷", "full"), Side::Right),
    ]);
    for &(id, sheet) in there.iter().take(AGENTS_MAX) {
        table.row(cells(locale, agent_name(locale, id), sheet));
    }
    let desk = report.desk.days.get(day);
    if let Some(desk) = desk.filter(|_| there.len() > 1) {
        table.row(cells(locale, locale.say("合计", "all"), desk));
    }
    let mut lines = table.lines("");
    lines.extend(more_agents(locale, there.len()));
    lines.extend(desk.into_iter().flat_map(|desk| desk_lines(locale, desk)));
    lines
}

fn cells(locale: Locale, name: &str, sheet: &Sheet) -> [String; 12] {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
    let length = |seconds: Decimal| locale.length(length_of(seconds));
    let mean = |lengths: &DurationReport| (lengths.count > 0).then(|| length(lengths.mean));
    let answers = sheet.answers.as_ref();
    let of_answers =
        |read: fn(&AnswerReport) -> &DurationReport| or_none(answers.map(read).and_then(mean));
    let invited = sheet.cards.as_ref().and_then(|cards| cards.invited.rate);
    let ratings = sheet.ratings.as_ref();
    let unserved = sheet.unserved.as_ref().map(|unserved| match unserved {
        Unserved::OfAgent(count) => *count,
        Unserved::OfDesk {
            never_assigned,
            never_answered,
            ..
        } => never_assigned + never_answered,
    });
    let time = sheet.time.as_ref();
    let at_desk = |seconds: Option<Decimal>| {
        let minutes = seconds.map(minutes_of);
        or_none(minutes.map(|minutes| match minutes.is_zero() {
            true => "0".to_owned(),
            false => locale.length(minutes),
        }))
    };
    [
        name.to_owned(),
        answers.map_or(0, |answers| answers.buyers).to_string(),
        or_none(answers.and_then(|answers| answers.reply_rate).map(rate)),
        of_answers(|answers| &answers.first),
        of_answers(|answers| &answers.each),
        or_none(invited.map(rate)),
        or_none(ratings.and_then(|ratings| ratings.good_rate).map(rate)),
        or_none(sheet.linger.as_ref().and_then(mean)),
        unserved.unwrap_or(0).to_string(),
        at_desk(time.map(|time| time.online)),
        at_desk(time.map(|time| time.away)),
        at_desk(time.map(|time| time.full)),
    ]
}

/// What the desk as a whole did not serve, and who left the queue.
fn desk_lines(locale: Locale, desk: &Sheet) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(Unserved::OfDesk {
        asked,
        never_assigned,
        never_answered,
        rate: Some(share),
    }) = desk.unserved
        && never_assigned + never_answered > 0
    {
        let share = rate(share);
        lines.push(locale.say(
            format!(
                "不服务 {share}：{asked} 个有咨询的会话里，{never_assigned} 个没分到客服就结束了，\
                 {never_answered} 个直到结束也没有人工回复"
            ),
            format!(
                "{share} unserved: of {asked} sessions in which a buyer asked, {never_assigned} ended without an \
                 agent and {never_answered} without a human reply"
            ),
        ));
    }
    if let Some(DurationReport { count, mean, max }) = desk.abandoned {
        let [mean, max] = [mean, max].map(|seconds| locale.length(length_of(seconds)));
        lines.push(locale.say(
            format!("排队时离开 {count} 位买家，平均等了 {mean}，最长 {max}"),
            format!("{count} buyers left the queue, after {mean} on average and {max} at most"),
        ));
    }
    if let Some(count) = desk.taken_back {
        lines.push(locale.say(
            format!("超时转接 {count} 次"),
            format!("{count} times a session was taken from an agent that did not answer"),
        ));
    }
    lines
}
