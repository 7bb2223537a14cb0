//! The source of addresses: of names, and of this machine.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;

/// A look-up in progress.
pub type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Resolves names, and lists the addresses of this machine. Tests have their own.
pub trait Lookup: Send + Sync {
    /// Resolves a name. An empty list or an error: the name cannot be called.
    fn lookup(&self, host: &str) -> LookupFuture;

    /// The addresses of this machine's interfaces, as they are now.
    ///
    /// # Errors
    ///
    /// The system gives no list.
    fn own_addresses(&self) -> io::Result<Vec<IpAddr>> {
        of_this_machine()
    }
}

/// The list of the system.
fn of_this_machine() -> io::Result<Vec<IpAddr>> {
    let all = if_addrs::get_if_addrs()?;
    Ok(all.iter().map(if_addrs::Interface::ip).collect())
}
