//! Lines at a small busy shop: nothing panics, every decision can be written, and the audit holds after each.

#![no_main]

use libfuzzer_sys::fuzz_target;
use xiaoer::domain::explain::decision_sink::DecisionSink;
use xiaoer::domain::installation::Installation;
use xiaoer::domain::read::invariants;
use xiaoer::wire::{Line, WrittenDecision, read_line};

/// The shop that the lines come to: somebody of everything.
const SHOP: &str = include_str!("shop.jsonl");

fuzz_target!(|text: &str| {
    let mut installation = Installation::default();
    let mut out = DecisionSink::default();
    for line in SHOP.lines().chain(text.lines()) {
        let shop = match read_line(line) {
            Ok(Line::Event(shop, event)) => {
                installation.take(&shop, &event, &mut out);
                shop.to_string()
            }
            Ok(Line::Malformed(malformed)) => {
                let shop = malformed.shop.as_ref().map(ToString::to_string);
                installation.reject(malformed, &mut out);
                shop.unwrap_or_default()
            }
            Err(_) => continue,
        };
        for decision in out.decisions.drain(..) {
            let written = serde_json::to_string(&WrittenDecision::new(&shop, &decision));
            assert!(written.is_ok(), "{decision:?} cannot be written");
        }
        for shop in installation.shops() {
            assert_eq!(invariants::audit(shop), Ok(()), "after {line}");
        }
    }
    installation.report();
});
