//! Networks that an account allows.

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

/// Why a text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a network in CIDR notation, such as 203.0.113.0/24 or 2001:db8::/32; one address is a /32 or a /128")]
pub struct NetworkError;

impl Network {
    /// Takes a network; host bits are dropped.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let network: IpNet = text.parse().map_err(|_| NetworkError)?;
        Ok(Self(unmapped(network).trunc()))
    }

    /// Whether an address is of this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
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
}
