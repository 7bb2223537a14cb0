//! Quotas of one shop on shared resources: memory of records that wait to be written, and disk.
//!
//! *Memory*: records wait for the next commit. If a shop exceeds its quota, its requests are answered as busy, while
//! other shops continue.
//!
//! *Disk*: a token bucket of `bytes_per_hour_max` bytes, refilled at that rate per hour. Records of timers and leases
//! count, but are never refused. The level survives passivation. After a restart it is computed from the records after
//! the shop's latest snapshot.

use crate::journal::Claimed;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;

/// Milliseconds in an hour.
const HOUR_MS: u64 = 3_600_000;

/// The number of entries above which full buckets are removed.
const FORGET_ABOVE: usize = 1024;

/// The limits of one shop.
#[derive(Clone, Copy, Debug)]
pub struct ShopQuota {
    /// The maximum number of bytes that wait to be written.
    pub waiting_bytes_max: u64,
    /// The maximum number of bytes written in an hour. 0 means no limit.
    pub bytes_per_hour_max: u64,
}

/// The usage of all shops.
pub(super) struct ShopQuotas {
    quota: ShopQuota,
    written: Mutex<QuotaUsage>,
}

struct QuotaUsage {
    of: HashMap<Id, QuotaLevel>,
    forget_above: usize,
}

/// The used bytes of a bucket at an instant.
#[derive(Clone, Copy)]
struct QuotaLevel {
    bytes: u64,
    at: Instant,
}

impl QuotaLevel {
    /// The used bytes at `now`. If the clock goes back, the level stays.
    fn now(self, per_hour: u64, now: Instant) -> u64 {
        let passed_ms = now.ms().saturating_sub(self.at.ms()).max(0) as u64;
        let regained = u128::from(passed_ms) * u128::from(per_hour) / u128::from(HOUR_MS);
        self.bytes
            .saturating_sub(regained.min(u128::from(u64::MAX)) as u64)
    }
}

impl ShopQuotas {
    pub(super) fn new(quota: ShopQuota) -> ShopQuotas {
        ShopQuotas {
            quota,
            written: Mutex::new(QuotaUsage {
                of: HashMap::new(),
                forget_above: FORGET_ABOVE,
            }),
        }
    }

    /// Whether written bytes are counted.
    pub(super) fn counts(&self) -> bool {
        self.quota.bytes_per_hour_max > 0
    }

    /// Whether a shop's waiting bytes exceed its limit.
    pub(super) fn is_too_much(&self, waiting: &PendingBytes) -> bool {
        waiting.bytes.load(Ordering::Relaxed) > self.quota.waiting_bytes_max
    }

    /// In how many seconds the shop may write again. `None` if it may write now.
    pub(super) fn wait_s(&self, shop: &Id, now: Instant) -> Option<u64> {
        if !self.counts() {
            return None;
        }
        let max = self.quota.bytes_per_hour_max;
        let level = self.written().of.get(shop)?.now(max, now);
        let above = level.checked_sub(max).filter(|&above| above > 0)?;
        let wait_ms = (u128::from(above) * u128::from(HOUR_MS)).div_ceil(u128::from(max));
        Some((wait_ms.div_ceil(1000)).min(u128::from(u64::MAX)) as u64)
    }

    /// Counts bytes that a shop wrote.
    pub(super) fn wrote(&self, shop: &Id, bytes: u64, now: Instant) {
        if !self.counts() || bytes == 0 {
            return;
        }
        let max = self.quota.bytes_per_hour_max;
        let mut written = self.written();
        let before = written.of.get(shop).map_or(0, |level| level.now(max, now));
        let level = QuotaLevel {
            bytes: before.saturating_add(bytes),
            at: now,
        };
        match written.of.get_mut(shop) {
            Some(known) => *known = level,
            None => {
                written.of.insert(shop.clone(), level);
            }
        }
        if written.of.len() > written.forget_above {
            written.of.retain(|_, level| level.now(max, now) > 0);
            written.forget_above = (2 * written.of.len()).max(FORGET_ABOVE);
        }
    }

    /// Counts the records of a recovered shop, unless its level is known.
    pub(super) fn recovered(
        &self,
        shop: &Id,
        records: impl FnOnce() -> Vec<(Instant, u64)>,
        now: Instant,
    ) {
        if !self.counts() || self.written().of.contains_key(shop) {
            return;
        }
        for (at, bytes) in records() {
            self.wrote(shop, bytes, at.min(now));
        }
    }

    fn written(&self) -> MutexGuard<'_, QuotaUsage> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes that a shop has appended and that are not durable yet.
#[derive(Clone, Default)]
pub(super) struct PendingBytes {
    bytes: Arc<AtomicU64>,
    /// The part of them for which no callback exists yet.
    loose: u64,
}

impl PendingBytes {
    /// Adds appended bytes.
    pub(super) fn add(&mut self, bytes: u64) {
        self.loose += bytes;
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A callback that subtracts the bytes added so far. Call it once they are durable. `None` if there are none.
    pub(super) fn take(&mut self) -> Option<impl FnOnce() + Send + use<>> {
        let loose = std::mem::take(&mut self.loose);
        let bytes = (loose > 0).then(|| Arc::clone(&self.bytes))?;
        Some(move || {
            bytes.fetch_sub(loose, Ordering::Relaxed);
        })
    }
}

/// The times and lengths of the records after a shop's latest snapshot.
pub(super) fn written(claimed: &Claimed) -> Vec<(Instant, u64)> {
    let records = claimed.tail.iter();
    records
        .map(|record| {
            let bytes = record.text.len() + record.decisions.len();
            (record.at, bytes as u64)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = HOUR_MS as i64;

    fn at(ms: i64) -> Instant {
        Instant::from_ms(1_794_362_400_000 + ms)
    }

    fn quotas(bytes_per_hour_max: u64) -> ShopQuotas {
        ShopQuotas::new(ShopQuota {
            waiting_bytes_max: 10,
            bytes_per_hour_max,
        })
    }

    #[test]
    fn a_shop_writes_its_share_and_regains_it_and_others_are_not_asked() {
        let (quotas, shop, other) = (quotas(3_600), Id::known("s"), Id::known("t"));
        for (ms, bytes, wait) in [
            (0, 3_600, None),
            (0, 1, Some(1)),
            (500, 0, Some(1)),
            (1_000, 0, None),
            (1_000, 3_600, Some(3_600)),
            // If the clock goes back, nothing changes.
            (0, 0, Some(3_600)),
            (HOUR, 0, Some(1)),
            (HOUR + 1_000, 0, None),
            (9 * HOUR, 3_600, None),
            (9 * HOUR, 7_200, Some(7_200)),
        ] {
            quotas.wrote(&shop, bytes, at(ms));
            assert_eq!(quotas.wait_s(&shop, at(ms)), wait, "{bytes} at {ms}");
            assert_eq!(quotas.wait_s(&other, at(ms)), None);
        }
    }

    #[test]
    fn what_came_up_counts_once() {
        let (quotas, shop) = (quotas(3_600), Id::known("s"));
        let records = [(at(-2 * HOUR), 9_000), (at(0), 100)];
        for _ in 0..2 {
            quotas.recovered(&shop, || records.to_vec(), at(0));
            // 9,000 two hours ago are 1,800 now.
            let level = quotas.written().of[&shop].now(3_600, at(0));
            assert_eq!(level, 1_900);
        }
    }

    #[test]
    fn shops_that_have_regained_everything_are_forgotten() {
        let quotas = quotas(3_600);
        for number in 0..5 * FORGET_ABOVE {
            let shop = Id::new(&format!("s{number}")).unwrap();
            quotas.wrote(&shop, 1, at(number as i64 * 10_000));
        }
        assert!(quotas.written().of.len() <= FORGET_ABOVE + 1);
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let (quotas, shop) = (quotas(0), Id::known("s"));
        quotas.wrote(&shop, u64::MAX, at(0));
        assert_eq!(quotas.wait_s(&shop, at(0)), None);
        assert!(quotas.written().of.is_empty());
    }

    #[test]
    fn what_waits_goes_once_it_is_durable() {
        let quotas = quotas(0);
        let mut unwritten = PendingBytes::default();
        assert!(unwritten.take().is_none());
        unwritten.add(6);
        let first = unwritten.take().unwrap();
        unwritten.add(5);
        assert!(quotas.is_too_much(&unwritten));
        first();
        assert!(!quotas.is_too_much(&unwritten));
        unwritten.take().unwrap()();
        assert_eq!(unwritten.bytes.load(Ordering::Relaxed), 0);
    }
}
