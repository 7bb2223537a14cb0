//! Answers after the close (S10, T1d).

use crate::model::session::Place;
use crate::model::shop::{Answer, Shop};
use crate::model::value::Ms;

impl Shop {
    /// An `agent.message` on a closed session. `own` is its own instant.
    pub fn answer_after_close(
        &mut self,
        index: usize,
        agent: Option<&str>,
        human: bool,
        own: Ms,
    ) -> Answer {
        let session = &self.sessions[index];
        let Place::Closed { at: closed } = session.place else {
            unreachable!("it is closed");
        };
        let soon = self.clock < closed + self.policy.session.late_reply; // S10
        let meanwhile = own < self.clock && own <= closed; // T1d
        let Some(last) = session.last_agent.clone() else {
            return Err("session_closed".into());
        };
        if agent.is_some_and(|agent| agent != last) || !(soon || meanwhile) {
            return Err("session_closed".into());
        }
        if human {
            self.misses.remove(&last); // R10e
            let mended = self.answer_messages(index, own);
            self.judge_reply_rates(mended);
        }
        Ok(())
    }
}
