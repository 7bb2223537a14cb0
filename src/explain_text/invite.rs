//! Invitations in words: every rule that was checked, what it found, and when it allows an invitation (I1 to I13).

use crate::domain::base::time::{Duration, Instant};
use crate::domain::explain::invite_check::{Check, Observed};
use crate::domain::protocol::decision::{BlockCode, CloseReason, Trigger};
use crate::domain::state::session::Speaker;

use super::phrase::{Locale, percent};
use super::table::{Side, TextTable};

/// The rule of a code.
pub(super) fn rule(code: BlockCode) -> &'static str {
    match code {
        BlockCode::Disabled => "I1",
        BlockCode::BotSession => "I2",
        BlockCode::CloseReason => "I3",
        BlockCode::BuyerSpokeLast => "I4",
        BlockCode::TooShort => "I5",
        BlockCode::Suspended => "I6",
        BlockCode::RiskBuyer => "I7",
        BlockCode::NotSampled => "I8",
        BlockCode::RatedRecently => "I9",
        BlockCode::AlreadyInvited => "I10",
        BlockCode::ShopDayCap => "I11",
        BlockCode::BuyerDayCap => "I12",
        BlockCode::NoContact => "I13",
    }
}

/// Why an invitation was blocked, in a few words.
pub(super) fn blocked(locale: Locale, code: BlockCode) -> &'static str {
    match code {
        BlockCode::Disabled => locale.say("邀评已关闭", "invites are off"),
        BlockCode::BotSession => locale.say("没有人工接待", "no person served it"),
        BlockCode::CloseReason => locale.say("这种结束方式不邀评", "not after such a close"),
        BlockCode::BuyerSpokeLast => {
            locale.say("最后说话的不是客服", "the agent did not speak last")
        }
        BlockCode::TooShort => locale.say("会话太短", "the session was too short"),
        BlockCode::Suspended => locale.say("正在暂停邀评的时段", "invites are suspended now"),
        BlockCode::RiskBuyer => locale.say("违规风险用户", "the buyer is flagged as a risk"),
        BlockCode::NotSampled => locale.say("抽样没抽中", "not in the sample"),
        BlockCode::RatedRecently => locale.say("最近评价过", "rated recently"),
        BlockCode::AlreadyInvited => locale.say("最近邀请过", "invited recently"),
        BlockCode::ShopDayCap => locale.say(
            "今天本店邀请这位买家的次数已满",
            "the shop's invites of this buyer today are used up",
        ),
        BlockCode::BuyerDayCap => locale.say(
            "今天邀请过这位买家的其他店已够多",
            "enough other shops have invited this buyer today",
        ),
        BlockCode::NoContact => locale.say(
            "买家今天没和这位客服说过话",
            "the buyer wrote nothing to this agent today",
        ),
    }
}

/// The subject of a rule.
fn title(locale: Locale, code: BlockCode) -> &'static str {
    match code {
        BlockCode::Disabled => locale.say("邀评开关", "switch"),
        BlockCode::BotSession => locale.say("谁接待的", "served by"),
        BlockCode::CloseReason => locale.say("结束方式", "close"),
        BlockCode::BuyerSpokeLast => locale.say("谁最后说话", "last word"),
        BlockCode::TooShort => locale.say("会话时长", "length"),
        BlockCode::Suspended => locale.say("暂停时段", "suspended"),
        BlockCode::RiskBuyer => locale.say("风险用户", "risk"),
        BlockCode::NotSampled => locale.say("抽样比例", "sample"),
        BlockCode::RatedRecently => locale.say("最近评价", "rated"),
        BlockCode::AlreadyInvited => locale.say("最近邀请", "invited"),
        BlockCode::ShopDayCap => locale.say("本店当日次数", "this shop today"),
        BlockCode::BuyerDayCap => locale.say("其他店当日次数", "other shops today"),
        BlockCode::NoContact => locale.say("当日对话", "contact today"),
    }
}

/// The source of an invitation, in words.
pub(super) fn trigger(locale: Locale, trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Auto => locale.say("自动邀评", "Automatic invite"),
        Trigger::Manual => locale.say("客服手动邀评", "Manual invite"),
    }
}

/// Every rule that was checked, one line each.
pub(super) fn lines(locale: Locale, trigger: Trigger, checks: &[Check]) -> Vec<String> {
    let mut table = TextTable::headless(&[Side::Left; 4]);
    for check in checks {
        let mark = if check.applies { "✗" } else { "✓" };
        table.row([
            mark.to_owned(),
            format!("[{}]", rule(check.code)),
            title(locale, check.code).to_owned(),
            seen(locale, trigger, check),
        ]);
    }
    let mut lines = vec![
        locale
            .say(
                "依次看过的规则（✓ 通过，✗ 不通过）：",
                "The rules in their order (✓ passed, ✗ keeps it back):",
            )
            .to_owned(),
    ];
    lines.extend(table.lines("  "));
    lines
}

/// What a rule found.
fn seen(locale: Locale, trigger: Trigger, check: &Check) -> String {
    match check.seen {
        Observed::Switch(on) => switch(locale, trigger, on).to_owned(),
        Observed::Served { human, bot, bots } => served(locale, human, bot, bots).to_owned(),
        Observed::Reason(reason) => close_reason(locale, reason, check.applies),
        Observed::Spoke { last, required } => spoke(locale, last, required),
        Observed::Lasted {
            lasted,
            longer_than,
        } => self::lasted(locale, lasted, longer_than),
        Observed::Suspended(None) => locale.say("现在不在暂停时段", "not now").to_owned(),
        Observed::Suspended(Some(window)) => {
            let (from, to) = (locale.yearly(window.from), locale.yearly(window.to));
            locale.say(
                format!("{from} 到 {to} 暂停邀评"),
                format!("no invites from {from} to {to}"),
            )
        }
        Observed::Flag(true) => locale
            .say("买家被标为违规风险较高", "the buyer is flagged")
            .to_owned(),
        Observed::Flag(false) => locale
            .say("不是风险用户", "the buyer is not flagged")
            .to_owned(),
        Observed::Lot { drawn, below } => sample(locale, drawn, below, check.applies),
        Observed::Quiet { manual, auto } => invited(locale, manual, auto, check.lets_go),
        Observed::Rated {
            at,
            window,
            opening,
        } => rated(locale, trigger, opening, (at, window), check.lets_go),
        Observed::Count { count, cap } => counted(locale, check, count, cap),
        Observed::Shared { cap } => shared(locale, check.applies, cap),
        Observed::Contact { wrote, needed } => contact(locale, wrote, needed).to_owned(),
    }
}

fn switch(locale: Locale, trigger: Trigger, on: bool) -> &'static str {
    match (trigger, on) {
        (Trigger::Auto, true) => locale.say("自动邀评已开启", "automatic invites are on"),
        (Trigger::Auto, false) => locale.say("自动邀评已关闭", "automatic invites are off"),
        (Trigger::Manual, true) => locale.say("客服手动邀评已开启", "the agent's button is on"),
        (Trigger::Manual, false) => locale.say("客服手动邀评已关闭", "the agent's button is off"),
    }
}

fn served(locale: Locale, human: bool, bot: bool, bots: bool) -> &'static str {
    match (human, bot, bots) {
        (true, ..) => locale.say("客服接待过", "an agent"),
        (false, true, true) => locale.say(
            "只有机器人接待，店铺设置为照样邀评",
            "the bot alone, whose sessions are asked about too",
        ),
        (false, true, false) => locale.say("只有机器人接待，不邀评", "the bot alone"),
        (false, false, _) => locale.say("还没有人接待过", "neither an agent nor the bot"),
    }
}

fn close_reason(locale: Locale, reason: CloseReason, applies: bool) -> String {
    let closed = closed_by(locale, reason);
    let never = match reason {
        CloseReason::System
        | CloseReason::AgentOffline
        | CloseReason::Abandoned
        | CloseReason::Blocked => true,
        CloseReason::Agent | CloseReason::Buyer | CloseReason::Timeout => false,
    };
    let allowed = match (applies, never) {
        (false, _) => "",
        (true, true) => locale.say(
            "，这样结束的会话一律不邀评",
            ", after which no buyer is ever invited",
        ),
        (true, false) => locale.say(
            "，店铺设置为这种情况不邀评",
            ", after which the policy invites no buyer",
        ),
    };
    format!("{closed}{allowed}")
}

/// How a session ended.
pub(super) fn closed_by(locale: Locale, reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Agent => locale.say("客服结束", "closed by the agent"),
        CloseReason::Buyer => locale.say("买家结束", "closed by the buyer"),
        CloseReason::System => locale.say("系统结束", "closed by the system"),
        CloseReason::Timeout => locale.say("超时自动结束", "closed by a timeout"),
        CloseReason::Abandoned => locale.say(
            "买家离开页面未返回而结束",
            "closed because the buyer left and did not come back",
        ),
        CloseReason::Blocked => {
            locale.say("买家被拉黑而结束", "closed because the buyer was blocked")
        }
        CloseReason::AgentOffline => {
            locale.say("客服离线而结束", "closed because the agent went offline")
        }
    }
}

fn spoke(locale: Locale, last: Option<Speaker>, required: bool) -> String {
    let last = match last {
        None => locale.say("没有人说过话", "no message was sent"),
        Some(Speaker::Buyer) => locale.say("最后说话的是买家", "the buyer spoke last"),
        Some(Speaker::Agent) => locale.say("最后说话的是客服", "the agent spoke last"),
        Some(Speaker::Bot) => locale.say("最后说话的是机器人", "the bot spoke last"),
    };
    let required = if required {
        locale.say("要求客服最后说话", "the agent must speak last")
    } else {
        locale.say("不作要求", "the agent need not speak last")
    };
    locale.say(
        format!("{last}（{required}）"),
        format!("{last} ({required})"),
    )
}

fn lasted(locale: Locale, lasted: Duration, longer_than: Duration) -> String {
    let lasted = locale.length(lasted);
    if longer_than.is_zero() {
        return locale.say(
            format!("{lasted}（不限时长）"),
            format!("{lasted} (any length will do)"),
        );
    }
    let longer_than = locale.length(longer_than);
    locale.say(
        format!("{lasted}（要超过 {longer_than}）"),
        format!("{lasted} (it must be longer than {longer_than})"),
    )
}

fn sample(locale: Locale, drawn: u16, below: u16, applies: bool) -> String {
    if below >= 10_000 {
        return locale
            .say("全部邀请，不抽样", "every buyer is asked")
            .to_owned();
    }
    let (drawn, below) = (percent(u64::from(drawn)), percent(u64::from(below)));
    let came = if applies {
        locale.say("没抽中", "not below it")
    } else {
        locale.say("抽中了", "which is below it")
    };
    locale.say(
        format!("邀 {below}，这个会话抽到 {drawn}，{came}"),
        format!("{below} are asked; this session drew {drawn}, {came}"),
    )
}

/// I9.
fn rated(
    locale: Locale,
    trigger: Trigger,
    opening: bool,
    (at, window): (Instant, Duration),
    lets_go: Option<Instant>,
) -> String {
    if window.is_zero() {
        return locale.say("不限制", "no limit").to_owned();
    }
    let length = locale.length(window);
    let whom = match trigger {
        Trigger::Auto => locale.say("", ""),
        Trigger::Manual => locale.say("这位客服的", " of this agent"),
    };
    let counts = match opening {
        true => "",
        false => locale.say(
            "（只打开评价卡不算）",
            " (opening a card alone does not count)",
        ),
    };
    let deed = match opening {
        true => locale.say("打开或提交", "opened or submitted"),
        false => locale.say("提交", "submitted"),
    };
    if at == Instant::NEVER {
        return locale.say(
            format!("{length}内没有{deed}过{whom}评价{counts}"),
            format!("no rating{whom} {deed} within {length}{counts}"),
        );
    }
    let at = locale.instant(at);
    match lets_go {
        Some(end) => {
            let end = locale.instant(end);
            locale.say(
                format!("{at} {deed}过{whom}评价，{length}内不再邀，{end} 起可邀{counts}"),
                format!(
                    "{deed} a rating{whom} at {at}: quiet for {length}, free again at {end}{counts}"
                ),
            )
        }
        None => locale.say(
            format!("上次{deed}{whom}评价是 {at}，已过 {length}{counts}"),
            format!("{deed} a rating{whom} last at {at}, {length} have passed{counts}"),
        ),
    }
}

/// I10: the latest manual invite and the latest automatic one.
fn invited(
    locale: Locale,
    manual: (Instant, Duration),
    auto: (Instant, Duration),
    lets_go: Option<Instant>,
) -> String {
    let kinds = [(Trigger::Manual, manual), (Trigger::Auto, auto)];
    let kinds = kinds.iter().filter(|(_, (at, _))| *at != Instant::NEVER);
    let deeds = kinds.map(|&(kind, (at, window))| {
        let (kind, at) = (trigger(locale, kind).to_lowercase(), locale.instant(at));
        let rest = if window.is_zero() {
            locale.say("不限间隔".to_owned(), "no pause asked for".to_owned())
        } else {
            let length = locale.length(window);
            locale.say(format!("间隔 {length}"), format!("pause of {length}"))
        };
        locale.say(
            format!("{at} {kind}（{rest}）"),
            format!("{kind} at {at} ({rest})"),
        )
    });
    let deeds: Vec<String> = deeds.collect();
    if deeds.is_empty() {
        return locale.say("没有邀请过", "never").to_owned();
    }
    let deeds = locale.list(&deeds);
    match lets_go {
        Some(end) => {
            let end = locale.instant(end);
            locale.say(
                format!("{deeds}，{end} 起可再邀"),
                format!("{deeds}, free again at {end}"),
            )
        }
        None => deeds,
    }
}

fn counted(locale: Locale, check: &Check, count: u32, cap: u32) -> String {
    if cap == 0 {
        return locale.say("不限次数", "no limit").to_owned();
    }
    let counted = if check.code == BlockCode::BuyerDayCap {
        locale.say(
            format!("今天已有 {count} 家其他店自动邀过 TA，最多 {cap} 家"),
            format!("other shops that asked automatically today: {count} of {cap}"),
        )
    } else {
        locale.say(
            format!("今天已自动邀过 TA {count} 次，最多 {cap} 次"),
            format!("asked automatically today: {count} of {cap}"),
        )
    };
    match check.lets_go {
        Some(end) => {
            let end = locale.instant(end);
            locale.say(
                format!("{counted}，{end} 起可邀"),
                format!("{counted}, free again at {end}"),
            )
        }
        None => counted,
    }
}

/// I12 without the count, which belongs to other shops.
fn shared(locale: Locale, reached: bool, cap: u32) -> String {
    match (cap, reached) {
        (0, _) => locale.say("不限次数", "no limit").to_owned(),
        (_, true) => locale.say(
            format!("今天自动邀过 TA 的店已到上限（最多 {cap} 家）"),
            format!("the cap is reached: {cap} shops asked automatically today"),
        ),
        (_, false) => locale.say(
            format!("今天自动邀过 TA 的店未到上限（最多 {cap} 家）"),
            format!("the cap of {cap} shops that ask automatically in a day is not reached"),
        ),
    }
}

fn contact(locale: Locale, wrote: bool, needed: bool) -> &'static str {
    match (needed, wrote) {
        (false, _) => locale.say("不作要求", "not asked for"),
        (true, true) => locale.say(
            "买家今天和 TA 说过话",
            "the buyer wrote to this agent today",
        ),
        (true, false) => locale.say(
            "买家今天没和 TA 说过话",
            "the buyer wrote nothing to this agent today",
        ),
    }
}
