//! Ratings in words: cards that open, ratings that count and ratings that are refused (Q1 to Q5).

use crate::domain::base::id::Id;
use crate::domain::explain::explanation::Evidence;
use crate::domain::policy::Whom;
use crate::domain::protocol::decision::{DecisionBody, RefuseReason};
use crate::domain::protocol::rating::{Level, Source};

use super::causes;
use super::phrase::Locale;

/// What a rating says.
pub(super) fn level(locale: Locale, level: Level) -> &'static str {
    match level {
        Level::Satisfied => locale.say("满意", "satisfied"),
        Level::Neutral => locale.say("一般", "neutral"),
        Level::Disappointed => locale.say("不满意", "disappointed"),
    }
}

fn source(locale: Locale, source: Source) -> &'static str {
    match source {
        Source::Buyer => locale.say("买家主动评价", "by the buyer itself"),
        Source::Agent => locale.say("客服手动邀评", "the agent's invite"),
        Source::Auto => locale.say("自动邀评", "the automatic invite"),
    }
}

/// The rule behind a card that opens.
pub(super) fn rule_of_opening(source: Source) -> &'static str {
    match source {
        Source::Buyer => "Q1",
        Source::Agent | Source::Auto => "Q2",
    }
}

/// `rating.opened`.
pub(super) fn opened(locale: Locale, body: &DecisionBody) -> Vec<String> {
    let DecisionBody::RatingOpened {
        card,
        session,
        buyer,
        agent,
        source: from,
    } = body
    else {
        return Vec::new();
    };
    let (agent, rule) = (locale.agent_last(agent), rule_of_opening(*from));
    let from = source(locale, *from);
    vec![
        locale.say(
            format!(
                "买家 {buyer} 打开了会话 {session} 的评价卡 {card}（{from}），评价对象是{agent}。"
            ),
            format!(
                "Buyer {buyer} opened card {card} of session {session} ({from}), to rate {agent}."
            ),
        ),
        locale.say(
            format!("[{rule}] 没有妨碍评价的情况，提交之前可以反复打开。"),
            format!(
                "[{rule}] Nothing stands in the way; it may be opened again until it is submitted."
            ),
        ),
    ]
}

/// `rating.recorded`.
pub(super) fn recorded(locale: Locale, body: &DecisionBody) -> Vec<String> {
    let DecisionBody::RatingRecorded {
        card,
        session,
        buyer,
        agent,
        level: rated,
        stars,
        source: from,
        reasons,
        comment,
    } = body
    else {
        return Vec::new();
    };
    let (agent, stars) = (locale.agent_last(agent), stars.count());
    let (rated, from) = (level(locale, *rated), source(locale, *from));
    let reasons: Vec<String> = reasons.iter().map(Id::to_string).collect();
    let reasons = match reasons.is_empty() {
        true => String::new(),
        false => {
            let reasons = locale.list(&reasons);
            locale.say(
                format!("原因：{reasons}。"),
                format!(" Reasons: {reasons}."),
            )
        }
    };
    let comment = comment.as_deref().map_or_else(String::new, |comment| {
        let comment = locale.quoted(comment);
        locale.say(
            format!("买家写道{comment}。"),
            format!(" The buyer wrote {comment}."),
        )
    });
    vec![
        locale.say(
            format!(
                "买家 {buyer} 评了 {stars} 星（{rated}），记给{agent}：会话 {session}，评价卡 {card}（{from}）。\
                 {reasons}{comment}"
            ),
            format!(
                "Buyer {buyer} gave {stars} of 5 stars ({rated}), which count for {agent}: \
                 session {session}, card {card} ({from}).{reasons}{comment}"
            ),
        ),
        locale.say(
            "[Q4] 评价记给评价卡上的客服，不管会话后来转给了谁。".to_owned(),
            "[Q4] A rating counts for the agent on its card, even if another agent has the session by then.".to_owned(),
        ),
        locale.say(
            "[Q5] 5、4 星是满意，3 星是一般，2、1 星是不满意。".to_owned(),
            "[Q5] 5 and 4 stars are satisfied, 3 neutral, 2 and 1 disappointed.".to_owned(),
        ),
    ]
}

/// The rule of a refusal.
pub(super) fn rule_of_refusal(reason: RefuseReason, card: Option<&Id>) -> &'static str {
    match reason {
        RefuseReason::SessionOver | RefuseReason::NobodyServed | RefuseReason::NoContact => "Q1",
        RefuseReason::RatedRecently if card.is_none() => "Q1",
        RefuseReason::RatedRecently => "Q3",
        RefuseReason::CardUnknown | RefuseReason::CardUsed | RefuseReason::CardExpired => "Q2",
        RefuseReason::BuyerBlocked => "B1",
    }
}

/// `rating.refused`.
pub(super) fn refused(locale: Locale, body: &DecisionBody, notes: &[Evidence]) -> Vec<String> {
    let DecisionBody::RatingRefused {
        session,
        card,
        reason,
    } = body
    else {
        return Vec::new();
    };
    let of = [
        session
            .as_ref()
            .map(|session| locale.say(format!("会话 {session}"), format!("session {session}"))),
        card.as_ref()
            .map(|card| locale.say(format!("评价卡 {card}"), format!("card {card}"))),
    ];
    let of: Vec<String> = of.into_iter().flatten().collect();
    let (of, why) = (locale.list(&of), refusal(locale, *reason, notes));
    let mut lines = vec![locale.say(
        format!("这次评价没有生效（{of}）：{why}。"),
        format!("The rating does not count ({of}): {why}."),
    )];
    let rule = rule_of_refusal(*reason, card.as_ref());
    lines.extend(
        notes
            .iter()
            .filter_map(|note| noted(locale, note))
            .map(|text| format!("[{rule}] {text}")),
    );
    if lines.len() == 1 {
        lines.push(format!("[{rule}] {}", general(locale, *reason)));
    }
    lines
}

fn refusal(locale: Locale, reason: RefuseReason, notes: &[Evidence]) -> &'static str {
    let to_agent = notes
        .iter()
        .any(|note| matches!(note, Evidence::NotContacted(Whom::Agent, _)));
    match reason {
        RefuseReason::BuyerBlocked => locale.say("买家已被拉黑", "the buyer is blocked"),
        RefuseReason::SessionOver => locale.say(
            "会话结束已满 24 小时",
            "the session closed 24 hours ago or longer",
        ),
        RefuseReason::NobodyServed => locale.say(
            "这个会话还没有人接待过",
            "neither an agent nor the bot ever served the session",
        ),
        RefuseReason::NoContact if to_agent => locale.say(
            "买家今天还没和这位客服说过话",
            "the buyer wrote nothing to this agent today",
        ),
        RefuseReason::NoContact => locale.say(
            "买家今天还没在本店说过话",
            "the buyer wrote nothing to this shop today",
        ),
        RefuseReason::RatedRecently => locale.say("不久前刚评价过", "the buyer rated not long ago"),
        RefuseReason::CardUnknown => {
            locale.say("这个会话没有这张评价卡", "the session has no such card")
        }
        RefuseReason::CardUsed => {
            locale.say("这张评价卡已经提交过", "the card was submitted already")
        }
        RefuseReason::CardExpired => locale.say("评价卡已过期", "the card has expired"),
    }
}

/// The text of a refusal without evidence.
fn general(locale: Locale, reason: RefuseReason) -> &'static str {
    match reason {
        RefuseReason::BuyerBlocked => locale.say(
            "被拉黑的买家不能评价，解除拉黑后可以。",
            "A blocked buyer may not rate. It may once the block has ended.",
        ),
        RefuseReason::SessionOver
        | RefuseReason::NobodyServed
        | RefuseReason::NoContact
        | RefuseReason::RatedRecently => locale.say(
            "买家主动评价的条件没有满足。",
            "The buyer may not rate by itself now.",
        ),
        RefuseReason::CardUnknown => locale.say(
            "评价卡号是会话号加 # 和序号，要用本会话发出的那一张。",
            "A card's id is its session's, # and a number: take one that this session has sent.",
        ),
        RefuseReason::CardUsed => {
            locale.say("一张评价卡只能提交一次。", "A card can be submitted once.")
        }
        RefuseReason::CardExpired => {
            locale.say("评价卡过了有效期。", "The card was made too long ago.")
        }
    }
}

/// The text that evidence adds to a refusal.
fn noted(locale: Locale, note: &Evidence) -> Option<String> {
    match note {
        Evidence::ClosedAt(at) => {
            let at = locale.time(*at);
            Some(locale.say(
                format!("会话在 {at} 结束，买家主动评价只在结束后 24 小时内有效。"),
                format!(
                    "It closed at {at}; a buyer may rate by itself for 24 hours after the close."
                ),
            ))
        }
        Evidence::NotContacted(Whom::Agent, agent) => {
            let agent = locale.agent(agent);
            Some(locale.say(
                format!("要主动评价，买家当天得先和{agent}说过话。"),
                format!(
                    "To rate by itself, the buyer has to have written to {agent} on the same day."
                ),
            ))
        }
        Evidence::NotContacted(Whom::Shop, _) => Some(
            locale.say(
                "要主动评价，买家当天得先在本店说过话。".to_owned(),
                "To rate by itself, the buyer has to have written to the shop on the same day."
                    .to_owned(),
            ),
        ),
        Evidence::RatedAt { per, at, again } => {
            let (at, again) = (locale.time(*at), locale.time(*again));
            let whom = match per {
                Whom::Agent => locale.say("这位客服", "this agent"),
                Whom::Shop => locale.say("本店", "this shop"),
            };
            Some(locale.say(
                format!("{at} 评价过{whom}，{again} 起可以再评。"),
                format!("The buyer rated {whom} at {at}, and may again from {again} on."),
            ))
        }
        Evidence::Blocked { until } => Some(causes::blocked(locale, *until)),
        Evidence::CardExpired(at) => {
            let at = locale.time(*at);
            Some(locale.say(
                format!("这张评价卡的有效期到 {at}。"),
                format!("The card could be used until {at}."),
            ))
        }
        Evidence::Recent { .. }
        | Evidence::AnyoneInstead
        | Evidence::Scope(_)
        | Evidence::NobodyOnline(_)
        | Evidence::NoRota(_)
        | Evidence::Candidates { .. }
        | Evidence::Drained { .. }
        | Evidence::Ranked(_)
        | Evidence::LeftPage { .. }
        | Evidence::LeftAhead { .. }
        | Evidence::PassedOver { .. }
        | Evidence::GaveUp { .. }
        | Evidence::Manual(_)
        | Evidence::Absent { .. }
        | Evidence::NotAnswered(_)
        | Evidence::HandedOver { .. }
        | Evidence::Missed { .. }
        | Evidence::LeftToRota { .. }
        | Evidence::Shut { .. }
        | Evidence::ClosedReply { .. }
        | Evidence::Hours(_)
        | Evidence::Waits { .. }
        | Evidence::WaitedOut { .. }
        | Evidence::Silent { .. }
        | Evidence::Judged { .. }
        | Evidence::DaySummary { .. }
        | Evidence::LateRound { .. }
        | Evidence::TooLate { .. }
        | Evidence::Invite { .. }
        | Evidence::OlderRelease => None,
    }
}
