//! Look-ups of sessions and agents by id, with the rejection if there is none, and of ids by number.

use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::decision::ErrorCode;
use crate::domain::protocol::rejection::Rejection;
use crate::domain::state::session::{REMEMBERED, SessionPlace};
use crate::domain::state::shop::Shop;

fn session_unknown(session: &Id) -> Rejection {
    let message = format!(
        "No session {session:?} is open or was closed in the last 7 days: open it with \
         `session.opened` first."
    );
    Rejection::new(ErrorCode::SessionUnknown, message)
}

impl Shop {
    /// The number of the session with this id, if it is open or was closed within 7 days.
    pub(in crate::domain) fn find_session(&self, session: &Id) -> Result<u32, Rejection> {
        let found = self.sessions.find(session);
        found.ok_or_else(|| session_unknown(session))
    }

    /// Like [`Shop::find_session`], at an instant that the shop's clock may not have reached.
    pub(in crate::domain) fn find_session_at(
        &self,
        session: &Id,
        at: Instant,
    ) -> Result<u32, Rejection> {
        let number = self.find_session(session)?;
        match self.sessions[number].place {
            SessionPlace::Closed { at: closed } if closed + REMEMBERED <= at => {
                Err(session_unknown(session))
            }
            SessionPlace::Bot
            | SessionPlace::Waiting { .. }
            | SessionPlace::Agent(_)
            | SessionPlace::Closed { .. } => Ok(number),
        }
    }

    /// The number of the session with this id, if it is open (S4).
    pub(in crate::domain) fn find_open(&self, session: &Id) -> Result<u32, Rejection> {
        let number = self.find_session(session)?;
        if self.sessions[number].closed() {
            let message = format!(
                "Session {session:?} is closed: only ratings may follow; open a new session."
            );
            return Err(Rejection::new(ErrorCode::SessionClosed, message));
        }
        Ok(number)
    }

    /// The number of a configured agent.
    pub(in crate::domain) fn find_agent(&self, agent: &Id) -> Result<u32, Rejection> {
        let number = self.directory.agents.find(agent);
        let number = number.filter(|&number| self.directory.agents[number].post.is_some());
        number.ok_or_else(|| {
            let message =
                format!("No agent {agent:?} is configured: send `agent.configured` for it first.");
            Rejection::new(ErrorCode::AgentUnknown, message)
        })
    }

    /// The id of an agent.
    pub(in crate::domain) fn agent_id(&self, agent: u32) -> Id {
        self.directory.agents[agent].id.clone()
    }

    /// The ids of the session and its buyer, for decisions.
    pub(in crate::domain) fn names(&self, session: u32) -> (Id, Id) {
        let record = &self.sessions[session];
        (record.id.clone(), self.buyers[record.buyer].id.clone())
    }

    /// Whether the agent is offline.
    pub(in crate::domain) fn is_offline(&self, agent: u32) -> bool {
        self.directory.agents[agent].presence == Presence::Offline
    }
}
