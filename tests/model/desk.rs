//! What the sheets book while events are handled (M9 to M11). It decides nothing.

use crate::model::calendar;
use crate::model::event::Presence;
use crate::model::session::Place;
use crate::model::shop::Shop;
use crate::model::value::Ms;

/// M9: a round of a stretch, which is a session's time with one agent.
pub struct Round {
    pub agent: String,
    pub buyer: String,
    /// Of its beginning.
    pub day: String,
    pub began: Ms,
    /// Late from this instant on, unless it ended before.
    pub late_at: Ms,
    pub ended: Option<Ms>,
    /// Where it ended: by a human reply, else dropped.
    pub answered: bool,
    pub first_of_stretch: bool,
}

impl Round {
    pub fn is_late(&self, now: Ms) -> bool {
        let in_time = self.ended.is_some_and(|ended| ended < self.late_at);
        self.late_at <= now && !in_time
    }
}

/// How a session closed, on which day.
pub struct Closing {
    pub day: String,
    pub kind: ClosingKind,
}

pub enum ClosingKind {
    /// M9d: with that agent, so long after the last word.
    Lingered(String, Ms),
    /// M10: while it waited, so long after it was last queued.
    Abandoned(Ms),
}

/// M11.
#[derive(Default)]
pub struct DeskTime {
    pub online: Ms,
    pub away: Ms,
    pub full: Ms,
}

impl Shop {
    /// M9a: where an agent has it, it has M3's message, and no round is open.
    pub fn begin_round(&mut self, index: usize) {
        let place = self.rounds.len();
        let session = &mut self.sessions[index];
        let (Some(agent), Some(message), None) =
            (session.agent(), &session.reminder, session.open_round)
        else {
            return;
        };
        let began = message.since.max(session.assigned_at);
        self.rounds.push(Round {
            agent: agent.to_owned(),
            buyer: session.buyer.clone(),
            day: calendar::day(began, &self.policy.zone),
            began,
            late_at: began + self.policy.service.within,
            ended: None,
            answered: false,
            first_of_stretch: !session.stretch_had_round,
        });
        session.open_round = Some(place);
        session.stretch_had_round = true;
    }

    /// M9a: by the next human reply, at its own instant, but not before the round's beginning (T1c).
    pub fn answer_round(&mut self, index: usize, own: Ms) {
        if let Some(place) = self.sessions[index].open_round.take() {
            let round = &mut self.rounds[place];
            round.ended = Some(own.max(round.began));
            round.answered = true;
        }
    }

    /// M9a: the session leaves the agent for another or a queue.
    pub fn drop_round(&mut self, index: usize) {
        if let Some(place) = self.sessions[index].open_round.take() {
            self.rounds[place].ended = Some(self.clock);
        }
    }

    /// While the session that closes is still where it was.
    pub fn book_close(&mut self, index: usize, reason: &str) {
        let session = &self.sessions[index];
        let last_word = session.last_heard.max(Some(session.assigned_at));
        let kind = match &session.place {
            Place::Agent { agent, .. } => {
                let linger = self.clock - last_word.expect("it was assigned");
                ClosingKind::Lingered(agent.clone(), linger)
            }
            Place::Queue { since, .. } if matches!(reason, "buyer" | "abandoned" | "timeout") => {
                ClosingKind::Abandoned(self.clock - since)
            }
            Place::Nowhere | Place::Bot | Place::Queue { .. } | Place::Closed { .. } => return,
        };
        let day = self.today();
        self.closings.push(Closing { day, kind });
    }

    /// M11: from the clock to `to`, each natural day by itself.
    pub fn book_desk_time(&mut self, to: Ms) {
        let agents: Vec<(String, Presence)> = self
            .agents
            .iter()
            .map(|(id, agent)| (id.clone(), agent.presence))
            .collect();
        for (agent, presence) in agents {
            if presence == Presence::Offline {
                continue;
            }
            let is_full = !self.has_room(&agent);
            let mut from = self.clock;
            while from < to {
                let end = to.min(calendar::next_day(from, &self.policy.zone));
                let day = calendar::day(from, &self.policy.zone);
                let time = self.desk_times.entry((agent.clone(), day)).or_default();
                match presence {
                    Presence::Online => {
                        time.online += end - from;
                        time.full += if is_full { end - from } else { 0 };
                    }
                    Presence::Away => time.away += end - from,
                    Presence::Offline => {}
                }
                from = end;
            }
        }
    }
}
