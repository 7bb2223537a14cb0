//! Opening hours in words: the shop opens and closes (H3), and what a closed shop does with a session (H2).

use crate::domain::base::calendar::Day;
use crate::domain::base::time::OffsetTimestamp;
use crate::domain::explain::explanation::{DayHours, Evidence};
use crate::domain::policy::{Interval, OutsideHours};

use super::phrase::{Locale, time_of_day};

/// `hours.opened` and `hours.closed`.
pub(super) fn changed(
    locale: Locale,
    open: bool,
    until: Option<OffsetTimestamp>,
    notes: &[Evidence],
) -> Vec<String> {
    let until = until.map(|until| locale.time(until));
    let sentence = match (open, until) {
        (true, Some(until)) => locale.say(
            format!("店铺开始营业，营业到 {until}。"),
            format!("The shop is open, until {until}."),
        ),
        (false, Some(until)) => locale.say(
            format!("店铺结束营业，{until} 再开始营业。"),
            format!("The shop is closed, until {until}."),
        ),
        (true, None) => locale.say(
            "店铺开始营业；按现在的设置，400 天内不会结束营业。".to_owned(),
            "The shop is open, and its policy does not close it within 400 days.".to_owned(),
        ),
        (false, None) => locale.say(
            "店铺结束营业；按现在的设置，400 天内不会再营业。".to_owned(),
            "The shop is closed, and its policy does not open it within 400 days.".to_owned(),
        ),
    };
    let found = notes.iter().find_map(|note| {
        if let Evidence::Hours(found) = note {
            Some(&**found)
        } else {
            None
        }
    });
    let mut lines = vec![sentence];
    if let Some(found) = found {
        lines.push(format!("[H3] {}", of_day(locale, found)));
        if !open {
            lines.push(format!("[H2] {}", while_closed(locale, found.outside)));
        }
    }
    lines
}

/// The opening hours of the day, where they come from, and which of them holds.
fn of_day(locale: Locale, found: &DayHours) -> String {
    let day = found.day;
    let (written, weekday) = (day.to_string(), weekday(locale, day));
    let by = match found.by_policy {
        true => locale.say("店铺改了设置：", "By a new policy: "),
        false => "",
    };
    let Some(intervals) = &found.intervals else {
        return locale.say(
            format!("{by}没有设置营业时间，全天营业。"),
            format!("{by}the shop is open all day, without opening hours."),
        );
    };
    let each: Vec<String> = intervals.iter().map(interval).collect();
    let each = locale.list(&each);
    let hours = match (found.single, intervals.is_empty()) {
        (true, false) => locale.say(
            format!("{written}（{weekday}）单独设置的营业时间是 {each}"),
            format!("{written} ({weekday}) has hours of its own: {each}"),
        ),
        (true, true) => locale.say(
            format!("{written}（{weekday}）单独设为休息日"),
            format!("{written} ({weekday}) is set as a holiday"),
        ),
        (false, false) => locale.say(
            format!("{written} 是{weekday}，每{weekday}的营业时间是 {each}"),
            format!("{written} is a {weekday}, with the weekly hours {each}"),
        ),
        (false, true) => locale.say(
            format!("{written} 是{weekday}，每{weekday}不营业"),
            format!("{written} is a {weekday}, which has no opening hours"),
        ),
    };
    let now = match found.current {
        Some(current) => {
            let current = interval(&current);
            locale.say(
                format!("，现在是 {current}"),
                format!("; now it is {current}"),
            )
        }
        None if intervals.is_empty() => String::new(),
        None => locale
            .say("，现在不在其中", "; none of them is now")
            .to_owned(),
    };
    format!("{by}{hours}{now}{}", locale.say("。", "."))
}

/// H2: what a closed shop does.
fn while_closed(locale: Locale, outside: OutsideHours) -> &'static str {
    match outside {
        OutsideHours::Inform => locale.say(
            "非营业时间照常分流。",
            "While the shop is closed, sessions are routed as usual.",
        ),
        OutsideHours::Offline => locale.say(
            "非营业时间按没有客服在线处理：新会话走离线分流，否则排队等到营业；客服手上的会话不变。",
            "While the shop is closed, routing finds no agent online: new sessions go to the offline rota, or wait until \
             it opens. Agents keep the sessions they have.",
        ),
    }
}

/// H2: routing in a closed shop.
pub(super) fn shut(locale: Locale, until: Option<OffsetTimestamp>) -> String {
    let until = opens(locale, until);
    locale.say(
        format!("店铺不在营业时间{until}，店铺设置为按没有客服在线处理"),
        format!("the shop is closed{until}, and the policy treats that as no agent online"),
    )
}

/// H2: the reply of a closed shop.
pub(super) fn closed_reply(locale: Locale, until: Option<OffsetTimestamp>) -> String {
    let until = opens(locale, until);
    locale.say(
        format!(
            "店铺不在营业时间{until}，发送非营业时间自动回复，代替离线自动回复；两者合计每个会话只发一次。"
        ),
        format!(
            "The shop is closed{until}, so its reply for closed hours is sent instead of the offline reply; a session \
             gets one of the two, once."
        ),
    )
}

/// `（11-17 09:00:00 开始营业）`.
fn opens(locale: Locale, until: Option<OffsetTimestamp>) -> String {
    until.map_or_else(String::new, |until| {
        let until = locale.time(until);
        locale.say(format!("（{until} 开始营业）"), format!(" until {until}"))
    })
}

fn interval(hours: &Interval) -> String {
    time_of_day(hours.from_ms, hours.to_ms)
}

/// `周一`.
fn weekday(locale: Locale, day: Day) -> &'static str {
    // 1970-01-01 was a Thursday.
    match (i64::from(day.0) + 3).rem_euclid(7) {
        0 => locale.say("周一", "Monday"),
        1 => locale.say("周二", "Tuesday"),
        2 => locale.say("周三", "Wednesday"),
        3 => locale.say("周四", "Thursday"),
        4 => locale.say("周五", "Friday"),
        5 => locale.say("周六", "Saturday"),
        _ => locale.say("周日", "Sunday"),
    }
}
