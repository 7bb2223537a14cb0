//! Who knows the addresses of names, and of this machine.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;

/// The addresses of a name, some time later.
pub type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Who knows the addresses of names, and of this machine. Tests bring their own.
pub trait Lookup: Send + Sync {
    /// Looks a name up. No addresses, or an error: it cannot be called.
    fn lookup(&self, host: &str) -> Looking;

    /// The addresses of this machine's own interfaces, as they are now.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    fn own_addresses(&self) -> io::Result<Vec<IpAddr>> {
        of_this_machine()
    }
}

/// What the system lists.
fn of_this_machine() -> io::Result<Vec<IpAddr>> {
    let all = if_addrs::get_if_addrs()?;
    Ok(all.iter().map(if_addrs::Interface::ip).collect())
}
