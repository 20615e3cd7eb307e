//! A throttle of failures by network, kept in memory: asked before the database is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::network::{Breadth, Network, enclosing};
use domain::throttle::Pace;
use jiff::{SignedDuration, Timestamp};

/// Most networks that something is held against at a time. An attacker with more of them is not to be told by networks.
const NETWORKS_MAX: usize = 50_000;

/// Times at which each network is clear, in memory.
pub(crate) struct NetworkThrottle {
    pace: Pace,
    clear_at: Mutex<HashMap<(Breadth, Network), Timestamp>>,
}

impl NetworkThrottle {
    /// The pace of one client; wider networks have more.
    pub fn new(pace: Pace) -> Self {
        Self { pace, clear_at: Mutex::default() }
    }

    /// The time that this address has to wait, if it or a network of it has failed too often.
    pub fn wait(&self, address: IpAddr, now: Timestamp) -> Option<SignedDuration> {
        let clear_at = self.clear_at();
        let wait = |key: (Breadth, Network)| {
            let pace = self.pace.of_network(key.0);
            let next = clear_at.get(&key)?.saturating_add(pace.period).unwrap_or(Timestamp::MAX);
            pace.wait(next, now)
        };
        enclosing(address).into_iter().filter_map(wait).max()
    }

    /// Counts a failure against all networks that enclose the address.
    pub fn count(&self, address: IpAddr, now: Timestamp) {
        let mut clear_at = self.clear_at();
        if clear_at.len() >= NETWORKS_MAX {
            clear_at.retain(|_, clear| *clear > now);
        }
        for key in enclosing(address) {
            let pace = self.pace.of_network(key.0);
            let is_full = clear_at.len() >= NETWORKS_MAX && !clear_at.contains_key(&key);
            if !is_full {
                let from = clear_at.get(&key).copied().unwrap_or(now).max(now);
                let next = from.saturating_add(pace.period).unwrap_or(Timestamp::MAX);
                clear_at.insert(key, next.min(now.saturating_add(pace.reach()).unwrap_or(Timestamp::MAX)));
            }
        }
    }

    fn clear_at(&self) -> MutexGuard<'_, HashMap<(Breadth, Network), Timestamp>> {
        self.clear_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(throttle: &NetworkThrottle, addresses: impl Iterator<Item = String>, now: Timestamp) -> usize {
        let failing = addresses.map(|address| address.parse().unwrap()).filter(|address: &IpAddr| {
            let may_fail = throttle.wait(*address, now).is_none();
            if may_fail {
                throttle.count(*address, now);
            }
            may_fail
        });
        failing.count()
    }

    /// Proves B5: a client fails so often and then waits; a network fails little more often, whatever address it
    /// sends from.
    #[test]
    fn failures_are_bounded_by_client_and_network() {
        let pace = Pace { burst: 10, period: SignedDuration::from_secs(2) };
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let throttle = NetworkThrottle::new(pace);
        assert_eq!(failures(&throttle, (0..99).map(|_| "198.51.100.1".to_owned()), now), 10);
        assert_eq!(throttle.wait("198.51.100.1".parse().unwrap(), now), Some(SignedDuration::from_secs(2)));
        assert_eq!(failures(&throttle, (0..99).map(|n| format!("198.51.100.{}", n + 2)), now), 10);
        assert_eq!(failures(&throttle, (0..99).map(|n| format!("2001:db8:1:{:x}::1", n * 256)), now), 20);
        assert_eq!(throttle.wait("203.0.113.1".parse().unwrap(), now), None);
        let later = now + SignedDuration::from_secs(2);
        assert_eq!(throttle.wait("198.51.100.1".parse().unwrap(), later), None);
    }
}
