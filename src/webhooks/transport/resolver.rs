//! Resolves a name once for each connection: the address that is checked is the address that is called.
//!
//! A name that answers with a public and a private address in turn gains nothing: the checked addresses are the ones
//! that are used, and where one of them is not allowed, none is used.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::thread;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::interfaces::OwnAddresses;
use super::lookup::{Lookup, LookupFuture};
use super::lookup_budget::{Dns, caller};
use super::url_policy;

/// Memory for a thread that looks a name up.
const STACK_BYTES: usize = 512 * 1024;

/// The system's resolver: its hosts file and its name servers. The caller limits how many names are resolved at once.
#[derive(Default)]
pub struct SystemLookup(());

impl SystemLookup {
    /// The system's resolver.
    pub fn new() -> SystemLookup {
        SystemLookup::default()
    }
}

impl Lookup for SystemLookup {
    fn lookup(&self, host: &str) -> LookupFuture {
        let host = host.to_owned();
        Box::pin(async move {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let look = move || {
                let found = (host.as_str(), 0).to_socket_addrs();
                let found = found.map(|found| found.map(|address| address.ip()).collect());
                // The caller may not wait any more.
                sender.send(found).ok();
            };
            // A thread of its own, since it may wait for as long as the name's servers take.
            let thread = thread::Builder::new().name("lookup".to_owned());
            thread.stack_size(STACK_BYTES).spawn(look)?;
            receiver.await.map_err(io::Error::other)?
        })
    }
}

/// Why a name's addresses are not called.
#[derive(Debug)]
pub(super) struct AddressRefused(pub String);

impl std::fmt::Display for AddressRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AddressRefused {}

/// Resolves names for the client, and returns allowed addresses only.
pub(super) struct Checked {
    pub dns: Arc<Dns>,
    pub own: Arc<OwnAddresses>,
    pub private_allowed: bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        // The endpoint of the call is known only while this is called.
        let (caller, host) = (caller(), name.as_str().to_owned());
        let (dns, own) = (Arc::clone(&self.dns), Arc::clone(&self.own));
        let private_allowed = self.private_allowed;
        Box::pin(async move {
            let found = dns.find(&host, caller).await.map_err(AddressRefused)?;
            let checked = match private_allowed {
                true => found,
                false => check(&host, found, &own)?,
            };
            // The URL gives the port.
            let addresses = checked
                .into_iter()
                .map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

fn check(
    host: &str,
    found: Vec<IpAddr>,
    own: &OwnAddresses,
) -> Result<Vec<IpAddr>, AddressRefused> {
    let good = |address: &IpAddr| url_policy::is_public(*address) && !own.has(*address);
    if found.iter().all(good) {
        return Ok(found);
    }
    // The address is not named: a user who registers endpoints need not learn the addresses of the network.
    Err(AddressRefused(url_policy::private(&format!(
        "an address of {host}"
    ))))
}
