//! After work (S8): the place of a closed session that stays taken for a while.

use crate::model::event::Presence;
use crate::model::shop::{Answer, Shop};
use crate::model::timers::TimerKind;

/// The place that a closed session still takes.
pub struct PlaceAfterWork {
    pub agent: String,
    pub session: usize,
}

impl Shop {
    /// While the session that closes is still its agent's.
    pub fn keep_place(&mut self, index: usize, reason: &str) {
        let wrap_up = self.policy.session.wrap_up;
        let session = &self.sessions[index];
        let Some(agent) = session.agent() else {
            return;
        };
        let here = self
            .agents
            .get(agent)
            .is_some_and(|agent| agent.presence != Presence::Offline);
        if wrap_up == 0 || reason == "agent_offline" || !here || !session.replied_since_assigned {
            return;
        }
        let agent = agent.to_owned();
        self.places_after_work.push(PlaceAfterWork {
            agent,
            session: index,
        });
        self.timers
            .arm(index, TimerKind::WrapUp, self.clock + wrap_up);
    }

    /// `wrap_up` has run out.
    pub fn free_place(&mut self, index: usize) {
        self.places_after_work
            .retain(|place| place.session != index);
    }

    /// `agent.ready`, going offline, being removed: all its places.
    pub fn free_places_of(&mut self, agent: &str) {
        let all = std::mem::take(&mut self.places_after_work);
        let (freed, kept) = all.into_iter().partition(|place| place.agent == agent);
        self.places_after_work = kept;
        let freed: Vec<PlaceAfterWork> = freed;
        for place in freed {
            self.timers.cancel(place.session, TimerKind::WrapUp);
        }
    }

    pub fn agent_ready(&mut self, agent: &str) -> Answer {
        if !self.agents.contains_key(agent) {
            return Err("agent_unknown".into());
        }
        self.free_places_of(agent);
        Ok(())
    }
}
