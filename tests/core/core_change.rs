//! A changed core: decisions of an older core stand, even where this core would decide differently, and nothing is
//! lost.
//!
//! This core records generated traces, in the role of the older core. The records are then altered at random: other
//! agents, and missing, duplicated or invented decisions. Whatever a record says, the shop recovers and continues in
//! order.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::generate::trace;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::Instant;
use xiaoer::domain::explain::decision_sink::DecisionSink;
use xiaoer::domain::installation::create;
use xiaoer::domain::protocol::codes::{ErrorCode, Trigger};
use xiaoer::domain::protocol::decision::Decision;
use xiaoer::domain::protocol::event::{Event, EventBody};
use xiaoer::domain::protocol::rating::Source;
use xiaoer::domain::protocol::rejection::Rejection;
use xiaoer::domain::read::views::{self, State};
use xiaoer::domain::read::{invariants, report};
use xiaoer::domain::reconcile::{self, RecordedBody, RecordedDecision, RecordedOutcome};
use xiaoer::domain::snapshot::{read_shop, shop_bytes};
use xiaoer::domain::state::session::REMEMBERED;
use xiaoer::domain::state::shared_invites::{Claim, Ledger, MemoryLedger};
use xiaoer::domain::state::shop::Shop;
use xiaoer::journal::{Record, RecordKind};
use xiaoer::runtime::{Differences, check_recovery};
use xiaoer::wire::{DecisionWriter, Line, read_event, read_line};

/// The core of altered records, and of those that stand as they are.
const OLDER: u32 = 0;

/// Notes what a ledger answers.
struct Noting<'a>(&'a mut MemoryLedger, Vec<u32>);

impl Ledger for Noting<'_> {
    fn claim(&mut self, claim: &Claim<'_>) -> u32 {
        let others = self.0.claim(claim);
        self.1.push(others);
        others
    }
}

/// A shop that is recorded as a server would.
struct Recording {
    id: Id,
    shop: Option<Shop>,
    records: Vec<Record>,
    core: u32,
}

impl Recording {
    fn of(id: &str, core: u32) -> Recording {
        Recording {
            id: Id::new(id).expect("an id"),
            shop: None,
            records: Vec::new(),
            core,
        }
    }

    /// Decides an event; what the record has is up to `alter`.
    fn play(
        &mut self,
        event: &str,
        now: Instant,
        ledger: &mut MemoryLedger,
        alter: impl FnOnce(Vec<Value>) -> Vec<Value>,
    ) {
        let read = read_event(event, &self.id, now).expect("a JSON object");
        let mut out = DecisionSink::default();
        let mut ledger = Noting(ledger, Vec::new());
        let (kind, at) = match read.line {
            Line::Event(_, event) => {
                let kind = match &self.shop {
                    None => match create(&self.id, &event) {
                        Ok(shop) => {
                            self.shop = Some(shop);
                            RecordKind::Created
                        }
                        Err(_) => return,
                    },
                    Some(_) => RecordKind::Event,
                };
                let shop = self.shop.as_mut().expect("a shop");
                if let Some(id) = &event.id
                    && shop.receipt(id).is_some()
                {
                    return;
                }
                shop.take(&event, &mut ledger, &mut out);
                (kind, event.at.max(shop.now()))
            }
            Line::Malformed(malformed) => {
                let Some(shop) = &mut self.shop else { return };
                let no = Rejection::new(ErrorCode::Malformed, malformed.message);
                shop.reject(&malformed.event, no, &mut out);
                (RecordKind::Malformed, shop.now())
            }
        };
        let mut text = String::new();
        DecisionWriter::new(&self.id).write(&out.decisions, &mut text);
        let decisions: Vec<Value> = serde_json::from_str(&text).expect("decisions");
        let seq_before = self.seq();
        let mut decisions = alter(decisions);
        for (seq, decision) in (seq_before + 1..).zip(&mut decisions) {
            if let Some(decision) = decision.as_object_mut() {
                decision.insert("seq".to_owned(), seq.into());
            }
        }
        self.records.push(Record {
            order: self.records.len() as u64 + 1,
            shop: 1,
            shop_id: Some(self.id.clone()),
            kind,
            core: self.core,
            n: self.records.len() as u64 + 1,
            at,
            due: None,
            seq_before,
            decided: decisions.len() as u32,
            text: event.to_owned(),
            decisions: written(&decisions),
            claims: ledger.1,
            booked: Vec::new(),
            rated: false,
        });
    }

    /// The `seq` after the last record.
    fn seq(&self) -> u64 {
        let last = self.records.last();
        last.map_or(0, |last| last.seq_before + u64::from(last.decided))
    }

    fn check(&self) -> Differences {
        check_recovery(&self.id, None, &self.records)
            .unwrap_or_else(|error| panic!("{}: {error}", self.id))
    }
}

/// A JSON array whose objects keep the order that the pen has where nothing was altered.
fn written(decisions: &[Value]) -> String {
    serde_json::to_string(decisions).expect("JSON")
}

/// Every session is where the record's last word on it puts it, and every card is there that it names; how many were
/// looked at.
fn holds(shop: &Shop, record: &Record, decisions: &[RecordedDecision], name: &str) -> usize {
    let mut held = 0;
    let sessions: BTreeSet<&Id> = decisions.iter().filter_map(placed).collect();
    let mut placed_last = BTreeMap::new();
    for decision in decisions {
        if let Some(session) = placed(decision) {
            placed_last.insert(session, &decision.body);
        }
        let Some((session, card, agent, source, used)) = card_of(&decision.body) else {
            continue;
        };
        let number = card.strip_prefix(&format!("{session}#"));
        if number
            .and_then(|number| number.parse::<usize>().ok())
            .is_none_or(|n| n == 0)
        {
            continue;
        }
        // Of two words on one card the last one counts.
        let cards = decisions.iter().filter_map(|other| card_of(&other.body));
        let again = cards.filter(|other| other.1 == card).count();
        if is_forgotten(decision.at, record.at) {
            continue;
        }
        let view = views::session(shop, session, record.at);
        let view = view.unwrap_or_else(|| panic!("{name}: no {session}"));
        let found = view.cards.iter().find(|view| view.card == *card);
        let found = found.unwrap_or_else(|| panic!("{name}: no {card}"));
        if again == 1 {
            assert_eq!(
                (&found.agent, found.source),
                (agent, source),
                "{name}: {card}"
            );
        }
        assert!(found.used || !used, "{name}: {card}");
        held += 1;
    }
    for (session, body) in placed_last {
        // Closed by a timer that was due long before the event.
        if decisions.iter().any(|of| is_forgotten(of.at, record.at)) {
            continue;
        }
        let view = views::session(shop, session, record.at);
        let view = view.unwrap_or_else(|| panic!("{name}: no {session}"));
        // Where a buyer is in two sessions by one record, the last one ended the other.
        let alone = sessions.len() == 1;
        if let RecordedBody::Closed { .. } = body {
            assert_eq!(view.state, State::Closed, "{name}: {session}");
        } else if let (RecordedBody::Assigned { agent, .. }, true) = (body, alone) {
            assert_eq!(view.state, State::Open, "{name}: {session}");
            assert_eq!(view.agent.as_ref(), Some(agent), "{name}: {session}");
        } else if let (RecordedBody::Queued { pool, .. }, true) = (body, alone) {
            let waits = view.waits.unwrap_or_else(|| panic!("{name}: {session}"));
            let named = ["entry:", "order_status:", "question:"];
            let mut named = named.iter().filter(|of| pool.len() > of.len());
            if &**pool == "all" || named.any(|of| pool.starts_with(of)) {
                assert_eq!(waits.pool, *pool, "{name}: {session}");
            }
        } else {
            continue;
        }
        held += 1;
    }
    held
}

/// Whether a session that closed at an instant is remembered no more (S1).
fn is_forgotten(at: Instant, now: Instant) -> bool {
    at + REMEMBERED <= now
}

/// The session that a decision puts somewhere.
fn placed(decision: &RecordedDecision) -> Option<&Id> {
    if let RecordedBody::Assigned { session, .. }
    | RecordedBody::Queued { session, .. }
    | RecordedBody::Closed { session, .. } = &decision.body
    {
        return Some(session);
    }
    None
}

/// The session and the card that a decision names, whose card it is, from where, and whether its rating was submitted.
fn card_of(body: &RecordedBody) -> Option<(&Id, &Id, &Id, Source, bool)> {
    if let RecordedBody::InviteSent {
        session,
        card,
        agent,
        trigger,
        ..
    } = body
    {
        let source = match trigger {
            Trigger::Auto => Source::Auto,
            Trigger::Manual => Source::Agent,
        };
        return Some((session, card, agent, source, false));
    }
    let used = matches!(body, RecordedBody::RatingRecorded { .. });
    if let RecordedBody::RatingOpened {
        session,
        card,
        agent,
        source,
        ..
    }
    | RecordedBody::RatingRecorded {
        session,
        card,
        agent,
        source,
        ..
    } = body
    {
        return Some((session, card, agent, *source, used));
    }
    None
}

/// The shop that its records come to, each looked at, and all of it stored and read back at the end.
fn come_up(recording: &Recording, name: &str) -> Shop {
    come_up_held(recording, name).0
}

/// The same, and how many words of the records were seen to hold.
fn come_up_held(recording: &Recording, name: &str) -> (Shop, usize) {
    let mut held = 0;
    let mut shop: Option<Shop> = None;
    let mut other: Option<Shop> = None;
    for record in &recording.records {
        let decisions = xiaoer::wire::read_recorded(&record.decisions, record.at).expect("a list");
        let recorded = RecordedOutcome {
            at: record.at,
            seq_before: record.seq_before,
            decided: record.decided,
            decisions: &decisions,
        };
        let read = read_event(&record.text, &recording.id, record.at).expect("an object");
        let (mut ledger, mut out) = (Told(record.claims.iter()), DecisionSink::default());
        match (read.line, record.kind) {
            (Line::Event(_, event), RecordKind::Created | RecordKind::Event) => {
                if shop.is_none() {
                    shop = Some(create(&recording.id, &event).expect("a shop"));
                }
                let shop = shop.as_mut().expect("a shop");
                reconcile::take_recorded(shop, Some(&event), &recorded, &mut ledger, &mut out);
            }
            (_, _) => {
                let shop = shop.as_mut().expect("a shop");
                reconcile::reject_as_recorded(shop, None, &recorded, &mut out);
            }
        }
        let shop = shop.as_mut().expect("a shop");
        assert_eq!(shop.seq(), recording_seq(record), "{name}");
        if record.kind != RecordKind::Malformed {
            // One that was malformed has decided nothing but that.
            let name = format!("{name}, record {}: {}", record.n, record.decisions);
            held += holds(shop, record, &decisions, &name);
        }
        let _ = views::counts(shop);
        report::report(shop);
        if std::env::var("STORED").is_ok() {
            let mine = shop_bytes(shop).expect("bytes");
            if let Some(other) = &mut other {
                let (mut ledger, mut out) = (Told(record.claims.iter()), DecisionSink::default());
                match (
                    read_event(&record.text, &recording.id, record.at)
                        .expect("x")
                        .line,
                    record.kind,
                ) {
                    (Line::Event(_, event), RecordKind::Created | RecordKind::Event) => {
                        reconcile::take_recorded(
                            other,
                            Some(&event),
                            &recorded,
                            &mut ledger,
                            &mut out,
                        );
                    }
                    (_, _) => reconcile::reject_as_recorded(other, None, &recorded, &mut out),
                }
                let theirs = shop_bytes(other).expect("bytes");
                assert!(
                    theirs == mine,
                    "{name} record {}: other bytes than the restored one, {} {}",
                    record.n,
                    record.text,
                    record.decisions
                );
            }
            other = Some(read_shop(&mine).expect("a shop"));
        }
    }
    let shop = shop.expect("a shop");
    let bytes = shop_bytes(&shop).expect("bytes");
    let again = read_shop(&bytes).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert!(
        shop_bytes(&again).expect("bytes") == bytes,
        "{name}: other bytes once read"
    );
    (shop, held)
}

struct Told<'a>(std::slice::Iter<'a, u32>);

impl Ledger for Told<'_> {
    fn claim(&mut self, _: &Claim<'_>) -> u32 {
        self.0.next().copied().unwrap_or_default()
    }
}

fn recording_seq(record: &Record) -> u64 {
    record.seq_before + u64::from(record.decided)
}

/// A shop that came up, and the same one stored and read back: they go on alike.
struct Pair {
    shop: Shop,
    read: Shop,
    id: Id,
}

impl Pair {
    fn of(shop: Shop) -> Pair {
        let bytes = shop_bytes(&shop).expect("bytes");
        let read = read_shop(&bytes).expect("a shop");
        Pair {
            id: shop.id().clone(),
            shop,
            read,
        }
    }

    /// Both decide an event, and everything is in order after it.
    fn take(&mut self, event: &Event, name: &str) {
        let seq = self.shop.seq();
        let decided = decided_by(&mut self.shop, event);
        let seqs: Vec<u64> = decided.iter().map(|decision| decision.seq).collect();
        let dense: Vec<u64> = (seq + 1..).take(seqs.len()).collect();
        assert_eq!(seqs, dense, "{name}");
        let read = decided_by(&mut self.read, event);
        let text = |decisions: &[Decision]| {
            let mut text = String::new();
            DecisionWriter::new(&self.id).write(decisions, &mut text);
            text
        };
        assert_eq!(text(&read), text(&decided), "{name}");
        assert_eq!(invariants::audit(&self.shop), Ok(()), "{name}");
        let _ = views::counts(&self.shop);
        report::report(&self.shop);
    }
}

fn decided_by(shop: &mut Shop, event: &Event) -> Vec<Decision> {
    let mut out = DecisionSink::default();
    shop.take(event, &mut MemoryLedger::default(), &mut out);
    out.decisions
}

/// After one more event everything is in order again, and stays so: the events go on, then all timers that are left.
fn goes_on(shop: Shop, after: &[String], name: &str) {
    let mut pair = Pair::of(shop);
    let clock = |at: Instant| Event {
        at,
        id: None,
        print: 0,
        what: EventBody::Clock,
    };
    pair.take(
        &clock(Instant::from_ms(pair.shop.now().ms() + 1)),
        &format!("{name}, at first"),
    );
    for line in after {
        if let Line::Event(shop, event) = read_line(line).expect("an object")
            && shop == pair.id
        {
            pair.take(&event, &format!("{name}, then {line}"));
        }
    }
    for _ in 0..100 {
        let Some(due) = pair.shop.next_timer() else {
            break;
        };
        pair.take(&clock(due), &format!("{name}, in the end"));
    }
    let bytes = |shop: &Shop| shop_bytes(shop).expect("bytes");
    assert!(
        bytes(&pair.shop) == bytes(&pair.read),
        "{name}: other bytes"
    );
}

/// The shops of a made trace as recordings; what every record has is up to `alter`.
fn recordings(
    seed: u64,
    events: u64,
    core: u32,
    alter: impl FnMut(Vec<Value>) -> Vec<Value>,
) -> Vec<Recording> {
    recordings_of(&trace(seed, events).lines, core, alter)
}

fn recordings_of(
    lines: &[String],
    core: u32,
    mut alter: impl FnMut(Vec<Value>) -> Vec<Value>,
) -> Vec<Recording> {
    let mut shops: BTreeMap<String, Recording> = BTreeMap::new();
    let mut ledger = MemoryLedger::default();
    for line in lines {
        let (shop, at) = match read_line(line).expect("an object") {
            Line::Event(shop, event) => (Some(shop), event.at),
            Line::Malformed(malformed) => {
                // A server stamps it with a clock that is never behind the shop's.
                let known = malformed
                    .shop
                    .as_ref()
                    .and_then(|id| shops.get(id.as_str()));
                let clock = known.and_then(|of| Some(of.shop.as_ref()?.now()));
                let begin = clock.unwrap_or(Instant::from_ms(1_794_362_400_000));
                (malformed.shop, malformed.at.unwrap_or(begin))
            }
        };
        let Some(shop) = shop else { continue };
        let recording = shops
            .entry(shop.to_string())
            .or_insert_with(|| Recording::of(&shop, core));
        recording.play(line, at, &mut ledger, &mut alter);
    }
    let made = shops.into_values().filter(|of| of.shop.is_some());
    made.collect()
}

/// What nothing has altered comes up as it was, to the byte, and nothing differs: deciding by the record changes nothing.
#[test]
fn an_older_core_that_decided_the_same_leaves_no_trace() {
    let mut records = 0;
    for seed in 0..120 {
        for recording in recordings(seed, 300, OLDER, |decisions| decisions) {
            let name = format!("seed {seed}, {}", recording.id);
            let differences = recording.check();
            assert_eq!(differences.examples, Vec::<String>::new(), "{name}");
            assert_eq!(differences.records, recording.records.len() as u64);
            let shop = come_up(&recording, &name);
            let own = recording.shop.as_ref().expect("a shop");
            let bytes = shop_bytes(own).expect("bytes");
            assert!(
                shop_bytes(&shop).expect("bytes") == bytes,
                "{name}: other bytes"
            );
            records += recording.records.len();
        }
    }
    assert!(records > 20_000, "only {records} records");
}

/// The same records of this core come up without a word; altered, the shop is damaged.
#[test]
fn within_one_core_a_difference_is_damage() {
    let mut damaged = 0;
    for seed in 0..40 {
        for recording in recordings(seed, 150, xiaoer::domain::CORE, |decisions| decisions) {
            assert_eq!(recording.check(), Differences::default());
        }
        let mut luck = StdRng::seed_from_u64(seed);
        let alter = |decisions| match luck.random_range(0..10) {
            0 => with_another_agent(decisions),
            _ => decisions,
        };
        for recording in recordings(seed, 150, xiaoer::domain::CORE, alter) {
            let is_altered = |record: &Record| record.decisions.contains(NOBODY_KNOWS_HER);
            let spoilt = recording.records.iter().any(is_altered);
            let checked = check_recovery(&recording.id, None, &recording.records);
            assert_eq!(checked.is_err(), spoilt, "seed {seed}, {}", recording.id);
            if let Err(error) = checked {
                let error = error.to_string();
                assert!(error.contains("is decided otherwise now"), "{error}");
                assert!(error.contains("another `agent`"), "{error}");
                damaged += 1;
            }
        }
    }
    assert!(damaged > 20, "{damaged}");
}

/// An agent that no shop has.
const NOBODY_KNOWS_HER: &str = "nobody-knows-her";

fn with_another_agent(mut decisions: Vec<Value>) -> Vec<Value> {
    for decision in &mut decisions {
        if decision["type"] == "session.assigned" {
            decision["agent"] = NOBODY_KNOWS_HER.into();
        }
    }
    decisions
}

/// What an older core may have recorded instead.
fn alter(luck: &mut StdRng, mut decisions: Vec<Value>) -> Vec<Value> {
    if luck.random_range(0..4) != 0 {
        return decisions;
    }
    for _ in 0..luck.random_range(1..4) {
        let at = match decisions.len() {
            0 => 0,
            length => luck.random_range(0..length),
        };
        match luck.random_range(0..14) {
            12 => {
                // Another reason, another count, another presence.
                let reasons = [
                    "no_answer",
                    "offline_handover",
                    "closed",
                    "manual",
                    "by_then",
                ];
                if let Some(decision) = decisions.get_mut(at) {
                    decision["reason"] = reasons[luck.random_range(0..reasons.len())].into();
                    decision["bounce"] = luck.random_range(0..4).into();
                    decision["presence"] = "offline".into();
                }
            }
            13 => decisions.retain(|decision| {
                let kind = decision["type"].as_str().unwrap_or_default();
                let new = ["session.taken_back", "agent.presence_set", "hours.opened"];
                !new.contains(&kind) && !["hours.closed", "score.day"].contains(&kind)
            }),
            0..3 => {
                if let Some(decision) = decisions.get_mut(at) {
                    let agents = ["a1", "a2", "a3", "anna", "bo", "zoe", "bot"];
                    decision["agent"] = agents[luck.random_range(0..agents.len())].into();
                }
            }
            3 => {
                if at < decisions.len() {
                    decisions.remove(at);
                }
            }
            4 => {
                if let Some(decision) = decisions.get(at).cloned() {
                    decisions.insert(at, decision);
                }
            }
            5 => decisions.truncate(at),
            6 => {
                let made_up = made_up(luck, decisions.first());
                decisions.insert(at, made_up);
            }
            7 => decisions.reverse(),
            8 => decisions
                .push(json!({"type":"event.rejected","event":"x","error":"session_unknown"})),
            9 => decisions.retain(|decision| decision["type"] != "event.rejected"),
            10 => {
                // An invite that was sent was not, or the other way round.
                for decision in &mut decisions {
                    if decision["type"] == "invite.blocked" {
                        decision["type"] = "invite.sent".into();
                        let session = decision["session"].as_str().unwrap_or_default().to_owned();
                        decision["card"] = format!("{session}#{}", luck.random_range(1..4)).into();
                        if decision["agent"].is_null() {
                            decision["agent"] = "a1".into();
                        }
                    } else if decision["type"] == "invite.sent" {
                        decision["type"] = "invite.blocked".into();
                        decision["blocked_by"] = json!(["too_short", "of_an_older_core"]);
                    }
                }
            }
            _ => {
                for decision in &mut decisions {
                    let to = match decision["type"].as_str() {
                        Some("session.assigned") => "session.queued",
                        Some("session.queued") => "session.assigned",
                        Some("rating.recorded") => "rating.refused",
                        _ => continue,
                    };
                    decision["type"] = to.into();
                    decision["pool"] = "question:a/b/c".into();
                    decision["agent"] = "a2".into();
                }
            }
        }
    }
    decisions
}

/// A decision about a session that may exist or not.
fn made_up(luck: &mut StdRng, like: Option<&Value>) -> Value {
    let known = like.and_then(|like| like["session"].as_str());
    let session = match (luck.random_range(0..3), known) {
        (0, _) | (_, None) => format!("s{}", luck.random_range(0..40)),
        (_, Some(known)) => known.to_owned(),
    };
    let buyer = format!("b{}", luck.random_range(0..12));
    let card = match luck.random_range(0..4) {
        0 => format!("{session}#99999999999999999999"),
        1 => "#".to_owned(),
        2 => format!("{session}#0"),
        _ => format!("{session}#{}", luck.random_range(1..5)),
    };
    let agent = ["a1", "a2", "bot", "zoe"][luck.random_range(0..4)];
    let at = [
        "2026-11-11T10:00:00+08:00",
        "1999-01-01T00:00:00Z",
        "2099-01-01T00:00:00Z",
        "?",
    ];
    let kinds = [
        "session.assigned",
        "session.queued",
        "session.taken_back",
        "session.closed",
        "agent.presence_set",
        "hours.opened",
        "hours.closed",
        "score.day",
        "invite.sent",
        "invite.blocked",
        "rating.opened",
        "rating.recorded",
        "rating.refused",
        "reply.due",
        "reply.overdue",
        "score.alert",
        "score.recovered",
        "agent.notified",
        "of.an.older.core",
    ];
    let pools = ["all", "entry:live", "question:live/a", "", "order_status:"];
    let periods = ["2026-W46", "", "2026-W99", "2026-11-11"];
    let reasons = [
        "all",
        "manual",
        "no_answer",
        "all_busy",
        "offline_handover",
        "timeout",
        "agent",
    ];
    let mut one_of = |words: &[&str]| words[luck.random_range(0..words.len())].to_owned();
    json!({
        "at": one_of(&at), "type": one_of(&kinds), "session": session, "buyer": buyer, "agent": agent, "card": card,
        "reason": one_of(&reasons), "pool": one_of(&pools), "trigger": one_of(&["auto", "manual"]), "source": "buyer",
        "level": "neutral", "stars": 3, "waited": 1.5, "repeat_visit": true,
        "blocked_by": ["too_short", "not_sampled"], "metric": "good_rate", "period": one_of(&periods),
        "bounce": 3, "presence": one_of(&["away", "offline", "online"]), "reasons": ["attitude"],
    })
}

#[test]
fn whatever_an_older_core_decided_the_shop_comes_up_and_goes_on() {
    let (mut differ, mut records, mut held) = (0, 0, 0);
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for seed in crate::differential::seeds(0..400) {
        let mut luck = StdRng::seed_from_u64(seed);
        let lines = trace(seed, 160).lines;
        let (before, after) = lines.split_at(120);
        for recording in recordings_of(before, OLDER, |decisions| alter(&mut luck, decisions)) {
            let name = format!("seed {seed}, {}", recording.id);
            differ += recording.check().count;
            records += recording.records.len();
            for record in &recording.records {
                let decisions: Vec<Value> =
                    serde_json::from_str(&record.decisions).expect("decisions");
                for kind in decisions.iter().filter_map(|of| of["type"].as_str()) {
                    *kinds.entry(kind.to_owned()).or_default() += 1;
                }
            }
            let (shop, words) = come_up_held(&recording, &name);
            held += words;
            goes_on(shop, after, &name);
        }
    }
    assert!(records > 15_000 && differ > 5_000, "{differ} in {records}");
    assert!(held > 10_000, "only {held} words of records were looked at");
    for kind in [
        "session.taken_back",
        "agent.presence_set",
        "hours.opened",
        "hours.closed",
        "score.day",
    ] {
        let count = kinds.get(kind).copied().unwrap_or_default();
        assert!(count > 100, "only {count} of {kind}: {kinds:?}");
    }
}
