//! Phrases for all sentences: times of day, durations, shares, names and entries.

use crate::domain::base::calendar::LocalTime;
use crate::domain::base::id::Id;
use crate::domain::base::ratio::Share;
use crate::domain::base::time::{Duration, Instant, OffsetTimestamp};
use crate::domain::explain::explanation::Candidate;
use crate::domain::policy::{Member, Strategy};
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::decision::{Period, Rate};
use crate::domain::state::agent::BOT_ID;

use super::Language;

/// The language and the current moment of a text; instants near that moment are written short.
#[derive(Clone, Copy)]
pub(super) struct Locale {
    pub(super) language: Language,
    now: Option<OffsetTimestamp>,
}

impl Locale {
    pub(super) fn new(language: Language, now: Option<OffsetTimestamp>) -> Locale {
        Locale { language, now }
    }

    pub(super) fn say<T>(self, chinese: T, english: T) -> T {
        self.language.say(chinese, english)
    }

    /// The current moment.
    pub(super) fn now(self) -> Option<OffsetTimestamp> {
        self.now
    }

    /// A moment on the shop's clock: the time alone on the same day, without the year in the same year.
    pub(super) fn time(self, at: OffsetTimestamp) -> String {
        let (date, clock) = local(at);
        let Some((today, _)) = self.now.map(local) else {
            return format!("{date} {clock}");
        };
        if date == today {
            clock
        } else if date[..4] == today[..4] {
            format!("{} {clock}", &date[5..])
        } else {
            format!("{date} {clock}")
        }
    }

    /// An instant, at the offset of the current moment.
    pub(super) fn instant(self, at: Instant) -> String {
        self.time(self.stamp(at))
    }

    pub(super) fn stamp(self, at: Instant) -> OffsetTimestamp {
        at.at_offset(self.now.map_or(0, |now| now.offset_s))
    }

    /// `1 分 30 秒`, `48 小时`, `30 天`.
    pub(super) fn length(self, length: Duration) -> String {
        const DAY_MS: i64 = 86_400_000;
        let ms = length.ms();
        // The platforms speak of windows of up to three days in hours.
        if ms > 3 * DAY_MS && ms % DAY_MS == 0 {
            let days = ms / DAY_MS;
            return self.say(format!("{days} 天"), format!("{days} days"));
        }
        let (hours, minutes, rest) = (ms / 3_600_000, ms / 60_000 % 60, ms % 60_000);
        let mut parts = Vec::new();
        if hours > 0 {
            parts.push(format!("{hours} {}", self.say("小时", "h")));
        }
        if minutes > 0 {
            let alone = hours == 0 && rest == 0;
            let unit = self.say(if alone { "分钟" } else { "分" }, "min");
            parts.push(format!("{minutes} {unit}"));
        }
        if rest > 0 || parts.is_empty() {
            parts.push(format!(
                "{} {}",
                decimal(rest as u64, 1000),
                self.say("秒", "s")
            ));
        }
        parts.join(" ")
    }

    /// An agent by its id within a sentence, or the bot. In Chinese, Latin letters get spaces around them.
    pub(super) fn agent(self, agent: &Id) -> String {
        let after = self.agent_last(agent);
        let latin = after.ends_with(|sign: char| sign.is_ascii());
        let blank = self.say(if latin { " " } else { "" }, "");
        format!("{after}{blank}")
    }

    /// [`Locale::agent`] at the end of a phrase.
    pub(super) fn agent_last(self, agent: &Id) -> String {
        if agent.as_str() == BOT_ID {
            return self.say("机器人", "the bot").to_owned();
        }
        let latin = agent.starts_with(|sign: char| sign.is_ascii());
        let blank = self.say(if latin { " " } else { "" }, "");
        format!("{blank}{agent}")
    }

    /// [`Locale::agent`] at the beginning of a phrase.
    pub(super) fn agent_first(self, agent: &Id) -> String {
        self.agent(agent).trim_start().to_owned()
    }

    /// [`Locale::agent`] as a phrase of its own.
    pub(super) fn agent_alone(self, agent: &Id) -> String {
        self.agent_last(agent).trim_start().to_owned()
    }

    /// A name that the shop has given, or a quotation.
    pub(super) fn quoted(self, words: &str) -> String {
        self.say(format!("“{words}”"), format!("\"{words}\""))
    }

    pub(super) fn list(self, parts: &[String]) -> String {
        parts.join(self.say("、", ", "))
    }

    /// `4/5`, or `4/5 (3 open + 1 after work)` where places are still taken after work (S8).
    pub(super) fn load(self, agent: &Candidate) -> String {
        let Candidate {
            load,
            capacity,
            after_work,
            ..
        } = agent;
        if *after_work == 0 {
            return format!("{load}/{capacity}");
        }
        let open = load - after_work;
        self.say(
            format!("{load}/{capacity}（{open} 个会话 + {after_work} 个整理中）"),
            format!("{load}/{capacity} ({open} open + {after_work} after work)"),
        )
    }

    pub(super) fn presence(self, presence: Presence) -> &'static str {
        match presence {
            Presence::Online => self.say("在线", "online"),
            Presence::Away => self.say("小休", "away"),
            Presence::Offline => self.say("离线", "offline"),
        }
    }

    /// P1 to P3, as the platforms call them.
    pub(super) fn strategy(self, strategy: Strategy) -> &'static str {
        match strategy {
            Strategy::LeastSaturated => self.say("接待量不饱和优先", "least saturated first"),
            Strategy::FewestToday => self.say("平均分配", "fewest today first"),
            Strategy::Random => self.say("随机分配", "at random"),
        }
    }

    /// `(12-31, 22:00)` of any year.
    pub(super) fn yearly(self, at: LocalTime) -> String {
        let minutes = at.of_day_ms / 60_000;
        let (month, day, hour, minute) = (at.month, at.day, minutes / 60, minutes % 60);
        format!("{month:02}-{day:02} {hour:02}:{minute:02}")
    }

    /// An entry of the platforms, or one of the shop.
    fn entry(self, entry: &str) -> String {
        match entry {
            "product_detail" => self.say("商品详情页", "the product page").to_owned(),
            "order_detail" => self.say("订单详情页", "the order page").to_owned(),
            "message" => self.say("消息页", "the message page").to_owned(),
            "live" => self.say("直播间", "the live room").to_owned(),
            "other" => self.say("其他入口", "other entries").to_owned(),
            own => self.say(format!("入口“{own}”"), format!("entry \"{own}\"")),
        }
    }

    /// A scope by the name of its pool: `question:live/几天发货`, `entry:live`, `order_status:unpaid`, `all`.
    pub(super) fn pool(self, name: &str) -> String {
        let question = name
            .strip_prefix("question:")
            .and_then(|rest| rest.split_once('/'));
        if let Some((entry, question)) = question {
            let entry = self.entry(entry);
            return self.say(
                format!("{entry}的问题“{question}”"),
                format!("question \"{question}\" of {entry}"),
            );
        }
        if let Some(entry) = name.strip_prefix("entry:") {
            return self.entry(entry);
        }
        if let Some(status) = name.strip_prefix("order_status:") {
            return self.say(
                format!("订单状态“{status}”"),
                format!("order status \"{status}\""),
            );
        }
        self.say("全店", "the whole shop").to_owned()
    }

    /// A member of a rota, as the policy names it.
    pub(super) fn member(self, member: &Member) -> String {
        match member {
            Member::Agent(agent) => agent.to_string(),
            Member::Group(group) => {
                self.say(format!("分组“{group}”"), format!("group \"{group}\""))
            }
            Member::Role(role) => self.say(format!("角色“{role}”"), format!("role \"{role}\"")),
        }
    }

    /// The day, week or month of a score.
    pub(super) fn period(self, period: Period) -> String {
        let written = period.to_string();
        match self.language {
            Language::English => written,
            Language::Chinese => chinese_period(&written),
        }
    }

    /// The name of a score.
    pub(super) fn metric(self, period: Period) -> &'static str {
        match period {
            Period::ReplyRate(_) => self.say("人工回复率", "reply rate"),
            Period::GoodRate(_) => self.say("好评率", "good rate"),
            Period::AttitudeRate(_) => self.say("服务态度差占比", "attitude rate"),
        }
    }
}

/// A period as it is written on the wire, said in Chinese: `2026-11-11`, `2026 年第 46 周`, `2026 年 11 月`.
pub(super) fn chinese_period(written: &str) -> String {
    if let Some((year, week)) = written.split_once("-W") {
        return format!("{year} 年第 {} 周", week.trim_start_matches('0'));
    }
    match written.split_once('-') {
        Some((year, month)) if !month.contains('-') => {
            format!("{year} 年 {} 月", month.trim_start_matches('0'))
        }
        Some(_) | None => written.to_owned(),
    }
}

/// The date and the time of day that a stamp shows, without its offset.
fn local(at: OffsetTimestamp) -> (String, String) {
    let text = at.to_string();
    let (date, rest) = text.split_once('T').unwrap_or((&text, ""));
    let clock = rest.split(['+', '-']).next().unwrap_or_default();
    (date.to_owned(), clock.to_owned())
}

/// `3` of `1000`: `0.003`, without zeros at its end.
pub(super) fn decimal(scaled: u64, scale: u64) -> String {
    let (whole, rest) = (scaled / scale, scaled % scale);
    if rest == 0 {
        return whole.to_string();
    }
    let width = scale.ilog10() as usize;
    let digits = format!("{rest:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// `09:00-12:00`, from milliseconds since 00:00.
pub(super) fn time_of_day(from_ms: u32, to_ms: u32) -> String {
    let clock = |of_day_ms: u32| {
        let minutes = of_day_ms / 60_000;
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    };
    format!("{}-{}", clock(from_ms), clock(to_ms))
}

/// Ten-thousandths as a percentage.
pub(super) fn percent(myriads: u64) -> String {
    format!("{}%", decimal(myriads, 100))
}

/// An alert threshold.
pub(super) fn share(share: Share) -> String {
    percent(u64::from(share.0))
}

/// `75%（15/20）`.
pub(super) fn rate(locale: Locale, rate: Rate) -> String {
    let Rate { over, under } = rate;
    match rate.myriads() {
        Some(myriads) => {
            let percent = percent(myriads);
            locale.say(
                format!("{percent}（{over}/{under}）"),
                format!("{percent} ({over}/{under})"),
            )
        }
        None => "-".to_owned(),
    }
}
