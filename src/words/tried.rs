//! The rules of routing that were tried for a buyer, in order, and the agents that were compared (R1 to R9).

use crate::domain::agent::Presence;
use crate::domain::decision::{AssignReason, Body};
use crate::domain::policy::Strategy;
use crate::domain::roster::Scope;
use crate::domain::why::{Candidate, Comparison, Note, RecentFinding, Verdict};

use super::candidates;
use super::phrase::Voice;

/// The rules that were tried, in order, then everybody of each scope.
pub(super) fn lines(voice: Voice, body: &Body, notes: &[Note]) -> Vec<String> {
    let mut rules = Vec::new();
    let mut tables = Vec::new();
    if let Some(before) = before_scope(voice, body, notes) {
        rules.push(before);
    }
    for (place, note) in notes.iter().enumerate() {
        let Some(rule) = rule_of(notes, place) else {
            continue;
        };
        if let Some(told) = tell(voice, body, notes, place, rule) {
            rules.push(format!("  [{rule}] {told}"));
        }
        tables.extend(table(voice, note, rule));
    }
    let waits = matches!(body, Body::SessionQueued { .. });
    if waits && matches!(notes.last(), Some(Note::NobodyOnline)) {
        rules.push(voice.say(
            "  [R5] 没有可以离线分配的客服，排队等客服上线".to_owned(),
            "  [R5] nobody on an offline rota: it waits until somebody comes online".to_owned(),
        ));
    }
    rules.insert(
        0,
        voice
            .say(
                "依次看过的规则：",
                "The rules, in the order they were tried:",
            )
            .to_owned(),
    );
    rules.extend(tables);
    rules
}

/// What came before the scope where the notes begin with it: R9, or a buyer that the shop does not know.
fn before_scope(voice: Voice, body: &Body, notes: &[Note]) -> Option<String> {
    if !matches!(notes.first(), Some(Note::Scope(_))) {
        return None;
    }
    let rerouted = matches!(
        body,
        Body::SessionAssigned {
            reason: AssignReason::AgentOffline,
            ..
        }
    );
    Some(if rerouted {
        voice.say(
            "  [R9] 原客服离线，重新分流，不再看最近联系客服".to_owned(),
            "  [R9] its agent is offline: routed anew, without the recent agent".to_owned(),
        )
    } else {
        voice.say(
            "  [R1] 最近联系客服：没有可优先的客服".to_owned(),
            "  [R1] recent agent: nobody to prefer".to_owned(),
        )
    })
}

/// The agents that a note is about, under a head of their own.
fn table(voice: Voice, note: &Note, rule: &str) -> Vec<String> {
    let (head, by, candidates) = if let Note::Candidates { by, candidates } = note {
        let (way, count) = (candidates::comparison(voice, *by), candidates.len());
        let head = voice.say(
            format!("[{rule}] 客服（{count} 位，{way}）："),
            format!("[{rule}] the agents ({count}; {way}):"),
        );
        (head, *by, candidates.as_slice())
    } else if let Note::Manual(to) = note {
        let head = voice.say(
            format!("[{rule}] 接手的客服："),
            format!("[{rule}] the agent:"),
        );
        (head, Comparison::Lot, std::slice::from_ref(to))
    } else {
        return Vec::new();
    };
    if candidates.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), head];
    lines.extend(candidates::table(voice, by, candidates));
    lines
}

/// The rule that a note of routing belongs to; nothing for the notes of other rooms.
pub(super) fn rule_of(notes: &[Note], place: usize) -> Option<&'static str> {
    let earlier = notes.get(..place).unwrap_or_default();
    match notes.get(place)? {
        Note::Recent { finding, .. } => Some(match finding {
            RecentFinding::Full => "R1c",
            RecentFinding::Unavailable => "R1d",
            RecentFinding::Nobody
            | RecentFinding::Passed
            | RecentFinding::NotRoutable
            | RecentFinding::Takes => "R1",
        }),
        Note::AnyoneInstead => Some("R1d"),
        Note::Scope(_) => Some("R2"),
        Note::NobodyOnline => Some("R3"),
        Note::Candidates { by, candidates } => {
            let picked = picked(candidates).is_some();
            Some(rule_of_candidates(*by, picked, candidates, earlier))
        }
        Note::Drained { .. } => Some("R7"),
        Note::Manual(_) => Some("R8"),
        Note::Invite { .. }
        | Note::ClosedAt(_)
        | Note::NotContacted(..)
        | Note::RatedAt { .. }
        | Note::CardExpired(_) => None,
    }
}

fn rule_of_candidates(
    by: Comparison,
    picked: bool,
    candidates: &[Candidate],
    earlier: &[Note],
) -> &'static str {
    let has = |wanted: fn(&Note) -> bool| earlier.iter().any(wanted);
    let second = has(|note| matches!(note, Note::Candidates { .. }));
    if by == Comparison::Rota {
        "R5"
    } else if has(|note| matches!(note, Note::Drained { .. })) {
        "R7"
    } else if has(|note| matches!(note, Note::AnyoneInstead)) {
        "R1d"
    } else if second {
        if picked && by != Comparison::Lot {
            "R4b"
        } else {
            "R4c"
        }
    } else if picked {
        "R4a"
    } else if candidates
        .iter()
        .any(|candidate| candidate.presence == Presence::Online)
    {
        "R4b"
    } else {
        "R4c"
    }
}

fn picked(candidates: &[Candidate]) -> Option<&Candidate> {
    candidates
        .iter()
        .find(|candidate| candidate.verdict == Verdict::Picked)
}

/// One rule in words.
fn tell(voice: Voice, body: &Body, notes: &[Note], place: usize, rule: &str) -> Option<String> {
    let told = match notes.get(place)? {
        Note::Recent {
            agent,
            until,
            window,
            finding,
        } => {
            let agent = agent
                .as_ref()
                .map(|agent| voice.agent_alone(agent))
                .unwrap_or_default();
            let (until, window) = (voice.time(*until), voice.length(*window));
            return Some(recent(voice, *finding, &agent, &until, &window));
        }
        Note::AnyoneInstead => voice.say(
            "改为随机分给任意一位空闲客服".to_owned(),
            "instead, anybody of the shop who is free".to_owned(),
        ),
        Note::Scope(scope) => return Some(scope_words(voice, scope)),
        Note::NobodyOnline => voice.say(
            "全店没有客服在线".to_owned(),
            "nobody of the shop is online".to_owned(),
        ),
        Note::Candidates { by, candidates } => {
            let last = place + 1 == notes.len();
            let waits = last && matches!(body, Body::SessionQueued { .. });
            return Some(candidates_words(voice, waits, *by, candidates, rule));
        }
        Note::Drained {
            pool,
            since,
            waiting,
        } => {
            let (pool, since) = (voice.pool(pool), voice.time(*since));
            voice.say(
                format!(
                    "从 {since} 起在{pool}队列排队；全店 {waiting} 位在排，有客服能接的里面，这位买家等得最久"
                ),
                format!(
                    "waited for {pool} since {since}, {waiting} waited in the shop; of those whom somebody free \
                     can serve, this buyer waited longest"
                ),
            )
        }
        Note::Manual(to) => {
            let (agent, load, capacity) = (voice.agent_last(&to.agent), to.load, to.capacity);
            voice.say(
                format!("人工指定给{agent}（当时 {load}/{capacity}），不看是否满载"),
                format!(
                    "{agent} was named by hand (load {load}/{capacity} then), whatever its capacity"
                ),
            )
        }
        Note::Invite { .. }
        | Note::ClosedAt(_)
        | Note::NotContacted(..)
        | Note::RatedAt { .. }
        | Note::CardExpired(_) => return None,
    };
    Some(told)
}

fn recent(voice: Voice, finding: RecentFinding, agent: &str, until: &str, window: &str) -> String {
    match finding {
        RecentFinding::Nobody => {
            voice.say("最近联系客服：没有记录".to_owned(), "recent agent: none known".to_owned())
        }
        RecentFinding::Passed => voice.say(
            format!("最近联系客服：{agent}（到 {until}），已超过 {window}，不算"),
            format!("recent agent: {agent} until {until}, more than {window} ago, so it does not count"),
        ),
        RecentFinding::NotRoutable => voice.say(
            format!("最近联系客服：{agent}（到 {until}），现在不接买家了"),
            format!("recent agent: {agent} until {until}, who takes no buyers any more"),
        ),
        RecentFinding::Takes => voice.say(
            format!("最近联系客服：{agent}（到 {until}，{window}内有效），可以接，直接分给 TA"),
            format!("recent agent: {agent} until {until}, within {window}: gets the buyer"),
        ),
        RecentFinding::Full => voice.say(
            format!("最近联系客服：{agent}（到 {until}，{window}内有效），但已满载，继续往下"),
            format!("recent agent: {agent} until {until}, within {window}, but full: on to the next rule"),
        ),
        RecentFinding::Unavailable => voice.say(
            format!("最近联系客服：{agent}（到 {until}，{window}内有效），但不在线或在小休"),
            format!("recent agent: {agent} until {until}, within {window}, but offline or away"),
        ),
    }
}

fn scope_words(voice: Voice, scope: &Scope) -> String {
    let name = voice.pool(&scope.pool_name());
    match scope {
        Scope::Question { .. } => voice.say(
            format!("分流范围：{name}，由指定客服接待"),
            format!("scope: {name}, which has agents of its own"),
        ),
        Scope::Entry(_) => voice.say(
            format!("分流范围：{name}的客服"),
            format!("scope: the agents of {name}"),
        ),
        Scope::OrderStatus(_) => voice.say(
            format!("分流范围：{name}的客服"),
            format!("scope: the agents of {name}"),
        ),
        Scope::All => voice.say(
            "分流范围：全店客服（入口、问题、订单状态都没有指定客服）".to_owned(),
            "scope: the whole shop, as no entry, question or order status names agents".to_owned(),
        ),
    }
}

fn candidates_words(
    voice: Voice,
    waits: bool,
    by: Comparison,
    candidates: &[Candidate],
    rule: &str,
) -> String {
    if let Some(picked) = picked(candidates) {
        let free = match rule {
            "R4b" => voice.say("可以溢出给全店空闲客服", "it may overflow to anybody free"),
            "R4c" => voice.say("改由全店空闲客服接待", "anybody free of the shop may serve"),
            "R5" => voice.say("离线分流", "the offline rota"),
            _ => voice.say("有空闲客服", "somebody is free"),
        };
        return format!(
            "{free}{}{}",
            voice.say("，", ", "),
            chosen(voice, by, picked)
        );
    }
    let nobody = candidates
        .iter()
        .all(|candidate| candidate.presence != Presence::Online);
    let found = match (candidates.is_empty(), nobody) {
        (true, _) => voice.say("没有可以接待的客服", "there are no such agents"),
        (false, true) => voice.say("这些客服都不在线", "none of the agents is online"),
        (false, false) => voice.say("在线客服都满载", "everybody online is full"),
    };
    let then = if waits {
        voice.say("，排队等待", ": it waits")
    } else {
        ""
    };
    format!("{found}{then}")
}

fn chosen(voice: Voice, by: Comparison, picked: &Candidate) -> String {
    let agent = voice.agent_last(&picked.agent);
    match by {
        Comparison::Strategy(Strategy::Random) | Comparison::Lot => voice.say(
            format!("随机抽中{agent}"),
            format!("the lot fell on {agent}"),
        ),
        Comparison::Strategy(strategy) => {
            let strategy = voice.strategy(strategy);
            voice.say(
                format!("按{strategy}选{agent}"),
                format!("{strategy}: {agent}"),
            )
        }
        Comparison::Rota => voice.say(
            format!("今天离线分到最少的是{agent}"),
            format!("fewest offline assignments today: {agent}"),
        ),
    }
}
