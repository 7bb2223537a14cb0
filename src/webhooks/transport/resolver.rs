//! Names looked up once a connection: what is connected to is what was checked.
//!
//! A name whose owner answers now a public address and now a private one gets nowhere: the addresses that were looked
//! at are the ones that are handed on, and where one of them may not be called, none is.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::thread;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::dns::{Dns, asker};
use super::interfaces::OwnAddresses;
use super::lookup::{Looking, Lookup};
use super::url_policy;

/// Memory for a thread that looks a name up.
const STACK_BYTES: usize = 512 * 1024;

/// The system's resolver: its hosts file, its name servers. How many names are looked up at once is for others to say.
#[derive(Default)]
pub struct SystemLookup(());

impl SystemLookup {
    /// The system's resolver.
    pub fn new() -> SystemLookup {
        SystemLookup::default()
    }
}

impl Lookup for SystemLookup {
    fn lookup(&self, host: &str) -> Looking {
        let host = host.to_owned();
        Box::pin(async move {
            let (tell, told) = tokio::sync::oneshot::channel();
            let look = move || {
                let found = (host.as_str(), 0).to_socket_addrs();
                let found = found.map(|found| found.map(|address| address.ip()).collect());
                // Nobody may wait for it any more.
                tell.send(found).ok();
            };
            // A thread of its own: it may be gone for as long as the name's servers like.
            let thread = thread::Builder::new().name("lookup".to_owned());
            thread.stack_size(STACK_BYTES).spawn(look)?;
            told.await.map_err(io::Error::other)?
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

/// Looks names up for the client, and hands on none that may not be called.
pub(super) struct Checked {
    pub dns: Arc<Dns>,
    pub own: Arc<OwnAddresses>,
    pub private_allowed: bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        // While this is called, and no longer, it is known whose call it is for.
        let (asker, host) = (asker(), name.as_str().to_owned());
        let (dns, own) = (Arc::clone(&self.dns), Arc::clone(&self.own));
        let private_allowed = self.private_allowed;
        Box::pin(async move {
            let found = dns.find(&host, asker).await.map_err(AddressRefused)?;
            let checked = match private_allowed {
                true => found,
                false => check(&host, found, &own)?,
            };
            // The port is the URL's.
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
    // Which address it is, is not said: whoever registers endpoints need not learn where in the network things are.
    Err(AddressRefused(url_policy::private(&format!(
        "an address of {host}"
    ))))
}
