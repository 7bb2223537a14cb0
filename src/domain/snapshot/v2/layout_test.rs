//! Compares form 2 with plain values in the stored order. Detects a field that moved, in the writer or the reader.

use serde::{Deserialize, Serialize};
use smallvec::smallvec;

use super::cards::CardV2;
use super::days::{DayBookV2, ScoresV2};
use super::name::NameV2;
use super::people::{AgentV2, BuyerV2, TieV2};
use super::pools::ScopeV2;
use super::receipts::{Accepted, KeptV2};
use super::sessions::SessionV2;
use super::sheets::SheetV2;
use super::timers::TimersV2;
use super::totals::TotalsV2;
use crate::domain::base::calendar::{Day, Month, Week};
use crate::domain::base::id::Id;
use crate::domain::base::ratio::Rate;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::codes::{Presence, WaitReason};
use crate::domain::protocol::event::Priority;
use crate::domain::protocol::rating::Source;
use crate::domain::snapshot::InvalidPart;
use crate::domain::state::agent::{Agent, AgentProfile, DayCount, Tally};
use crate::domain::state::agent_directory::RoutingScope;
use crate::domain::state::buyer::{Buyer, BuyerAgentHistory};
use crate::domain::state::card::Card;
use crate::domain::state::daily_stats::{BuyerDay, DayStats, People, RoundCounts, RoundDay};
use crate::domain::state::idempotency::IdempotencyRecord;
use crate::domain::state::pending_reply::{AgentRound, PendingReply, UnansweredMessage};
use crate::domain::state::queues::Pool;
use crate::domain::state::scores::{MonthScores, Scores, WeekScores};
use crate::domain::state::session::{
    QueueRank, Session, SessionFlags, SessionPlace, Speaker, TakenBack,
};
use crate::domain::state::sheets::{
    AgentSheet, AnswerCounts, CardCounts, DeskSheet, DeskState, DeskTime, Durations, RatingCounts,
    TimeCounts,
};
use crate::domain::state::timers::{Armed, ShopTimer, Timer, Timers};
use crate::domain::state::totals::Totals;

fn bytes(plain: impl Serialize) -> Vec<u8> {
    bincode::serde::encode_to_vec(plain, bincode::config::standard()).unwrap()
}

fn decode<F: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<F, bincode::error::DecodeError> {
    bincode::serde::decode_from_slice(bytes, bincode::config::standard()).map(|read| read.0)
}

/// The live value is written as these plain values, and what is read of them is written as them again.
macro_rules! check {
    ($form:ident, $live:ty, $value:expr, $plain:expr) => {{
        let expected = bytes($plain);
        let live: $live = $value;
        assert_eq!(bytes($form::from(&live)), expected);
        let read: $form = decode(&expected).unwrap();
        let again = <$live>::try_from(read).unwrap();
        assert_eq!(bytes($form::from(&again)), expected);
    }};
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn at(ms: i64) -> Instant {
    Instant::from_ms(ms)
}

fn ms(ms: i64) -> Duration {
    Duration::from_ms(ms)
}

fn durations(from: i64) -> (Durations, (u64, i64, i64)) {
    let live = Durations {
        count: from as u64,
        sum: ms(from + 1),
        max: ms(from + 2),
    };
    (live, (from as u64, from + 1, from + 2))
}

const NONE: Option<()> = None;

fn sheet() -> AgentSheet {
    AgentSheet {
        cards: CardCounts {
            made: [1, 2, 3],
            rated: [4, 5, 6],
        },
        ratings: RatingCounts {
            levels: [7, 8, 9],
            stars: 10,
            reasons: [
                [(id("slow"), 11), (id("late"), 12)].into(),
                [(id("cold"), 13)].into(),
                [].into(),
            ],
        },
        answers: AnswerCounts {
            buyers: 14,
            late_buyers: 15,
            rounds: 16,
            answered: 17,
            late: 18,
            dropped: 19,
            first: durations(20).0,
            each: durations(30).0,
        },
        taken_back: 40,
        linger: durations(41).0,
        unserved: 44,
        time: TimeCounts {
            online: ms(45),
            away: ms(46),
            full: ms(47),
        },
    }
}

/// The plain values of that sheet.
fn plain_sheet() -> Vec<u8> {
    let reasons = (
        [("late", 12u64), ("slow", 11)].as_slice(),
        [("cold", 13u64)].as_slice(),
        [("", 0u64); 0].as_slice(),
    );
    let (first, each) = (durations(20).1, durations(30).1);
    bytes((
        ([1u64, 2, 3], [4u64, 5, 6]),
        ([7u64, 8, 9], 10u64, reasons),
        ([14u64, 15, 16, 17, 18, 19], first, each),
        (40u64, durations(41).1, 44u64),
        (45i64, 46i64, 47i64),
    ))
}

#[test]
fn sheets() {
    let (live, expected) = (sheet(), plain_sheet());
    assert_eq!(bytes(SheetV2::from(&live)), expected);
    let read: SheetV2 = decode(&expected).unwrap();
    assert_eq!(AgentSheet::from(read), live);
}

#[test]
fn agents() {
    let count = |day, assigned, rota| DayCount {
        day: Day(day),
        assigned,
        rota,
    };
    let presences = [Presence::Online, Presence::Away, Presence::Offline];
    let states = [
        DeskState::Offline,
        DeskState::Online,
        DeskState::Away,
        DeskState::Full,
    ];
    let reasons = [("late", 17u64), ("slow", 16)];
    let tally = (11u64, [12u64, 13, 14], 15u64, reasons.as_slice());
    for number in 0..12 {
        let (presence, state, held) = (number % 3, number / 3, number % 2 == 0);
        let mut agent = Agent::new(id("anna"), Day(0));
        agent.post = held.then(|| AgentProfile {
            name: Some("安娜".to_owned()),
            roles: vec![id("agent"), id("night")],
            capacity: 21,
            weight: 22,
        });
        agent.presence = presences[presence];
        agent.presence_since = at(23);
        agent.held = held;
        agent.misses = 24;
        agent.desk_time = DeskTime {
            state: states[state],
            since: at(25),
        };
        agent.last_assigned = 9;
        (agent.latest, agent.earlier) = (count(5, 6, 7), vec![count(2, 3, 4)]);
        agent.tally = Tally {
            assigned: 11,
            levels: [12, 13, 14],
            stars: 15,
            reasons: [(id("slow"), 16), (id("late"), 17)].into(),
        };
        agent.sheets = [(Day(27), sheet()), (Day(26), AgentSheet::default())].into();
        let post = held.then_some((Some("安娜"), ["agent", "night"].as_slice(), 21u32, 22u32));
        let mut expected = bytes((
            ("anna", post, presence as u32, 23i64, held, 24u32),
            (state as u32, 25i64),
            (9u64, (5, 6u32, 7u32), [(2, 3u32, 4u32)].as_slice(), tally),
            // Two sheets, of which the first is empty.
            (2u32, 26i32),
        ));
        expected.extend(bytes(SheetV2::from(&AgentSheet::default())));
        expected.extend(bytes(27i32));
        expected.extend(plain_sheet());
        assert_eq!(bytes(AgentV2::from(&agent)), expected);
        let read: AgentV2 = decode(&expected).unwrap();
        let again = Agent::try_from(read).unwrap();
        assert_eq!(bytes(AgentV2::from(&again)), expected);
    }
}

#[test]
fn buyers_and_ties() {
    for risk in [false, true] {
        let buyer = Buyer {
            recent_agent: 1,
            closed_on: 2,
            risk,
            priority: Priority::new(9).unwrap(),
            recent_until: at(3),
            auto_invited_at: at(4),
            auto_invites: (Day(5), 6),
            ..Buyer::new(id("b"))
        };
        let plain = ("b", 1u32, 2u16, risk, 9u8, 3i64, 4i64, (5, 6u32));
        check!(BuyerV2, Buyer, buyer, plain);
    }
    let too_high = bytes(("b", 1u32, 2u16, false, 10u8, 3i64, 4i64, (5, 6u32)));
    let read: BuyerV2 = decode(&too_high).unwrap();
    assert!(Buyer::try_from(read).is_err());
    let tie = BuyerAgentHistory {
        rated_at: at(3),
        submitted_at: at(4),
        manual_invited_at: at(5),
        ..BuyerAgentHistory::new(1, 2)
    };
    let plain = ((1u32, 2u32), 3i64, 4i64, 5i64);
    check!(TieV2, BuyerAgentHistory, tie, plain);
}

/// A variant.
fn variant(number: u32, fields: impl Serialize) -> Vec<u8> {
    bytes((number, fields))
}

fn session() -> Session {
    let opened = (at(3), 4, 5);
    let mut session = Session::new(id("s"), 1, opened, RoutingAttributes::default());
    session.server = 2;
    session.silent_since = at(6);
    session
}

fn check_session(session: &Session, expected: &[Vec<u8>]) {
    let expected = expected.concat();
    assert_eq!(bytes(SessionV2::from(session)), expected);
    let read: SessionV2 = decode(&expected).unwrap();
    let again = Session::try_from(read).unwrap();
    assert_eq!(bytes(SessionV2::from(&again)), expected);
}

#[test]
fn places_of_sessions() {
    let reasons = [
        WaitReason::AllBusy,
        WaitReason::ScopeOffline,
        WaitReason::NobodyOnline,
        WaitReason::Closed,
        WaitReason::NoAnswer,
        WaitReason::OfflineHandover,
    ];
    let waiting = (0u32..).zip(reasons).map(|(number, reason)| {
        let place = SessionPlace::Waiting {
            pool: 7,
            rank: QueueRank {
                as_if: at(8),
                queued: at(9),
                ticket: 10,
            },
            since: at(11),
            reason,
        };
        let plain = variant(1, (7u32, (8i64, 9i64, 10u64), 11i64, number));
        (place, plain)
    });
    let others = [
        (SessionPlace::Bot, variant(0, ())),
        (SessionPlace::Agent(12), variant(2, 12u32)),
        (SessionPlace::Closed { at: at(13) }, variant(3, 13i64)),
    ];
    let (never, empty) = (Instant::NEVER.ms(), [(); 0]);
    for (place, plain) in waiting.chain(others) {
        check_session(
            &Session { place, ..session() },
            &[
                bytes(("s", 1u32)),
                plain,
                bytes((2u32, 3i64, 4u64, 5u64, 6i64, NONE, NONE, NONE)),
                bytes([false; 13]),
                bytes((never, never, NONE, NONE, NONE)),
                bytes((empty.as_slice(), NONE, NONE, empty.as_slice())),
            ],
        );
    }
}

#[test]
fn messages_and_marks_of_sessions() {
    let speakers = [Speaker::Buyer, Speaker::Agent, Speaker::Bot];
    for mark in 0..13 {
        let mut marks = [false; 13];
        marks[mark] = true;
        let (number, late) = (mark % 3, mark % 2 == 0);
        let session = Session {
            attributes: Some(Box::new(RoutingAttributes {
                entry: Some(id("e")),
                question: None,
                order_status: Some(id("o")),
            })),
            priority: Priority::new(7),
            speaker: Some(speakers[number]),
            marks: SessionFlags {
                routed: marks[0],
                repeat_visit: marks[1],
                human: marks[2],
                queued: marks[3],
                wrote_to_bot: marks[4],
                answered: marks[5],
                answered_here: marks[6],
                left: marks[7],
                overdue: marks[8],
                had_round: marks[9],
                had_round_here: marks[10],
                told_offline: marks[11],
                forgotten: marks[12],
            },
            assigned_at: at(14),
            last_message: at(15),
            debt: Some(at(16)),
            taken_back: Some(Box::new(TakenBack {
                bounces: 17,
                passed: smallvec![18, 19],
            })),
            awaited: Some(PendingReply {
                since: at(20),
                overdue_at: at(21),
                day: Day(22),
                first: late,
                late: !late,
            }),
            unanswered: smallvec![
                UnansweredMessage {
                    day: Day(23),
                    late_at: at(24),
                    late,
                },
                UnansweredMessage {
                    day: Day(25),
                    late_at: at(26),
                    late: !late,
                }
            ],
            round: Some(AgentRound {
                agent: 27,
                began: at(28),
                late_at: at(29),
                day: Day(30),
                first: late,
                late: !late,
            }),
            asked_on: Some(Day(31)),
            cards: smallvec![
                card(Source::Buyer, None, late),
                card(Source::Agent, Some(Day(34)), !late),
                card(Source::Auto, None, late)
            ],
            ..session()
        };
        let ask = Some((Some("e"), None::<&str>, Some("o")));
        let unanswered = [(23i32, 24i64, late), (25, 26, !late)];
        let cards = [
            (32u32, 0u32, 33i64, None, late),
            (32, 1, 33, Some(34i32), !late),
            (32, 2, 33, None, late),
        ];
        check_session(
            &session,
            &[
                bytes(("s", 1u32)),
                variant(0, ()),
                bytes((2u32, 3i64, 4u64, 5u64, 6i64, ask)),
                bytes((Some(7u8), Some(number as u32), marks)),
                bytes((14i64, 15i64, Some(16i64))),
                bytes(Some((17u32, [18u32, 19].as_slice()))),
                bytes(Some((20i64, 21i64, 22i32, late, !late))),
                bytes(unanswered.as_slice()),
                bytes(Some((27u32, 28i64, 29i64, 30i32, late, !late))),
                bytes((Some(31i32), cards.as_slice())),
            ],
        );
    }
    assert!(decode::<CardV2>(&bytes((32u32, 3u32, 33i64, NONE, false))).is_err());
}

fn card(source: Source, day: Option<Day>, used: bool) -> Card {
    Card {
        agent: 32,
        source,
        made: at(33),
        day,
        used,
    }
}

#[test]
fn pools() {
    let question = RoutingScope::Question {
        entry: id("e"),
        question: id("q"),
    };
    for (scope, plain) in [
        (question, variant(0, ("e", "q"))),
        (RoutingScope::Entry(id("e")), variant(1, "e")),
        (RoutingScope::OrderStatus(id("o")), variant(2, "o")),
        (RoutingScope::All, variant(3, ())),
    ] {
        let pool = Pool::from(scope);
        assert_eq!(bytes(ScopeV2::from(&pool)), plain);
        let read: ScopeV2 = decode(&plain).unwrap();
        let again = Pool::try_from(read).unwrap();
        assert_eq!(again.name(), pool.name());
    }
    assert!(decode::<NameV2<'_>>(&bytes("")).is_err());
    assert!(decode::<NameV2<'_>>(&bytes("x".repeat(161))).is_err());
}

#[test]
fn timers() {
    let kinds = [
        Timer::ReplyDue,
        Timer::ReplyOverdue,
        Timer::Day,
        Timer::Silence,
        Timer::Queue,
        Timer::TakeBack,
        Timer::Left,
        Timer::WrapUp,
    ];
    let armed = kinds.into_iter().zip(1..).map(|(timer, due)| Armed {
        due: at(due),
        visit: due as u64 + 10,
        session: due as u32 + 20,
        timer,
    });
    let mut timers = Timers::of(armed.collect(), 90);
    let own = [
        (at(1), 40, ShopTimer::Hours),
        (at(2), 41, ShopTimer::Day(Day(42))),
    ];
    timers.set_own(own.into_iter());
    let armed: Vec<_> = (1i64..9)
        .map(|due| (due, due as u64 + 10, due as u32 + 20, due as u32 - 1))
        .collect();
    let mut expected = bytes((armed, 2u32));
    expected.extend(bytes((1i64, 40u64, 0u32)));
    expected.extend(bytes((2i64, 41u64, 1u32, 42i32)));
    expected.extend(bytes(90u64));
    assert_eq!(bytes(TimersV2::from(&timers)), expected);
    let read: TimersV2 = decode(&expected).unwrap();
    let again = Timers::try_from(read).unwrap();
    assert_eq!(bytes(TimersV2::from(&again)), expected);
}

#[test]
fn days() {
    for kind in 0..4 {
        let mut deeds = [false; 4];
        deeds[kind] = true;
        let [consulted, late, replied, wrote] = deeds;
        let day = BuyerDay {
            consulted,
            late,
            late_so_far: 11,
            replied,
            wrote,
            auto_invites: 9,
        };
        let round = |late_so_far| RoundDay { late, late_so_far };
        let book = DayStats {
            consulting: 1,
            late: 2,
            replied: 3,
            rounds: RoundCounts {
                count: 12,
                late: 13,
            },
            first_rounds: RoundCounts {
                count: 14,
                late: 15,
            },
            desk: DeskSheet {
                buyers: 16,
                late_buyers: 17,
                asked: 18,
                never_assigned: 19,
                never_answered: 20,
                abandoned: durations(21).0,
            },
            alerted: kind == 0,
            people: Some(Box::new(People {
                buyers: [(8, day), (7, day)].into_iter().collect(),
                wrote_to: [(6, 5), (6, 4), (5, 9)].into_iter().collect(),
                rounds: [((u32::MAX, 7), round(24)), ((2, 7), round(25))]
                    .into_iter()
                    .collect(),
                pending: 10,
            })),
        };
        let plain_day = (consulted, late, 11u32, replied, wrote, 9u32);
        let buyers = [(7u32, plain_day), (8, plain_day)];
        let wrote_to = [(5u32, 9u32), (6, 4), (6, 5)];
        let rounds = [((2u32, 7u32), (late, 25u32)), ((u32::MAX, 7), (late, 24))];
        let people = (
            buyers.as_slice(),
            wrote_to.as_slice(),
            rounds.as_slice(),
            10u32,
        );
        let desk = ([16u64, 17, 18, 19, 20], durations(21).1);
        let plain = (
            (1u64, 2u64, 3u64, (12u64, 13u64), (14u64, 15u64)),
            (desk, kind == 0, Some(people)),
        );
        check!(DayBookV2, DayStats, book, plain);
    }
}

#[test]
fn scores() {
    for alerted in [false, true] {
        let week = WeekScores {
            levels: [1, 2, 3],
            of_bot: [4, 5, 6],
            judged: Rate {
                over: 11,
                under: 12,
            },
            alerted,
        };
        let month = MonthScores {
            unhappy: 7,
            attitude: 8,
            alerted: !alerted,
        };
        let scores = Scores {
            weeks: [(Week(9), week)].into(),
            months: [(Month(10), month)].into(),
        };
        let weeks = [(9i32, ([1u64, 2, 3], [4u64, 5, 6], (11u64, 12u64), alerted))];
        let months = [(10i32, (7u64, 8u64, !alerted))];
        check!(ScoresV2, Scores, scores, (&weeks[..], &months[..]));
    }
}

#[test]
fn receipts_and_totals() {
    let receipt = IdempotencyRecord {
        print: 2,
        first: 3,
        count: 4,
    };
    let (name, expected) = (id("e"), bytes((1i64, "e", (2u64, 3u64, 4u32))));
    assert_eq!(bytes(KeptV2::from((at(1), &name, receipt))), expected);
    let read: KeptV2 = decode(&expected).unwrap();
    let read: Result<Accepted, InvalidPart> = read.try_into();
    let Accepted(when, of, read) = read.unwrap();
    assert_eq!((when, of, read), (at(1), name, receipt));

    let blocked = [8u64, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
    let totals = Totals {
        opened: 1,
        assigned: 2,
        queued: 3,
        closed: 4,
        bot_only: 5,
        waits: [(Duration::from_ms(21), 22)].into(),
        auto_sent: 6,
        manual_sent: 7,
        blocked,
    };
    let waits = &[(21i64, 22u64)][..];
    let plain = ([1u64, 2, 3, 4, 5], waits, 6u64, 7u64, blocked);
    check!(TotalsV2, Totals, totals, plain);
}
