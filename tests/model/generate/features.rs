//! Which sections of the rules a shop of a generated trace exercises: one alone, several, all, or none.

use super::dice::Dice;

#[derive(Clone, Copy, Default, Debug)]
pub struct Features {
    /// R10.
    pub take_back: bool,
    /// R5b.
    pub hand_over: bool,
    /// H1 to H3.
    pub hours: bool,
    /// R11.
    pub priority: bool,
    /// R14.
    pub no_queue: bool,
    /// S7.
    pub giving_up: bool,
    /// S8.
    pub after_work: bool,
    /// S10.
    pub late_answers: bool,
    /// T1.
    pub lateness: bool,
    /// B1.
    pub blocks: bool,
    /// M4's judged ratings, M12, M13, `in_hours`, `effective_bot`.
    pub scores: bool,
    /// Nothing that the second edition added: every new key has the value that is as it was, and there are no new
    /// events.
    pub as_it_was: bool,
}

const NUMBER: usize = 11;

impl Features {
    pub fn as_it_was() -> Features {
        Features {
            as_it_was: true,
            ..Features::default()
        }
    }

    pub fn some(dice: &mut Dice) -> Features {
        let mut features = Features::default();
        match dice.weighted(&[20, 25, 45, 10]) {
            0 => features.set(|_| true),
            1 => {
                let only = dice.below(NUMBER);
                features.set(|number| number == only);
            }
            2 => features.set(|_| dice.chance(45)),
            _ => {}
        }
        features
    }

    fn set(&mut self, mut is_on: impl FnMut(usize) -> bool) {
        let all: [&mut bool; NUMBER] = [
            &mut self.take_back,
            &mut self.hand_over,
            &mut self.hours,
            &mut self.priority,
            &mut self.no_queue,
            &mut self.giving_up,
            &mut self.after_work,
            &mut self.late_answers,
            &mut self.lateness,
            &mut self.blocks,
            &mut self.scores,
        ];
        for (number, feature) in all.into_iter().enumerate() {
            *feature = is_on(number);
        }
    }
}
