//! Compares form 1 with plain values in the stored order, and what it becomes in form 2. Detects a field that moved, in
//! the decoded type or in its conversion.

use expect_test::expect;
use serde::{Deserialize, Serialize};

use super::books::{KeptV1, TimersV1, TotalsV1};
use super::cards::CardV1;
use super::days::{DayBookV1, ScoresV1};
use super::people::{AgentV1, BuyerV1, TieV1};
use super::pools::ScopeV1;
use super::sessions::SessionV1;
use super::{NEVER_MS, NameV1};
use crate::domain::base::time::Instant;
use crate::domain::snapshot::read_shop;
use crate::domain::snapshot::v2::cards::CardV2;
use crate::domain::snapshot::v2::days::{DayBookV2, ScoresV2};
use crate::domain::snapshot::v2::people::{AgentV2, BuyerV2, TieV2};
use crate::domain::snapshot::v2::pools::ScopeV2;
use crate::domain::snapshot::v2::receipts::KeptV2;
use crate::domain::snapshot::v2::sessions::SessionV2;
use crate::domain::snapshot::v2::timers::TimersV2;
use crate::domain::snapshot::v2::totals::TotalsV2;
use crate::domain::state::daily_stats::RoundCounts;
use crate::domain::state::session::Session;
use crate::domain::state::sheets::DeskTime;

fn bytes(plain: impl Serialize) -> Vec<u8> {
    bincode::serde::encode_to_vec(plain, bincode::config::standard()).unwrap()
}

fn decode<F: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<F, bincode::error::DecodeError> {
    let (read, length) = bincode::serde::decode_from_slice(bytes, bincode::config::standard())?;
    assert_eq!(length, bytes.len(), "something was left over");
    Ok(read)
}

/// What is stored as these plain values in form 1 becomes those in form 2.
fn check<F, G>(form_1: impl Serialize, form_2: impl Serialize)
where
    F: for<'a> Deserialize<'a>,
    G: TryFrom<F, Error: std::fmt::Debug> + Serialize,
{
    let read: F = decode(&bytes(form_1)).unwrap();
    assert_eq!(bytes(G::try_from(read).unwrap()), bytes(form_2));
}

const NONE: Option<()> = None;

#[test]
fn what_never_was_is_before_all_events() {
    assert_eq!(Instant::NEVER.ms(), NEVER_MS);
}

#[test]
fn agents() {
    let counts = ((5, 6u32, 7u32), [(2, 3u32, 4u32)].as_slice());
    let reasons = [("late", 17u64), ("slow", 16)];
    let tally = (11u64, [12u64, 13, 14], 15u64, reasons.as_slice());
    let post = Some((Some("安娜"), ["agent", "night"].as_slice(), 21u32, 22u32));
    for presence in 0u32..3 {
        let desk = (0u32, NEVER_MS);
        let since = (NEVER_MS, false, 0u32, desk);
        let no_sheets = [(); 0];
        check::<AgentV1, AgentV2<'_>>(
            ("anna", NONE, presence, 9u64, counts, tally),
            (
                ("anna", NONE, presence, since),
                (9u64, counts, tally, no_sheets.as_slice()),
            ),
        );
        check::<AgentV1, AgentV2<'_>>(
            ("anna", post, presence, 9u64, counts, tally),
            (
                ("anna", post, presence, since),
                (9u64, counts, tally, no_sheets.as_slice()),
            ),
        );
    }
}

#[test]
fn buyers_and_ties() {
    for risk in [false, true] {
        check::<BuyerV1, BuyerV2<'_>>(
            ("b", 1u32, 2u16, risk, 3i64, 4i64, (5, 6u32)),
            ("b", 1u32, 2u16, risk, 0u8, 3i64, 4i64, (5, 6u32)),
        );
    }
    let tie = ((1u32, 2u32), 3i64, 4i64, 5i64);
    check::<TieV1, TieV2>(tie, tie);
}

/// A variant.
fn variant(number: u32, fields: impl Serialize) -> Vec<u8> {
    bytes((number, fields))
}

/// Plain values, one after the other.
fn joined(parts: &[Vec<u8>]) -> Vec<u8> {
    parts.concat()
}

fn check_session(form_1: &[Vec<u8>], form_2: &[Vec<u8>]) {
    let read: SessionV1 = decode(&joined(form_1)).unwrap();
    assert_eq!(bytes(SessionV2::from(read)), joined(form_2));
}

#[test]
fn places_of_sessions() {
    let (no_marks, empty) = ([false; 7], [(); 0]);
    // The place in both forms, when the session was assigned, and whether messages are to an agent.
    let places = [
        (variant(0, ()), variant(0, ()), NEVER_MS),
        (
            variant(1, (6u32, 7u64, 8i64)),
            variant(1, (6u32, (8i64, 8i64, 7u64), 8i64, 0u32)),
            NEVER_MS,
        ),
        (variant(2, 9u32), variant(2, 9u32), 3),
        (variant(3, 10i64), variant(3, 10i64), NEVER_MS),
    ];
    for (place_1, place_2, assigned_ms) in places {
        check_session(
            &[
                bytes(("s", 1u32)),
                place_1,
                bytes((2u32, 3i64, 4u64, 5i64, NONE, NONE, no_marks, NONE)),
                bytes((empty.as_slice(), empty.as_slice())),
            ],
            &[
                bytes(("s", 1u32)),
                place_2,
                bytes((2u32, 3i64, 4u64, 0u64, 5i64, NONE, NONE, NONE)),
                bytes([false; 13]),
                bytes((assigned_ms, NEVER_MS, NONE, NONE, NONE)),
                bytes((empty.as_slice(), NONE, NONE, empty.as_slice())),
            ],
        );
    }
}

#[test]
fn messages_and_marks_of_sessions() {
    for (speaker, answered) in [(0u32, false), (1, true), (2, false)] {
        for mark in 0..7 {
            let mut marks = [false; 7];
            marks[mark] = true;
            let [routed, repeat, human, queued, wrote, told, forgotten] = marks;
            let ask = Some((Some("e"), None::<&str>, Some("o")));
            let cards_1 = [
                (16u32, "buyer", 17i64, false),
                (16, "agent", 17, true),
                (16, "auto", 17, false),
            ];
            let cards_2 = [
                (16u32, 0u32, 17i64, NONE, false),
                (16, 1, 17, NONE, true),
                (16, 2, 17, NONE, false),
            ];
            let with_agent = variant(2, 9u32);
            check_session(
                &[
                    bytes(("s", 1u32)),
                    with_agent.clone(),
                    bytes((2u32, 3i64, 4u64, 5i64, ask, Some(speaker), marks)),
                    bytes(Some((11i64, 12i64, 13i32))),
                    bytes(([(14i32, 15i64)].as_slice(), cards_1.as_slice())),
                ],
                &[
                    bytes(("s", 1u32)),
                    with_agent,
                    bytes((2u32, 3i64, 4u64, 0u64, 5i64, ask, NONE, Some(speaker))),
                    bytes([routed, repeat, human, queued, wrote]),
                    bytes([answered, answered, false, false, true, true]),
                    bytes([told, forgotten]),
                    bytes((3i64, 5i64, Some(11i64), NONE)),
                    bytes(Some((11i64, 12i64, 13i32, false, true))),
                    bytes([(14i32, 15i64, false)].as_slice()),
                    bytes((NONE, NONE, cards_2.as_slice())),
                ],
            );
        }
    }
    let wrong = bytes((16u32, "nobody", 17i64, false));
    assert!(decode::<CardV1>(&wrong).is_err());
    check::<CardV1, CardV2>(
        (16u32, "auto", 17i64, true),
        (16u32, 2u32, 17i64, NONE, true),
    );
}

#[test]
fn pools() {
    for plain in [
        variant(0, ("e", "q")),
        variant(1, "e"),
        variant(2, "o"),
        variant(3, ()),
    ] {
        let read: ScopeV1 = decode(&plain).unwrap();
        assert_eq!(bytes(ScopeV2::from(read)), plain);
    }
    assert!(decode::<NameV1<'_>>(&bytes("")).is_err());
    assert!(decode::<NameV1<'_>>(&bytes("x".repeat(161))).is_err());
}

#[test]
fn timers() {
    let plain = [
        ((1i64, 20u64), 12u32),
        ((2, 21), 13),
        ((3, 26), 18),
        ((4, 31), 23),
    ];
    let form_2 = [
        (1i64, 5u64, 3u32, 0u32),
        (2, 5, 3, 1),
        (3, 6, 4, 3),
        (4, 7, 5, 4),
    ];
    let none = [(); 0];
    check::<TimersV1, TimersV2>(
        (plain.as_slice(), 8u64),
        (form_2.as_slice(), none.as_slice(), 8u64),
    );
    let two_kinds = bytes(([((1i64, 20u64), 13u32)].as_slice(), 8u64));
    let read: TimersV1 = decode(&two_kinds).unwrap();
    assert!(TimersV2::try_from(read).is_err());
}

#[test]
fn days() {
    let no_rounds = [(); 0];
    let desk = (0u64, 0u64, 0u64, 0u64, 0u64, (0u64, 0i64, 0i64));
    for kind in 0..4 {
        let mut deeds = [false; 4];
        deeds[kind] = true;
        let [consulted, late, replied, wrote] = deeds;
        let buyer_2 = (consulted, late, 0u32, replied, wrote, 9u32);
        let wrote_to = [(5u32, 9u32), (6, 4), (6, 5)];
        check::<DayBookV1, DayBookV2>(
            (
                (1u64, 2u64, 3u64, kind == 0),
                Some((
                    [(7u32, (deeds, 9u32)), (8, (deeds, 9))].as_slice(),
                    wrote_to.as_slice(),
                    10u32,
                )),
            ),
            (
                (1u64, 2u64, 3u64, (0u64, 0u64), (0u64, 0u64), desk),
                kind == 0,
                Some((
                    [(7u32, buyer_2), (8, buyer_2)].as_slice(),
                    wrote_to.as_slice(),
                    no_rounds.as_slice(),
                    10u32,
                )),
            ),
        );
    }
}

#[test]
fn scores() {
    for alerted in [false, true] {
        let months = [(10i32, (7u64, 8u64, !alerted))];
        let week_1 = [(9i32, ([1u64, 2, 3], [4u64, 5, 6], alerted))];
        let week_2 = [(9i32, ([1u64, 2, 3], [4u64, 5, 6], (1u64, 6u64), alerted))];
        check::<ScoresV1, ScoresV2>((&week_1[..], &months[..]), (&week_2[..], &months[..]));
    }
}

#[test]
fn receipts_and_totals() {
    let kept = (1i64, "e", (2u64, 3u64, 4u32));
    check::<KeptV1, KeptV2<'_>>(kept, kept);
    let blocked = [8u64, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
    let waits = &[(21i64, 22u64)][..];
    let totals = ([1u64, 2, 3, 4, 5], waits, 6u64, 7u64, blocked);
    check::<TotalsV1, TotalsV2>(totals, totals);
}

/// What form 1 does not know of a session and its day, where that needs the whole shop.
#[test]
fn a_whole_shop() {
    let golden = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/shop-1.bin"
    ));
    let shop = read_shop(golden).unwrap();
    let mut sessions: Vec<&Session> = shop.sessions.iter().map(|(_, session)| session).collect();
    sessions.sort_by_key(|session| session.opened_as);
    let said = sessions.iter().map(|session| {
        let marks = session.marks;
        format!(
            "{} opened as {}, debt {}, answered {}, round {}, late {:?}",
            session.id,
            session.opened_as,
            session
                .debt
                .map_or("-".to_owned(), |debt| shop.stamp(debt).to_string()),
            marks.answered,
            marks.had_round,
            session.awaited.map(|awaited| awaited.late),
        )
    });
    let desk = shop.directory.agents.iter().map(|(_, agent)| {
        let DeskTime { state, since } = agent.desk_time;
        format!("{} {state:?} since {}", agent.id, shop.stamp(since))
    });
    let days = shop.days.iter().map(|(day, book)| {
        let RoundCounts { count, late } = book.rounds;
        format!("{day} rounds {count}, late {late}")
    });
    let said: Vec<String> = said.chain(desk).chain(days).collect();
    expect![[r#"
        s0 opened as 1, debt 2026-11-11T10:00:02+08:00, answered false, round true, late Some(true)
        s1 opened as 2, debt -, answered true, round true, late None
        s2 opened as 3, debt -, answered false, round true, late None
        s3 opened as 4, debt -, answered true, round true, late None
        s4 opened as 5, debt -, answered false, round false, late None
        s5 opened as 6, debt 2026-11-11T10:04:10+08:00, answered false, round true, late Some(false)
        s6 opened as 7, debt -, answered false, round false, late None
        s7 opened as 8, debt -, answered false, round false, late None
        s8 opened as 9, debt 2026-11-11T10:05:20+08:00, answered false, round true, late Some(false)
        bot Offline since 2026-11-11T10:06:30+08:00
        anna Online since 2026-11-11T10:06:30+08:00
        bo Full since 2026-11-11T10:06:30+08:00
        carl Offline since 2026-11-11T10:06:30+08:00
        dai Offline since 2026-11-11T10:06:30+08:00
        2026-11-11 rounds 2, late 0"#]]
    .assert_eq(&said.join("\n"));
    assert_eq!(shop.lateness, shop.policy.session.lateness);
    assert!(shop.open_now && shop.overdue.is_empty() && shop.blocks.is_empty());
}
