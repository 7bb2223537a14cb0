//! Evidence as data with stable names, for programs rather than people.
//!
//! Names are added, never renamed. Instants are written at the offset of the decision.

use serde_json::{Value, json};

use super::phrase::{Locale, time_of_day};
use super::{Language, invite, rating, rejection, routing_steps, session};
use crate::domain::base::time::Instant;
use crate::domain::explain::explanation::{
    Absence, Candidate, Comparison, Evidence, Explanation, NoRota, NotAnswered, RecentAgent,
    RecentFinding, ScoreBasis, TakeBackAttempt, Verdict, WaitingSession,
};
use crate::domain::explain::invite_check::{Check, Observed};
use crate::domain::policy::{QueueMode, Recent, Strategy, Suspension, Whom};
use crate::domain::protocol::decision::{DecisionBody, Trigger};
use crate::domain::state::agent_directory::RoutingScope;
use crate::domain::state::session::Speaker;

/// One object for each piece of evidence, in the order of the checks: its `rule`, and what was found.
pub fn facts(why: &Explanation) -> Vec<Value> {
    let locale = Locale::new(Language::English, why.decision.at);
    let notes = why.notes.iter().enumerate();
    let of_body = rule(&why.decision.body);
    let objects: Vec<Value> = notes
        .map(|(place, note)| {
            let own = routing_steps::rule_of(&why.notes, place);
            fact(locale, note, own.unwrap_or(of_body))
        })
        .collect();
    if objects.is_empty() {
        return vec![json!({ "rule": of_body })];
    }
    objects
}

/// The rule of a decision without other evidence.
fn rule(body: &DecisionBody) -> &'static str {
    match body {
        DecisionBody::SessionAssigned { .. } => "R4",
        DecisionBody::SessionQueued { .. } | DecisionBody::AutoReplySent { .. } => "R6",
        DecisionBody::SessionClosed { reason, .. } => session::rule_of_close(*reason),
        DecisionBody::SessionTakenBack { .. } => "R10",
        DecisionBody::AgentPresenceSet { .. } => "R10e",
        DecisionBody::HoursOpened { .. } | DecisionBody::HoursClosed { .. } => "H3",
        DecisionBody::ScoreDay { .. } => "M13",
        DecisionBody::AgentNotified { .. } => "R5",
        DecisionBody::InviteSent { .. } | DecisionBody::InviteBlocked { .. } => "I",
        DecisionBody::RatingOpened { source, .. } => rating::rule_of_opening(*source),
        DecisionBody::RatingRecorded { .. } => "Q4",
        DecisionBody::RatingRefused { reason, card, .. } => {
            rating::rule_of_refusal(*reason, card.as_ref())
        }
        DecisionBody::ReplyDue { .. } | DecisionBody::ReplyOverdue { .. } => "M3",
        DecisionBody::ScoreAlert { .. } | DecisionBody::ScoreRecovered { .. } => "M6",
        DecisionBody::EventRejected { event, error, .. } => rejection::rule(event, *error),
    }
}

fn fact(locale: Locale, note: &Evidence, rule: &str) -> Value {
    match note {
        Evidence::Recent {
            known,
            policy,
            queue,
        } => recent_fact(known.as_ref(), policy, *queue, rule),
        Evidence::AnyoneInstead => json!({ "rule": rule, "instead": "any_free" }),
        Evidence::Scope(scope) => scope_fact(scope, rule),
        Evidence::NobodyOnline(agents) => {
            json!({ "rule": rule, "online": 0, "candidates": candidates(agents) })
        }
        Evidence::NoRota(why) => no_rota_fact(why, rule),
        Evidence::Candidates {
            by,
            queue,
            candidates: agents,
            ..
        } => json!({
            "rule": rule,
            "by": comparison_code(*by),
            "queue": queue,
            "candidates": candidates(agents),
        }),
        Evidence::Drained {
            pool,
            since,
            waiting,
            longest,
            unserved,
        } => json!({
            "rule": rule, "pool": pool, "since": since, "waiting": waiting, "longest": longest,
            "unserved": unserved,
        }),
        Evidence::Ranked(order) => json!({
            "rule": rule,
            "queued": order.queued,
            "since": order.since,
            "priority": order.priority,
            "age": order.age,
            "before": waiting_facts(&order.before),
            "before_in_all": order.before_in_all,
        }),
        Evidence::LeftPage { until } => json!({ "rule": rule, "left_until": until }),
        Evidence::LeftAhead { sessions, in_all } => {
            json!({ "rule": rule, "left": waiting_facts(sessions), "left_in_all": in_all })
        }
        Evidence::PassedOver { agents, counted } => {
            json!({ "rule": rule, "passed": agents, "counted": counted })
        }
        Evidence::Manual(to) => json!({ "rule": rule, "candidates": [candidate(to)] }),
        Evidence::LeftToRota { agent, shut } => {
            json!({ "rule": rule, "closed": shut, "candidates": [candidate(agent)] })
        }
        Evidence::Shut { until } => json!({ "rule": rule, "closed": true, "opens_at": until }),
        Evidence::ClosedReply { until } => {
            json!({ "rule": rule, "reply": "closed", "opens_at": until })
        }
        Evidence::Hours(found) => json!({
            "rule": rule,
            "day": found.day,
            "single_day": found.single,
            "intervals": found.intervals,
            "current": found.current,
            "by_policy": found.by_policy,
            "outside": found.outside,
        }),
        Evidence::Absent { agent, absence } => json!({
            "rule": rule,
            "absence": absence_code(*absence),
            "candidates": [candidate(agent)],
        }),
        Evidence::NotAnswered(found) => not_answered_fact(found, rule),
        Evidence::HandedOver { agent, since } => {
            json!({ "rule": rule, "since": since, "candidates": [candidate(agent)] })
        }
        Evidence::Missed {
            agent,
            misses,
            away_after,
        } => json!({
            "rule": rule, "misses": misses, "away_after": away_after, "candidates": [candidate(agent)],
        }),
        Evidence::Waits {
            pool,
            position,
            reason,
        } => json!({ "rule": rule, "pool": pool, "position": position, "reason": reason }),
        Evidence::WaitedOut {
            pool,
            since,
            max_wait,
        } => json!({ "rule": rule, "pool": pool, "since": since, "max_wait": max_wait }),
        Evidence::GaveUp {
            pool,
            since,
            away_since,
            leave_grace,
        } => json!({
            "rule": rule, "pool": pool, "since": since, "away_since": away_since,
            "leave_grace": leave_grace,
        }),
        Evidence::Silent {
            since,
            length,
            last,
        } => json!({
            "rule": rule, "since": since, "close_after_buyer_silence": length,
            "last": last.map(speaker_code),
        }),
        Evidence::Judged {
            period,
            rate,
            line,
            min_sample,
            basis,
        } => {
            let mut fact = json!({
                "rule": rule, "metric": period.metric(), "over": rate.over, "under": rate.under,
                "threshold": line, "min_sample": min_sample,
            });
            add(&mut fact, basis_fact(*basis));
            fact
        }
        Evidence::DaySummary { reply } => json!({
            "rule": rule, "unit": reply.unit, "within": reply.within,
            "penalty_above": reply.penalty_above, "effective_bot": reply.effective_bot,
        }),
        Evidence::LateRound { unit, first } => {
            json!({ "rule": rule, "unit": unit, "first": first })
        }
        Evidence::Blocked { until } => json!({ "rule": rule, "blocked_until": until }),
        Evidence::TooLate {
            at,
            clock,
            lateness,
        } => json!({ "rule": rule, "at": at, "clock": clock, "lateness": lateness }),
        Evidence::Invite { trigger, checks } => json!({
            "rule": rule,
            "trigger": trigger.code(),
            "checks": checks.iter().map(|it| check(locale, *trigger, it)).collect::<Vec<Value>>(),
        }),
        Evidence::ClosedAt(at) => json!({ "rule": rule, "closed_at": at }),
        Evidence::NotContacted(whom, agent) => {
            json!({ "rule": rule, "contact": whom_code(*whom), "agent": agent })
        }
        Evidence::RatedAt { per, at, again } => {
            json!({ "rule": rule, "per": whom_code(*per), "rated_at": at, "again_at": again })
        }
        Evidence::CardExpired(at) => json!({ "rule": rule, "expired_at": at }),
        Evidence::OlderRelease => json!({ "rule": rule, "decided_by": "older_release" }),
    }
}

fn recent_fact(
    known: Option<&RecentAgent>,
    policy: &Recent,
    queue: QueueMode,
    rule: &str,
) -> Value {
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
        "queue": queue,
        "finding": known.map_or(nobody, |known| finding_code(known.finding)),
        "candidates": agents,
    })
}

fn not_answered_fact(found: &NotAnswered, rule: &str) -> Value {
    let policy = found.policy;
    json!({
        "rule": rule,
        "assigned_at": found.assigned_at,
        "since": found.since,
        "waited": found.waited,
        "attempt": match found.attempt {
            TakeBackAttempt::Due => "due",
            TakeBackAttempt::Again => "again",
        },
        "bounce": found.bounce,
        "passed": found.passed,
        "misses": found.misses,
        "after": policy.after,
        "each": policy.each,
        "max": policy.max,
        "otherwise": policy.otherwise,
        "away_after": policy.away_after,
        "candidates": [candidate(&found.agent)],
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

fn scope_fact(scope: &RoutingScope, rule: &str) -> Value {
    let pool = scope.pool_name();
    match scope {
        RoutingScope::Question { entry, question } => json!({
            "rule": rule, "scope": "question", "pool": pool, "entry": entry, "question": question,
        }),
        RoutingScope::Entry(entry) => {
            json!({ "rule": rule, "scope": "entry", "pool": pool, "entry": entry })
        }
        RoutingScope::OrderStatus(status) => json!({
            "rule": rule, "scope": "order_status", "pool": pool, "order_status": status,
        }),
        RoutingScope::All => json!({ "rule": rule, "scope": "all", "pool": pool }),
    }
}

fn waiting_facts(sessions: &[WaitingSession]) -> Vec<Value> {
    let facts = sessions.iter().map(|waiting| {
        json!({
            "session": waiting.session,
            "since": waiting.since,
            "queued": waiting.queued,
            "priority": waiting.priority,
        })
    });
    facts.collect()
}

fn candidates(candidates: &[Candidate]) -> Vec<Value> {
    candidates.iter().map(candidate).collect()
}

fn candidate(candidate: &Candidate) -> Value {
    let mut fact = json!({
        "agent": candidate.agent,
        "presence": candidate.presence.code(),
        "load": candidate.load,
        "after_work": candidate.after_work,
        "capacity": candidate.capacity,
        "today": candidate.today,
        "rota_today": candidate.rota_today,
        "weight": candidate.weight,
        "last_assigned": candidate.last_assigned,
        "verdict": verdict_code(candidate.verdict),
    });
    if let (Value::Object(fields), Some(at)) = (&mut fact, candidate.place_free_at) {
        fields.insert("place_free_at".to_owned(), json!(at));
    }
    fact
}

fn check(locale: Locale, trigger: Trigger, check: &Check) -> Value {
    let mut fact = seen(locale, trigger, check);
    if let Value::Object(fields) = &mut fact {
        fields.insert("code".to_owned(), json!(check.code.code()));
        fields.insert("rule".to_owned(), json!(invite::rule(check.code)));
        fields.insert("applies".to_owned(), json!(check.applies));
        if let Some(end) = check.lets_go {
            fields.insert("lets_go".to_owned(), json!(locale.stamp(end)));
        }
    }
    fact
}

fn seen(locale: Locale, trigger: Trigger, check: &Check) -> Value {
    match check.seen {
        Observed::Switch(on) => json!({ "on": on }),
        Observed::Served { human, bot, bots } => {
            json!({ "human": human, "bot": bot, "bots": bots })
        }
        Observed::Reason(reason) => json!({ "reason": reason.code() }),
        Observed::Spoke { last, required } => {
            json!({ "last": last.map(speaker_code), "agent_required": required })
        }
        Observed::Lasted {
            lasted,
            longer_than,
        } => json!({ "lasted": lasted, "longer_than": longer_than }),
        Observed::Suspended(window) => {
            json!({ "window": window.map(|window| suspension(locale, window)) })
        }
        Observed::Flag(risk) => json!({ "risk": risk }),
        Observed::Lot { drawn, below } => json!({ "drawn": drawn, "below": below }),
        Observed::Quiet { manual, auto } => json!({
            "manual_at": ever(locale, manual.0), "manual_window": manual.1,
            "auto_at": ever(locale, auto.0), "auto_window": auto.1,
        }),
        Observed::Rated {
            at,
            window,
            opening,
        } => {
            let of = match trigger {
                Trigger::Auto => Whom::Shop,
                Trigger::Manual => Whom::Agent,
            };
            json!({
                "rated_at": ever(locale, at), "window": window, "of": whom_code(of),
                "opening": opening,
            })
        }
        Observed::Count { count, cap } => json!({ "count": count, "cap": cap }),
        Observed::Shared { cap } => json!({ "cap": cap }),
        Observed::Contact { wrote, needed } => json!({ "wrote": wrote, "needed": needed }),
    }
}

/// What a score counts.
fn basis_fact(basis: ScoreBasis) -> Value {
    match basis {
        ScoreBasis::Replies { unit, within } => json!({ "unit": unit, "within": within }),
        ScoreBasis::Ratings { all, policy } => json!({
            "all_over": all.over, "all_under": all.under, "human": policy.human,
            "cards_made": time_of_day(policy.from_ms, policy.to_ms),
        }),
        ScoreBasis::Attitude => json!({}),
    }
}

/// Adds the fields of another object.
fn add(fact: &mut Value, more: Value) {
    if let (Value::Object(fields), Value::Object(more)) = (fact, more) {
        fields.extend(more);
    }
}

/// The instant of an activity; `null` where there was none.
fn ever(locale: Locale, deed: Instant) -> Value {
    if deed == Instant::NEVER {
        Value::Null
    } else {
        json!(locale.stamp(deed))
    }
}

fn suspension(locale: Locale, window: Suspension) -> Value {
    let written = |at| locale.yearly(at).replace(' ', "T");
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
        Verdict::TakenFrom => "taken_from",
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
