//! Leases of presence: an agent is here for as long as somebody keeps saying so.
//!
//! What keeps an agent at its desk may die without a word. A lease that runs out, and its grace with it, takes the
//! agent offline by an ordinary `agent.offline` in the journal (R9), and is over. A renewal that changes nothing
//! writes nothing: what is kept beside the shop's records is which agents have a lease and how long, and a start
//! renews each once.
//!
//! Only the shop's actor changes the shop's leases, between two messages: a renewal comes before the end or after it,
//! never across. Whoever looks at the clock asks the actor to look at its leases, again and again until none is over,
//! so that an end that the disk had no room for comes later and is not lost.

use actix::prelude::*;
use serde::{Deserialize, Serialize};

use super::actor::{ActorState, ShopActor};
use super::apply::{EventOutcome, ResponseBuffer};
use super::responder::Responder;
use super::shops::Shops;
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant, Stamp};
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::event::EventBody;
use crate::env::Stopwatch;
use crate::journal::{JournalError, OnDurable};
use crate::runtime::event_result::{EventResult, IncomingEvent, Unavailable};

/// What the names of kept leases begin with.
const KEPT_PREFIX: &str = "lease/";

/// What is kept of a lease.
#[derive(Serialize, Deserialize)]
struct KeptLease {
    /// Its length in milliseconds.
    ms: i64,
}

/// A lease, as it is told to whoever took it.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaseGranted {
    /// How long it is.
    pub length: Duration,
    /// When it runs out if nobody renews it; the grace comes after that.
    pub until: Stamp,
}

/// What became of a word on where an agent is.
#[derive(Clone, Debug, PartialEq)]
pub struct PresenceResult {
    /// What the shop answered to the event that it stands for; nothing was decided where it was only a renewal.
    pub answered: EventResult,
    /// The agent's lease.
    pub lease: Option<LeaseGranted>,
}

/// A word on where an agent is, by whoever keeps it there.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct SetPresence {
    reply: Responder<PresenceResult>,
    agent: Id,
    presence: Presence,
    lease: Option<Duration>,
}

/// Looks at the shop's leases: some have run out.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct LeasesExpired;

/// The event that sets an agent's presence.
fn event(agent: &Id, presence: Presence, at: Instant) -> IncomingEvent {
    let agent = agent.clone();
    IncomingEvent::made(EventBody::PresenceChanged { agent, presence }, at)
}

impl Shops {
    /// Says where an agent is, for as long as the lease is renewed; without a lease, until somebody says otherwise.
    /// A renewal that changes nothing is no event.
    pub async fn present(
        &self,
        shop: &Id,
        agent: &Id,
        presence: Presence,
        lease: Option<Duration>,
    ) -> Result<PresenceResult, Unavailable> {
        let message = |reply| SetPresence {
            reply,
            agent: agent.clone(),
            presence,
            lease,
        };
        let event = event(agent, presence, self.now());
        self.ask(shop, message, vec![event]).await
    }

    /// Renews the leases of before the start, each once: whoever renews them could not reach this server meanwhile.
    /// Called before anything is asked of a shop.
    pub fn renew_leases(&self) -> Result<(), JournalError> {
        let (now, mut damaged) = (self.now(), None);
        self.kept(&mut |kept| {
            let Some(agent) = kept.name.strip_prefix(KEPT_PREFIX) else {
                return;
            };
            let lease: Option<KeptLease> = serde_json::from_slice(&kept.value).ok();
            match (Id::new(agent), lease) {
                (Some(agent), Some(lease)) => {
                    let length = Duration::from_ms(lease.ms);
                    self.world.leases.renew(&kept.shop, &agent, length, now);
                }
                (None, _) | (_, None) => damaged = Some((kept.shop, kept.name)),
            }
        })?;
        match damaged {
            None => Ok(()),
            Some((shop, name)) => Err(crate::journal::damaged(&format!(
                "what is kept as {name:?} of shop {shop:?} does not read"
            ))),
        }
    }
}

impl ShopActor {
    /// Where an agent is, as long as it is the shop's.
    fn presence_of(&mut self, agent: &Id) -> Option<Presence> {
        self.awake()?.shop.presence_of(agent)
    }

    /// Keeps the length of an agent's lease, or lets go of it; `done` is called once that, and all before it, is
    /// durable.
    fn keep_lease(&self, agent: &Id, length: Option<Duration>, done: Option<OnDurable>) {
        let value = length.map(|length| format!("{{\"ms\":{}}}", length.ms()).into_bytes());
        let name = format!("{KEPT_PREFIX}{agent}");
        if let Err(error) = self
            .world
            .journal
            .put_metadata(&self.id, &name, value, done)
        {
            self.world.watch.failed(&self.id, &error);
        }
    }

    /// Ends an agent's lease, if it has one.
    pub(super) fn end_lease(&self, agent: &Id) {
        if self.world.leases.end(&self.id, agent) {
            self.keep_lease(agent, None, None);
        }
    }

    /// Makes or renews a lease, and answers once it is kept.
    fn lease(
        &mut self,
        agent: &Id,
        length: Duration,
        answered: EventResult,
        reply: Responder<PresenceResult>,
    ) {
        let now = self.world.env.clock.now();
        let Some(until) = self.awake().map(|awake| awake.shop.stamp(now + length)) else {
            return reply.refuse(Unavailable::Broken);
        };
        let before = self.world.leases.renew(&self.id, agent, length, now);
        let lease = Some(LeaseGranted { length, until });
        let answer = Box::new(move || reply.answer(PresenceResult { answered, lease }));
        if before == Some(length) {
            self.world.journal.when_durable(self.appended, answer);
        } else {
            self.keep_lease(agent, Some(length), Some(answer));
        }
    }
}

impl Handler<SetPresence> for ShopActor {
    type Result = ();

    fn handle(&mut self, present: SetPresence, ctx: &mut Context<Self>) {
        let SetPresence {
            mut reply,
            agent,
            presence,
            lease,
        } = present;
        let Some(event) = reply.begin().pop() else {
            return reply.refuse(Unavailable::Broken);
        };
        self.asked = Stopwatch::start();
        if let Some(length) = lease
            && self.presence_of(&agent) == Some(presence)
            && self.world.leases.has(&self.id, &agent)
        {
            return self.lease(&agent, length, EventResult::nothing(), reply);
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
        self.settle(ctx);
        let Some(EventOutcome::Decided(answered, _) | EventOutcome::Answered(answered)) =
            items.pop()
        else {
            return reply.refuse(Unavailable::Broken);
        };
        if answered.rejected.is_none() {
            match lease {
                Some(length) => return self.lease(&agent, length, answered, reply),
                None => self.end_lease(&agent),
            }
        }
        let lease = None;
        let answer = Box::new(move || reply.answer(PresenceResult { answered, lease }));
        self.world.journal.when_durable(self.appended, answer);
    }
}

impl Handler<LeasesExpired> for ShopActor {
    type Result = ();

    fn handle(&mut self, _: LeasesExpired, ctx: &mut Context<Self>) {
        match &self.stage {
            ActorState::Up(Some(_)) => {}
            // What is damaged is not asked about every second; what is kept of its leases is there for a later start.
            ActorState::Up(None) | ActorState::Down(_) => {
                return self.world.leases.forget(&self.id);
            }
            ActorState::ComingUp => return,
        }
        let now = self.world.env.clock.now();
        for agent in self.world.leases.over(&self.id, now) {
            if self
                .presence_of(&agent)
                .is_some_and(|presence| presence != Presence::Offline)
            {
                let offline = event(&agent, Presence::Offline, now);
                if self
                    .decide(offline, &mut ResponseBuffer::new(&self.id, 1))
                    .is_err()
                {
                    // There is no room for it now: the lease stays, and is looked at again.
                    break;
                }
            }
            self.end_lease(&agent);
        }
        self.settle(ctx);
    }
}
