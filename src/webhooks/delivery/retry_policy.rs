//! The retry schedule: quick retries for a minute, then longer and longer waits over three days.

use crc32fast::hash;

use crate::domain::base::time::Duration;

/// The waits after the first, the second, … failed attempt, in seconds. After the last one the message is given up.
///
/// The long waits are the example of the Standard Webhooks specification: 75 hours and 35 minutes.
const WAITS_S: [i64; 11] = [
    5, 10, 20, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400,
];

/// The largest change of a wait, in thousandths, so that messages that failed together are not retried together.
const JITTER_PER_MILLE: i64 = 100;

/// The longest wait that an endpoint may ask for.
pub const RETRY_AFTER_MAX: Duration = Duration::days(1);

/// The wait after so many failed attempts; `None` where the message is given up. The jitter is a hash of the message,
/// so that the same message waits equally long in every run.
pub fn wait_after(tries: u32, message: &str) -> Option<Duration> {
    let wait_ms = WAITS_S.get(tries.checked_sub(1)? as usize)? * 1000;
    let luck = i64::from(hash(format!("{message}/{tries}").as_bytes()));
    let per_mille = luck % (2 * JITTER_PER_MILLE + 1) - JITTER_PER_MILLE;
    Some(Duration::from_ms(wait_ms + wait_ms * per_mille / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_over_three_days_with_a_tenth_of_jitter() {
        let mut total = 0;
        for (tries, wait_s) in (1..).zip(WAITS_S) {
            let (mut least, mut most) = (i64::MAX, 0);
            for message in 0..500 {
                let wait = wait_after(tries, &format!("m{message}")).unwrap().ms();
                (least, most) = (least.min(wait), most.max(wait));
                assert!((wait_s * 900..=wait_s * 1100).contains(&wait));
            }
            assert!(
                most - least > wait_s * 150,
                "{least} to {most}: all the same"
            );
            total += wait_s;
        }
        assert_eq!(total, 35 + 75 * 3600 + 35 * 60);
        assert_eq!(wait_after(12, "m"), None);
        assert_eq!(wait_after(0, "m"), None);
        assert_eq!(wait_after(4, "m"), wait_after(4, "m"));
    }
}
