//! After work: an agent's place stays taken for a while after a session that it answered (S8). Time at the desk (M11).

use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::protocol::rejection::Rejection;
use crate::domain::state::sheets::{DeskState, DeskTime, TimeCounts};
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timer;

impl Shop {
    /// Keeps the agent's place after a session that was just closed, if the agent is not offline and answered it (S8).
    pub(in crate::domain) fn wrap_up(&mut self, session: u32, agent: u32) {
        let length = self.policy.session.wrap_up;
        let answered = self.sessions[session].marks.answered_here;
        if length.is_zero() || !answered || self.is_offline(agent) {
            return;
        }
        let places = &mut self.directory.agents[agent].wrapping_up;
        places.append(&mut self.sessions, session);
        self.timers.arm(session, Timer::WrapUp, self.now + length);
        self.agent_changed(agent);
    }

    /// The work after a session ends.
    pub(in crate::domain) fn end_wrap_up(&mut self, session: u32) {
        let agent = self.sessions[session].server;
        let places = &mut self.directory.agents[agent].wrapping_up;
        places.unlink(&mut self.sessions, session);
        self.agent_changed(agent);
        self.drop_if_done(session);
    }

    /// The work after all sessions of an agent ends.
    pub(in crate::domain) fn end_all_wrap_ups(&mut self, agent: u32) {
        let places = &self.directory.agents[agent].wrapping_up;
        let sessions: Vec<u32> = places.iter(&self.sessions).collect();
        for session in sessions {
            self.timers.disarm(session, Timer::WrapUp);
            self.end_wrap_up(session);
        }
    }

    /// `agent.ready` (S8).
    pub(in crate::domain) fn agent_ready(&mut self, agent: &Id) -> Result<(), Rejection> {
        let agent = self.find_agent(agent)?;
        self.end_all_wrap_ups(agent);
        Ok(())
    }

    /// Books the agent's time at the desk so far, if what it counts as has changed (M11).
    pub(in crate::domain) fn follow_desk_time(&mut self, agent: u32) {
        let record = &self.directory.agents[agent];
        if record.desk_time.state != record.desk_state() {
            self.book_desk_time(agent);
        }
    }

    /// Books the agent's time at the desk so far.
    pub(in crate::domain) fn book_desk_time(&mut self, agent: u32) {
        let DeskTime { state, since } = self.directory.agents[agent].desk_time;
        if state != DeskState::Offline && since < self.now {
            if self.span.holds(since) {
                // The usual case, without a list of days.
                let (day, time) = (self.span.day, self.now - since);
                self.directory.agents[agent]
                    .sheet(day)
                    .time
                    .add(state, time);
            } else {
                for (day, time) in self.unbooked_desk_time(agent) {
                    self.directory.agents[agent].sheet(day).time += time;
                }
            }
        }
        let record = &mut self.directory.agents[agent];
        record.desk_time = DeskTime {
            state: record.desk_state(),
            // The record of an older core may set the clock back for a moment.
            since: record.desk_time.since.max(self.now),
        };
    }

    /// The agent's time at the desk that is not booked yet, by day.
    pub(in crate::domain) fn unbooked_desk_time(&self, agent: u32) -> Vec<(Day, TimeCounts)> {
        let DeskTime { state, since } = self.directory.agents[agent].desk_time;
        let (mut from, mut days) = (since, Vec::new());
        if state == DeskState::Offline {
            return days;
        }
        while from < self.now {
            let span = self.span_at(from);
            let until = span.ends().min(self.now);
            let mut time = TimeCounts::default();
            time.add(state, until - from);
            days.push((span.day, time));
            from = until;
        }
        days
    }

    /// Books the time at the desk of all agents, before the days become others.
    pub(in crate::domain) fn book_all_desk_time(&mut self) {
        for agent in 0..self.directory.agents.reach() {
            if self.directory.agents.get(agent).is_some() {
                self.book_desk_time(agent);
            }
        }
    }
}
