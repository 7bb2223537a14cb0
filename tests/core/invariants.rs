//! The invariants that hold after every event (rules, last section), on random traces.
//!
//! Every run uses the same traces. `PROPTEST_CASES=5000 PROPTEST_RNG_SEED=7 cargo test --release --test core
//! invariants::` uses more and other ones.

use crate::support::player::Player;
use crate::support::steps::{clock, traces};
use crate::support::watch::Watch;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;
use xiaoer::domain::base::time::Instant;
use xiaoer::domain::installation::Installation;
use xiaoer::replay::replay;

const CASES: u32 = 256;
const EVENTS_MAX: usize = 90;

/// The seed that makes the traces of every run.
const SEED: u64 = 20_261_111;

fn config() -> ProptestConfig {
    let given = ProptestConfig::default();
    let is_set = |name| std::env::var_os(name).is_some();
    ProptestConfig {
        cases: if is_set("PROPTEST_CASES") {
            given.cases
        } else {
            CASES
        },
        rng_seed: if is_set("PROPTEST_RNG_SEED") {
            given.rng_seed
        } else {
            RngSeed::Fixed(SEED)
        },
        failure_persistence: None,
        ..given
    }
}

proptest! {
    #![proptest_config(config())]

    /// Loads, one open session a buyer, nobody waits while somebody eligible is free, timers in time; dense `seq`;
    /// no two auto invites within `auto_quiet`; assignments that presence and load allow.
    #[test]
    fn every_event_leaves_the_shop_in_order(lines in traces(EVENTS_MAX)) {
        watched(&lines)?;
    }

    /// The same for traces of several shops and wilder policies.
    #[test]
    fn the_generators_traces_leave_the_shops_in_order(seed in any::<u64>()) {
        watched(&crate::model::generate::trace(seed, EVENTS_MAX as u64).lines)?;
    }

    /// The same shop, the same event and the same instant give the same answer, and asking changes nothing.
    #[test]
    fn two_runs_are_equal_also_where_one_is_asked_in_between(lines in traces(EVENTS_MAX)) {
        let mut asked = Player::default();
        let answers: Vec<Value> = lines.iter().flat_map(|line| {
            let taken = asked.play(line).written();
            asked.report();
            taken
        }).collect();
        let (bytes, report) = replayed(&mut Installation::default(), &lines);
        prop_assert_eq!(replayed(&mut Installation::default(), &lines), (bytes.clone(), report.clone()));
        prop_assert_eq!(parsed(&bytes), answers);
        prop_assert_eq!(asked.report().to_string(), report);
    }

    /// A journal that is cut anywhere and taken up again gives the same state.
    #[test]
    fn a_prefix_and_then_the_rest_is_the_whole(
        lines in traces(EVENTS_MAX),
        cut in any::<prop::sample::Index>(),
    ) {
        let (first, rest) = lines.split_at(cut.index(lines.len()));
        let mut installation = Installation::default();
        let (mut bytes, _) = replayed(&mut installation, first);
        let (more, report) = replayed(&mut installation, rest);
        bytes.extend(more);
        prop_assert_eq!((bytes, report), replayed(&mut Installation::default(), &lines));
    }

    /// Timers act at their own due times: a shop that is woken for each decides as one that never is.
    #[test]
    fn being_woken_changes_nothing(lines in traces(EVENTS_MAX)) {
        let mut woken = Player::default();
        let mut answers = Vec::new();
        for line in &lines {
            let at = instant(line);
            while let Some(due) = woken.installation.shop("default").and_then(|shop| shop.next_timer())
                && due <= at
            {
                answers.extend(woken.play(&clock(due)).written());
            }
            answers.extend(woken.play(line).written());
        }
        let (bytes, report) = replayed(&mut Installation::default(), &lines);
        prop_assert_eq!(parsed(&bytes), answers);
        prop_assert_eq!(woken.report().to_string(), report);
    }
}

fn watched(lines: &[String]) -> Result<(), TestCaseError> {
    let mut watch = Watch::default();
    for line in lines {
        let broken = watch.play(line, true).err();
        prop_assert!(
            broken.is_none(),
            "{}, after {line}",
            broken.unwrap_or_default()
        );
    }
    Ok(())
}

/// The decisions and the report as they are written.
fn replayed(installation: &mut Installation, lines: &[String]) -> (Vec<u8>, String) {
    let mut bytes = Vec::new();
    replay(
        installation,
        lines.join("\n").as_bytes(),
        &mut bytes,
        |_| {},
    )
    .expect("a good trace");
    let report = serde_json::to_value(installation.report()).expect("a report is JSON");
    (bytes, report.to_string())
}

fn parsed(bytes: &[u8]) -> Vec<Value> {
    let values = serde_json::Deserializer::from_slice(bytes).into_iter();
    values
        .map(|value| value.expect("decisions are JSON"))
        .collect()
}

fn instant(line: &str) -> Instant {
    let event: Value = serde_json::from_str(line).expect("an event");
    event["at"]
        .as_str()
        .and_then(Instant::parse)
        .expect("an instant")
}
