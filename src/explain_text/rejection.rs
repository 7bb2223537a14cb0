//! Rejections in words: why an event changed nothing, and what to change (contract, section 3).

use crate::domain::base::id::Id;
use crate::domain::explain::explanation::Evidence;
use crate::domain::protocol::decision::ErrorCode;

use super::causes;
use super::phrase::Locale;

/// The rule that an error of an event enforces, or the part of the contract.
pub(super) fn rule(event: &str, error: ErrorCode) -> &'static str {
    match error {
        ErrorCode::AgentUnknown if event != "session.transferred" => "contract",
        ErrorCode::Malformed | ErrorCode::ShopUnknown => "contract",
        ErrorCode::TimeWentBack => "T1",
        ErrorCode::PolicyInvalid => "policy",
        ErrorCode::AgentUnknown | ErrorCode::AgentOffline => "R8",
        ErrorCode::SessionUnknown | ErrorCode::SessionExists | ErrorCode::BuyerInSession => "S1",
        ErrorCode::SessionClosed | ErrorCode::NotSessionAgent => "S4",
        ErrorCode::NotWithBot => "S2",
        ErrorCode::BuyerBlocked => "B1",
        ErrorCode::QueueFull => "R6",
    }
}

/// `event.rejected`.
pub(super) fn rejected(
    locale: Locale,
    event: &str,
    error: ErrorCode,
    message: &str,
    session: Option<&Id>,
    notes: &[Evidence],
) -> Vec<String> {
    let why = reason(locale, error);
    let other = session.map(|session| {
        locale.say(
            format!("（会话 {session}）"),
            format!(" (session {session})"),
        )
    });
    let other = other.unwrap_or_default();
    let event = if event.is_empty() {
        locale.say("（没有类型）", "(no type)")
    } else {
        event
    };
    let tag = match rule(event, error) {
        "contract" | "policy" => String::new(),
        rule => format!("[{rule}] "),
    };
    let mut lines = vec![
        locale.say(
            format!("事件 {event} 没有生效：{why}{other}。"),
            format!("Event {event} changed nothing: {why}{other}."),
        ),
        locale.say(
            format!("{tag}原始提示：{message}"),
            format!("{tag}{message}"),
        ),
    ];
    lines.extend(notes.iter().filter_map(|note| noted(locale, note)));
    lines
}

/// What evidence adds to a rejection.
fn noted(locale: Locale, note: &Evidence) -> Option<String> {
    if let Evidence::Blocked { until } = note {
        return Some(format!("[B1] {}", causes::blocked(locale, *until)));
    }
    if let Evidence::TooLate {
        at,
        clock,
        lateness,
    } = note
    {
        let late = locale.length(clock.instant - at.instant);
        let (at, clock) = (locale.time(*at), locale.time(*clock));
        let allowed = match lateness.is_zero() {
            true => locale.say(
                "店铺不接受迟到的事件".to_owned(),
                "the policy takes no late events".to_owned(),
            ),
            false => {
                let lateness = locale.length(*lateness);
                locale.say(
                    format!("店铺最多接受晚 {lateness}的事件"),
                    format!("the policy takes events that are at most {lateness} late"),
                )
            }
        };
        return Some(locale.say(
            format!("[T1] 事件的时间是 {at}，店铺的时钟已到 {clock}，晚了 {late}；{allowed}。"),
            format!("[T1] The event is of {at} and the shop's clock is at {clock}, so it is {late} late; {allowed}."),
        ));
    }
    None
}

fn reason(locale: Locale, error: ErrorCode) -> &'static str {
    match error {
        ErrorCode::Malformed => locale.say(
            "内容有误，有字段缺失、多余或写错",
            "a field is missing, unknown or wrong",
        ),
        ErrorCode::ShopUnknown => {
            locale.say("还没有这家店铺，先配置店铺", "there is no such shop yet")
        }
        ErrorCode::TimeWentBack => locale.say(
            "来得太晚，超过了店铺允许的迟到时间",
            "it comes later than the policy allows",
        ),
        ErrorCode::AgentUnknown => locale.say(
            "没有这位客服，或 TA 不接买家",
            "no such agent, or one that takes no buyers",
        ),
        ErrorCode::SessionUnknown => locale.say(
            "没有这个会话，或结束已满 7 天",
            "no such session, or closed 7 days ago",
        ),
        ErrorCode::SessionExists => locale.say("会话号已经用过", "the session's id is taken"),
        ErrorCode::BuyerInSession => {
            locale.say("这位买家还有会话没结束", "the buyer has an open session")
        }
        ErrorCode::BuyerBlocked => locale.say("买家已被拉黑", "the buyer is blocked"),
        ErrorCode::SessionClosed => locale.say("会话已经结束", "the session is over"),
        ErrorCode::NotSessionAgent => locale.say(
            "不是这个会话当前的客服",
            "only the session's own agent may do this",
        ),
        ErrorCode::AgentOffline => {
            locale.say("要转给的客服不在线", "the agent it should go to is offline")
        }
        ErrorCode::NotWithBot => {
            locale.say("会话现在不由机器人接待", "the session is not with the bot")
        }
        ErrorCode::QueueFull => locale.say(
            "排队人数已到上限",
            "the queue is full: as many buyers wait as the policy allows",
        ),
        ErrorCode::PolicyInvalid => locale.say(
            "规则配置有误，仍按原来的配置",
            "the policy has a mistake; the old one holds",
        ),
    }
}
