//! How many connections without a valid key each address has.
//!
//! A connection is no longer counted once its client has shown a valid key, since the limits of the key apply then.
//! The connections of a proxy belong to many clients, so named proxies are not counted.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::settings::Network;

/// The bits of an IPv6 address that one client cannot choose.
const IPV6_CLIENT_BITS: u32 = 64;

/// The counts.
pub(super) struct Peers {
    max: usize,
    proxies: Vec<Network>,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection that counts, until this is dropped.
pub(super) struct CountedPeer {
    peers: Arc<Peers>,
    address: IpAddr,
}

impl Peers {
    pub(super) fn new(max: usize, proxies: Vec<Network>) -> Arc<Peers> {
        Arc::new(Peers {
            max,
            proxies,
            counts: Mutex::default(),
        })
    }

    /// Counts a connection from an address; `Err` where the address has reached its limit.
    pub(super) fn count(self: &Arc<Self>, address: IpAddr) -> Result<Option<CountedPeer>, Full> {
        if self.proxies.iter().any(|proxy| proxy.contains(address)) {
            return Ok(None);
        }
        let address = client(address);
        let mut counts = self.counts();
        let count = counts.entry(address).or_default();
        if *count >= self.max {
            return Err(Full);
        }
        *count += 1;
        drop(counts);
        Ok(Some(CountedPeer {
            peers: Arc::clone(self),
            address,
        }))
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An address has reached its limit of connections.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Drop for CountedPeer {
    fn drop(&mut self) {
        let mut counts = self.peers.counts();
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// The address under which all addresses of one client are counted.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = u128::from(address) >> IPV6_CLIENT_BITS << IPV6_CLIENT_BITS;
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_as_many_as_it_may_and_gives_them_back() {
        let proxies = vec![Network::parse("10.9.0.0/16").unwrap()];
        let peers = Peers::new(2, proxies);
        let mut held = Vec::new();
        for (address, comes_in) in [
            ("10.0.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("10.0.0.1", false),
            ("10.0.0.2", true),
            ("2001:db8::1", true),
            ("2001:db8::ffff:1", true),
            ("2001:db8::2", false),
            ("2001:db8:0:1::1", true),
            ("10.9.0.1", true),
            ("10.9.0.1", true),
            ("10.9.0.1", true),
        ] {
            let counted = peers.count(address.parse().unwrap());
            assert_eq!(counted.is_ok(), comes_in, "{address}");
            held.extend(counted);
        }
        drop(held);
        assert!(peers.counts().is_empty(), "nothing is left behind");
        assert!(peers.count("10.0.0.1".parse().unwrap()).is_ok());
    }
}
