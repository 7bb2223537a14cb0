//! Generated traces of mostly valid events that conflict on purpose.
//!
//! The same seed and model give the same trace. The generator asks the model which sessions are open and with which
//! agent, so a trace includes the model's decisions.

mod asking;
mod dice;
mod events;
mod features;
mod lateness;
mod opening;
mod policies;
mod spoil;
mod time;
mod view;

use super::Model;
use dice::Dice;
use features::Features;
pub use lateness::{delayed, messages};
use serde_json::Value;
use view::View;

const SHOPS: [&str; 3] = ["default", "two", "drei"];

/// A trace, and what the model says to it.
pub struct Trace {
    /// One event each.
    pub lines: Vec<String>,
    /// The decisions of each line.
    pub decisions: Vec<Vec<Value>>,
    /// The report after the last line.
    pub report: Value,
}

/// The trace of `events` lines that `seed` makes. Its shops exercise the sections of the rules alone and together.
pub fn trace(seed: u64, events: u64) -> Trace {
    watched_trace(seed, events, |_, _, _| {})
}

/// The same, and after each line `watch` sees the model, the line and the line's decisions.
pub fn watched_trace(seed: u64, events: u64, watch: impl FnMut(&Model, &str, &[Value])) -> Trace {
    let mut dice = Dice::new(seed);
    let shops = shops(&mut dice, Features::some);
    play(dice, shops, events, watch)
}

/// A trace in which nothing is new to the first edition of the rules: there are no events that only the second knows,
/// and every key that only the second knows has the value with which the shop is as it was.
pub fn trace_as_it_was(seed: u64, events: u64) -> Trace {
    let mut dice = Dice::new(seed);
    let shops = shops(&mut dice, |_| Features::as_it_was());
    play(dice, shops, events, |_, _, _| {})
}

fn play(
    mut dice: Dice,
    mut shops: Vec<View>,
    events: u64,
    mut watch: impl FnMut(&Model, &str, &[Value]),
) -> Trace {
    let mut model = Model::new();
    let (mut lines, mut decisions) = (Vec::new(), Vec::new());
    let mut current = 0;
    for number in 0..events {
        if dice.chance(15) {
            let latest = shops[current].now;
            current = dice.below(shops.len());
            if dice.chance(50) {
                shops[current].now = shops[current].now.max(latest);
            }
        }
        let shop = &mut shops[current];
        let line = next_line(&mut dice, shop, number);
        let taken = model.line(&line).expect("a JSON object");
        watch(&model, &line, &taken);
        shop.learn(&taken, model.open_sessions(&shop.name));
        shop.next_timer = model.next_timer(&shop.name);
        lines.push(line);
        decisions.push(taken);
    }
    let report = model.report();
    Trace {
        lines,
        decisions,
        report,
    }
}

fn shops(dice: &mut Dice, features: impl Fn(&mut Dice) -> Features) -> Vec<View> {
    let start = time::start(dice);
    let number = *dice.pick(&[1, 2, 2, 3, 3]);
    SHOPS[..number]
        .iter()
        .map(|name| {
            let features = features(dice);
            View::new(dice, name, start, features)
        })
        .collect()
}

fn next_line(dice: &mut Dice, shop: &mut View, number: u64) -> String {
    let may_be_bad = shop.configured;
    time::advance(dice, shop);
    let mut event = events::next(dice, shop);
    events::frame(dice, shop, &mut event, number);
    let spoilt = may_be_bad && dice.chance(2);
    if spoilt {
        spoil::spoil(dice, event)
    } else {
        spoil::harmless(dice, event)
    }
}
