//! Names looked up once a connection: what is connected to is what was checked.
//!
//! A name whose owner answers now a public address and now a private one gets nowhere: the addresses that were looked
//! at are the ones that are handed on, and where one of them may not be called, none is.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::address;
use crate::env::blocking;

/// How many names are looked up at once. Looking up takes a thread of those that the journal reads with, for as long
/// as the name's servers like.
const LOOKUPS_MAX: usize = 32;

/// The addresses of a name, some time later.
pub type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Who knows the addresses of names. Tests bring their own.
pub trait Lookup: Send + Sync {
    /// Looks a name up. No addresses, or an error: it cannot be called.
    fn lookup(&self, host: &str) -> Looking;
}

/// The system's resolver: its hosts file, its name servers.
pub struct SystemLookup(Arc<Semaphore>);

impl SystemLookup {
    /// One that looks up 32 names at once, at most.
    pub fn new() -> SystemLookup {
        SystemLookup(Arc::new(Semaphore::new(LOOKUPS_MAX)))
    }
}

impl Default for SystemLookup {
    fn default() -> SystemLookup {
        SystemLookup::new()
    }
}

impl Lookup for SystemLookup {
    fn lookup(&self, host: &str) -> Looking {
        let (permits, host) = (Arc::clone(&self.0), host.to_owned());
        Box::pin(async move {
            let permit = permits.acquire_owned().await.map_err(io::Error::other)?;
            let found = blocking(move || {
                // Nobody may wait for it any more, but it still has its thread.
                let _permit = permit;
                let found = (host.as_str(), 0).to_socket_addrs()?;
                Ok(found.map(|address| address.ip()).collect())
            });
            found
                .await
                .map_err(|error| io::Error::other(error.to_string()))?
        })
    }
}

/// Why a name's addresses are not called.
#[derive(Debug)]
pub(super) struct Refused(pub String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// Looks names up for the client, and hands on none that may not be called.
pub(super) struct Checked {
    pub lookup: Arc<dyn Lookup>,
    pub private_allowed: bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let looking = self.lookup.lookup(name.as_str());
        let (host, private_allowed) = (name.as_str().to_owned(), self.private_allowed);
        Box::pin(async move {
            let found = looking
                .await
                .map_err(|error| Refused(format!("the name {host} was not found: {error}")))?;
            let checked = check(&host, found, private_allowed)?;
            // The port is the URL's.
            let addresses = checked
                .into_iter()
                .map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

fn check(host: &str, found: Vec<IpAddr>, private_allowed: bool) -> Result<Vec<IpAddr>, Refused> {
    if found.is_empty() {
        return Err(Refused(format!("the name {host} has no address")));
    }
    if private_allowed || found.iter().all(|address| address::is_public(*address)) {
        return Ok(found);
    }
    // Which address it is, is not said: whoever registers endpoints need not learn where in the network things are.
    Err(Refused(address::private(&format!("an address of {host}"))))
}
