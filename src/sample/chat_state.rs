//! A chat of the sample as its buyer and its agent see it, and the people in it.

use std::collections::VecDeque;

use crate::domain::protocol::codes::Presence;

use super::event_queue::{AgentNumber, ChatNumber, Moment};
use crate::sample::visit::BuyerVisit;

/// How the sample's sessions are called: this and the chat's number, from 1.
const SESSION_PREFIX: &str = "s-";

/// The other side of a chat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChatPlace {
    /// Just opened: the core has not answered yet.
    Nobody,
    /// The bot.
    Bot,
    /// The queue, since then.
    Queue(Moment),
    /// An agent.
    Agent(AgentNumber),
    /// Over.
    Closed,
}

/// A chat.
pub struct Chat {
    /// The session's id.
    pub id: String,
    /// The buyer's number.
    pub buyer: usize,
    /// The topic.
    pub visit: BuyerVisit,
    /// The other side.
    pub with: ChatPlace,
    /// The number of the valid plan for its next step; earlier plans are void.
    pub plan: u32,
    /// How often it has been queued.
    pub waits: u32,
    /// How many more questions the buyer has.
    pub turns_left: u64,
    /// Since when the buyer waits for an answer, if it does.
    pub unanswered: Option<Moment>,
    /// Whether the buyer has sent its first question.
    pub opened: bool,
    /// Whether the buyer has said goodbye.
    pub thanked: bool,
    /// Whether an agent has spoken.
    pub served: bool,
    /// How often the buyer has asked whether an agent is there.
    pub nudges: u64,
    /// Whether the buyer had to wait longer than it liked.
    pub waited_long: bool,
    /// Whether an agent was short with the buyer.
    pub treated_rudely: bool,
    /// Whether it has been transferred to a colleague.
    pub transferred: bool,
    /// Whether the buyer has closed the page while it waited.
    pub left_page: bool,
    /// When it closed, and the agent who had it then.
    pub closed_with: Option<(Moment, AgentNumber)>,
}

impl Chat {
    /// A chat that begins.
    pub fn new(number: ChatNumber, buyer: usize, visit: BuyerVisit, turns_left: u64) -> Chat {
        Chat {
            id: format!("{SESSION_PREFIX}{:04}", number + 1),
            buyer,
            visit,
            with: if visit.bot {
                ChatPlace::Bot
            } else {
                ChatPlace::Nobody
            },
            plan: 0,
            waits: 0,
            turns_left,
            unanswered: None,
            opened: false,
            thanked: false,
            served: false,
            nudges: 0,
            waited_long: false,
            treated_rudely: false,
            transferred: false,
            left_page: false,
            closed_with: None,
        }
    }

    /// The agent who has it.
    pub fn agent(&self) -> Option<AgentNumber> {
        match self.with {
            ChatPlace::Agent(agent) => Some(agent),
            ChatPlace::Nobody | ChatPlace::Bot | ChatPlace::Queue(_) | ChatPlace::Closed => None,
        }
    }

    /// Whether it is open, and nothing has happened since `plan` was made.
    pub fn follows(&self, plan: u32) -> bool {
        self.plan == plan && self.with != ChatPlace::Closed
    }

    /// Voids what was planned; the number of the new plan.
    pub fn replan(&mut self) -> u32 {
        self.plan += 1;
        self.plan
    }
}

/// The chat of a session.
pub fn chat_of(session: &str) -> Option<ChatNumber> {
    let number: usize = session.strip_prefix(SESSION_PREFIX)?.parse().ok()?;
    number.checked_sub(1)
}

/// A buyer.
pub struct SampleBuyer {
    /// Its id.
    pub id: String,
    /// Whether it has a chat now.
    pub busy: bool,
    /// Whether the platform has flagged it.
    pub flagged: bool,
    /// Whether the gateway has a priority to report for it.
    pub unreported_priority: bool,
    /// Whether the shop has blocked it.
    pub blocked: bool,
}

/// An agent at work.
pub struct AgentDesk {
    /// Its presence.
    pub presence: Presence,
    /// The chats in which a buyer waits for its answer.
    pub inbox: VecDeque<ChatNumber>,
    /// Whether it is writing.
    pub writing: bool,
    /// How many chats it has.
    pub load: u64,
    /// Whether the shop has set it away.
    pub set_away: bool,
}

impl AgentDesk {
    /// An agent who has not come yet.
    pub fn empty() -> AgentDesk {
        AgentDesk {
            presence: Presence::Offline,
            inbox: VecDeque::new(),
            writing: false,
            load: 0,
            set_away: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_names_its_chat() {
        for (session, chat) in [
            ("s-0001", Some(0)),
            ("s-12345", Some(12_344)),
            ("s-0000", None),
            ("x", None),
        ] {
            assert_eq!(chat_of(session), chat, "{session}");
        }
    }
}
