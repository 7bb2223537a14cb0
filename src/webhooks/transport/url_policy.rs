//! Which addresses may be called: public ones, unless the settings allow private ones.
//!
//! An address is checked when it is registered, before each call, and, where its host is a name, once the name is
//! resolved ([`resolver`](super::resolver)). The URL standard gives each IPv4 address one spelling (`0x7f.1`,
//! `2130706433`, `127.0.0.1.`), so the address that is checked is the address that is called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// The longest address, in bytes.
pub const URL_BYTES_MAX: usize = 2048;

/// The setting that allows private addresses, as messages name it.
const SETTING: &str = "webhook.private_addresses";

/// Reads an endpoint's URL; the error says which URLs are allowed.
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
        format!("the address is not a URL ({error}); give one like https://example.com/hook")
    })?;
    check(&url, private_allowed)?;
    Ok(url)
}

/// Whether a URL may be called; the error says which are allowed. A name is checked again once it is resolved.
pub(super) fn check(url: &Url, private_allowed: bool) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "the address begins with {}:; it must begin with http:// or https://",
            url.scheme()
        ));
    }
    // The normal form may be longer than what was sent, and is what is stored.
    if url.as_str().len() > URL_BYTES_MAX {
        return Err(format!(
            "the address is longer than {URL_BYTES_MAX} bytes once it is escaped; make it shorter"
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "the address holds a user or a password; leave them out, because every call is signed"
                .to_owned(),
        );
    }
    if url.fragment().is_some() {
        return Err(
            "the address holds a fragment (#…), which is not sent to a server; leave it out"
                .to_owned(),
        );
    }
    if url.port() == Some(0) {
        return Err("the address has the port 0, which cannot be used; give another".to_owned());
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
            "the name {host} is this machine's own, and {SETTING} is off: give a public address, or set {SETTING} to \
             true"
        )),
        Some(_) | None => Ok(()),
    }
}

/// Why a private address is not called, and what is allowed.
pub(super) fn private(what: &str) -> String {
    format!(
        "{what} is private, and {SETTING} is off: give a public address, or set {SETTING} to true"
    )
}

/// The IP address that is a URL's host; `None` where it is a name.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => host.parse().ok().map(IpAddr::V4),
    }
}

/// Whether a name always means this machine (RFC 6761).
fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host == "localhost" || host.ends_with(".localhost")
}

/// Whether an address is public: not of this machine, a private network, documentation, multicast, or a tunnel to such
/// an address.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => is_public_v6(address),
        },
    }
}

/// IPv4 networks that are not public (RFC 6890 and its registry): the network and its prefix length.
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

/// IPv6 networks that are public: only `2000::/3` is assigned. Loopback, unique local, link-local, site-local,
/// multicast, IPv4-compatible and NAT64 addresses are outside of it.
const ASSIGNED_V6: (u128, u32) = (0x2000 << 112, 3);

/// Networks within it that are not public. Tunnels carry an IPv4 address that would not be checked, so they are
/// refused.
const PRIVATE_V6: [(u128, u32); 4] = [
    (0x2001 << 112, 23),                    // the protocol's own; Teredo
    ((0x2001 << 112) | (0x0db8 << 96), 32), // documentation
    (0x2002 << 112, 16),                    // 6to4
    (0x3fff << 112, 20),                    // documentation
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within =
        |&(network, length): &(u128, u32)| (address.to_bits() ^ network).leading_zeros() >= length;
    within(&ASSIGNED_V6) && !PRIVATE_V6.iter().any(within)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The first and the last address of a range that is not public and whose neighbours are.
    const STRETCHES: [(&str, &str); 13] = [
        ("0.0.0.0", "0.255.255.255"),
        ("10.0.0.0", "10.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("127.0.0.0", "127.255.255.255"),
        ("169.254.0.0", "169.254.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("192.0.0.0", "192.0.0.255"),
        ("192.0.2.0", "192.0.2.255"),
        ("192.88.99.0", "192.88.99.255"),
        ("192.168.0.0", "192.168.255.255"),
        ("198.18.0.0", "198.19.255.255"),
        ("198.51.100.0", "198.51.100.255"),
        ("203.0.113.0", "203.0.113.255"),
    ];

    #[test]
    fn each_network_ends_where_it_ends() {
        let bits = |text: &str| text.parse::<Ipv4Addr>().unwrap().to_bits();
        let public = |bits: u32| {
            let address = Ipv4Addr::from_bits(bits);
            let mapped = is_public(address.to_ipv6_mapped().into());
            assert_eq!(is_public(address.into()), mapped, "{address}");
            mapped
        };
        for (first, last) in STRETCHES {
            let (first, last) = (bits(first), bits(last));
            assert!(!public(first) && !public(last) && !public(first + 1));
            assert!(first == 0 || public(first - 1), "before {first:#x}");
            assert!(public(last + 1), "after {last:#x}");
        }
        let groups = bits("224.0.0.0");
        assert!(public(groups - 1) && !public(groups) && !public(u32::MAX));
    }

    #[test]
    fn addresses_of_ipv6_are_judged() {
        for (address, public) in [
            ("::", false),
            ("::1", false),
            ("::8.8.8.8", false),
            ("::ffff:8.8.8.8", true),
            ("::ffff:10.0.0.1", false),
            ("::ffff:0:8.8.8.8", false),
            ("64:ff9b::8.8.8.8", false),
            ("64:ff9b:1::1", false),
            ("100::1", false),
            ("1fff:ffff::1", false),
            ("2000::1", true),
            ("2000:ffff::1", true),
            ("2001::1", false),
            ("2001:0:7f00:1::", false),
            ("2001:1ff:ffff::1", false),
            ("2001:200::1", true),
            ("2001:4860:4860::8888", true),
            ("2001:db7:ffff::1", true),
            ("2001:db8::1", false),
            ("2001:db8:ffff::1", false),
            ("2001:db9::1", true),
            ("2001:ffff::1", true),
            ("2002::1", false),
            ("2002:ffff::1", false),
            ("2003::1", true),
            ("2606:4700:4700::1111", true),
            ("3ffe:ffff::1", true),
            ("3fff::1", false),
            ("3fff:fff:ffff::1", false),
            ("3fff:1000::1", true),
            ("4000::1", false),
            ("5f00::1", false),
            ("fc00::1", false),
            ("fdff:ffff::1", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }

    #[test]
    fn an_address_is_read_or_told_what_would_be_right() {
        let long = |bytes: usize| format!("https://example.com/{}", "x".repeat(bytes - 20));
        let escaped = format!("https://example.com/{}", "字".repeat(300));
        for (text, hint) in [
            ("https://example.com/hook", None),
            ("HTTP://EXAMPLE.com:8080/a?b=c%20d", None),
            ("https://买家.example/钩", None),
            ("https://8.8.8.8/", None),
            ("https://[2606:4700:4700::1111]:8443/", None),
            ("https://notlocalhost/", None),
            (&long(URL_BYTES_MAX), None),
            (&long(URL_BYTES_MAX + 1), Some("make it shorter")),
            (&escaped, Some("once it is escaped")),
            ("", Some("is not a URL")),
            ("example.com/hook", Some("is not a URL")),
            ("/hook", Some("is not a URL")),
            ("https://", Some("is not a URL")),
            ("https://exa mple.com/", Some("a blank")),
            ("https://example.com/\n", Some("a blank")),
            ("https://example.com/\u{0}", Some("a control")),
            ("https://example.com:99999/", Some("is not a URL")),
            ("https://example.com:0/", Some("port 0")),
            ("https://1.2.3.256/", Some("is not a URL")),
            ("https://[::1", Some("is not a URL")),
            ("https://[fe80::1%25eth0]/", Some("is not a URL")),
            ("ftp://example.com/", Some("http:// or https://")),
            ("file:///etc/passwd", Some("http:// or https://")),
            ("gopher://127.0.0.1:25/", Some("http:// or https://")),
            ("javascript:alert(1)", Some("http:// or https://")),
            ("https://user@example.com/", Some("a user or a password")),
            ("https://:word@example.com/", Some("a user or a password")),
            (
                "https://example.com@127.0.0.1/",
                Some("a user or a password"),
            ),
            ("https://example.com/#part", Some("a fragment")),
            ("https://example.com#@127.0.0.1/", Some("a fragment")),
            ("http:///127.0.0.1/", Some(SETTING)),
            ("http:127.0.0.1", Some(SETTING)),
            ("http:\\\\127.0.0.1\\", Some(SETTING)),
        ] {
            match (read_url(text, false), hint) {
                (Ok(url), None) => assert_eq!(read_url(url.as_str(), false), Ok(url)),
                (Err(error), Some(hint)) => assert!(error.contains(hint), "{text:?}: {error}"),
                (read, _) => panic!("{text:?}: {read:?}"),
            }
        }
    }
    /// Spellings of an IPv4 address that the URL standard accepts.
    fn spellings(address: Ipv4Addr) -> Vec<String> {
        let ([a, b, c, d], bits) = (address.octets(), address.to_bits());
        let (upper, lower) = (bits & 0xff_ffff, bits & 0xffff);
        vec![
            format!("{a}.{b}.{c}.{d}"),
            format!("{a}.{b}.{c}.{d}."),
            format!("{bits}"),
            format!("0x{bits:x}"),
            format!("0X{bits:X}"),
            format!("0{bits:o}"),
            format!("{a}.{upper}"),
            format!("{a}.{b}.{lower}"),
            format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
            format!("0x{a:x}.0{b:o}.{lower}"),
            format!("[::ffff:{address}]"),
            format!("[{}]", address.to_ipv6_mapped()),
        ]
    }

    proptest! {
        #[test]
        fn no_spelling_changes_what_an_address_is(
            first in prop::sample::select(vec![0_u8, 8, 10, 100, 127, 169, 172, 192, 198, 203, 224, 255]),
            rest in any::<[u8; 3]>(),
        ) {
            let address = Ipv4Addr::new(first, rest[0], rest[1], rest[2]);
            for host in spellings(address) {
                let read = read_url(&format!("http://{host}/"), false);
                prop_assert_eq!(read.is_ok(), is_public(address.into()), "{}", host);
            }
        }

        #[test]
        fn an_address_of_ipv6_is_read_as_what_it_is(bits in any::<u128>(), public in any::<bool>()) {
            let bits = if public { bits >> 3 | 1 << 125 } else { bits };
            let address = Ipv6Addr::from_bits(bits);
            let read = read_url(&format!("https://[{address}]:8443/"), false);
            prop_assert_eq!(read.is_ok(), is_public(address.into()));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            for text in [format!("http://{text}/"), text] {
                if let Ok(url) = read_url(&text, false) {
                    prop_assert_eq!(read_url(url.as_str(), false), Ok(url));
                }
            }
        }
    }
}
