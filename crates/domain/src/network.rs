//! Networks: those that an account allows, and those that an address is counted with.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

/// Bits of the prefix that an IPv4-mapped IPv6 address begins with (RFC 4291, section 2.5.5.2).
const MAPPED_PREFIX_BITS: u8 = 96;

/// A network in CIDR notation, held without host bits. One of IPv4-mapped addresses is held as the IPv4 network that it
/// means, because that is how addresses are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

/// Error of a text that is not a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a network in CIDR notation, such as 203.0.113.0/24 or 2001:db8::/32; one address is a /32 or a /128")]
pub struct NetworkError;

impl Network {
    /// Takes a network; host bits are dropped.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let network: IpNet = text.parse().map_err(|_| NetworkError)?;
        Ok(Self(unmapped(network).trunc()))
    }

    /// The [`sort_key`]s of its first and last address: those between them are of its addresses alone.
    pub fn sort_keys(&self) -> (String, String) {
        (sort_key(self.0.network()), sort_key(self.0.broadcast()))
    }

    /// Whether an address is of this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

/// An address as a text that sorts as addresses do, so that those of a network lie side by side.
pub fn sort_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("4{:08x}", address.to_bits()),
        IpAddr::V6(address) => format!("6{:032x}", address.to_bits()),
    }
}

fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let bits = mapped.prefix_len().checked_sub(MAPPED_PREFIX_BITS);
    let v4 = mapped.addr().to_ipv4_mapped().zip(bits).and_then(|(address, bits)| Ipv4Net::new(address, bits).ok());
    v4.map_or(network, IpNet::V4)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Self, NetworkError> {
        Self::parse(&text)
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

/// Part of the address space that a network is, by the kind of subscriber that may hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breadth {
    /// The least that one subscriber has: an IPv4 address, or an IPv6 network of 64 bits.
    Client,
    /// The most that an ordinary subscriber is given: an IPv6 network of 56 bits.
    Site,
    /// A block that one customer of a hosting company may hold: an IPv4 network of 24 bits, or an IPv6 network of
    /// 48 bits (RFC 6177).
    Region,
}

impl Breadth {
    /// Allowance of a network of this breadth, in halves of what one client may: more, because others may share it, and
    /// not much more, because one client may hold all of it.
    pub const fn halves(self) -> u32 {
        match self {
            Self::Client => 2,
            Self::Site => 3,
            Self::Region => 4,
        }
    }
}

/// Lists the networks that an address is counted with, the narrowest first. An attacker who sends from a whole
/// network is bounded by the widest.
pub fn enclosing(address: IpAddr) -> Vec<(Breadth, Network)> {
    let address = address.to_canonical();
    let lengths: &[(Breadth, u8)] = match address {
        IpAddr::V4(_) => &[(Breadth::Client, 32), (Breadth::Region, 24)],
        IpAddr::V6(_) => &[(Breadth::Client, 64), (Breadth::Site, 56), (Breadth::Region, 48)],
    };
    let network = |(breadth, bits): &(Breadth, u8)| Some((*breadth, Network(IpNet::new(address, *bits).ok()?.trunc())));
    lengths.iter().filter_map(network).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves A6: an address is of a network however either of them is written.
    #[test]
    fn a_network_contains_its_addresses_in_every_spelling() {
        let table = [
            ("203.0.113.0/24", "203.0.113.0/24", "203.0.113.7", "203.0.114.1"),
            ("203.0.113.77/24", "203.0.113.0/24", "::ffff:203.0.113.7", "::203.0.113.7"),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24", "203.0.113.7", "203.0.114.1"),
            ("2001:DB8::1/32", "2001:db8::/32", "2001:db8:ffff::", "203.0.113.7"),
            ("0.0.0.0/0", "0.0.0.0/0", "198.51.100.1", "2001:db8::1"),
            ("203.0.113.7/32", "203.0.113.7/32", "203.0.113.7", "203.0.113.8"),
        ];
        for (text, held, inside, outside) in table {
            let network = Network::parse(text).unwrap();
            assert_eq!(network.to_string(), held);
            assert!(network.contains(inside.parse().unwrap()), "{text} {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{text} {outside}");
        }
        for bad in ["", "203.0.113.7", "203.0.113.0/33", "203.0.113.0-9", "acme.test/24", " 10.0.0.0/8", "10.0.0.0/8\0"]
        {
            assert_eq!(Network::parse(bad), Err(NetworkError), "{bad:?}");
        }
    }

    /// Proves B5: an address is of a network exactly when its sort key is between those of the network.
    #[test]
    fn addresses_of_a_network_sort_side_by_side() {
        let addresses: [IpAddr; 9] = [
            "198.51.100.0",
            "198.51.100.255",
            "198.51.101.0",
            "::ffff:198.51.100.9",
            "::1",
            "2001:db8::1",
            "2001:db8:0:0:ffff::",
            "2001:db8:0:1::",
            "2001:db8:1::",
        ]
        .map(|text| text.parse().unwrap());
        for network in addresses.into_iter().flat_map(enclosing).map(|(_, network)| network) {
            let (first, last) = network.sort_keys();
            for address in addresses {
                let key = sort_key(address);
                assert_eq!(network.contains(address), first <= key && key <= last, "{network} {address}");
            }
        }
    }

    /// Proves B5: an address is counted with the networks that its user may send from, the narrowest first.
    #[test]
    fn an_address_is_counted_with_its_networks() {
        let of = |text: &str| -> Vec<String> {
            enclosing(text.parse().unwrap()).iter().map(|(_, network)| network.to_string()).collect()
        };
        assert_eq!(of("198.51.100.7"), ["198.51.100.7/32", "198.51.100.0/24"]);
        assert_eq!(of("::ffff:198.51.100.7"), of("198.51.100.7"));
        let wanted = ["2001:db8:1:2::/64", "2001:db8:1::/56", "2001:db8:1::/48"];
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), wanted);
        let widest = enclosing("2001:db8::1".parse().unwrap()).pop().unwrap();
        assert_eq!((widest.0, widest.0.halves()), (Breadth::Region, 4));
    }
}
