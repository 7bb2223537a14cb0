//! The complete explanation of a decision: the headline, the decision, and all evidence.

use serde::Serialize;

use crate::domain::explain::explanation::{Evidence, Explanation};
use crate::domain::protocol::decision::{Decision, DecisionBody, Trigger};

use super::phrase::Locale;
use super::{
    Language, hours, invite, rating, rejection, reply_deadline, routing, routing_steps, score,
    session, take_back,
};

/// The explanation of a decision of `shop`, as lines of text without a line break at the end.
pub fn explain(shop: &str, why: &Explanation, language: Language) -> String {
    let locale = Locale::new(language, why.decision.at);
    let mut lines = vec![head(locale, shop, &why.decision)];
    match why.notes.as_slice() {
        [Evidence::OlderRelease] => lines.push(older_release(locale).to_owned()),
        notes => lines.extend(body(locale, &why.decision, notes)),
    }
    lines.join("\n")
}

/// A text in both languages, by their codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = BothLanguages)]
pub struct BothLanguages {
    /// 中文.
    pub zh: String,
    /// English.
    pub en: String,
}

/// [`explain`] in both languages.
pub fn both(shop: &str, why: &Explanation) -> BothLanguages {
    BothLanguages {
        zh: explain(shop, why, Language::Chinese),
        en: explain(shop, why, Language::English),
    }
}

/// `#12  2026-11-11 10:00:00  店铺 default  分配`.
fn head(locale: Locale, shop: &str, decision: &Decision) -> String {
    let undated = Locale::new(locale.language, None);
    let at = decision.at.map(|at| undated.time(at)).unwrap_or_default();
    let head = [
        format!("#{}", decision.seq),
        at,
        locale.say(format!("店铺 {shop}"), format!("shop {shop}")),
        kind(locale, &decision.body).to_owned(),
    ];
    let head: Vec<String> = head.into_iter().filter(|part| !part.is_empty()).collect();
    head.join("  ")
}

/// The decision in a word or two.
fn kind(locale: Locale, body: &DecisionBody) -> &'static str {
    match body {
        DecisionBody::SessionAssigned { .. } => locale.say("分配", "assigned"),
        DecisionBody::SessionQueued { .. } => locale.say("排队", "queued"),
        DecisionBody::SessionClosed { .. } => locale.say("会话结束", "closed"),
        DecisionBody::SessionTakenBack { .. } => locale.say("超时转接", "taken back"),
        DecisionBody::AgentPresenceSet { .. } => locale.say("自动小休", "set away"),
        DecisionBody::HoursOpened { .. } => locale.say("开始营业", "shop opened"),
        DecisionBody::HoursClosed { .. } => locale.say("结束营业", "shop closed"),
        DecisionBody::ScoreDay { .. } => locale.say("每日总结", "day's summary"),
        DecisionBody::AgentNotified { .. } => locale.say("手机推送", "notified"),
        DecisionBody::AutoReplySent { .. } => locale.say("自动回复", "automatic reply"),
        DecisionBody::InviteSent { .. } => locale.say("邀评", "invited"),
        DecisionBody::InviteBlocked { .. } => locale.say("不邀评", "not invited"),
        DecisionBody::RatingOpened { .. } => locale.say("打开评价", "rating opened"),
        DecisionBody::RatingRecorded { .. } => locale.say("评价", "rated"),
        DecisionBody::RatingRefused { .. } => locale.say("评价未生效", "rating refused"),
        DecisionBody::ReplyDue { .. } => locale.say("慢响应提醒", "slow response"),
        DecisionBody::ReplyOverdue { .. } => locale.say("回复超时", "reply overdue"),
        DecisionBody::ScoreAlert { .. } => locale.say("分数预警", "score alert"),
        DecisionBody::ScoreRecovered { .. } => locale.say("分数恢复", "score recovered"),
        DecisionBody::EventRejected { .. } => locale.say("事件未生效", "event rejected"),
    }
}

fn body(locale: Locale, decision: &Decision, notes: &[Evidence]) -> Vec<String> {
    let at = decision.at;
    match &decision.body {
        body @ DecisionBody::SessionAssigned { .. } => {
            let sentence = routing::assigned(locale, body, notes);
            with_rules(sentence, routing_steps::lines(locale, body, notes))
        }
        body @ DecisionBody::SessionQueued { .. } => with_rules(
            routing::queued(locale, body),
            routing_steps::lines(locale, body, notes),
        ),
        body @ (DecisionBody::InviteSent { trigger, .. }
        | DecisionBody::InviteBlocked { trigger, .. }) => {
            with_rules(invited(locale, body), checks(locale, *trigger, notes))
        }
        DecisionBody::SessionClosed {
            session,
            buyer,
            agent,
            reason,
        } => session::closed(locale, (session, buyer, agent.as_ref()), *reason, notes),
        body @ DecisionBody::SessionTakenBack { .. } => with_rules(
            take_back::taken_back(locale, body, notes),
            routing_steps::lines(locale, body, notes),
        ),
        DecisionBody::AgentPresenceSet { agent, .. } => {
            take_back::presence_set(locale, agent, notes)
        }
        DecisionBody::HoursOpened { until } => hours::changed(locale, true, *until, notes),
        DecisionBody::HoursClosed { until } => hours::changed(locale, false, *until, notes),
        DecisionBody::ScoreDay {
            period,
            consulting,
            late,
            value,
            threshold,
            below,
            effective_rate,
            penalty_risk,
        } => score::day(
            locale,
            &score::DayScore {
                period: *period,
                consulting: *consulting,
                late: *late,
                value: *value,
                threshold: *threshold,
                below: *below,
                effective_rate: *effective_rate,
                penalty_risk: *penalty_risk,
            },
            notes,
        ),
        DecisionBody::AgentNotified { agent, session } => {
            session::notified(locale, agent, session, notes)
        }
        DecisionBody::AutoReplySent { session, text } => {
            session::auto_reply(locale, session, text, notes)
        }
        body @ DecisionBody::RatingOpened { .. } => rating::opened(locale, body),
        body @ DecisionBody::RatingRecorded { .. } => rating::recorded(locale, body),
        body @ DecisionBody::RatingRefused { .. } => rating::refused(locale, body, notes),
        DecisionBody::ReplyDue {
            session,
            buyer,
            agent,
            since,
            overdue_at,
        } => reply_deadline::due(
            locale,
            at,
            (session, buyer, agent.as_ref()),
            *since,
            *overdue_at,
        ),
        DecisionBody::ReplyOverdue {
            session,
            buyer,
            agent,
            since,
        } => reply_deadline::overdue(locale, at, (session, buyer, agent.as_ref()), *since, notes),
        DecisionBody::ScoreAlert {
            period,
            value,
            threshold,
            needed,
        } => score::alert(locale, *period, *value, *threshold, *needed, notes),
        DecisionBody::ScoreRecovered {
            period,
            value,
            threshold,
        } => score::recovered(locale, *period, *value, *threshold, notes),
        DecisionBody::EventRejected {
            event,
            error,
            message,
            session,
        } => rejection::rejected(locale, event, *error, message, session.as_ref(), notes),
    }
}

fn older_release(locale: Locale) -> &'static str {
    locale.say(
        "这个决策由较早的版本作出，按当前版本会作出不同的决策，因此无法解释当时的依据。决策本身仍然有效。",
        "An older release took this decision, and this release would decide otherwise, so the reasons of then cannot \
         be told. The decision itself stands.",
    )
}

fn with_rules(sentence: String, rules: Vec<String>) -> Vec<String> {
    let mut lines = vec![sentence, String::new()];
    lines.extend(rules);
    lines
}

fn checks(locale: Locale, asked: Trigger, notes: &[Evidence]) -> Vec<String> {
    let checks = notes.iter().find_map(|note| {
        if let Evidence::Invite { checks, .. } = note {
            Some(checks.as_slice())
        } else {
            None
        }
    });
    invite::lines(locale, asked, checks.unwrap_or_default())
}

/// `invite.sent` or `invite.blocked` in a sentence or two.
fn invited(locale: Locale, body: &DecisionBody) -> String {
    if let DecisionBody::InviteSent {
        card,
        session,
        buyer,
        agent,
        trigger,
    } = body
    {
        let (agent, by) = (locale.agent_last(agent), invite::trigger(locale, *trigger));
        return locale.say(
            format!("{by}：已邀请买家 {buyer} 评价{agent}（会话 {session}，评价卡 {card}），各项规则都通过。"),
            format!(
                "{by}: buyer {buyer} is asked to rate {agent} (session {session}, card {card}); every rule passed."
            ),
        );
    }
    let DecisionBody::InviteBlocked {
        session,
        buyer,
        trigger,
        blocked_by,
        retry_at,
        ..
    } = body
    else {
        return String::new();
    };
    let by = invite::trigger(locale, *trigger);
    let reasons: Vec<String> = blocked_by
        .iter()
        .map(|&code| invite::blocked(locale, code).to_owned())
        .collect();
    let reasons = reasons.join(locale.say("；", "; "));
    let retry = retry_at.map(|at| {
        let at = locale.time(at);
        locale.say(
            format!("{at} 起可以再邀。"),
            format!(" Free again at {at}."),
        )
    });
    let retry = retry.unwrap_or_default();
    locale.say(
        format!("{by}：没有邀请买家 {buyer}（会话 {session}）：{reasons}。{retry}"),
        format!("{by}: buyer {buyer} is not asked (session {session}): {reasons}.{retry}"),
    )
}
