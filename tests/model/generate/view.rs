//! What the generator knows of a shop, from its own events and the model's decisions.

use super::dice::Dice;
use super::features::Features;
use crate::model::value::{DAY_MS, Ms, WEEK_MS, instant};
use serde_json::Value;

/// How many instants worth meeting exactly are kept.
const TARGETS_MAX: usize = 80;
const CARDS_MAX: usize = 4;
const CLOSED_MAX: usize = 8;
const RECENT_MAX: usize = 12;

#[derive(Clone, PartialEq)]
pub enum Place {
    Bot,
    Agent(String),
    Queue,
    Closed,
}

#[derive(Clone)]
pub struct SessionView {
    pub id: String,
    pub buyer: String,
    pub place: Place,
    /// When it closed.
    pub closed_at: Option<Ms>,
}

pub struct View {
    pub name: String,
    /// The latest instant that an event of the shop had.
    pub now: Ms,
    pub features: Features,
    pub configured: bool,
    pub agents: Vec<String>,
    /// Those who are online.
    pub online: Vec<String>,
    pub agents_wanted: usize,
    pub buyers: usize,
    pub sessions: Vec<SessionView>,
    pub opened_ever: usize,
    pub has_vip: bool,
    pub cards: Vec<String>,
    pub event_ids: Vec<String>,
    /// Lengths that the policy speaks of.
    pub windows: Vec<Ms>,
    /// Ends of windows.
    pub targets: Vec<Ms>,
    /// When the shop's next timer is due, as the model has it.
    pub next_timer: Option<Ms>,
    /// Sessions whose buyer has left.
    pub left: Vec<String>,
    /// How late an event may come.
    pub lateness: Ms,
    /// Instants at which something happened lately, for events that come late.
    pub recent: Vec<Ms>,
    turn: usize,
}

impl View {
    pub fn new(dice: &mut Dice, name: &str, start: Ms, features: Features) -> View {
        View {
            name: name.to_owned(),
            now: start,
            features,
            configured: false,
            agents: Vec::new(),
            online: Vec::new(),
            agents_wanted: *dice.pick(&[1, 2, 2, 2, 3, 3, 4, 7]),
            buyers: 4 + dice.below(8),
            sessions: Vec::new(),
            opened_ever: 0,
            has_vip: false,
            cards: Vec::new(),
            event_ids: Vec::new(),
            windows: vec![DAY_MS, WEEK_MS],
            targets: Vec::new(),
            next_timer: None,
            left: Vec::new(),
            lateness: 0,
            recent: Vec::new(),
            turn: 0,
        }
    }

    pub fn open(&self) -> Vec<&SessionView> {
        self.sessions
            .iter()
            .filter(|session| session.place != Place::Closed)
            .collect()
    }

    /// A session of a kind, or any at all where there is none.
    pub fn session(&self, dice: &mut Dice, wanted: impl Fn(&Place) -> bool) -> Option<SessionView> {
        let fitting: Vec<_> = self
            .sessions
            .iter()
            .filter(|session| wanted(&session.place))
            .collect();
        if fitting.is_empty() {
            return None;
        }
        Some((*dice.pick(&fitting)).clone())
    }

    pub fn session_of_id(&self, id: &str) -> Option<SessionView> {
        self.sessions
            .iter()
            .find(|session| session.id == id)
            .cloned()
    }

    /// Takes in what came of the last event.
    pub fn learn(&mut self, decisions: &[Value], open: Vec<(String, String, Option<String>)>) {
        for decision in decisions {
            let text = |key: &str| {
                decision
                    .get(key)
                    .and_then(Value::as_str)
                    .unwrap_or("")
                    .to_owned()
            };
            match text("type").as_str() {
                "agent.presence_set" => self.note_presence(&text("agent"), false),
                "session.closed" => {
                    self.note_closed(text("session"), text("buyer"), instant(&text("at")));
                }
                "invite.sent" | "rating.opened" => self.note_card(text("card")),
                _ => {}
            }
            if let Some(at) = instant(&text("at")) {
                self.aim(at);
                self.note_recent(at);
            }
        }
        self.sessions
            .retain(|session| session.place == Place::Closed);
        self.sessions
            .extend(open.into_iter().map(|(id, buyer, by)| {
                let place = match by {
                    None => Place::Queue,
                    Some(bot) if bot == "bot" => Place::Bot,
                    Some(agent) => Place::Agent(agent),
                };
                SessionView {
                    id,
                    buyer,
                    place,
                    closed_at: None,
                }
            }));
    }

    fn note_closed(&mut self, id: String, buyer: String, closed_at: Option<Ms>) {
        self.sessions
            .retain(|session| session.place == Place::Closed && session.id != id);
        self.sessions.push(SessionView {
            id,
            buyer,
            place: Place::Closed,
            closed_at,
        });
        if self.sessions.len() > CLOSED_MAX {
            self.sessions.remove(0);
        }
    }

    fn note_card(&mut self, card: String) {
        if !self.cards.contains(&card) {
            self.cards.push(card);
        }
        if self.cards.len() > CARDS_MAX {
            self.cards.remove(0);
        }
    }

    pub fn note_presence(&mut self, agent: &str, online: bool) {
        self.online.retain(|other| other != agent);
        if online {
            self.online.push(agent.to_owned());
        }
    }

    pub fn note_recent(&mut self, at: Ms) {
        if self.recent.last() != Some(&at) {
            self.recent.push(at);
        }
        if self.recent.len() > RECENT_MAX {
            self.recent.remove(0);
        }
    }

    /// Remembers where the windows end that something at `at` opens.
    pub fn aim(&mut self, at: Ms) {
        self.turn += 1;
        let target = at + self.windows[self.turn % self.windows.len()];
        self.targets.retain(|target| *target > self.now);
        self.targets.push(target);
        if self.targets.len() > TARGETS_MAX {
            self.targets.remove(0);
        }
    }
}
