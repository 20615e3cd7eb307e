//! Addresses that Vestibule connects to when a URL comes from an administrator.
//!
//! An administrator of any account can name a metadata URL or an IdP's login URL. Without this guard that would be
//! a way to look into the network that Vestibule runs in. The lists are IANA's special-purpose address registries
//! (RFC 6890).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// The addresses that an outgoing connection may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Only public addresses are allowed.
    Public,
    /// Public addresses and this machine itself: demo and development.
    PublicAndLoopback,
}

/// An address that must not be connected to. Says what kind it is and never which: names that resolve inside the
/// network are not told to outsiders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it leads to {0}, which Vestibule does not connect to")]
pub struct Forbidden(pub &'static str);

const LOOPBACK: &str = "a loopback address";
const PRIVATE: &str = "a private address";
const LINK_LOCAL: &str = "a link-local address";
const MULTICAST: &str = "a multicast address";
const DOCUMENTATION: &str = "an address for documentation";
const RESERVED: &str = "a reserved address";
const EMBEDDED: &str = "an address that has another one embedded";
const UNSPECIFIED: &str = "the unspecified address";

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(first: u16, second: u16, third: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0), prefix)
}

const FORBIDDEN_V4: [(Ipv4Net, &str); 16] = [
    (v4(0, 0, 0, 0, 8), UNSPECIFIED),
    (v4(10, 0, 0, 0, 8), PRIVATE),
    (v4(100, 64, 0, 0, 10), "a carrier's shared address"),
    (v4(127, 0, 0, 0, 8), LOOPBACK),
    (v4(169, 254, 0, 0, 16), LINK_LOCAL),
    (v4(172, 16, 0, 0, 12), PRIVATE),
    (v4(192, 0, 0, 0, 24), RESERVED),
    (v4(192, 0, 2, 0, 24), DOCUMENTATION),
    (v4(192, 31, 196, 0, 24), RESERVED),
    (v4(192, 52, 193, 0, 24), RESERVED),
    (v4(192, 88, 99, 0, 24), EMBEDDED),
    (v4(192, 168, 0, 0, 16), PRIVATE),
    (v4(198, 18, 0, 0, 15), RESERVED),
    (v4(198, 51, 100, 0, 24), DOCUMENTATION),
    (v4(203, 0, 113, 0, 24), DOCUMENTATION),
    (v4(224, 0, 0, 0, 4), MULTICAST),
];
/// Range in which everything is reserved, the broadcast address included.
const RESERVED_V4: Ipv4Net = v4(240, 0, 0, 0, 4);

/// All that is global unicast; within it the exceptions below.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);
const FORBIDDEN_V6: [(Ipv6Net, &str); 9] = [
    (v6(0x2001, 0xdb8, 0, 32), DOCUMENTATION),
    (v6(0x3fff, 0, 0, 20), DOCUMENTATION),
    (v6(0x2001, 0, 0, 23), RESERVED),    // protocol assignments, Teredo among them
    (v6(0x2002, 0, 0, 16), EMBEDDED),    // 6to4
    (v6(0x64, 0xff9b, 0, 32), EMBEDDED), // NAT64, well-known and local
    (v6(0xfc00, 0, 0, 7), PRIVATE),
    (v6(0xfe80, 0, 0, 10), LINK_LOCAL),
    (v6(0xfec0, 0, 0, 10), PRIVATE), // the old site-local ones
    (v6(0xff00, 0, 0, 8), MULTICAST),
];

/// Decides whether this address may be connected to.
pub fn judge(address: IpAddr, reach: Reach) -> Result<(), Forbidden> {
    if address.is_loopback() && reach == Reach::PublicAndLoopback {
        return Ok(());
    }
    match address {
        IpAddr::V4(address) => judge_v4(address),
        IpAddr::V6(address) => judge_v6(address),
    }
}

fn judge_v4(address: Ipv4Addr) -> Result<(), Forbidden> {
    let listed = FORBIDDEN_V4.iter().find(|(network, _)| network.contains(&address));
    match listed {
        Some((_, kind)) => Err(Forbidden(kind)),
        None if RESERVED_V4.contains(&address) => Err(Forbidden(RESERVED)),
        None => Ok(()),
    }
}

/// No honest name resolves to an IPv6 address that embeds an IPv4 one: such a form is a way around the lists.
fn judge_v6(address: Ipv6Addr) -> Result<(), Forbidden> {
    let listed = FORBIDDEN_V6.iter().find(|(network, _)| network.contains(&address));
    match listed {
        Some((_, kind)) => Err(Forbidden(kind)),
        None if address.is_unspecified() => Err(Forbidden(UNSPECIFIED)),
        None if address.is_loopback() => Err(Forbidden(LOOPBACK)),
        None if address.to_ipv4().is_some() => Err(Forbidden(EMBEDDED)),
        None if !GLOBAL_V6.contains(&address) => Err(Forbidden(RESERVED)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(address: &str, reach: Reach) -> Result<(), Forbidden> {
        judge(address.parse().unwrap(), reach)
    }

    /// Proves D3 and C5: no address inside a network is connected to, in whatever form it is written.
    #[test]
    fn addresses_inside_a_network_are_forbidden() {
        let table = [
            ("0.0.0.0", UNSPECIFIED),
            ("0.1.2.3", UNSPECIFIED),
            ("10.0.0.1", PRIVATE),
            ("100.64.0.1", "a carrier's shared address"),
            ("100.127.255.255", "a carrier's shared address"),
            ("127.0.0.1", LOOPBACK),
            ("127.255.255.254", LOOPBACK),
            ("169.254.169.254", LINK_LOCAL),
            ("172.16.0.1", PRIVATE),
            ("172.31.255.255", PRIVATE),
            ("192.0.0.170", RESERVED),
            ("192.0.2.1", DOCUMENTATION),
            ("192.88.99.1", EMBEDDED),
            ("192.168.1.1", PRIVATE),
            ("198.19.0.1", RESERVED),
            ("198.51.100.7", DOCUMENTATION),
            ("203.0.113.7", DOCUMENTATION),
            ("224.0.0.1", MULTICAST),
            ("240.0.0.1", RESERVED),
            ("255.255.255.255", RESERVED),
            ("::", UNSPECIFIED),
            ("::1", LOOPBACK),
            ("::7f00:1", EMBEDDED),
            ("::ffff:127.0.0.1", EMBEDDED),
            ("::ffff:8.8.8.8", EMBEDDED),
            ("64:ff9b::a00:1", EMBEDDED),
            ("64:ff9b:1::a00:1", EMBEDDED),
            ("100::1", RESERVED),
            ("2001::1", RESERVED),
            ("2001:db8::1", DOCUMENTATION),
            ("3fff::1", DOCUMENTATION),
            ("2002:a00:1::1", EMBEDDED),
            ("fc00::1", PRIVATE),
            ("fd12:3456::1", PRIVATE),
            ("fe80::1", LINK_LOCAL),
            ("fec0::1", PRIVATE),
            ("ff02::1", MULTICAST),
            ("4000::1", RESERVED),
        ];
        for (address, kind) in table {
            assert_eq!(verdict(address, Reach::Public), Err(Forbidden(kind)), "{address}");
        }
    }

    /// Proves D3: public addresses, also those next to a forbidden network, may be connected to.
    #[test]
    fn public_addresses_are_fine() {
        let table = [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450::1",
        ];
        for address in table {
            assert_eq!(verdict(address, Reach::Public), Ok(()), "{address}");
        }
    }

    /// Proves that development adds this machine and nothing else.
    #[test]
    fn development_adds_loopback_alone() {
        for address in ["127.0.0.1", "127.8.8.8", "::1", "1.1.1.1"] {
            assert_eq!(verdict(address, Reach::PublicAndLoopback), Ok(()), "{address}");
        }
        for address in ["10.0.0.1", "169.254.169.254", "0.0.0.0", "::ffff:127.0.0.1", "fd00::1"] {
            assert!(verdict(address, Reach::PublicAndLoopback).is_err(), "{address}");
        }
    }
}
