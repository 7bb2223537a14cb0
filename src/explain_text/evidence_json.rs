//! Facts: what was looked at for a decision, as data with stable names, for programs rather than people.
//!
//! Names are added, never renamed. Instants are written at the offset of the decision.

use serde_json::{Value, json};

use super::phrase::Locale;
use super::{Language, invite, other, rating, rejection, routing_steps};
use crate::domain::base::time::Instant;
use crate::domain::explain::explanation::{
    Absence, Candidate, Comparison, Known, NoRota, Note, RecentFinding, Verdict, Why,
};
use crate::domain::explain::invite_check::{Check, Seen};
use crate::domain::policy::{Recent, Strategy, Suspension, Whom};
use crate::domain::protocol::decision::{BlockCode, Body, Trigger};
use crate::domain::state::agent_directory::Scope;
use crate::domain::state::session::Speaker;

/// One object for each thing that was looked at, in that order: its `rule`, and what was seen.
pub fn facts(why: &Why) -> Vec<Value> {
    let voice = Locale::new(Language::English, why.decision.at);
    let notes = why.notes.iter().enumerate();
    let of_body = rule(&why.decision.body);
    let told: Vec<Value> = notes
        .map(|(place, note)| {
            let own = routing_steps::rule_of(&why.notes, place);
            fact(voice, note, own.unwrap_or(of_body))
        })
        .collect();
    if told.is_empty() {
        return vec![json!({ "rule": of_body })];
    }
    told
}

/// The rule of a decision for which nothing else was noted.
fn rule(body: &Body) -> &'static str {
    match body {
        Body::SessionAssigned { .. } => "R4",
        Body::SessionQueued { .. } | Body::AutoReplySent { .. } => "R6",
        Body::SessionClosed { reason, .. } => other::rule_of_close(*reason),
        Body::AgentNotified { .. } => "R5",
        Body::InviteSent { .. } | Body::InviteBlocked { .. } => "I",
        Body::RatingOpened { source, .. } => rating::rule_of_opening(*source),
        Body::RatingRecorded { .. } => "Q4",
        Body::RatingRefused { reason, card, .. } => rating::rule_of_refusal(*reason, card.as_ref()),
        Body::ReplyDue { .. } | Body::ReplyOverdue { .. } => "M3",
        Body::ScoreAlert { .. } | Body::ScoreRecovered { .. } => "M6",
        Body::EventRejected { event, error, .. } => rejection::rule(event, *error),
    }
}

fn fact(voice: Locale, note: &Note, rule: &str) -> Value {
    match note {
        Note::Recent { known, policy } => recent_fact(known.as_ref(), policy, rule),
        Note::AnyoneInstead => json!({ "rule": rule, "instead": "any_free" }),
        Note::Scope(scope) => scope_fact(scope, rule),
        Note::NobodyOnline(agents) => {
            json!({ "rule": rule, "online": 0, "candidates": candidates(agents) })
        }
        Note::NoRota(why) => no_rota_fact(why, rule),
        Note::Candidates {
            by,
            candidates: agents,
            ..
        } => json!({
            "rule": rule,
            "by": comparison_code(*by),
            "candidates": candidates(agents),
        }),
        Note::Drained {
            pool,
            since,
            waiting,
        } => json!({ "rule": rule, "pool": pool, "since": since, "waiting": waiting }),
        Note::Manual(to) | Note::LeftToRota(to) => {
            json!({ "rule": rule, "candidates": [candidate(to)] })
        }
        Note::Absent { agent, absence } => json!({
            "rule": rule,
            "absence": absence_code(*absence),
            "candidates": [candidate(agent)],
        }),
        Note::Waits {
            pool,
            position,
            reason,
        } => json!({ "rule": rule, "pool": pool, "position": position, "reason": reason }),
        Note::WaitedOut {
            pool,
            since,
            max_wait,
        } => json!({ "rule": rule, "pool": pool, "since": since, "max_wait": max_wait }),
        Note::Silent {
            since,
            length,
            last,
        } => json!({
            "rule": rule, "since": since, "close_after_buyer_silence": length,
            "last": last.map(speaker_code),
        }),
        Note::Judged {
            period,
            rate,
            line,
            min_sample,
        } => json!({
            "rule": rule, "metric": period.metric(), "over": rate.over, "under": rate.under,
            "threshold": line, "min_sample": min_sample,
        }),
        Note::Invite { trigger, checks } => json!({
            "rule": rule,
            "trigger": trigger.code(),
            "checks": checks.iter().map(|it| check(voice, *trigger, it)).collect::<Vec<Value>>(),
        }),
        Note::ClosedAt(at) => json!({ "rule": rule, "closed_at": at }),
        Note::NotContacted(whom, agent) => {
            json!({ "rule": rule, "contact": whom_code(*whom), "agent": agent })
        }
        Note::RatedAt { per, at, again } => {
            json!({ "rule": rule, "per": whom_code(*per), "rated_at": at, "again_at": again })
        }
        Note::CardExpired(at) => json!({ "rule": rule, "expired_at": at }),
        Note::OlderRelease => json!({ "rule": rule, "decided_by": "older_release" }),
    }
}

fn recent_fact(known: Option<&Known>, policy: &Recent, rule: &str) -> Value {
    let nobody = if policy.window.is_zero() {
        "off"
    } else {
        "nobody"
    };
    let agents: Vec<Value> = known.iter().map(|known| candidate(&known.agent)).collect();
    json!({
        "rule": rule,
        "agent": known.map(|known| &known.agent.agent),
        "until": known.map(|known| known.until),
        "window": policy.window,
        "over_capacity": policy.over_capacity,
        "away_window": policy.away_window,
        "otherwise": policy.otherwise,
        "finding": known.map_or(nobody, |known| finding_code(known.finding)),
        "candidates": agents,
    })
}

fn no_rota_fact(why: &NoRota, rule: &str) -> Value {
    match why {
        NoRota::Off => json!({ "rule": rule, "rota": "off" }),
        NoRota::Empty => json!({ "rule": rule, "rota": "empty" }),
        NoRota::Unfit {
            members,
            candidates: agents,
        } => json!({
            "rule": rule, "rota": "unfit", "members": members, "candidates": candidates(agents),
        }),
    }
}

fn scope_fact(scope: &Scope, rule: &str) -> Value {
    let pool = scope.pool_name();
    match scope {
        Scope::Question { entry, question } => json!({
            "rule": rule, "scope": "question", "pool": pool, "entry": entry, "question": question,
        }),
        Scope::Entry(entry) => {
            json!({ "rule": rule, "scope": "entry", "pool": pool, "entry": entry })
        }
        Scope::OrderStatus(status) => json!({
            "rule": rule, "scope": "order_status", "pool": pool, "order_status": status,
        }),
        Scope::All => json!({ "rule": rule, "scope": "all", "pool": pool }),
    }
}

fn candidates(candidates: &[Candidate]) -> Vec<Value> {
    candidates.iter().map(candidate).collect()
}

fn candidate(candidate: &Candidate) -> Value {
    json!({
        "agent": candidate.agent,
        "presence": candidate.presence.code(),
        "load": candidate.load,
        "capacity": candidate.capacity,
        "today": candidate.today,
        "rota_today": candidate.rota_today,
        "weight": candidate.weight,
        "last_assigned": candidate.last_assigned,
        "verdict": verdict_code(candidate.verdict),
    })
}

fn check(voice: Locale, trigger: Trigger, check: &Check) -> Value {
    let mut fact = seen(voice, trigger, check);
    if let Value::Object(fields) = &mut fact {
        fields.insert("code".to_owned(), json!(check.code.code()));
        fields.insert("rule".to_owned(), json!(invite::rule(check.code)));
        fields.insert("applies".to_owned(), json!(check.applies));
        if let Some(end) = check.lets_go {
            fields.insert("lets_go".to_owned(), json!(voice.stamp(end)));
        }
    }
    fact
}

fn seen(voice: Locale, trigger: Trigger, check: &Check) -> Value {
    match check.seen {
        Seen::Switch(on) => json!({ "on": on }),
        Seen::Served { human, bot, bots } => json!({ "human": human, "bot": bot, "bots": bots }),
        Seen::Reason(reason) => json!({ "reason": reason.code() }),
        Seen::Spoke { last, required } => {
            json!({ "last": last.map(speaker_code), "agent_required": required })
        }
        Seen::Lasted {
            lasted,
            longer_than,
        } => json!({ "lasted": lasted, "longer_than": longer_than }),
        Seen::Suspended(window) => {
            json!({ "window": window.map(|window| suspension(voice, window)) })
        }
        Seen::Flag(risk) => json!({ "risk": risk }),
        Seen::Lot { drawn, below } => json!({ "drawn": drawn, "below": below }),
        Seen::Quiet { first, second } if check.code == BlockCode::AlreadyInvited => {
            let auto = second.unwrap_or((Instant::NEVER, first.1));
            json!({
                "manual_at": ever(voice, first.0), "manual_window": first.1,
                "auto_at": ever(voice, auto.0), "auto_window": auto.1,
            })
        }
        Seen::Quiet { first, .. } => {
            let of = match trigger {
                Trigger::Auto => Whom::Shop,
                Trigger::Manual => Whom::Agent,
            };
            json!({ "rated_at": ever(voice, first.0), "window": first.1, "of": whom_code(of) })
        }
        Seen::Count { count, cap } => json!({ "count": count, "cap": cap }),
        Seen::Shared { cap } => json!({ "cap": cap }),
        Seen::Contact { wrote, needed } => json!({ "wrote": wrote, "needed": needed }),
    }
}

/// When something was done, `null` where it never was.
fn ever(voice: Locale, deed: Instant) -> Value {
    if deed == Instant::NEVER {
        Value::Null
    } else {
        json!(voice.stamp(deed))
    }
}

fn suspension(voice: Locale, window: Suspension) -> Value {
    let written = |at| voice.yearly(at).replace(' ', "T");
    json!({ "from": written(window.from), "to": written(window.to) })
}

fn finding_code(finding: RecentFinding) -> &'static str {
    match finding {
        RecentFinding::Passed => "passed",
        RecentFinding::NotRoutable => "not_routable",
        RecentFinding::Takes => "takes",
        RecentFinding::Full => "full",
        RecentFinding::Unavailable => "unavailable",
    }
}

fn comparison_code(by: Comparison) -> &'static str {
    match by {
        Comparison::Strategy(Strategy::LeastSaturated) => "least_saturated",
        Comparison::Strategy(Strategy::FewestToday) => "fewest_today",
        Comparison::Strategy(Strategy::Random) => "random",
        Comparison::Lot => "lot",
        Comparison::Rota => "rota",
    }
}

fn verdict_code(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Picked => "picked",
        Verdict::LargerRatio => "larger_ratio",
        Verdict::AssignedLater => "assigned_later",
        Verdict::LaterId => "later_id",
        Verdict::NotDrawn => "not_drawn",
        Verdict::Full => "full",
        Verdict::Away => "away",
        Verdict::Offline => "offline",
        Verdict::NotRoutable => "not_routable",
        Verdict::Passed => "passed",
    }
}

fn absence_code(absence: Absence) -> &'static str {
    match absence {
        Absence::WentOffline => "went_offline",
        Absence::Removed => "removed",
        Absence::AlreadyOffline => "already_offline",
    }
}

fn speaker_code(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::Buyer => "buyer",
        Speaker::Agent => "agent",
        Speaker::Bot => "bot",
    }
}

fn whom_code(whom: Whom) -> &'static str {
    match whom {
        Whom::Agent => "agent",
        Whom::Shop => "shop",
    }
}
