//! The addresses of this machine's own interfaces. Where private addresses are not allowed these are not called
//! either, since services of this machine are behind them.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::env::Stopwatch;
use crate::webhooks::transport::lookup::Lookup;

/// How long a list is used: interfaces appear and disappear with containers and tunnels.
const LISTED_FOR: Duration = Duration::from_secs(5);

/// The list, as it was read last.
pub(super) struct OwnAddresses {
    lookup: Arc<dyn Lookup>,
    listed: Mutex<Option<(Stopwatch, Vec<IpAddr>)>>,
}

impl OwnAddresses {
    pub(super) fn new(lookup: Arc<dyn Lookup>) -> OwnAddresses {
        OwnAddresses {
            lookup,
            listed: Mutex::new(None),
        }
    }

    /// Whether an address is one of this machine's.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh =
            |(since, _): &(Stopwatch, _)| Duration::from_micros(since.micros()) < LISTED_FOR;
        if !listed.as_ref().is_some_and(fresh) {
            let known = listed.take().map(|(_, known)| known);
            let all = self.lookup.own_addresses().unwrap_or_else(|error| {
                tracing::warn!(%error, "the addresses of this machine cannot be listed; the last list is used");
                known.unwrap_or_default()
            });
            let all = all.iter().map(IpAddr::to_canonical).collect();
            *listed = Some((Stopwatch::start(), all));
        }
        let address = address.to_canonical();
        listed
            .as_ref()
            .is_some_and(|(_, all)| all.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_loopback() {
        let own = OwnAddresses::new(Arc::new(crate::webhooks::SystemLookup::new()));
        assert!(own.has(IpAddr::from([127, 0, 0, 1])));
        assert!(own.has("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!own.has(IpAddr::from([8, 8, 8, 8])));
    }
}
