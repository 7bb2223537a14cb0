//! Which addresses may be called: public ones, unless the settings allow private ones.
//!
//! An address is looked at three times: where it is registered, before each call, and, where its host is a name, once
//! more when the name has been looked up ([`resolving`](super::resolving)). The URL standard writes every spelling of
//! an IPv4 address as one (`0x7f.1`, `2130706433`, `127.0.0.1.`), so what is looked at is what is called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// The longest address, in bytes.
pub const URL_BYTES_MAX: usize = 2048;

/// The setting that allows private addresses, as messages name it.
const SETTING: &str = "webhook.private_addresses";

/// Reads an endpoint's address; where it may not be called, what would be right.
pub fn read_url(text: &str, private_allowed: bool) -> Result<Url, String> {
    if text.len() > URL_BYTES_MAX {
        return Err(format!(
            "the address is longer than {URL_BYTES_MAX} bytes; make it shorter"
        ));
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(
            "the address holds a blank or a control character; write it as %20 or leave it out"
                .to_owned(),
        );
    }
    let url = Url::parse(text).map_err(|error| {
        format!("the address is no URL ({error}); give one like https://example.com/hook")
    })?;
    check(&url, private_allowed)?;
    Ok(url)
}

/// Whether a URL may be called; where it may not, what would be right. A host that is a name is judged again once it
/// has been looked up.
pub(super) fn check(url: &Url, private_allowed: bool) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "the address begins with {}:; it must begin with http:// or https://",
            url.scheme()
        ));
    }
    // The normal form may be longer than what was sent; it is what is kept and read again.
    if url.as_str().len() > URL_BYTES_MAX {
        return Err(format!(
            "the address is longer than {URL_BYTES_MAX} bytes once it is escaped; make it shorter"
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "the address holds a user or a password; leave them out: what is sent is signed"
                .to_owned(),
        );
    }
    if url.fragment().is_some() {
        return Err(
            "the address holds a fragment (#…), which no server is told; leave it out".to_owned(),
        );
    }
    if url.port() == Some(0) {
        return Err("the address has the port 0, where nobody listens; give another".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() {
        return Err("the address has no host; give one like https://example.com/hook".to_owned());
    }
    if private_allowed {
        return Ok(());
    }
    match literal(host) {
        Some(address) if !is_public(address) => Err(private(&format!("the address {address}"))),
        None if is_localhost(host) => Err(format!(
            "the name {host} is this machine's own, and {SETTING} is off: give a public address, or set {SETTING} to true"
        )),
        Some(_) | None => Ok(()),
    }
}

/// Why a private address is not called, and what would be right.
pub(super) fn private(what: &str) -> String {
    format!(
        "{what} is private, and {SETTING} is off: give a public address, or set {SETTING} to true"
    )
}

/// The address that a URL's host is, where it is no name.
fn literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => host.parse().ok().map(IpAddr::V4),
    }
}

/// Whether a name is this machine's own everywhere (RFC 6761).
fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host == "localhost" || host.ends_with(".localhost")
}

/// Whether an address is one of the public internet's: not of this machine, of a network of somebody's own, of
/// documentation, of a group, or of a way through to such an address.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => is_public_v6(address),
        },
    }
}

/// What of IPv4 is not public (RFC 6890 and its registry): the network, and how many of its bits count.
const PRIVATE_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),          // this network
    ([10, 0, 0, 0], 8),         // private
    ([100, 64, 0, 0], 10),      // a carrier's own
    ([127, 0, 0, 0], 8),        // this machine
    ([169, 254, 0, 0], 16),     // link-local; a cloud's metadata
    ([172, 16, 0, 0], 12),      // private
    ([192, 0, 0, 0], 24),       // the protocol's own
    ([192, 0, 2, 0], 24),       // documentation
    ([192, 88, 99, 0], 24),     // a way to IPv6 that is no more
    ([192, 168, 0, 0], 16),     // private
    ([198, 18, 0, 0], 15),      // measurements
    ([198, 51, 100, 0], 24),    // documentation
    ([203, 0, 113, 0], 24),     // documentation
    ([224, 0, 0, 0], 4),        // groups
    ([240, 0, 0, 0], 4),        // reserved
    ([255, 255, 255, 255], 32), // everybody
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !PRIVATE_V4.iter().any(|&(network, length)| {
        let network = Ipv4Addr::from(network).to_bits();
        (bits ^ network).leading_zeros() >= length
    })
}

/// What of IPv6 is public: only `2000::/3` is given out at all. Loopback, unique local, link-local and site-local
/// addresses, groups, IPv4-compatible ones and NAT64 all lie outside.
const GIVEN_OUT_V6: (u128, u32) = (0x2000 << 112, 3);

/// What of that is not public. Tunnels carry an IPv4 address that nobody would look at, so they are refused wholly.
const PRIVATE_V6: [(u128, u32); 4] = [
    (0x2001 << 112, 23),                    // the protocol's own; Teredo
    ((0x2001 << 112) | (0x0db8 << 96), 32), // documentation
    (0x2002 << 112, 16),                    // 6to4
    (0x3fff << 112, 20),                    // documentation
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within =
        |&(network, length): &(u128, u32)| (address.to_bits() ^ network).leading_zeros() >= length;
    within(&GIVEN_OUT_V6) && !PRIVATE_V6.iter().any(within)
}
