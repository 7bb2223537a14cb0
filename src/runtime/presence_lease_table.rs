//! The presence leases of all shops: durations and expiry times.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant};

/// The delay before a shop is asked again to end an expired lease.
const AGAIN: Duration = Duration::from_ms(1_000);

/// The leases of all shops.
pub(super) struct Leases {
    grace: Duration,
    table: Mutex<LeaseIndex>,
}

#[derive(Default)]
struct LeaseIndex {
    shops: HashMap<Id, BTreeMap<Id, Lease>>,
    /// The times at which leases are due for a check.
    due: BTreeSet<(Instant, Id, Id)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lease {
    length: Duration,
    /// The expiry time, grace period included.
    expires_at: Instant,
    /// The time of the next check: the expiry time, or later after a failed attempt.
    check_at: Instant,
}

impl Leases {
    pub(super) fn new(grace: Duration) -> Leases {
        Leases {
            grace,
            table: Mutex::default(),
        }
    }

    fn table(&self) -> MutexGuard<'_, LeaseIndex> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates or renews a lease. Returns the duration of the previous one.
    pub(super) fn renew(
        &self,
        shop: &Id,
        agent: &Id,
        length: Duration,
        now: Instant,
    ) -> Option<Duration> {
        let mut table = self.table();
        let before = table.end(shop, agent);
        let expires_at = now + length + self.grace;
        table.due.insert((expires_at, shop.clone(), agent.clone()));
        let lease = Lease {
            length,
            expires_at,
            check_at: expires_at,
        };
        let of_shop = table.shops.entry(shop.clone()).or_default();
        of_shop.insert(agent.clone(), lease);
        before
    }

    /// Whether the agent has a lease.
    pub(super) fn has(&self, shop: &Id, agent: &Id) -> bool {
        let table = self.table();
        let leases = table.shops.get(shop);
        leases.is_some_and(|leases| leases.contains_key(agent))
    }

    /// Ends a lease. Returns whether there was one.
    pub(super) fn end(&self, shop: &Id, agent: &Id) -> bool {
        self.table().end(shop, agent).is_some()
    }

    /// Removes the leases of a deleted shop.
    pub(super) fn remove_shop(&self, shop: &Id) {
        let mut table = self.table();
        let leases = table.shops.remove(shop).unwrap_or_default();
        for (agent, lease) in leases {
            table.due.remove(&(lease.check_at, shop.clone(), agent));
        }
    }

    /// The agents of a shop whose leases have expired.
    pub(super) fn expired(&self, shop: &Id, now: Instant) -> Vec<Id> {
        let table = self.table();
        let leases = table.shops.get(shop).into_iter().flatten();
        let expired = leases.filter(|(_, lease)| lease.expires_at <= now);
        expired.map(|(agent, _)| agent.clone()).collect()
    }

    /// Shops with expired leases, at most `limit`. Each is due again after a delay, in case the attempt fails.
    pub(super) fn due(&self, now: Instant, limit: usize) -> BTreeSet<Id> {
        let mut table = self.table();
        let mut shops = BTreeSet::new();
        while shops.len() < limit
            && table
                .due
                .first()
                .is_some_and(|(check_at, ..)| *check_at <= now)
            && let Some((_, shop, agent)) = table.due.pop_first()
        {
            let leases = table.shops.get_mut(&shop);
            if let Some(lease) = leases.and_then(|leases| leases.get_mut(&agent)) {
                lease.check_at = now + AGAIN;
                table.due.insert((now + AGAIN, shop.clone(), agent));
            }
            shops.insert(shop);
        }
        shops
    }
}

impl LeaseIndex {
    pub(super) fn end(&mut self, shop: &Id, agent: &Id) -> Option<Duration> {
        let leases = self.shops.get_mut(shop)?;
        let lease = leases.remove(agent)?;
        if leases.is_empty() {
            self.shops.remove(shop);
        }
        self.due
            .remove(&(lease.check_at, shop.clone(), agent.clone()));
        Some(lease.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Instant {
        Instant::from_ms(s * 1000)
    }

    fn seconds(s: i64) -> Duration {
        Duration::from_ms(s * 1000)
    }

    #[test]
    fn a_lease_is_over_after_its_grace_and_named_until_it_is_ended() {
        let (s, anna, bo) = (Id::known("s"), Id::known("anna"), Id::known("bo"));
        let leases = Leases::new(seconds(10));
        assert_eq!(leases.renew(&s, &anna, seconds(30), at(0)), None);
        assert_eq!(leases.renew(&s, &bo, seconds(30), at(5)), None);
        assert_eq!(leases.renew(&s, &bo, seconds(60), at(6)), Some(seconds(30)));
        for (now, over, due) in [
            (39, vec![], false),
            (40, vec![&anna], true),
            (40, vec![&anna], false),
            (41, vec![&anna], true),
            (75, vec![&anna], true),
            (76, vec![&anna, &bo], true),
        ] {
            assert_eq!(
                leases.expired(&s, at(now)).iter().collect::<Vec<_>>(),
                over,
                "{now}"
            );
            assert_eq!(leases.due(at(now), 9).contains(&s), due, "{now}");
        }
        assert!(leases.end(&s, &anna) && !leases.end(&s, &anna));
        assert_eq!(
            leases.renew(&s, &bo, seconds(60), at(76)),
            Some(seconds(60))
        );
        assert!(leases.due(at(145), 9).is_empty() && leases.expired(&s, at(145)).is_empty());
        leases.remove_shop(&s);
        assert!(leases.due(at(1000), 9).is_empty() && leases.table().shops.is_empty());
    }

    #[test]
    fn many_shops_are_named_in_turn() {
        let leases = Leases::new(seconds(0));
        let shop = |n: u32| Id::new(&format!("s{n}")).unwrap();
        for n in 0..5 {
            leases.renew(&shop(n), &Id::known("anna"), seconds(1), at(i64::from(n)));
        }
        let first = leases.due(at(9), 3);
        let then = leases.due(at(9), 3);
        assert_eq!((first.len(), then.len()), (3, 2));
        assert!(first.is_disjoint(&then));
    }
}
