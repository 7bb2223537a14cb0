//! Plays a trace on the program line by line, so that a test can inspect the shops in between.

use serde_json::Value;
use xiaoer::domain::base::id::Id;
use xiaoer::domain::explain::decision_sink::DecisionSink;
use xiaoer::domain::installation::Installation;
use xiaoer::domain::protocol::decision::Decision;
use xiaoer::domain::protocol::event::Event;
use xiaoer::wire::{Line, WrittenDecision, read_line};

/// An installation that plays a trace.
#[derive(Default)]
pub struct Player {
    /// The program.
    pub installation: Installation,
}

/// What became of one line.
pub struct Played {
    /// The shop the line was for; none where that was malformed.
    pub shop: Option<Id>,
    /// The event; none where the line was malformed.
    pub event: Option<Event>,
    /// The decisions.
    pub decisions: Vec<Decision>,
}

impl Player {
    /// Plays one event.
    pub fn play(&mut self, line: &str) -> Played {
        let mut out = DecisionSink::default();
        let (shop, event) =
            match read_line(line).unwrap_or_else(|error| panic!("{line} is {error}")) {
                Line::Event(shop, event) => {
                    self.installation.take(&shop, &event, &mut out);
                    (Some(shop), Some(event))
                }
                Line::Malformed(malformed) => {
                    let shop = malformed.shop.clone();
                    self.installation.reject(malformed, &mut out);
                    (shop, None)
                }
            };
        Played {
            shop,
            event,
            decisions: out.decisions,
        }
    }

    /// The report of all shops as JSON.
    pub fn report(&mut self) -> Value {
        serde_json::to_value(self.installation.report()).expect("a report is JSON")
    }
}

impl Played {
    /// The decisions as they are written.
    pub fn written(&self) -> Vec<Value> {
        let shop = self.shop.as_deref().unwrap_or_default();
        let write = |decision| {
            let text = serde_json::to_string(&WrittenDecision::new(shop, decision))
                .expect("a decision is JSON");
            serde_json::from_str(&text).expect("what was written is JSON")
        };
        self.decisions.iter().map(write).collect()
    }
}
