//! Addresses that webhooks may go to: those that everybody can reach, unless the settings let them into private networks.
//!
//! What is checked is what is called: a name is looked up once a connection, every address that it has must be public, and
//! the connection goes to one of just those. An address in the URL is checked in the form that the URL standard makes of
//! it, in which decimal, octal and shortened spellings are all the same.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The longest URL of an endpoint.
pub const URL_BYTES_MAX: usize = 2048;

/// What to do where a private address is wanted.
const ALLOW: &str =
    "set `webhook.private_addresses` to true if endpoints may be in a private network";

/// Looks names up.
pub trait Lookup: Send + Sync {
    /// The addresses of a host.
    fn lookup(&self, host: String)
    -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
}

/// As the operating system does.
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(
        &self,
        host: String,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Whether an address is one that everybody can reach, by the registries of special addresses (RFC 6890 and after).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let special = match (a, b, c) {
        // This network, private, loopback, link-local.
        (0 | 10 | 127, _, _) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _) => true,
        // Behind a provider's NAT; protocol assignments; documentation; 6to4 relays; benchmarks.
        (100, 64..=127, _) | (192, 0, 0 | 2) | (192, 88, 99) | (198, 18..=19, _) => true,
        (198, 51, 100) | (203, 0, 113) => true,
        // Multicast, reserved, broadcast.
        (224..=255, _, _) => true,
        _ => false,
    };
    !special
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    if let Some(v4) = v6.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let [a, b, c, ..] = v6.segments();
    // Only what is given out as global unicast, without Teredo, ORCHID, documentation and 6to4; NAT64 lies outside.
    let global = (0x2000..=0x3fff).contains(&a);
    let special = match (a, b, c) {
        (0x2001, 0..=0x1ff, _) | (0x2001, 0xdb8, _) | (0x2002, _, _) => true,
        (0x3fff, 0..=0xfff, _) => true,
        _ => false,
    };
    global && !special
}

/// The address that a URL names itself; nothing where it names a host.
fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse().ok()
}

/// Refuses an address that is not public.
fn refuse(address: IpAddr) -> Result<(), String> {
    match is_public(address) {
        true => Ok(()),
        false => Err(format!("the address {address} is private: {ALLOW}")),
    }
}

/// Whether a URL may be called, as far as it says itself; names are looked up when it is.
pub fn check_url(url: &Url, private_allowed: bool) -> Result<(), String> {
    if private_allowed {
        return Ok(());
    }
    if let Some(address) = literal(url) {
        return refuse(address);
    }
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let local =
        host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost");
    match local {
        true => Err(format!("{host} is this machine: {ALLOW}")),
        false => Ok(()),
    }
}

/// Reads the URL of an endpoint.
///
/// # Errors
///
/// It is none that can be called: why, and what to do.
pub fn read_url(text: &str, private_allowed: bool) -> Result<Url, String> {
    let wrong =
        |why: &str| format!("`url` {why}: give one like \"https://gateway.example/xiaoer\".");
    if text.len() > URL_BYTES_MAX {
        return Err(wrong(&format!("is longer than {URL_BYTES_MAX} bytes")));
    }
    let url = Url::parse(text).map_err(|error| wrong(&format!("is no URL ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "has a user or a password in it, which the signature makes needless",
        ));
    }
    if url.fragment().is_some() {
        return Err(wrong("has a fragment, which is never sent"));
    }
    check_url(&url, private_allowed).map_err(|why| format!("`url`: {why}."))?;
    Ok(url)
}

/// Gives a connection the addresses that were checked.
pub struct Checked {
    /// Who looks names up.
    pub lookup: Arc<dyn Lookup>,
    /// Whether private ones may be called.
    pub private_allowed: bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let (looking, private_allowed) = (self.lookup.lookup(host.clone()), self.private_allowed);
        Box::pin(async move {
            let found = looking.await?;
            if found.is_empty() {
                return Err(format!("{host} has no address").into());
            }
            if !private_allowed {
                // One that is private is enough: whoever answers for the name could choose.
                found.iter().try_for_each(|address| refuse(*address))?;
            }
            let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}
