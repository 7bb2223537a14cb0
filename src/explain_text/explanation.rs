//! A decision's whole reason: the head line, what was decided, and everything that was looked at for it.

use serde::Serialize;

use crate::domain::explain::explanation::{Evidence, Explanation};
use crate::domain::protocol::decision::{Decision, DecisionBody, Trigger};

use super::phrase::Locale;
use super::{Language, invite, other, rating, rejection, routing, routing_steps};

/// The reason of a decision of `shop`, as lines of text that end without a line break.
pub fn explain(shop: &str, why: &Explanation, language: Language) -> String {
    let voice = Locale::new(language, why.decision.at);
    let mut lines = vec![head(voice, shop, &why.decision)];
    lines.extend(body(voice, why));
    lines.join("\n")
}

/// A text in both languages, by their codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = BothLanguages)]
pub struct Both {
    /// 中文.
    pub zh: String,
    /// English.
    pub en: String,
}

/// [`explain`] in both languages.
pub fn both(shop: &str, why: &Explanation) -> Both {
    Both {
        zh: explain(shop, why, Language::Chinese),
        en: explain(shop, why, Language::English),
    }
}

/// `#12  2026-11-11 10:00:00  店铺 default  分配`.
fn head(voice: Locale, shop: &str, decision: &Decision) -> String {
    let untold = Locale::new(voice.language, None);
    let at = decision.at.map(|at| untold.time(at)).unwrap_or_default();
    let head = [
        format!("#{}", decision.seq),
        at,
        voice.say(format!("店铺 {shop}"), format!("shop {shop}")),
        kind(voice, &decision.body).to_owned(),
    ];
    let head: Vec<String> = head.into_iter().filter(|part| !part.is_empty()).collect();
    head.join("  ")
}

/// What was decided, in a word or two.
fn kind(voice: Locale, body: &DecisionBody) -> &'static str {
    match body {
        DecisionBody::SessionAssigned { .. } => voice.say("分配", "assigned"),
        DecisionBody::SessionQueued { .. } => voice.say("排队", "queued"),
        DecisionBody::SessionClosed { .. } => voice.say("会话结束", "closed"),
        DecisionBody::AgentNotified { .. } => voice.say("手机推送", "notified"),
        DecisionBody::AutoReplySent { .. } => voice.say("自动回复", "automatic reply"),
        DecisionBody::InviteSent { .. } => voice.say("邀评", "invited"),
        DecisionBody::InviteBlocked { .. } => voice.say("不邀评", "not invited"),
        DecisionBody::RatingOpened { .. } => voice.say("打开评价", "rating opened"),
        DecisionBody::RatingRecorded { .. } => voice.say("评价", "rated"),
        DecisionBody::RatingRefused { .. } => voice.say("评价未生效", "rating refused"),
        DecisionBody::ReplyDue { .. } => voice.say("慢响应提醒", "slow response"),
        DecisionBody::ReplyOverdue { .. } => voice.say("回复超时", "reply overdue"),
        DecisionBody::ScoreAlert { .. } => voice.say("分数预警", "score alert"),
        DecisionBody::ScoreRecovered { .. } => voice.say("分数恢复", "score recovered"),
        DecisionBody::EventRejected { .. } => voice.say("事件未生效", "event rejected"),
    }
}

fn body(voice: Locale, why: &Explanation) -> Vec<String> {
    let (decision, notes) = (&why.decision, why.notes.as_slice());
    if matches!(notes, [Evidence::OlderRelease]) {
        let told = voice.say(
            "这个决定由较早的版本作出，按当前版本会作出不同的决定，因此无法解释当时的依据。决定本身仍然有效。",
            "An older release took this decision, and this release would decide otherwise, so the reasons of then cannot \
             be told. The decision itself stands.",
        );
        return vec![told.to_owned()];
    }
    let at = decision.at;
    match &decision.body {
        body @ DecisionBody::SessionAssigned { .. } => {
            let told = routing::assigned(voice, body, notes);
            with_rules(told, routing_steps::lines(voice, body, notes))
        }
        body @ DecisionBody::SessionQueued { .. } => with_rules(
            routing::queued(voice, body),
            routing_steps::lines(voice, body, notes),
        ),
        body @ (DecisionBody::InviteSent { trigger, .. }
        | DecisionBody::InviteBlocked { trigger, .. }) => {
            with_rules(invited(voice, body), checks(voice, *trigger, notes))
        }
        DecisionBody::SessionClosed {
            session,
            buyer,
            agent,
            reason,
        } => other::closed(voice, (session, buyer, agent.as_ref()), *reason, notes),
        DecisionBody::AgentNotified { agent, session } => {
            other::notified(voice, agent, session, notes)
        }
        DecisionBody::AutoReplySent { session, text } => {
            other::auto_reply(voice, session, text, notes)
        }
        body @ DecisionBody::RatingOpened { .. } => rating::opened(voice, body),
        body @ DecisionBody::RatingRecorded { .. } => rating::recorded(voice, body),
        body @ DecisionBody::RatingRefused { .. } => rating::refused(voice, body, notes),
        DecisionBody::ReplyDue {
            session,
            buyer,
            agent,
            since,
            overdue_at,
        } => other::due(
            voice,
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
        } => other::overdue(voice, at, (session, buyer, agent.as_ref()), *since),
        DecisionBody::ScoreAlert {
            period,
            value,
            threshold,
            needed,
        } => other::alert(voice, *period, *value, *threshold, *needed, notes),
        DecisionBody::ScoreRecovered {
            period,
            value,
            threshold,
        } => other::recovered(voice, *period, *value, *threshold, notes),
        DecisionBody::EventRejected {
            event,
            error,
            message,
            session,
        } => rejection::rejected(voice, event, *error, message, session.as_ref()),
    }
}

fn with_rules(told: String, rules: Vec<String>) -> Vec<String> {
    let mut lines = vec![told, String::new()];
    lines.extend(rules);
    lines
}

fn checks(voice: Locale, asked: Trigger, notes: &[Evidence]) -> Vec<String> {
    let checks = notes.iter().find_map(|note| {
        if let Evidence::Invite { checks, .. } = note {
            Some(checks.as_slice())
        } else {
            None
        }
    });
    invite::lines(voice, asked, checks.unwrap_or_default())
}

/// `invite.sent` or `invite.blocked` in a sentence or two.
fn invited(voice: Locale, body: &DecisionBody) -> String {
    if let DecisionBody::InviteSent {
        card,
        session,
        buyer,
        agent,
        trigger,
    } = body
    {
        let (agent, by) = (voice.agent_last(agent), invite::trigger(voice, *trigger));
        return voice.say(
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
    let by = invite::trigger(voice, *trigger);
    let reasons: Vec<String> = blocked_by
        .iter()
        .map(|&code| invite::blocked(voice, code).to_owned())
        .collect();
    let reasons = reasons.join(voice.say("；", "; "));
    let retry = retry_at.map(|at| {
        let at = voice.time(at);
        voice.say(
            format!("{at} 起可以再邀。"),
            format!(" Free again at {at}."),
        )
    });
    let retry = retry.unwrap_or_default();
    voice.say(
        format!("{by}：没有邀请买家 {buyer}（会话 {session}）：{reasons}。{retry}"),
        format!("{by}: buyer {buyer} is not asked (session {session}): {reasons}.{retry}"),
    )
}
