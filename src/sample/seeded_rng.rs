//! Seeded random draws, the same for a seed on every machine.
//!
//! The stream is ChaCha8's, and every draw uses whole numbers only. So neither a platform's floating point nor another
//! version of the random crates can change a sample.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A stream of draws.
pub struct SeededRng(ChaCha8Rng);

impl SeededRng {
    /// The stream of this seed.
    pub fn new(seed: u64) -> SeededRng {
        SeededRng(ChaCha8Rng::seed_from_u64(seed))
    }

    /// From 0 to `end` − 1; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(end)) >> 64) as u64
    }

    /// From `range.0` to `range.1`, both included.
    pub fn between(&mut self, range: (u64, u64)) -> u64 {
        range.0 + self.below((range.1 + 1).saturating_sub(range.0))
    }

    /// True `percent` times of a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`, with their weights as probabilities. The sum of the weights must not be 0.
    pub fn weighted<T: Copy>(&mut self, choices: &[(u64, T)]) -> T {
        let sum = choices.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(sum);
        for &(weight, choice) in choices {
            if left < weight {
                return choice;
            }
            left -= weight;
        }
        choices[0].1
    }

    /// One of `choices`, which must not be empty.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same() {
        let draws = |seed| {
            let mut rng = SeededRng::new(seed);
            [rng.below(1000), rng.below(1000), rng.below(1000)]
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
    }

    #[test]
    fn draws_keep_to_their_bounds() {
        let mut rng = SeededRng::new(7);
        for _ in 0..1000 {
            assert!((3..=5).contains(&rng.between((3, 5))));
            assert_eq!(rng.below(1), 0);
            assert!(rng.chance(100) && !rng.chance(0));
            assert_eq!(rng.weighted(&[(0, 'a'), (2, 'b')]), 'b');
        }
    }
}
