//! Closing: by an event, by buyer silence (S3), or because the agent left. The invitation follows (I1 to I13).

use crate::domain::base::id::Id;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::protocol::decision::{CloseReason, DecisionBody};
use crate::domain::protocol::event::ClosedBy;
use crate::domain::protocol::rejection::Rejection;
use crate::domain::state::session::{SessionPlace, Speaker};
use crate::domain::state::shared_invites::Ledger;
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timer;

impl Shop {
    /// `session.closed`.
    pub(in crate::domain) fn close_by(
        &mut self,
        session: &Id,
        by: ClosedBy,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) -> Result<(), Rejection> {
        let session = self.find_open(session)?;
        let reason = match by {
            ClosedBy::Agent => CloseReason::Agent,
            ClosedBy::Buyer => CloseReason::Buyer,
            ClosedBy::System => CloseReason::System,
        };
        self.close(session, reason, ledger, out);
        Ok(())
    }

    /// Closes an open session and decides about the invitation.
    pub(in crate::domain) fn close(
        &mut self,
        session: u32,
        reason: CloseReason,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) {
        self.book_end(session, reason);
        let agent = self.sessions[session].agent();
        self.leave(session);
        self.timers.disarm(session, Timer::Silence);
        // A close ends the reminder. A late message stays late (M3).
        self.timers.disarm(session, Timer::ReplyDue);
        let record = &mut self.sessions[session];
        record.place = SessionPlace::Closed { at: self.now };
        record.attributes = None;
        record.taken_back = None;
        record.debt = None;
        record.marks.left = false;
        self.buyers[record.buyer].leave_session(self.now);
        self.closed.push_back((self.now, session));
        self.totals.closed += 1;
        if let Some(agent) = agent
            && reason != CloseReason::AgentOffline
        {
            self.wrap_up(session, agent);
        }
        let (id, buyer) = self.names(session);
        let agent = self.sessions[session].served_by();
        let body = DecisionBody::SessionClosed {
            session: id,
            buyer,
            agent: agent.map(|agent| self.agent_id(agent)),
            reason,
        };
        self.decide(body, out);
        self.decide_auto_invite(session, reason, ledger, out);
    }

    /// Restarts or stops the silence timer (S3), depending on the last activity in the session.
    pub(in crate::domain) fn time_silence(&mut self, session: u32) {
        let policy = &self.policy.session;
        let record = &self.sessions[session];
        let shop_spoke_last = match record.place {
            SessionPlace::Bot => record.speaker == Some(Speaker::Bot),
            SessionPlace::Agent(_) => record.speaker == Some(Speaker::Agent),
            SessionPlace::Waiting { .. } | SessionPlace::Closed { .. } => false,
        };
        let served = matches!(record.place, SessionPlace::Bot | SessionPlace::Agent(_));
        let runs = served && (shop_spoke_last || !policy.requires_agent_reply);
        let length = policy.close_after_buyer_silence;
        if runs && !length.is_zero() {
            self.timers.arm(session, Timer::Silence, self.now + length);
            self.sessions[session].silent_since = self.now;
        } else {
            self.timers.disarm(session, Timer::Silence);
        }
    }

    /// The buyer has been silent for too long (S3).
    pub(in crate::domain) fn silence(
        &mut self,
        session: u32,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) {
        self.note_silence(session, out);
        self.close(session, CloseReason::Timeout, ledger, out);
    }
}
