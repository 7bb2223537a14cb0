//! One shop: its state, the order of an event's checks, its clock and its decisions.

use crate::model::after_work::PlaceAfterWork;
use crate::model::calendar;
use crate::model::desk::{Closing, DeskTime, Round};
use crate::model::event::{Event, Presence, Timed};
use crate::model::invite::{InviteCounts, SentInvite};
use crate::model::policy::{Policy, read};
use crate::model::rating::{RatingAct, RecordedRating, Said};
use crate::model::reply::ReplyDay;
use crate::model::session::{Periods, Session};
use crate::model::timers::{Subject, Timer, TimerKind, Timers};
use crate::model::value::{DAY_MS, Ms, written};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How long the id of an accepted event is remembered.
const EVENT_ID_MEMORY_MS: Ms = 7 * DAY_MS;

/// Why an event is rejected.
pub struct Rejection {
    pub error: &'static str,
    /// The bad key of `policy_invalid`.
    pub path: Option<String>,
    /// The other session of `buyer_in_session`.
    pub session: Option<String>,
}

impl From<&'static str> for Rejection {
    fn from(error: &'static str) -> Rejection {
        Rejection {
            error,
            path: None,
            session: None,
        }
    }
}

impl Rejection {
    pub fn policy(path: String) -> Rejection {
        Rejection {
            error: "policy_invalid",
            path: Some(path),
            session: None,
        }
    }

    /// The fields of `event.rejected`.
    pub fn fields(&self, event: &str) -> Value {
        let message = match &self.path {
            Some(path) => format!("{path}: -"),
            None => "-".to_owned(),
        };
        json!({ "event": event, "error": self.error, "message": message, "session": self.session })
    }
}

pub type Answer = Result<(), Rejection>;

pub struct Agent {
    pub roles: Vec<String>,
    pub capacity: u64,
    pub weight: u64,
    pub presence: Presence,
}

/// Assignments of one agent on one day.
#[derive(Default)]
pub struct DayCount {
    pub all: u64,
    pub rota: u64,
}

/// R1: who served a buyer last, and until when.
pub struct Recent {
    pub agent: String,
    pub until: Ms,
}

/// A message of a buyer, as I13 and Q1 ask for it.
pub struct Contact {
    pub buyer: String,
    /// None while nobody has the session.
    pub to: Option<String>,
    pub day: String,
}

pub struct Shop {
    pub name: String,
    pub policy: Policy,
    pub clock: Ms,
    seq: u64,
    decisions: Vec<Value>,
    accepted: BTreeMap<String, Ms>,
    pub timers: Timers,
    pub agents: BTreeMap<String, Agent>,
    /// Every session ever, in the order of opening; an id may occur again.
    pub sessions: Vec<Session>,
    pub newest: BTreeMap<String, usize>,
    /// Those that are not closed.
    pub open: BTreeSet<usize>,
    pub assignments: u64,
    pub queueings: u64,
    /// By agent id: the number of its latest assignment in the shop (P4).
    pub latest: BTreeMap<String, u64>,
    /// By agent id: assignments ever.
    pub assigned: BTreeMap<String, u64>,
    /// By agent id and day.
    pub day_counts: BTreeMap<(String, String), DayCount>,
    pub recent: BTreeMap<String, Recent>,
    pub contacts: Vec<Contact>,
    pub risky: BTreeSet<String>,
    /// R11: the last `buyer.ranked` of a buyer.
    pub buyer_ranks: BTreeMap<String, u64>,
    /// B1: blocked buyers, and until when.
    pub blocks: BTreeMap<String, Option<Ms>>,
    /// H3: what the last word said.
    pub is_open: bool,
    pub places_after_work: Vec<PlaceAfterWork>,
    /// R10e: by agent id.
    pub misses: BTreeMap<String, u64>,
    /// Auto invites of all shops, in the order of handling; lent by the model.
    pub ledger: Vec<SentInvite>,
    pub invite_counts: InviteCounts,
    pub rating_acts: Vec<RatingAct>,
    pub ratings: Vec<RecordedRating>,
    pub reply_days: BTreeMap<String, ReplyDay>,
    /// M6: whether the last word on this metric and period was an alert.
    pub alerted: BTreeMap<(&'static str, String), bool>,
    /// M9: every round ever.
    pub rounds: Vec<Round>,
    /// M9d: the agent and the day of each.
    pub taken_backs: Vec<(String, String)>,
    /// M9d, M10: how the sessions ended.
    pub closings: Vec<Closing>,
    /// M11: by agent id and day.
    pub desk_times: BTreeMap<(String, String), DeskTime>,
}

impl Shop {
    pub fn new(name: String, policy: Policy, clock: Ms) -> Shop {
        Shop {
            name,
            policy,
            clock,
            seq: 0,
            decisions: Vec::new(),
            accepted: BTreeMap::new(),
            timers: Timers::default(),
            agents: BTreeMap::new(),
            sessions: Vec::new(),
            newest: BTreeMap::new(),
            open: BTreeSet::new(),
            assignments: 0,
            queueings: 0,
            latest: BTreeMap::new(),
            assigned: BTreeMap::new(),
            day_counts: BTreeMap::new(),
            recent: BTreeMap::new(),
            contacts: Vec::new(),
            risky: BTreeSet::new(),
            buyer_ranks: BTreeMap::new(),
            blocks: BTreeMap::new(),
            is_open: true,
            places_after_work: Vec::new(),
            misses: BTreeMap::new(),
            ledger: Vec::new(),
            invite_counts: InviteCounts::default(),
            rating_acts: Vec::new(),
            ratings: Vec::new(),
            reply_days: BTreeMap::new(),
            alerted: BTreeMap::new(),
            rounds: Vec::new(),
            taken_backs: Vec::new(),
            closings: Vec::new(),
            desk_times: BTreeMap::new(),
        }
    }

    /// One event of this shop; None where its form is malformed. Answers with the decisions.
    pub fn take(&mut self, kind: &str, event: Option<Timed>) -> Vec<Value> {
        if let Err(rejection) = self.check_and_handle(event) {
            self.emit("event.rejected", rejection.fields(kind));
        }
        self.take_decisions()
    }

    pub fn take_decisions(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.decisions)
    }

    /// The order of the checks (contract section 2).
    fn check_and_handle(&mut self, event: Option<Timed>) -> Answer {
        let Timed { at, id, event } = event.ok_or("malformed")?;
        if id.as_ref().is_some_and(|id| self.is_repeated(id)) {
            return Ok(());
        }
        if self.clock - at > self.policy.session.lateness && at < self.clock {
            return Err("time_went_back".into()); // T1
        }
        if let Event::SessionOpened(opening) = &event
            && !self.policy.has_entry(&opening.entry)
        {
            return Err("malformed".into());
        }
        // A late event leaves the clock where it stands: what is due by then has fired already.
        self.fire_timers(at);
        self.advance(at);
        let answer = self.handle(event, at);
        self.finish();
        self.fire_timers(self.clock); // S5: what is due by now
        answer?;
        self.remember(id);
        Ok(())
    }

    fn is_repeated(&self, id: &str) -> bool {
        let accepted = self.accepted.get(id);
        accepted.is_some_and(|accepted| self.clock < accepted + EVENT_ID_MEMORY_MS)
    }

    pub fn remember(&mut self, id: Option<String>) {
        if let Some(id) = id {
            self.accepted.insert(id, self.clock);
        }
    }

    /// Each timer acts at its own due time, or at the clock where that is later (T1). What it causes and the draining
    /// belong to it.
    fn fire_timers(&mut self, limit: Ms) {
        while let Some(timer) = self.timers.take_due(limit) {
            self.advance(timer.due);
            self.fire(timer);
            self.finish();
        }
    }

    fn fire(&mut self, timer: Timer) {
        match (timer.kind, timer.subject) {
            (TimerKind::Hours, _) => self.look_at_hours(),
            (_, Subject::Day(day, _)) => self.say_day(&day),
            (TimerKind::ReplyDue, Subject::Session(session)) => self.reply_due(session),
            (TimerKind::ReplyOverdue, Subject::Session(session)) => self.reply_overdue(session),
            (TimerKind::Silence | TimerKind::Queue, Subject::Session(session)) => {
                self.close(session, "timeout");
            }
            (TimerKind::TakeBack, Subject::Session(session)) => self.take_back_due(session),
            (TimerKind::Left, Subject::Session(session)) => self.close(session, "abandoned"),
            (TimerKind::WrapUp, Subject::Session(session)) => self.free_place(session),
            (_, Subject::Shop) | (TimerKind::Day, _) => unreachable!("armed with its subject"),
        }
    }

    /// The clock never goes back.
    fn advance(&mut self, to: Ms) {
        if to > self.clock {
            self.book_desk_time(to); // M11
            self.clock = to;
        }
    }

    pub fn finish(&mut self) {
        self.drain();
        self.timers.settle();
    }

    /// `own` is the event's own instant (T1a).
    fn handle(&mut self, event: Event, own: Ms) -> Answer {
        match event {
            Event::ShopConfigured { policy } => self.configure(&policy),
            Event::AgentConfigured {
                agent,
                roles,
                capacity,
                weight,
            } => {
                self.configure_agent(agent, roles, capacity, weight);
                Ok(())
            }
            Event::AgentRemoved { agent } => self.remove_agent(&agent),
            Event::AgentPresence { agent, presence } => self.set_presence(&agent, presence),
            Event::AgentReady { agent } => self.agent_ready(&agent),
            Event::SessionOpened(opening) => self.open_session(opening),
            Event::SessionHandoff {
                session,
                question,
                order_status,
            } => self.hand_off(&session, question, order_status),
            Event::SessionTransferred { session, to } => self.transfer(&session, &to),
            Event::SessionRanked { session, priority } => self.rank(&session, priority),
            Event::SessionClosed { session, by } => self.close_by(&session, &by),
            Event::BuyerMessage { session } => self.buyer_message(&session, own),
            Event::BuyerLeft { session } => self.buyer_left(&session),
            Event::BuyerReturned { session } => self.buyer_returned(&session),
            Event::AgentMessage {
                session,
                agent,
                human,
            } => self.agent_message(&session, agent.as_deref(), human, own),
            Event::BotMessage { session } => self.bot_message(&session, own),
            Event::InviteRequested { session, agent } => {
                self.invite_requested(&session, agent.as_deref())
            }
            Event::RatingOpened { session, card } => self.rating_opened(&session, card),
            Event::RatingSubmitted {
                target,
                stars,
                reasons,
                comment,
            } => {
                let said = Said {
                    stars,
                    reasons,
                    comment,
                };
                self.rating_submitted(target, said)
            }
            Event::BuyerFlagged { buyer, risk } => {
                self.flag_buyer(buyer, risk);
                Ok(())
            }
            Event::BuyerRanked { buyer, priority } => {
                self.buyer_ranks.insert(buyer, priority);
                Ok(())
            }
            Event::BuyerBlocked {
                buyer,
                blocked,
                until,
            } => {
                self.block_buyer(&buyer, blocked, until);
                Ok(())
            }
            Event::Clock => Ok(()),
        }
    }

    fn configure(&mut self, policy: &Map<String, Value>) -> Answer {
        self.policy = read(policy).map_err(Rejection::policy)?;
        self.look_at_hours();
        Ok(())
    }

    fn flag_buyer(&mut self, buyer: String, risk: bool) {
        if risk {
            self.risky.insert(buyer);
        } else {
            self.risky.remove(&buyer);
        }
    }

    /// Left-out fields take their defaults again; presence stays, a new one starts offline.
    fn configure_agent(&mut self, agent: String, roles: Vec<String>, capacity: u64, weight: u64) {
        let presence = self
            .agents
            .get(&agent)
            .map_or(Presence::Offline, |known| known.presence);
        self.agents.insert(
            agent,
            Agent {
                roles,
                capacity,
                weight,
                presence,
            },
        );
    }

    /// Writes a decision; fields that are null are left out.
    pub fn emit(&mut self, kind: &str, fields: Value) {
        let Value::Object(mut decision) = fields else {
            unreachable!("fields are an object");
        };
        decision.retain(|_, value| !value.is_null());
        self.seq += 1;
        decision.insert("at".to_owned(), Value::from(self.written(self.clock)));
        decision.insert("shop".to_owned(), Value::from(self.name.clone()));
        decision.insert("seq".to_owned(), Value::from(self.seq));
        decision.insert("type".to_owned(), Value::from(kind));
        self.decisions.push(Value::Object(decision));
    }

    pub fn written(&self, at: Ms) -> String {
        written(at, &self.policy.zone)
    }

    /// The natural day of now.
    pub fn today(&self) -> String {
        calendar::day(self.clock, &self.policy.zone)
    }

    /// The natural day, week and month of an instant.
    pub fn periods(&self, at: Ms) -> Periods {
        Periods {
            day: calendar::day(at, &self.policy.zone),
            week: calendar::week(at, &self.policy.zone),
            month: calendar::month(at, &self.policy.zone),
        }
    }

    /// The session of that id, unless it is unknown or forgotten.
    pub fn known(&self, id: &str) -> Result<usize, Rejection> {
        let newest = self.newest.get(id).copied().ok_or("session_unknown")?;
        if !self.sessions[newest].is_known(self.clock) {
            return Err("session_unknown".into());
        }
        Ok(newest)
    }

    /// The session of that id, unless it is unknown or closed (S4).
    pub fn opened(&self, id: &str) -> Result<usize, Rejection> {
        let session = self.known(id)?;
        if self.sessions[session].is_closed() {
            return Err("session_closed".into());
        }
        Ok(session)
    }
}
