//! Compares form 1 with plain values in the stored order. Detects a field that moved, in the writer or the reader,
//! decode its type.

use serde::{Deserialize, Serialize};
use smallvec::smallvec;

use super::books::{Accepted, KeptV1, TimersV1, TotalsV1};
use super::cards::CardV1;
use super::days::{DayBookV1, ScoresV1};
use super::people::{AgentV1, BuyerV1, TieV1};
use super::pools::ScopeV1;
use super::sessions::SessionV1;
use crate::domain::base::calendar::{Day, Month, Week};
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::rating::Source;
use crate::domain::snapshot::InvalidPart;
use crate::domain::state::agent::{Agent, AgentProfile, DayCount, Tally};
use crate::domain::state::agent_directory::RoutingScope;
use crate::domain::state::buyer::{Buyer, BuyerAgentHistory};
use crate::domain::state::card::Card;
use crate::domain::state::daily_stats::{BuyerDay, DayStats, People};
use crate::domain::state::idempotency::IdempotencyRecord;
use crate::domain::state::pending_reply::{PendingReply, ReplyDeadline};
use crate::domain::state::queues::Pool;
use crate::domain::state::scores::{MonthScores, Scores, WeekScores};
use crate::domain::state::session::{Session, SessionFlags, SessionPlace, Speaker};
use crate::domain::state::timers::{Armed, Timer, Timers};
use crate::domain::state::totals::Totals;

fn bytes(plain: impl Serialize) -> Vec<u8> {
    bincode::serde::encode_to_vec(plain, bincode::config::standard()).unwrap()
}

/// The live value is written as these plain values, and the decoded value is written as them again.
fn check<'a, F, L>(live: &'a L, plain: impl Serialize)
where
    F: From<&'a L> + Serialize,
    L: WrittenAndRead,
{
    let expected = bytes(plain);
    assert_eq!(bytes(F::from(live)), expected);
    assert_eq!(L::again(&expected), expected);
}

/// Decodes a live value and encodes it again.
trait WrittenAndRead {
    fn again(bytes: &[u8]) -> Vec<u8>;
}

macro_rules! again {
    ($($live:ty as $form:ty),+ $(,)?) => {$(
        impl WrittenAndRead for $live {
            fn again(written: &[u8]) -> Vec<u8> {
                let live: $live = read::<$form, $live>(written).unwrap();
                bytes(<$form>::from(&live))
            }
        }
    )+};
}

again!(
    Agent as AgentV1<'_>,
    Buyer as BuyerV1<'_>,
    BuyerAgentHistory as TieV1,
    Session as SessionV1<'_>,
    Pool as ScopeV1<'_>,
    Timers as TimersV1,
    DayStats as DayBookV1,
);

fn decode<'a, F: Deserialize<'a>>(bytes: &'a [u8]) -> Result<F, bincode::error::DecodeError> {
    bincode::serde::borrow_decode_from_slice(bytes, bincode::config::standard()).map(|read| read.0)
}

fn read<'a, F: Deserialize<'a>, L: TryFrom<F, Error = InvalidPart>>(
    bytes: &'a [u8],
) -> Result<L, InvalidPart> {
    L::try_from(decode::<F>(bytes).unwrap())
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn at(ms: i64) -> Instant {
    Instant::from_ms(ms)
}

#[test]
fn agents() {
    let count = |day, assigned, rota| DayCount {
        day: Day(day),
        assigned,
        rota,
    };
    let agent = |presence| {
        let mut agent = Agent::new(id("anna"), Day(0));
        agent.presence = presence;
        agent.last_assigned = 9;
        agent.set_counts(count(5, 6, 7), vec![count(2, 3, 4)]);
        agent.tally = Tally {
            assigned: 11,
            levels: [12, 13, 14],
            stars: 15,
            reasons: [(id("slow"), 16), (id("late"), 17)].into(),
        };
        agent
    };
    let rest = (9u64, (5, 6u32, 7u32), [(2, 3u32, 4u32)].as_slice());
    let reasons = [("late", 17u64), ("slow", 16)];
    let tally = (11u64, [12u64, 13, 14], 15u64, reasons.as_slice());
    let nothing = None::<()>;
    for (presence, place) in [
        (Presence::Online, 0u32),
        (Presence::Away, 1),
        (Presence::Offline, 2),
    ] {
        let plain = ("anna", nothing, place, rest, tally);
        check::<AgentV1<'_>, _>(&agent(presence), plain);
    }
    let mut posted = agent(Presence::Away);
    posted.post = Some(AgentProfile {
        name: Some("安娜".to_owned()),
        roles: vec![id("agent"), id("night")],
        capacity: 21,
        weight: 22,
    });
    let post = Some((Some("安娜"), ["agent", "night"].as_slice(), 21u32, 22u32));
    check::<AgentV1<'_>, _>(&posted, ("anna", post, 1u32, rest, tally));
}

#[test]
fn buyers_and_ties() {
    for risk in [false, true] {
        let buyer = Buyer {
            recent_agent: 1,
            closed_on: 2,
            risk,
            recent_until: at(3),
            auto_invited_at: at(4),
            auto_invites: (Day(5), 6),
            ..Buyer::new(id("b"))
        };
        let plain = ("b", 1u32, 2u16, risk, 3i64, 4i64, (5, 6u32));
        check::<BuyerV1<'_>, _>(&buyer, plain);
    }
    let tie = BuyerAgentHistory {
        rated_at: at(3),
        submitted_at: at(4),
        manual_invited_at: at(5),
        ..BuyerAgentHistory::new(1, 2)
    };
    check::<TieV1, _>(&tie, ((1u32, 2u32), 3i64, 4i64, 5i64));
}

/// A variant.
fn variant(number: u32, fields: impl Serialize) -> impl Serialize {
    (number, fields)
}

fn session() -> Session {
    let mut session = Session::new(id("s"), 1, (at(3), 4), RoutingAttributes::default());
    session.place = SessionPlace::Bot;
    session.server = 2;
    session.silent_since = at(5);
    session
}

#[test]
fn sessions() {
    let head = |place: Vec<u8>| {
        let mut expected = bytes(("s", 1u32));
        expected.extend(place);
        expected.extend(bytes((2u32, 3i64, 4u64, 5i64)));
        expected
    };
    let (none, no_marks, empty) = (None::<()>, [false; 7], [(); 0]);
    let places = [
        (SessionPlace::Bot, bytes(variant(0, ()))),
        (
            SessionPlace::Waiting {
                pool: 6,
                ticket: 7,
                since: at(8),
            },
            bytes(variant(1, (6u32, 7u64, 8i64))),
        ),
        (SessionPlace::Agent(9), bytes(variant(2, 9u32))),
        (
            SessionPlace::Closed { at: at(10) },
            bytes(variant(3, 10i64)),
        ),
    ];
    for (place, plain) in places {
        let session = Session { place, ..session() };
        let mut expected = head(plain);
        let rest = (
            none,
            none,
            no_marks,
            none,
            empty.as_slice(),
            empty.as_slice(),
        );
        expected.extend(bytes(rest));
        assert_eq!(bytes(SessionV1::from(&session)), expected);
        assert_eq!(Session::again(&expected), expected);
    }
    for (speaker, number) in [
        (Speaker::Buyer, 0u32),
        (Speaker::Agent, 1),
        (Speaker::Bot, 2),
    ] {
        for mark in 0..7 {
            let mut marks = [false; 7];
            marks[mark] = true;
            let session = Session {
                attributes: Some(Box::new(RoutingAttributes {
                    entry: Some(id("e")),
                    question: None,
                    order_status: Some(id("o")),
                })),
                speaker: Some(speaker),
                marks: SessionFlags {
                    routed: marks[0],
                    repeat_visit: marks[1],
                    human: marks[2],
                    queued: marks[3],
                    wrote_to_bot: marks[4],
                    told_offline: marks[5],
                    forgotten: marks[6],
                },
                awaited: Some(PendingReply {
                    since: at(11),
                    overdue_at: at(12),
                    day: Day(13),
                }),
                late_marks: smallvec![ReplyDeadline {
                    day: Day(14),
                    late_at: at(15)
                }],
                cards: smallvec![
                    card(Source::Buyer, false),
                    card(Source::Agent, true),
                    card(Source::Auto, false)
                ],
                ..session()
            };
            let mut expected = head(bytes(variant(0, ())));
            expected.extend(bytes((
                Some((Some("e"), None::<&str>, Some("o"))),
                Some(number),
                marks,
                Some((11i64, 12i64, 13i32)),
                [(14i32, 15i64)].as_slice(),
                [
                    (16u32, "buyer", 17i64, false),
                    (16, "agent", 17, true),
                    (16, "auto", 17, false),
                ]
                .as_slice(),
            )));
            assert_eq!(bytes(SessionV1::from(&session)), expected);
            assert_eq!(Session::again(&expected), expected);
        }
    }
    let wrong = bytes((16u32, "nobody", 17i64, false));
    assert!(decode::<CardV1>(&wrong).is_err());
}

fn card(source: Source, used: bool) -> Card {
    Card {
        agent: 16,
        source,
        made: at(17),
        used,
    }
}

#[test]
fn pools() {
    let question = RoutingScope::Question {
        entry: id("e"),
        question: id("q"),
    };
    check::<ScopeV1<'_>, _>(&Pool::from(question), variant(0, ("e", "q")));
    check::<ScopeV1<'_>, _>(&Pool::from(RoutingScope::Entry(id("e"))), variant(1, "e"));
    let status = RoutingScope::OrderStatus(id("o"));
    check::<ScopeV1<'_>, _>(&Pool::from(status), variant(2, "o"));
    check::<ScopeV1<'_>, _>(&Pool::from(RoutingScope::All), variant(3, ()));
}

#[test]
fn timers() {
    let armed = |due, visit, session, timer| Armed {
        due: at(due),
        visit,
        session,
        timer,
    };
    let timers = Timers::of(
        vec![
            armed(1, 5, 3, Timer::ReplyDue),
            armed(2, 5, 3, Timer::ReplyOverdue),
            armed(3, 6, 4, Timer::Silence),
            armed(4, 7, 5, Timer::Queue),
        ],
        8,
    );
    let plain = [
        ((1i64, 20u64), 12u32),
        ((2, 21), 13),
        ((3, 26), 18),
        ((4, 31), 23),
    ];
    check::<TimersV1, _>(&timers, (plain.as_slice(), 8u64));
    let two_kinds = bytes(([((1i64, 20u64), 13u32)].as_slice(), 8u64));
    assert!(read::<TimersV1, Timers>(&two_kinds).is_err());
}

#[test]
fn days() {
    for kind in 0..4 {
        let mut deeds = [false; 4];
        deeds[kind] = true;
        let day = BuyerDay {
            consulted: deeds[0],
            late: deeds[1],
            replied: deeds[2],
            wrote: deeds[3],
            auto_invites: 9,
        };
        let book = DayStats {
            consulting: 1,
            late: 2,
            replied: 3,
            alerted: kind == 0,
            people: Some(Box::new(People {
                buyers: [(8, day), (7, day)].into_iter().collect(),
                wrote_to: [(6, 5), (6, 4), (5, 9)].into_iter().collect(),
                pending: 10,
            })),
        };
        let buyers = [(7u32, (deeds, 9u32)), (8, (deeds, 9))];
        let wrote_to = [(5u32, 9u32), (6, 4), (6, 5)];
        let people = Some((buyers.as_slice(), wrote_to.as_slice(), 10u32));
        check::<DayBookV1, _>(&book, (1u64, 2u64, 3u64, kind == 0, people));
    }
}

#[test]
fn scores() {
    for alerted in [false, true] {
        let week = WeekScores {
            levels: [1, 2, 3],
            of_bot: [4, 5, 6],
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
        let weeks = [(9i32, ([1u64, 2, 3], [4u64, 5, 6], alerted))];
        let months = [(10i32, (7u64, 8u64, !alerted))];
        let expected = bytes((&weeks[..], &months[..]));
        assert_eq!(bytes(ScoresV1::from(&scores)), expected);
        let form: ScoresV1 = decode(&expected).unwrap();
        assert_eq!(bytes(ScoresV1::from(&Scores::from(form))), expected);
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
    assert_eq!(bytes(KeptV1::from((at(1), &name, receipt))), expected);
    let Accepted(when, of, read) = read::<KeptV1<'_>, Accepted>(&expected).unwrap();
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
    let expected = bytes(([1u64, 2, 3, 4, 5], waits, 6u64, 7u64, blocked));
    assert_eq!(bytes(TotalsV1::from(&totals)), expected);
    let form: TotalsV1 = decode(&expected).unwrap();
    assert_eq!(bytes(TotalsV1::from(&Totals::from(form))), expected);
}
