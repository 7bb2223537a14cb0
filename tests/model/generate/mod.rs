//! Generated traces of mostly valid events that conflict on purpose.
//!
//! The same seed and model give the same trace. The generator asks the model which sessions are open and with which
//! agent, so a trace includes the model's decisions.

mod asking;
mod dice;
mod events;
mod policies;
mod spoil;
mod time;
mod view;

use super::Model;
use dice::Dice;
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

/// The trace of `events` lines that `seed` makes.
pub fn trace(seed: u64, events: u64) -> Trace {
    let mut dice = Dice::new(seed);
    let mut model = Model::new();
    let mut shops = shops(&mut dice);
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
        shop.learn(&taken, model.open_sessions(&shop.name));
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

fn shops(dice: &mut Dice) -> Vec<View> {
    let start = time::start(dice);
    let number = *dice.pick(&[1, 2, 2, 3, 3]);
    SHOPS[..number]
        .iter()
        .map(|name| View::new(dice, name, start))
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
