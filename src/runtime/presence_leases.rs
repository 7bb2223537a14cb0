//! Presence leases: an agent keeps its presence as long as the lease is renewed.
//!
//! The client that keeps an agent online may fail silently. When a lease and its grace period have passed, the agent
//! goes offline by an ordinary `agent.offline` event in the journal (R9), and the lease ends. A renewal that changes
//! nothing writes nothing. The shop's metadata holds only which agents have leases and their durations. A start renews
//! each lease once.
//!
//! Only the shop's actor changes the shop's leases, one message at a time, so a renewal happens either before or after
//! the expiry. The scheduler asks the actor again until no expired lease is left. An expiry that the disk refused is
//! thus delayed, not lost.

use actix::prelude::*;
use serde::{Deserialize, Serialize};

use super::actor::{ActorState, ShopActor};
use super::apply::{EventOutcome, ResponseBuffer};
use super::responder::Responder;
use super::shops::Shops;
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant, OffsetTimestamp};
use crate::domain::protocol::codes::{Presence, PresenceReason};
use crate::domain::protocol::event::EventBody;
use crate::domain::read::views;
use crate::env::Stopwatch;
use crate::journal::{JournalError, OnDurable};
use crate::runtime::event_result::{EventResult, IncomingEvent, Unavailable};

/// The prefix of the names of leases in the metadata.
const METADATA_PREFIX: &str = "lease/";

/// The stored form of a lease.
#[derive(Serialize, Deserialize)]
struct StoredLease {
    /// The duration in milliseconds.
    ms: i64,
}

/// A lease, as it is returned to the client.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaseGranted {
    /// The duration.
    pub length: Duration,
    /// The end of the lease unless it is renewed. The grace period starts then.
    pub until: OffsetTimestamp,
}

/// A request to set an agent's presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresenceRequest {
    /// The presence.
    pub presence: Presence,
    /// How long it holds unless it is renewed.
    pub lease: Option<Duration>,
    /// Whether the agent itself says that it is back, after the shop set it away (R10e).
    pub back: bool,
}

/// The result of setting an agent's presence.
#[derive(Clone, Debug, PartialEq)]
pub struct PresenceResult {
    /// The result of the event. It has no decisions if the request was only a renewal.
    pub answered: EventResult,
    /// The agent's lease.
    pub lease: Option<LeaseGranted>,
    /// Why the agent stays away though its client renewed a lease as online (R10e).
    pub held: Option<PresenceReason>,
}

/// A request that only renews a lease.
enum LeaseRenewal {
    /// The agent is where the request sets it.
    AsItWas,
    /// The shop holds the agent away (R10e).
    Held(PresenceReason),
}

/// Sets an agent's presence, with or without a lease.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct SetPresence {
    reply: Responder<PresenceResult>,
    agent: Id,
    request: PresenceRequest,
}

/// Asks the actor to check the shop's leases: some have expired.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct LeasesExpired;

/// The event that sets an agent's presence.
fn event(agent: &Id, presence: Presence, at: Instant) -> IncomingEvent {
    let agent = agent.clone();
    IncomingEvent::made(EventBody::PresenceChanged { agent, presence }, at)
}

impl Shops {
    /// Sets an agent's presence. With a lease, it holds while the lease is renewed; without one, until the next change.
    /// A renewal that changes nothing creates no event. Nor does one of an agent that the shop set away (R10e).
    pub async fn set_presence(
        &self,
        shop: &Id,
        agent: &Id,
        request: PresenceRequest,
    ) -> Result<PresenceResult, Unavailable> {
        let message = |reply| SetPresence {
            reply,
            agent: agent.clone(),
            request,
        };
        let event = event(agent, request.presence, self.now());
        self.ask(shop, message, vec![event]).await
    }

    /// Renews all leases from before the start once: clients could not reach the server while it was down. Called
    /// before the first request.
    pub fn renew_leases(&self) -> Result<(), JournalError> {
        let (now, mut damaged) = (self.now(), None);
        self.each_metadata(&mut |entry| {
            let Some(agent) = entry.name.strip_prefix(METADATA_PREFIX) else {
                return;
            };
            let lease: Option<StoredLease> = serde_json::from_slice(&entry.value).ok();
            match (Id::new(agent), lease) {
                (Some(agent), Some(lease)) => {
                    let length = Duration::from_ms(lease.ms);
                    self.shared.leases.renew(&entry.shop, &agent, length, now);
                }
                (None, _) | (_, None) => damaged = Some((entry.shop, entry.name)),
            }
        })?;
        match damaged {
            None => Ok(()),
            Some((shop, name)) => Err(crate::journal::damaged(&format!(
                "what is stored as {name:?} of shop {shop:?} does not read"
            ))),
        }
    }
}

impl ShopActor {
    /// The agent's presence, if the agent is in the shop, and why the shop holds it there.
    fn presence_of(&mut self, agent: &Id) -> Option<(Presence, Option<PresenceReason>)> {
        views::presence_of(&self.loaded()?.shop, agent)
    }

    /// Whether a request only renews a lease: the agent is where the request sets it, or the shop holds it away.
    fn renewal(&mut self, agent: &Id, request: PresenceRequest) -> Option<LeaseRenewal> {
        if !self.shared.leases.has(&self.id, agent) {
            return None;
        }
        match self.presence_of(agent)? {
            (presence, _) if presence == request.presence => Some(LeaseRenewal::AsItWas),
            (_, Some(why)) if request.presence == Presence::Online && !request.back => {
                Some(LeaseRenewal::Held(why))
            }
            (_, _) => None,
        }
    }

    /// Stores the duration of an agent's lease, or deletes it. `done` is called once this write and all earlier ones
    /// are durable.
    fn store_lease(&self, agent: &Id, length: Option<Duration>, done: Option<OnDurable>) {
        let value = length.map(|length| format!("{{\"ms\":{}}}", length.ms()).into_bytes());
        let name = format!("{METADATA_PREFIX}{agent}");
        if let Err(error) = self
            .shared
            .journal
            .put_metadata(&self.id, &name, value, done)
        {
            self.shared.observer.failed(&self.id, &error);
        }
    }

    /// Ends an agent's lease, if it has one.
    pub(super) fn end_lease(&self, agent: &Id) {
        if self.shared.leases.end(&self.id, agent) {
            self.store_lease(agent, None, None);
        }
    }

    /// Creates or renews a lease, and responds once it is stored.
    fn lease(
        &mut self,
        agent: &Id,
        length: Duration,
        (answered, held): (EventResult, Option<PresenceReason>),
        reply: Responder<PresenceResult>,
    ) {
        let now = self.shared.env.clock.now();
        let Some(until) = self.loaded().map(|loaded| loaded.shop.stamp(now + length)) else {
            return reply.refuse(Unavailable::Broken);
        };
        let before = self.shared.leases.renew(&self.id, agent, length, now);
        let lease = Some(LeaseGranted { length, until });
        let result = PresenceResult {
            answered,
            lease,
            held,
        };
        let answer = Box::new(move || reply.answer(result));
        if before == Some(length) {
            self.shared.journal.when_durable(self.appended, answer);
        } else {
            self.store_lease(agent, Some(length), Some(answer));
        }
    }
}

impl Handler<SetPresence> for ShopActor {
    type Result = ();

    fn handle(&mut self, present: SetPresence, ctx: &mut Context<Self>) {
        let SetPresence {
            mut reply,
            agent,
            request,
        } = present;
        let Some(event) = reply.begin().pop() else {
            return reply.refuse(Unavailable::Broken);
        };
        self.last_request = Stopwatch::start();
        if let Some(length) = request.lease
            && let Some(renewal) = self.renewal(&agent, request)
        {
            let held = match renewal {
                LeaseRenewal::AsItWas => None,
                LeaseRenewal::Held(why) => Some(why),
            };
            return self.lease(&agent, length, (EventResult::nothing(), held), reply);
        }
        let mut work = ResponseBuffer::new(&self.id, 1);
        let decided = self.decide(event, &mut work);
        let mut items: Vec<EventOutcome> = match decided {
            Ok(item) => vec![item],
            Err(why) => {
                self.stop_if_stale(ctx);
                return reply.refuse(why);
            }
        };
        work.finish(&mut items);
        self.finish_request(ctx);
        let Some(EventOutcome::Decided(answered, _) | EventOutcome::Answered(answered)) =
            items.pop()
        else {
            return reply.refuse(Unavailable::Broken);
        };
        if answered.rejected.is_none() {
            match request.lease {
                Some(length) => return self.lease(&agent, length, (answered, None), reply),
                None => self.end_lease(&agent),
            }
        }
        let result = PresenceResult {
            answered,
            lease: None,
            held: None,
        };
        let answer = Box::new(move || reply.answer(result));
        self.shared.journal.when_durable(self.appended, answer);
    }
}

impl Handler<LeasesExpired> for ShopActor {
    type Result = ();

    fn handle(&mut self, _: LeasesExpired, ctx: &mut Context<Self>) {
        match &self.state {
            ActorState::Loaded(Some(_)) => {}
            // A damaged shop is not asked every second. Its stored leases stay for a later start.
            ActorState::Loaded(None) | ActorState::Failed(_) => {
                return self.shared.leases.remove_shop(&self.id);
            }
            ActorState::Recovering => return,
        }
        let now = self.shared.env.clock.now();
        for agent in self.shared.leases.expired(&self.id, now) {
            if self
                .presence_of(&agent)
                .is_some_and(|(presence, _)| presence != Presence::Offline)
            {
                let offline = event(&agent, Presence::Offline, now);
                if self
                    .decide(offline, &mut ResponseBuffer::new(&self.id, 1))
                    .is_err()
                {
                    // The journal refuses the record for now. The lease stays and is checked again.
                    break;
                }
            }
            self.end_lease(&agent);
        }
        self.finish_request(ctx);
    }
}
