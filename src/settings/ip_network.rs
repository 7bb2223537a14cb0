//! Networks: single addresses and ranges of addresses in a setting.

use std::net::IpAddr;

use super::value::SettingValue;

/// Addresses with the same first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether the network contains an address. An IPv4 address written as IPv6 is the same address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.bits);
                (u32::from(own) ^ u32::from(other))
                    .checked_shr(shift)
                    .unwrap_or(0)
                    == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.bits);
                (u128::from(own) ^ u128::from(other))
                    .checked_shr(shift)
                    .unwrap_or(0)
                    == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// Parses a network: `10.0.0.7`, `10.0.0.0/8`.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(u64::read(bits)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let bits = u8::try_from(bits.unwrap_or(bits_max)).ok()?;
        (u64::from(bits) <= bits_max).then_some(Network { address, bits })
    }

    fn write(&self) -> String {
        let bits_max = if self.address.is_ipv4() { 32 } else { 128 };
        match self.bits == bits_max {
            true => self.address.to_string(),
            false => format!("{}/{}", self.address, self.bits),
        }
    }
}

impl SettingValue for Vec<Network> {
    const FORM: &'static str = "nothing, or addresses and networks like `10.0.0.7` or `10.0.0.0/8`, with commas \
    between them";

    fn read(text: &str) -> Option<Vec<Network>> {
        match text.trim() {
            "" => Some(Vec::new()),
            text => text
                .split(',')
                .map(|one| Network::parse(one.trim()))
                .collect(),
        }
    }

    fn write(&self) -> String {
        let all: Vec<String> = self.iter().map(Network::write).collect();
        all.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_written() {
        for (text, written) in [
            ("", Some("")),
            (" ", Some("")),
            ("127.0.0.1", Some("127.0.0.1")),
            ("10.0.0.0/8 , ::1", Some("10.0.0.0/8, ::1")),
            ("fd00::/8", Some("fd00::/8")),
            ("10.0.0.1/32", Some("10.0.0.1")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("10.0.0.1/33", None),
            ("::/129", None),
            ("10.0.0.1/", None),
            ("10.0.0.1/-1", None),
            ("10.0.0.1/99999999999999999999", None),
            ("10.0.0", None),
            ("proxy.example", None),
            ("10.0.0.1,", None),
        ] {
            let read = <Vec<Network> as SettingValue>::read(text);
            assert_eq!(
                read.map(|list| list.write()).as_deref(),
                written,
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_network_holds_the_addresses_with_its_bits() {
        for (network, address, within) in [
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "::ffff:10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.9.9.9/8", "10.0.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::1", "::1", true),
        ] {
            let network = Network::parse(network).unwrap();
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(network.contains(address), within, "{network:?} {address}");
        }
    }
}
