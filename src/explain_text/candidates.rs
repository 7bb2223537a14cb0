//! Candidates: one row for each agent, and why it was picked or not (R4, R5, R7, R8; P1 to P4).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::domain::explain::explanation::{Candidate, Comparison, Verdict};
use crate::domain::policy::Strategy;
use crate::domain::protocol::codes::Presence;
use crate::domain::state::agent_group::Ratio;

use super::phrase::Locale;
use super::table::{Side, TextTable};

/// How many candidates are listed one by one.
const SHOWN_MAX: usize = 20;

/// The strategy by which candidates were compared.
pub(super) fn comparison(locale: Locale, by: Comparison) -> &'static str {
    match by {
        Comparison::Strategy(strategy) => locale.strategy(strategy),
        Comparison::Lot => locale.say(
            "随机抽一位空闲客服",
            "drawn at random among the free agents",
        ),
        Comparison::Rota => {
            locale.say("今日离线分配最少的先接", "fewest offline assignments today")
        }
    }
}

/// The candidates as a table, the most relevant first, and how many more there are.
pub(super) fn table(locale: Locale, by: Comparison, candidates: &[Candidate]) -> Vec<String> {
    let mut ordered: Vec<&Candidate> = candidates.iter().collect();
    ordered.sort_by(|a, b| relevance(by, a, b));
    let mut table = TextTable::new(&[
        (locale.say("客服", "agent"), Side::Left),
        (locale.say("状态", "presence"), Side::Left),
        (locale.say("接待/上限", "load/capacity"), Side::Right),
        (today_title(locale, by), Side::Right),
        (locale.say("权重", "weight"), Side::Right),
        (locale.say("上次分到", "last assigned"), Side::Right),
        (locale.say("结果", "outcome"), Side::Left),
    ]);
    for candidate in ordered.iter().take(SHOWN_MAX) {
        table.row(row(locale, by, candidate));
    }
    let mut lines = table.lines("  ");
    if let Some(rest) = ordered.get(SHOWN_MAX..).filter(|rest| !rest.is_empty()) {
        lines.push(format!("  {}", more(locale, by, rest)));
    }
    lines
}

/// Whether an agent is online from which the session was not taken before.
pub(super) fn one_is_online(candidates: &[Candidate]) -> bool {
    candidates.iter().any(|candidate| {
        candidate.presence == Presence::Online && candidate.verdict != Verdict::TakenFrom
    })
}

fn today_title(locale: Locale, by: Comparison) -> &'static str {
    match by {
        Comparison::Rota => locale.say("今日离线分配", "offline today"),
        Comparison::Strategy(_) | Comparison::Lot => locale.say("今日接待", "today"),
    }
}

fn row(locale: Locale, by: Comparison, candidate: &Candidate) -> [String; 7] {
    let Candidate {
        agent,
        presence,
        weight,
        last_assigned,
        ..
    } = candidate;
    let last = match last_assigned {
        0 => locale.say("还没有", "never").to_owned(),
        seq => format!("#{seq}"),
    };
    [
        agent.to_string(),
        locale.presence(*presence).to_owned(),
        locale.load(candidate),
        today(by, candidate).to_string(),
        weight.to_string(),
        last,
        told_outcome(locale, by, candidate),
    ]
}

/// The outcome, and when a place becomes free by itself.
fn told_outcome(locale: Locale, by: Comparison, candidate: &Candidate) -> String {
    let outcome = outcome(locale, by, candidate.verdict);
    match candidate.place_free_at {
        Some(at) if candidate.verdict == Verdict::Full => {
            let at = locale.time(at);
            locale.say(
                format!("{outcome}，{at} 整理完空出一个名额"),
                format!("{outcome}, a place is free at {at}, when its after-work time ends"),
            )
        }
        Some(_) | None => outcome.to_owned(),
    }
}

fn today(by: Comparison, candidate: &Candidate) -> u32 {
    match by {
        Comparison::Rota => candidate.rota_today,
        Comparison::Strategy(_) | Comparison::Lot => candidate.today,
    }
}

/// Why a candidate was picked or not.
fn outcome(locale: Locale, by: Comparison, verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Picked => locale.say("分给 TA", "picked"),
        Verdict::LargerRatio => match by {
            Comparison::Strategy(Strategy::LeastSaturated) => {
                locale.say("饱和度更高", "more saturated")
            }
            Comparison::Strategy(Strategy::FewestToday) => {
                locale.say("今日接待（按权重算）更多", "more today by weight")
            }
            Comparison::Rota => locale.say("今日离线分配更多", "more offline ones today"),
            Comparison::Strategy(Strategy::Random) | Comparison::Lot => {
                locale.say("没抽中", "not drawn")
            }
        },
        Verdict::AssignedLater => locale.say(
            "条件相同，但刚接过更近的一单",
            "equal, but assigned more recently",
        ),
        Verdict::LaterId => locale.say("条件相同，编号排在后面", "equal, but later by id"),
        Verdict::NotDrawn => locale.say("没抽中", "not drawn"),
        Verdict::Full => locale.say("满载", "full"),
        Verdict::TakenFrom => locale.say(
            "会话从 TA 转走过",
            "the session was taken from this agent before",
        ),
        Verdict::Away => locale.say("小休，不接新买家", "away"),
        Verdict::Offline => locale.say("离线", "offline"),
        Verdict::NotRoutable => locale.say("不接买家", "takes no buyers"),
        Verdict::Passed => locale.say("已过有效期", "too long ago"),
    }
}

/// The closest to being picked come first.
fn relevance(by: Comparison, a: &Candidate, b: &Candidate) -> Ordering {
    let of_verdict = distance(a.verdict).cmp(&distance(b.verdict));
    of_verdict
        .then_with(|| ratio(by, a).cmp(&ratio(by, b)))
        .then_with(|| a.last_assigned.cmp(&b.last_assigned))
        .then_with(|| a.agent.cmp(&b.agent))
}

fn distance(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Picked => 0,
        Verdict::LaterId | Verdict::AssignedLater | Verdict::LargerRatio | Verdict::NotDrawn => 1,
        Verdict::Full => 2,
        Verdict::TakenFrom => 3,
        Verdict::Away => 4,
        Verdict::Offline => 5,
        Verdict::NotRoutable | Verdict::Passed => 6,
    }
}

fn ratio(by: Comparison, candidate: &Candidate) -> Ratio {
    let (over, under) = match by {
        Comparison::Strategy(Strategy::LeastSaturated) => {
            (candidate.load, candidate.capacity.max(1))
        }
        Comparison::Strategy(Strategy::FewestToday) => (candidate.today, candidate.weight.max(1)),
        Comparison::Rota => (candidate.rota_today, 1),
        Comparison::Strategy(Strategy::Random) | Comparison::Lot => (0, 1),
    };
    Ratio { over, under }
}

/// How many candidates are not listed one by one, by their result.
fn more(locale: Locale, by: Comparison, rest: &[&Candidate]) -> String {
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    for candidate in rest {
        *counts.entry(candidate.verdict).or_default() += 1;
    }
    let counts = counts.iter();
    let parts: Vec<String> = counts
        .map(|(&verdict, n)| format!("{} {n}", outcome(locale, by, verdict)))
        .collect();
    let (count, parts) = (rest.len(), locale.list(&parts));
    locale.say(
        format!("……另有 {count} 位没有列出（{parts}）"),
        format!("... and {count} more ({parts})"),
    )
}
