//! The routing rules that were tried for a session, in order, and the agents that were compared (R1 to R9).

use crate::domain::explain::explanation::{Candidate, Comparison, Evidence, NoRota, Step, Verdict};
use crate::domain::policy::{QueueMode, Strategy};
use crate::domain::protocol::decision::{DecisionBody, WaitReason};
use crate::domain::state::agent_directory::RoutingScope;

use super::phrase::Locale;
use super::{candidates, causes, hours, recent_agent, take_back, waiting};

/// The rules that were tried, in order, then all agents of each scope.
pub(super) fn lines(locale: Locale, body: &DecisionBody, notes: &[Evidence]) -> Vec<String> {
    let mut rules = Vec::new();
    let mut tables = Vec::new();
    for (place, note) in notes.iter().enumerate() {
        let Some(rule) = rule_of(notes, place) else {
            continue;
        };
        let told = if let Evidence::NotAnswered(found) = note {
            take_back::steps(locale, body, found)
        } else {
            Vec::from_iter(tell(locale, body, notes, place).map(|text| (rule, text)))
        };
        rules.extend(told.iter().map(|(rule, text)| format!("  [{rule}] {text}")));
        tables.extend(table(locale, note, rule));
    }
    rules.insert(
        0,
        locale
            .say(
                "依次看过的规则：",
                "The rules, in the order they were tried:",
            )
            .to_owned(),
    );
    rules.extend(tables);
    rules
}

/// The agents that a note is about, under a head of their own.
pub(super) fn table(locale: Locale, note: &Evidence, rule: &str) -> Vec<String> {
    let Some((by, candidates)) = agents_of(note).filter(|(_, agents)| !agents.is_empty()) else {
        return Vec::new();
    };
    let head = table_head(locale, note, candidates.len());
    let mut lines = vec![String::new(), format!("[{rule}] {head}")];
    lines.extend(candidates::table(locale, by, candidates));
    lines
}

fn table_head(locale: Locale, note: &Evidence, count: usize) -> String {
    if let Evidence::Candidates { by, .. } = note {
        let way = candidates::comparison(locale, *by);
        return locale.say(
            format!("客服（{count} 位，{way}）："),
            format!("the agents ({count}; {way}):"),
        );
    }
    if let Evidence::Recent { .. } = note {
        return locale
            .say("最近联系的客服：", "the recent agent:")
            .to_owned();
    }
    if let Evidence::Manual(_) = note {
        return locale.say("接手的客服：", "the agent:").to_owned();
    }
    locale.say(
        format!("客服（{count} 位）："),
        format!("the agents ({count}):"),
    )
}

/// The agents that are listed for a note, and by what they were compared.
fn agents_of(note: &Evidence) -> Option<(Comparison, &[Candidate])> {
    match note {
        Evidence::Recent { known, .. } => {
            let known = known.as_ref()?;
            Some((Comparison::Lot, std::slice::from_ref(&known.agent)))
        }
        Evidence::NobodyOnline(agents) => Some((Comparison::Lot, agents)),
        Evidence::NoRota(NoRota::Unfit { candidates, .. }) => Some((Comparison::Rota, candidates)),
        Evidence::Candidates { by, candidates, .. } => Some((*by, candidates)),
        Evidence::Manual(to) => Some((Comparison::Lot, std::slice::from_ref(to))),
        Evidence::NotAnswered(_) | Evidence::HandedOver { .. } | Evidence::Missed { .. } => None,
        Evidence::NoRota(NoRota::Off | NoRota::Empty)
        | Evidence::AnyoneInstead
        | Evidence::Scope(_)
        | Evidence::Drained { .. }
        | Evidence::Ranked(_)
        | Evidence::LeftPage { .. }
        | Evidence::LeftAhead { .. }
        | Evidence::PassedOver { .. }
        | Evidence::GaveUp { .. }
        | Evidence::Absent { .. }
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
        | Evidence::Blocked { .. }
        | Evidence::TooLate { .. }
        | Evidence::Invite { .. }
        | Evidence::ClosedAt(_)
        | Evidence::NotContacted(..)
        | Evidence::RatedAt { .. }
        | Evidence::CardExpired(_)
        | Evidence::OlderRelease => None,
    }
}

/// The rule of a piece of evidence; `None` for evidence of invitations and ratings, which their decisions name.
pub(super) fn rule_of(notes: &[Evidence], place: usize) -> Option<&'static str> {
    let instead = |note: &&Evidence| matches!(note, Evidence::AnyoneInstead);
    Some(match notes.get(place)? {
        Evidence::Recent { known, .. } => recent_agent::rule(known.as_ref()),
        Evidence::AnyoneInstead => "R1d",
        Evidence::Scope(_) => "R2",
        Evidence::NobodyOnline(_) if notes.iter().take(place).any(|note| instead(&note)) => "R1d",
        Evidence::NobodyOnline(_) => "R3",
        Evidence::NoRota(_) | Evidence::LeftToRota { .. } => "R5",
        Evidence::Shut { .. } | Evidence::ClosedReply { .. } => "H2",
        Evidence::Hours(_) => "H3",
        Evidence::Candidates {
            step, candidates, ..
        } => rule_of_step(*step, candidates),
        Evidence::Drained { .. } => "R7",
        Evidence::Ranked(_) => "R11",
        Evidence::LeftPage { .. } | Evidence::LeftAhead { .. } | Evidence::GaveUp { .. } => "S7",
        Evidence::PassedOver { .. } => "R10c",
        Evidence::Manual(_) => "R8",
        Evidence::Absent { .. } => "R9",
        Evidence::NotAnswered(_) => "R10",
        Evidence::HandedOver { .. } => "R5b",
        Evidence::Missed { .. } => "R10e",
        Evidence::Waits { reason, .. } => match reason {
            WaitReason::NobodyOnline => "R5",
            WaitReason::Closed => "H2",
            WaitReason::NoAnswer => "R10",
            WaitReason::OfflineHandover => "R5b",
            WaitReason::AllBusy | WaitReason::ScopeOffline => "R6",
        },
        Evidence::WaitedOut { .. } => "R6",
        Evidence::Silent { .. } => "S3",
        Evidence::Judged { .. } => "M6",
        Evidence::DaySummary { .. } => "M13",
        Evidence::LateRound { .. } => "M3",
        Evidence::Blocked { .. } => "B1",
        Evidence::TooLate { .. } => "T1",
        Evidence::Invite { .. }
        | Evidence::ClosedAt(_)
        | Evidence::NotContacted(..)
        | Evidence::RatedAt { .. }
        | Evidence::CardExpired(_)
        | Evidence::OlderRelease => return None,
    })
}

fn rule_of_step(step: Step, candidates: &[Candidate]) -> &'static str {
    match step {
        Step::Instead => "R1d",
        Step::Own if picked(candidates).is_some() => "R4a",
        Step::Own if candidates::one_is_online(candidates) => "R4b",
        Step::Own | Step::AnyOnline => "R4c",
        Step::Overflow => "R4b",
        Step::Rota => "R5",
        Step::Drain => "R7",
    }
}

fn picked(candidates: &[Candidate]) -> Option<&Candidate> {
    candidates
        .iter()
        .find(|candidate| candidate.verdict == Verdict::Picked)
}

/// Whether the session was taken from some of the agents before (R10).
fn some_are_passed(candidates: &[Candidate]) -> bool {
    let mut verdicts = candidates.iter().map(|candidate| candidate.verdict);
    verdicts.any(|verdict| verdict == Verdict::TakenFrom)
}

/// One rule in words.
fn tell(locale: Locale, body: &DecisionBody, notes: &[Evidence], place: usize) -> Option<String> {
    let mut rest = notes.iter().skip(place + 1);
    let last = rest.all(|note| matches!(note, Evidence::Ranked(_) | Evidence::LeftPage { .. }));
    let waits = last
        && matches!(
            body,
            DecisionBody::SessionQueued { .. } | DecisionBody::SessionTakenBack { .. }
        );
    let text = match notes.get(place)? {
        Evidence::Recent {
            known,
            policy,
            queue,
        } => {
            let anyone = matches!(notes.get(place + 1), Some(Evidence::AnyoneInstead));
            recent_agent::outcome(locale, known.as_ref(), (policy, *queue), anyone)
        }
        Evidence::AnyoneInstead => locale.say(
            "改为随机分给任意一位空闲客服".to_owned(),
            "instead, any free agent of the shop".to_owned(),
        ),
        Evidence::Scope(scope) => scope_words(locale, scope),
        Evidence::NobodyOnline(agents) => nobody_online(locale, waits, agents),
        Evidence::NoRota(why) => {
            let shut = notes
                .iter()
                .any(|note| matches!(note, Evidence::Shut { .. }));
            no_rota(locale, why, shut)
        }
        Evidence::Shut { until } => {
            format!("{}{}", hours::shut(locale, *until), then(locale, waits))
        }
        Evidence::Candidates {
            step,
            by,
            queue,
            candidates,
        } => candidates_words(locale, waits, (*step, *by, *queue), candidates),
        Evidence::Drained {
            pool,
            since,
            waiting,
            longest,
            unserved,
        } => waiting::drained(
            locale,
            &waiting::Served {
                pool,
                since: *since,
                waiting: *waiting,
                longest: *longest,
                unserved: *unserved,
            },
        ),
        Evidence::Ranked(order) => waiting::ranked(locale, order),
        Evidence::LeftPage { until } => waiting::left_page(locale, *until),
        Evidence::LeftAhead { sessions, in_all } => waiting::left_ahead(locale, sessions, *in_all),
        Evidence::PassedOver { agents, counted } => waiting::passed_over(locale, agents, *counted),
        Evidence::Manual(to) => manual(locale, to),
        Evidence::Absent { agent, absence } => causes::rerouted(locale, agent, *absence),
        Evidence::HandedOver { agent, since } => take_back::handed_over(locale, agent, *since),
        Evidence::NotAnswered(_)
        | Evidence::Missed { .. }
        | Evidence::LeftToRota { .. }
        | Evidence::ClosedReply { .. }
        | Evidence::Hours(_)
        | Evidence::Waits { .. }
        | Evidence::WaitedOut { .. }
        | Evidence::GaveUp { .. }
        | Evidence::Silent { .. }
        | Evidence::Judged { .. }
        | Evidence::DaySummary { .. }
        | Evidence::LateRound { .. }
        | Evidence::Blocked { .. }
        | Evidence::TooLate { .. }
        | Evidence::Invite { .. }
        | Evidence::ClosedAt(_)
        | Evidence::NotContacted(..)
        | Evidence::RatedAt { .. }
        | Evidence::CardExpired(_)
        | Evidence::OlderRelease => return None,
    };
    Some(text)
}

fn manual(locale: Locale, to: &Candidate) -> String {
    let (agent, load) = (locale.agent_last(&to.agent), locale.load(to));
    locale.say(
        format!("人工指定给{agent}（当时 {load}），不看是否满载"),
        format!("{agent} was named by hand (load {load} then), even if it is full"),
    )
}

fn nobody_online(locale: Locale, waits: bool, agents: &[Candidate]) -> String {
    let found = if agents.is_empty() {
        locale.say(
            "全店没有客服在线，分流范围里也没有能接买家的客服",
            "no agent of the shop is online, and the scope has no agents",
        )
    } else {
        locale.say("全店没有客服在线", "no agent of the shop is online")
    };
    format!("{found}{}", then(locale, waits))
}

fn then(locale: Locale, waits: bool) -> &'static str {
    if waits {
        locale.say("，排队等待", ": it waits")
    } else {
        ""
    }
}

fn no_rota(locale: Locale, why: &NoRota, shut: bool) -> String {
    let why = match why {
        NoRota::Off => locale
            .say("店铺没有开启离线分流", "no offline rota is on")
            .to_owned(),
        NoRota::Empty => locale
            .say("离线分流里没有设置客服", "the offline rota names no agents")
            .to_owned(),
        NoRota::Unfit { members, .. } => {
            let members: Vec<String> = members.iter().map(|it| locale.member(it)).collect();
            let members = locale.list(&members);
            locale.say(
                format!("离线分流设置的客服（{members}）现在都不接买家"),
                format!("no agent of the offline rota ({members}) takes buyers"),
            )
        }
    };
    match shut {
        true => locale.say(
            format!("{why}，排队等店铺营业"),
            format!("{why}: it waits until the shop opens"),
        ),
        false => locale.say(
            format!("{why}，排队等客服上线"),
            format!("{why}: it waits until an agent comes online"),
        ),
    }
}

fn scope_words(locale: Locale, scope: &RoutingScope) -> String {
    let name = locale.pool(&scope.pool_name());
    match scope {
        RoutingScope::Question { .. } => locale.say(
            format!("分流范围：{name}，由指定客服接待"),
            format!("scope: {name}, which has agents of its own"),
        ),
        RoutingScope::Entry(_) => locale.say(
            format!("分流范围：{name}的客服"),
            format!("scope: the agents of {name}"),
        ),
        RoutingScope::OrderStatus(_) => locale.say(
            format!("分流范围：{name}的客服"),
            format!("scope: the agents of {name}"),
        ),
        RoutingScope::All => locale.say(
            "分流范围：全店客服（入口、问题、订单状态都没有指定客服）".to_owned(),
            "scope: the whole shop, as no entry, question or order status names agents".to_owned(),
        ),
    }
}

fn candidates_words(
    locale: Locale,
    waits: bool,
    (step, by, queue): (Step, Comparison, QueueMode),
    candidates: &[Candidate],
) -> String {
    let looked = match step {
        Step::Instead | Step::Own | Step::Drain => None,
        Step::Overflow => Some(locale.say(
            "可以溢出给全店空闲客服",
            "it may overflow to any free agent",
        )),
        Step::AnyOnline => Some(locale.say(
            "改由全店空闲客服接待",
            "any free agent of the shop may serve",
        )),
        Step::Rota => Some(locale.say("离线分流", "the offline rota")),
    };
    let comma = locale.say("，", ", ");
    if let Some(picked) = picked(candidates) {
        let free = looked.unwrap_or(match queue {
            QueueMode::Wait => locale.say("有空闲客服", "an agent is free"),
            QueueMode::None => locale.say(
                "有客服在线（店铺设置为不排队，满载也接）",
                "an agent is online (the shop has no queue, so a full agent may serve too)",
            ),
        });
        return format!("{free}{comma}{}", chosen(locale, by, picked));
    }
    let found = match (
        candidates::one_is_online(candidates),
        some_are_passed(candidates),
    ) {
        _ if candidates.is_empty() => locale.say("没有可以接待的客服", "there are no such agents"),
        (false, false) => locale.say("这些客服都不在线", "none of the agents is online"),
        (false, true) => locale.say("其他客服都不在线", "no other agent is online"),
        (true, false) if step == Step::Own => {
            locale.say("在线客服都满载", "every online agent is full")
        }
        (true, true) if step == Step::Own => {
            locale.say("其他在线客服都满载", "every other online agent is full")
        }
        (true, false) => locale.say(
            "但全店在线客服都满载",
            "but every online agent of the shop is full",
        ),
        (true, true) => locale.say(
            "但全店其他在线客服都满载",
            "but every other online agent of the shop is full",
        ),
    };
    let looked = looked.map(|looked| format!("{looked}{comma}"));
    format!(
        "{}{found}{}",
        looked.unwrap_or_default(),
        then(locale, waits)
    )
}

fn chosen(locale: Locale, by: Comparison, picked: &Candidate) -> String {
    let agent = locale.agent_last(&picked.agent);
    match by {
        Comparison::Strategy(Strategy::Random) | Comparison::Lot => locale.say(
            format!("随机抽中{agent}"),
            format!("drawn at random: {agent}"),
        ),
        Comparison::Strategy(strategy) => {
            let strategy = locale.strategy(strategy);
            locale.say(
                format!("按{strategy}选{agent}"),
                format!("{strategy}: {agent}"),
            )
        }
        Comparison::Rota => locale.say(
            format!("今天离线分到最少的是{agent}"),
            format!("fewest offline assignments today: {agent}"),
        ),
    }
}
