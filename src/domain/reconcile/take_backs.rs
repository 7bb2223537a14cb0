//! Take-back by the record: how often sessions were taken from agents, and agents that the shop set away (R10).

use std::collections::BTreeSet;

use smallvec::SmallVec;

use super::before_event::Before;
use super::recorded::{RecordedBody, RecordedDecision, RecordedOutcome};
use super::recorded_entities::{agent_of_record, stand_at};
use crate::domain::base::calendar::LocalDaySpan;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::decision::AssignReason;
use crate::domain::protocol::event::{Event, EventBody};
use crate::domain::state::session::TakenBack;
use crate::domain::state::shop::Shop;

/// Sets how often each session that a difference concerns was taken back, and from whom.
pub(super) fn count_bounces<'a>(
    shop: &mut Shop,
    before: &Before,
    differing: impl Iterator<Item = &'a RecordedBody>,
    recorded: &RecordedOutcome<'_>,
) {
    let concerned = differing.filter_map(bounced);
    let concerned = concerned.filter_map(|session| shop.sessions.find(session));
    let concerned: BTreeSet<u32> = concerned.collect();
    for session in concerned {
        let stood = before.session(session);
        let mut taken = stood.and_then(|of| of.taken_back.as_deref().cloned());
        for decision in recorded.decisions {
            let of = bounced(&decision.body).and_then(|id| shop.sessions.find(id));
            if of != Some(session) {
                continue;
            }
            if let RecordedBody::TakenBack { agent, bounce, .. } = &decision.body {
                let agent = agent_of_record(shop, agent);
                let taken = taken.get_or_insert_default();
                taken.bounces = *bounce;
                if let Err(place) = taken.passed.binary_search(&agent) {
                    taken.passed.insert(place, agent);
                }
            } else {
                taken = None;
            }
        }
        set_taken_back(shop, session, taken);
    }
}

/// The session of a decision that changes how often it was taken back: one more, or none any more.
fn bounced(decision: &RecordedBody) -> Option<&Id> {
    match decision {
        RecordedBody::TakenBack { session, .. }
        | RecordedBody::Closed { session, .. }
        | RecordedBody::Assigned {
            session,
            reason: Some(AssignReason::Manual),
            ..
        } => Some(session),
        RecordedBody::Assigned { .. }
        | RecordedBody::Queued { .. }
        | RecordedBody::PresenceSet { .. }
        | RecordedBody::Hours { .. }
        | RecordedBody::InviteSent { .. }
        | RecordedBody::InviteBlocked { .. }
        | RecordedBody::RatingOpened { .. }
        | RecordedBody::RatingRecorded { .. }
        | RecordedBody::ReplyDue { .. }
        | RecordedBody::ReplyOverdue { .. }
        | RecordedBody::Score { .. }
        | RecordedBody::DaySummed { .. }
        | RecordedBody::Rejected { .. }
        | RecordedBody::Other => None,
    }
}

/// Sets what take-back did to a session. The queue depends on the agents that are passed over.
fn set_taken_back(shop: &mut Shop, session: u32, taken: Option<TakenBack>) {
    shop.quit_queue(session);
    shop.sessions[session].taken_back = taken.map(Box::new);
    shop.join_queue(session);
}

/// Sets the presence and the misses of every agent that a difference concerns (R10e).
pub(super) fn set_away_as_recorded<'a>(
    shop: &mut Shop,
    before: &Before,
    event: Option<&Event>,
    differing: impl Iterator<Item = &'a RecordedBody>,
    recorded: &RecordedOutcome<'_>,
    clock: (Instant, LocalDaySpan),
) {
    let concerned = differing.filter_map(|body| match body {
        RecordedBody::TakenBack { agent, .. } | RecordedBody::PresenceSet { agent, .. } => {
            shop.directory.agents.find(agent)
        }
        RecordedBody::Assigned { .. }
        | RecordedBody::Queued { .. }
        | RecordedBody::Closed { .. }
        | RecordedBody::Hours { .. }
        | RecordedBody::InviteSent { .. }
        | RecordedBody::InviteBlocked { .. }
        | RecordedBody::RatingOpened { .. }
        | RecordedBody::RatingRecorded { .. }
        | RecordedBody::ReplyDue { .. }
        | RecordedBody::ReplyOverdue { .. }
        | RecordedBody::Score { .. }
        | RecordedBody::DaySummed { .. }
        | RecordedBody::Rejected { .. }
        | RecordedBody::Other => None,
    });
    let concerned: SmallVec<[u32; 4]> = concerned.collect();
    for agent in concerned {
        let now = AgentNow::by_record(shop, before, event, recorded, agent);
        stand_at(shop, now.presence_since, clock);
        if shop.directory.agents[agent].presence != now.presence {
            shop.set_presence(agent, now.presence);
        }
        let record = &mut shop.directory.agents[agent];
        record.presence_since = now.presence_since;
        (record.held, record.misses) = (now.held, now.misses);
    }
    stand_at(shop, clock.0, clock);
}

/// What an agent is after an event.
struct AgentNow {
    presence: Presence,
    presence_since: Instant,
    held: bool,
    misses: u32,
}

impl AgentNow {
    /// By the record: the agent as it was, with the recorded decisions before the event, the event's own effect on it,
    /// and the decisions at the event.
    fn by_record(
        shop: &Shop,
        before: &Before,
        event: Option<&Event>,
        recorded: &RecordedOutcome<'_>,
        agent: u32,
    ) -> AgentNow {
        let record = &shop.directory.agents[agent];
        let mut now = before.agent(agent).map_or(
            AgentNow {
                presence: Presence::Offline,
                presence_since: Instant::NEVER,
                held: false,
                misses: 0,
            },
            |stood| AgentNow {
                presence: stood.presence,
                presence_since: stood.presence_since,
                held: stood.held,
                misses: stood.misses,
            },
        );
        let rejected = recorded.rejection().is_some();
        let event = event.filter(|_| !rejected);
        let own = event.and_then(|event| sign_of(shop, &event.what, agent));
        let is_timely = |decision: &&RecordedDecision| decision.at < recorded.at;
        for decision in recorded.decisions.iter().filter(is_timely) {
            now.follow(&decision.body, &record.id, decision.at);
        }
        match own {
            Some(Sign::Presence(presence)) => {
                now.held = false;
                if presence != Presence::Offline {
                    now.misses = 0;
                }
                now.change(presence, shop.now);
            }
            Some(Sign::Reply) => now.misses = 0,
            None => {}
        }
        for decision in recorded.decisions.iter().filter(|of| !is_timely(of)) {
            now.follow(&decision.body, &record.id, decision.at);
        }
        if record.post.is_none() {
            (now.presence, now.held) = (Presence::Offline, false);
        }
        now
    }

    /// Follows a recorded decision.
    fn follow(&mut self, decision: &RecordedBody, id: &Id, at: Instant) {
        if let RecordedBody::TakenBack { agent, .. } = decision
            && agent == id
        {
            self.misses = self.misses.saturating_add(1);
        }
        if let RecordedBody::PresenceSet { agent, presence } = decision
            && agent == id
        {
            self.change(*presence, at);
            (self.held, self.misses) = (true, 0);
        }
    }

    fn change(&mut self, presence: Presence, at: Instant) {
        if self.presence != presence {
            (self.presence, self.presence_since) = (presence, at);
        }
    }
}

/// What an event says of an agent itself.
enum Sign {
    /// It changed its presence, or was removed.
    Presence(Presence),
    /// It sent a human reply.
    Reply,
}

/// What an event says of an agent, if anything.
fn sign_of(shop: &Shop, what: &EventBody, agent: u32) -> Option<Sign> {
    let is_it = |id: &Id| shop.directory.agents.find(id) == Some(agent);
    match what {
        EventBody::PresenceChanged { agent, presence } if is_it(agent) => {
            Some(Sign::Presence(*presence))
        }
        EventBody::AgentRemoved { agent } if is_it(agent) => {
            Some(Sign::Presence(Presence::Offline))
        }
        EventBody::AgentMessage {
            session,
            human: true,
            ..
        } => {
            let session = shop.sessions.find(session)?;
            (shop.sessions[session].server == agent).then_some(Sign::Reply)
        }
        EventBody::ShopConfigured { .. }
        | EventBody::AgentConfigured { .. }
        | EventBody::AgentRemoved { .. }
        | EventBody::AgentReady { .. }
        | EventBody::PresenceChanged { .. }
        | EventBody::SessionOpened { .. }
        | EventBody::SessionHandoff { .. }
        | EventBody::SessionTransferred { .. }
        | EventBody::SessionClosed { .. }
        | EventBody::SessionRanked { .. }
        | EventBody::BuyerLeft { .. }
        | EventBody::BuyerReturned { .. }
        | EventBody::BuyerMessage { .. }
        | EventBody::AgentMessage { .. }
        | EventBody::BotMessage { .. }
        | EventBody::InviteRequested { .. }
        | EventBody::RatingOpened { .. }
        | EventBody::RatingSubmitted { .. }
        | EventBody::BuyerFlagged { .. }
        | EventBody::BuyerRanked { .. }
        | EventBody::BuyerBlocked { .. }
        | EventBody::Clock => None,
    }
}
