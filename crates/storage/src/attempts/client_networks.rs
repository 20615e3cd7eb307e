//! The networks that an attempt is counted with before one more is stored: many addresses of one network are
//! little more than one of them (B5).

use std::net::IpAddr;

use domain::network::{enclosing, sort_key};

/// A network, and how many attempts may come from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CountedNetwork {
    /// Sort key of its first address.
    pub first: String,
    /// Sort key of its last address.
    pub last: String,
    /// Limit of attempts from this network.
    pub most: i64,
}

/// The networks of the address that an attempt came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ClientNetworks {
    /// Sort key of the address; none of what is no address, which is counted with nothing.
    pub key: Option<String>,
    /// The least that one subscriber has.
    pub client: CountedNetwork,
    /// The most that an ordinary subscriber has.
    pub site: CountedNetwork,
    /// The widest network that is counted.
    pub region: CountedNetwork,
}

impl ClientNetworks {
    /// Networks of an address, with their limits derived from the one for a single client.
    pub fn of(client_address: &str, per_client: u32) -> Self {
        let nothing = || CountedNetwork { most: i64::MAX, ..CountedNetwork::default() };
        let Ok(address) = client_address.parse::<IpAddr>() else {
            return Self { key: None, client: nothing(), site: nothing(), region: nothing() };
        };
        let mut counted = enclosing(address).into_iter().map(|(breadth, network)| {
            let (first, last) = network.sort_keys();
            CountedNetwork { first, last, most: i64::from(per_client) * i64::from(breadth.halves()) / 2 }
        });
        let client = counted.next().unwrap_or_else(nothing);
        let region = counted.next_back().unwrap_or_else(|| client.clone());
        let site = counted.next().unwrap_or_else(|| region.clone());
        Self { key: Some(sort_key(address)), client, site, region }
    }
}
