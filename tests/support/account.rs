//! Compares what a server acknowledged with its state after a crash.
//!
//! An acknowledged event is there once, with its original response. An event that was not acknowledged is there with
//! all its effects, or not at all. The decisions of a shop are 1, 2, 3 … without a gap.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::Value;

use super::desk::{INVITES_MAX, Outcome, SHOPS, Sent, path};
use super::http::Client;
use super::served::{argument, run};

/// Events in one request when answers are asked for again.
const AGAIN: usize = 200;

/// Decisions in one page.
const PAGE: usize = 500;

/// Everything that was acknowledged.
#[derive(Clone, Default)]
pub struct Account {
    /// Of each shop: event id, event, answer. Rejected events are not remembered by their ids.
    accepted: HashMap<&'static str, Vec<(Value, Value)>>,
    /// Of each shop: what was told of `seq`.
    told: HashMap<&'static str, BTreeMap<u64, Value>>,
    /// Of each shop: its decisions as they were last read.
    feeds: HashMap<&'static str, Vec<Value>>,
    /// How many of the accepted were asked for again.
    asked: HashMap<&'static str, usize>,
    /// Answers that cannot be: places that were given to two decisions, results without their ids.
    wrong: Lost,
    /// Without an answer.
    open: Vec<Sent>,
    /// Acknowledged events.
    pub acknowledged: usize,
    /// Events without an answer that were found to have happened, and those that had not.
    pub whole: usize,
    /// See `whole`.
    pub absent: usize,
}

/// What a server no longer knows, or knows otherwise.
pub type Lost = Vec<String>;

fn seq(decision: &Value) -> u64 {
    decision["seq"].as_u64().unwrap_or_default()
}

fn decisions(result: &Value) -> &[Value] {
    result["decisions"].as_array().map_or(&[], Vec::as_slice)
}

fn is_rejected(result: &Value) -> bool {
    decisions(result)
        .iter()
        .any(|decision| decision["type"] == "event.rejected")
}

impl Account {
    /// Writes down what clients sent and were told.
    pub fn write_down(&mut self, all: Vec<Sent>) {
        for sent in all {
            match &sent.results {
                Some(results) => {
                    for (event, result) in sent.events.iter().zip(results) {
                        self.told_of(sent.shop, event, result);
                    }
                }
                None => self.open.push(sent),
            }
        }
    }

    fn told_of(&mut self, shop: &'static str, event: &Value, result: &Value) {
        // One that the server would not take any more, after others of its request: nothing is acknowledged.
        if result["problem"].is_object() {
            if result["id"] != event["id"] {
                let wrong = format!("{shop}: a result without its id: {result}");
                if !self.wrong.contains(&wrong) {
                    self.wrong.push(wrong);
                }
            }
            self.open.push(Sent::of(shop, vec![event.clone()]));
            return;
        }
        assert_eq!(result["id"], event["id"], "the result of another event");
        self.acknowledged += 1;
        let told = self.told.entry(shop).or_default();
        // A shop that is not there has no places to give.
        for decision in decisions(result)
            .iter()
            .filter(|decision| seq(decision) > 0)
        {
            let before = told.insert(seq(decision), decision.clone());
            if let Some(before) = before {
                self.wrong
                    .push(format!("{shop}: told {before}, then {decision}"));
            }
        }
        if !is_rejected(result) {
            let accepted = self.accepted.entry(shop).or_default();
            accepted.push((event.clone(), result.clone()));
        }
    }

    /// Holds a restarted server against it: what is lost, doubled, or otherwise than it was told. Answers of this
    /// life are asked for again, all of them with `all`.
    pub fn hold(&mut self, client: &mut Client, all: bool) -> Lost {
        let mut lost = Lost::new();
        for shop in SHOPS {
            self.read_feed(client, shop, &mut lost);
            self.ask_again(client, shop, all, &mut lost);
        }
        self.ask_open(client, &mut lost);
        for shop in SHOPS {
            self.read_feed(client, shop, &mut lost);
            self.look_for_told(shop, &mut lost);
        }
        lost.append(&mut self.wrong);
        lost
    }

    /// The same of a server that may have lost whole shops: whatever it says instead of answering is a loss.
    pub fn hold_or_fail(&mut self, client: &mut Client) -> Lost {
        let mut lost = Lost::new();
        for shop in SHOPS {
            match client.get(&path(shop, "/decisions?after=0&limit=1")) {
                Ok(answer) if answer.status == 200 => {}
                Ok(answer) if answer.status == 404 && self.knows_nothing_of(shop) => {}
                Ok(answer) => lost.push(format!("{shop}: {} {}", answer.status, answer.text())),
                Err(error) => lost.push(format!("{shop}: {error}")),
            }
        }
        if lost.is_empty() {
            lost = self.hold(client, false);
        }
        lost
    }

    /// Holds only what can be read against it: for a server that cannot write.
    pub fn hold_read(&mut self, client: &mut Client) -> Lost {
        let mut lost = Lost::new();
        for shop in SHOPS {
            self.read_feed(client, shop, &mut lost);
            self.look_for_told(shop, &mut lost);
        }
        lost
    }

    /// Reads on where it was read to; with the first look of a life, the last page again.
    fn read_feed(&mut self, client: &mut Client, shop: &'static str, lost: &mut Lost) {
        let unheard = self.knows_nothing_of(shop);
        let feed = self.feeds.entry(shop).or_default();
        let mut after = feed.len().saturating_sub(PAGE) as u64;
        let known = feed.len() as u64;
        loop {
            let query = path(shop, &format!("/decisions?after={after}&limit={PAGE}"));
            let answer = match client.get(&query) {
                Ok(answer) => answer,
                Err(error) => {
                    lost.push(format!("{shop}: decisions: {error}"));
                    return;
                }
            };
            if answer.status == 404 && unheard {
                return;
            }
            if answer.status != 200 {
                lost.push(format!(
                    "{shop}: decisions: {} {}",
                    answer.status,
                    answer.text()
                ));
                return;
            }
            let page = answer.json();
            let items = page["items"].as_array().cloned().unwrap_or_default();
            if items.is_empty() {
                break;
            }
            for decision in items {
                after += 1;
                if seq(&decision) != after {
                    lost.push(format!("{shop}: a gap at {after}: {decision}"));
                    return;
                }
                match feed.get(after as usize - 1) {
                    None => feed.push(decision),
                    Some(before) if *before == decision => {}
                    Some(before) => lost.push(format!("{shop}: was {before}, is {decision}")),
                }
            }
        }
        if after < known {
            lost.push(format!("{shop}: had {known} decisions, has {after}"));
        }
    }

    /// Nothing of a shop was ever acknowledged or read: it may not be there.
    fn knows_nothing_of(&self, shop: &str) -> bool {
        let told = self.told.get(shop).is_none_or(BTreeMap::is_empty);
        let accepted = self.accepted.get(shop).is_none_or(Vec::is_empty);
        told && accepted && self.feeds.get(shop).is_none_or(Vec::is_empty)
    }

    fn ask_again(&mut self, client: &mut Client, shop: &'static str, all: bool, lost: &mut Lost) {
        let accepted = self.accepted.get(shop).map_or(&[][..], Vec::as_slice);
        let asked = self.asked.entry(shop).or_default();
        let from = if all { 0 } else { *asked };
        *asked = accepted.len();
        for some in accepted[from..].chunks(AGAIN) {
            let events: Vec<&Value> = some.iter().map(|(event, _)| event).collect();
            let body = serde_json::to_string(&events).expect("JSON");
            let answer = match client.post(&path(shop, "/events"), &body) {
                Ok(answer) => answer,
                Err(error) => {
                    lost.push(format!("{shop}: answers again: {error}"));
                    return;
                }
            };
            let results = answer.json()["results"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            if results.len() != some.len() {
                lost.push(format!("{shop}: {} {}", answer.status, answer.text()));
                continue;
            }
            for ((event, before), after) in some.iter().zip(&results) {
                if before != after {
                    lost.push(format!("{shop}: {event} was answered {before}, is {after}"));
                }
            }
        }
    }

    /// What had no answer is asked for: all of an event had happened, or nothing.
    fn ask_open(&mut self, client: &mut Client, lost: &mut Lost) {
        for mut sent in std::mem::take(&mut self.open) {
            let last = self
                .feeds
                .get(sent.shop)
                .map_or(0, |feed| feed.len() as u64);
            let outcome = sent.send(client);
            if outcome != Outcome::Answered {
                lost.push(format!(
                    "a server that just started: {outcome:?} to {sent:?}"
                ));
                continue;
            }
            for (event, result) in sent.events.iter().zip(sent.results.iter().flatten()) {
                let before = |decision: &&Value| seq(decision) <= last;
                let count = decisions(result).iter().filter(before).count();
                match count {
                    0 => self.absent += 1,
                    count if count == decisions(result).len() => self.whole += 1,
                    _ => lost.push(format!("{}: half done: {event}: {result}", sent.shop)),
                }
            }
            self.write_down(vec![sent]);
        }
    }

    fn look_for_told(&self, shop: &'static str, lost: &mut Lost) {
        let feed = self.feeds.get(shop).map_or(&[][..], Vec::as_slice);
        for (seq, told) in self.told.get(shop).into_iter().flatten() {
            match feed.get(*seq as usize - 1) {
                Some(decision) if decision == told => {}
                Some(other) => lost.push(format!("{shop}: told {told}, is {other}")),
                None => lost.push(format!("{shop}: told {told}, is not there")),
            }
        }
    }

    /// No buyer was asked for a rating unasked by more shops on a day than its shops allow (I12).
    pub fn hold_cap(&self) -> Lost {
        let mut shops: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
        for (shop, feed) in &self.feeds {
            let auto =
                |invite: &&Value| invite["type"] == "invite.sent" && invite["trigger"] == "auto";
            for sent in feed.iter().filter(auto) {
                let text = |key: &str| sent[key].as_str().unwrap_or_default().to_owned();
                let day = text("at").get(..10).unwrap_or_default().to_owned();
                let of = shops.entry((text("buyer"), day)).or_default();
                if !of.contains(shop) {
                    of.push(shop);
                }
            }
        }
        assert!(
            shops.len() > 1,
            "nobody was asked for a rating: I12 was not met"
        );
        let over = shops.iter().filter(|(_, shops)| shops.len() > INVITES_MAX);
        over.map(|(buyer, shops)| format!("I12: {buyer:?} by {shops:?}"))
            .collect()
    }

    /// `verify` finds nothing, and what is exported decides the same again.
    pub fn hold_export(&self, data: &Path, folder: &Path) -> Lost {
        let mut lost = Lost::new();
        let verify = run(&["verify", "--data", argument(data)]);
        if !verify.status.success() {
            lost.push(format!("verify: {verify:?}"));
        }
        let export = run(&["export", "--data", argument(data)]);
        if !export.status.success() {
            lost.push(format!("export: {} {}", export.status, export.err));
        }
        let trace = folder.join("export.jsonl");
        std::fs::write(&trace, &export.out).expect("a trace");
        let replay = run(&["replay", argument(&trace)]);
        if !replay.status.success() {
            lost.push(format!("replay: {} {}", replay.status, replay.err));
        }
        let mut again: HashMap<String, Vec<Value>> = HashMap::new();
        for line in replay.out.lines() {
            let decision: Value = serde_json::from_str(line).expect("a decision");
            let shop = decision["shop"].as_str().unwrap_or_default().to_owned();
            again.entry(shop).or_default().push(decision);
        }
        for (shop, feed) in &self.feeds {
            let again = again.remove(*shop).unwrap_or_default();
            // The server went on for a moment after it was last read.
            let differs = feed.iter().zip(&again).find(|(was, is)| was != is);
            if let Some((was, is)) = differs {
                lost.push(format!("{shop}: replayed, {was} is {is}"));
            } else if again.len() < feed.len() {
                lost.push(format!(
                    "{shop}: replayed, {} of {}",
                    again.len(),
                    feed.len()
                ));
            }
        }
        lost
    }

    /// Decisions that were read, of all shops.
    pub fn decisions(&self) -> usize {
        self.feeds.values().map(Vec::len).sum()
    }
}
