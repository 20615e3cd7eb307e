//! The slow-down of clients that send wrong passwords (B5).
//!
//! Throttles count the tries of a form login: of one identity from anywhere; and of each network that the address
//! is of, at all identities and at this one. A right password gives its try back, so that wrong ones alone count.
//!
//! - One client at one identity has a few tries at once, then one a minute.
//! - One client has a bounded number of tries over all identities: it cannot try one password on everybody.
//! - The wider networks of an address may do little more than one client may, so that it is no use to hold many
//!   addresses.
//! - What an identity has from anywhere refuses no user by itself: if it did, an attacker could keep the user out
//!   by trying all the time. It tells that the identity is under attack, and then every network has one try, and one
//!   more a minute. So a user who knows the password gets in at once from a network of their own, whatever others
//!   do.
//! - A user who signed in from there before is slowed by their own tries alone (A4): neighbours cannot keep them out.
//!
//! An identity is what was typed, whether such a user exists or not, so that no answer tells.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::account::AccountName;
use crate::network::{Breadth, enclosing};
use crate::portal::Portal;
use crate::throttle::{Pace, ThrottleKey};
use crate::username::normalized;

/// Pace of one identity from one client: enough for a user who tries their old passwords.
pub const AT_NETWORK: Pace = Pace { burst: 5, period: SignedDuration::from_mins(1) };
/// Pace of the same while the identity is under attack.
pub const AT_NETWORK_UNDER_ATTACK: Pace = Pace { burst: 1, period: SignedDuration::from_mins(1) };
/// Pace of one client at all identities: an office behind one address mistypes a few passwords on a Monday
/// morning.
pub const OF_NETWORK: Pace = Pace { burst: 50, period: SignedDuration::from_secs(10) };
/// Pace of one identity from anywhere: more wrong passwords than a user has devices and patience.
pub const OF_IDENTITY: Pace = Pace { burst: 20, period: SignedDuration::from_mins(1) };

/// Time for which it is remembered that a user signed in from somewhere.
pub const KNOWN_LOGIN_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Most such memories that a process keeps, the latest ones: some megabytes.
pub const KNOWN_LOGINS_MAX: u32 = 50_000;

/// The identity that was typed into the form of an account's portal.
#[derive(Debug, Clone, Copy)]
pub struct TypedIdentity<'a> {
    /// The account that was typed.
    pub account_name: &'a AccountName,
    /// The portal of the form.
    pub portal: Portal,
    /// The username or email that was typed.
    pub typed: &'a str,
}

impl TypedIdentity<'_> {
    /// The key of this identity, with other parts.
    fn key(&self, kind: &str, others: &[&str]) -> ThrottleKey {
        let identity = normalized(self.typed);
        let own = [self.account_name.as_str(), self.portal.as_str(), &identity];
        ThrottleKey::of(kind, &[&own, others].concat())
    }

    /// The key under which "this user signed in from there before" is remembered.
    pub fn seen_from(&self, address: IpAddr) -> ThrottleKey {
        let client = enclosing(address).first().map(|(_, network)| network.to_string()).unwrap_or_default();
        self.key("login_seen", &[&client])
    }
}

/// Throttles that a try counts against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginThrottles {
    /// The identity, from anywhere.
    pub identity: ThrottleKey,
    /// Throttles of each network, the narrowest first.
    pub networks: Vec<NetworkThrottles>,
}

/// Throttles of one network that a try counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkThrottles {
    /// Breadth of the network, which its pace follows.
    pub breadth: Breadth,
    /// The network, at all identities.
    pub of_network: ThrottleKey,
    /// The identity from this network.
    pub at_network: ThrottleKey,
}

impl LoginThrottles {
    /// Makes the throttles of an identity, from an address.
    pub fn of(identity: &TypedIdentity<'_>, address: IpAddr) -> Self {
        let of_one = |(breadth, network): (Breadth, crate::network::Network)| {
            let network = network.to_string();
            NetworkThrottles {
                breadth,
                of_network: ThrottleKey::of("login_network", &[&network]),
                at_network: identity.key("login_at_network", &[&network]),
            }
        };
        let networks = enclosing(address).into_iter().map(of_one).collect();
        Self { identity: identity.key("login_identity", &[]), networks }
    }

    /// Every throttle with its pace: what a try that was none gives back.
    pub fn paces(&self) -> Vec<(ThrottleKey, Pace)> {
        let of_one = |one: &NetworkThrottles| {
            [(one.of_network, OF_NETWORK.of_network(one.breadth)), (one.at_network, AT_NETWORK.of_network(one.breadth))]
        };
        self.networks.iter().flat_map(of_one).chain([(self.identity, OF_IDENTITY)]).collect()
    }
}

/// Times at which each throttle is clear, this try counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginCounts {
    /// Count of the identity, from anywhere.
    pub identity: Timestamp,
    /// Counts of each network of the address, the narrowest first.
    pub networks: Vec<NetworkCounts>,
}

/// Times at which the throttles of one network are clear, this try counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkCounts {
    /// Breadth of the network, which its pace follows.
    pub breadth: Breadth,
    /// The network's tries at all identities.
    pub of_network: Timestamp,
    /// The network's tries at this identity.
    pub at_network: Timestamp,
}

/// The time to wait before the password is looked at; `None` if it is now. A try that must wait is not counted.
/// `is_known` says that this user signed in from this client before.
pub fn decide_login_wait(counts: &LoginCounts, is_known: bool, now: Timestamp) -> Option<SignedDuration> {
    let is_attacked = OF_IDENTITY.wait(counts.identity, now).is_some();
    let at_network = if is_attacked && !is_known { AT_NETWORK_UNDER_ATTACK } else { AT_NETWORK };
    let wait = |network: &NetworkCounts| {
        let at_network = at_network.of_network(network.breadth).wait(network.at_network, now);
        at_network.max(OF_NETWORK.of_network(network.breadth).wait(network.of_network, now))
    };
    match counts.networks.first() {
        Some(client) if is_known => at_network.wait(client.at_network, now),
        _ => counts.networks.iter().filter_map(wait).max(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// The throttles as they are stored.
    #[derive(Default)]
    struct Stored(HashMap<ThrottleKey, Timestamp>);

    impl Stored {
        fn counted(&self, key: ThrottleKey, pace: Pace, now: Timestamp) -> Timestamp {
            let from = self.0.get(&key).copied().unwrap_or(now).max(now);
            (from + pace.period).min(now + pace.furthest())
        }

        /// A wrong password; whether it was looked at, or how long it must wait.
        fn try_wrong(&mut self, user: &str, address: &str, now: Timestamp) -> Option<SignedDuration> {
            self.try_as(user, address, false, now)
        }

        fn try_as(&mut self, user: &str, address: &str, is_known: bool, now: Timestamp) -> Option<SignedDuration> {
            let account = AccountName::parse("acme").unwrap();
            let identity = TypedIdentity { account_name: &account, portal: Portal::Admin, typed: user };
            let keys = LoginThrottles::of(&identity, address.parse().unwrap());
            let counted: HashMap<ThrottleKey, Timestamp> =
                keys.paces().into_iter().map(|(key, pace)| (key, self.counted(key, pace, now))).collect();
            let of_one = |one: &NetworkThrottles| NetworkCounts {
                breadth: one.breadth,
                of_network: counted[&one.of_network],
                at_network: counted[&one.at_network],
            };
            let networks = keys.networks.iter().map(of_one).collect();
            let counts = LoginCounts { identity: counted[&keys.identity], networks };
            let wait = decide_login_wait(&counts, is_known, now);
            if wait.is_none() {
                self.0.extend(counted);
            }
            wait
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    /// Proves B5: one address has five tries at once and then one a minute, and other identities are not concerned.
    #[test]
    fn one_address_is_slowed_at_one_identity() {
        let mut stored = Stored::default();
        for _ in 0..5 {
            assert_eq!(stored.try_wrong("ann", "192.0.2.1", at(0)), None);
        }
        assert_eq!(stored.try_wrong("ANN", "192.0.2.1", at(0)), Some(SignedDuration::from_mins(1)));
        assert_eq!(stored.try_wrong("ann", "192.0.2.1", at(59)), Some(SignedDuration::from_secs(1)));
        assert_eq!(stored.try_wrong("bob", "192.0.2.1", at(0)), None);
        assert_eq!(stored.try_wrong("ann", "198.51.100.2", at(0)), None);
        assert_eq!(stored.try_wrong("ann", "192.0.2.1", at(60)), None);
        assert!(stored.try_wrong("ann", "192.0.2.1", at(61)).is_some());
    }

    /// Proves B5: one password cannot be tried on everybody from one address, nor from the addresses of one network.
    #[test]
    fn one_address_is_slowed_over_all_identities() {
        for address in ["192.0.2.1", "2001:db8::1"] {
            let mut stored = Stored::default();
            let admitted = (0..200).filter(|n| stored.try_wrong(&format!("user{n}"), address, at(0)).is_none());
            assert_eq!(admitted.count(), 50);
        }
        let mut stored = Stored::default();
        let admitted =
            (0..200).filter(|n| stored.try_wrong(&format!("user{n}"), &format!("2001:db8::{n:x}"), at(0)).is_none());
        assert_eq!(admitted.count(), 50);
    }

    /// Proves B5: the addresses of one network, however many there are, have little more than one of them, at one
    /// identity and over all.
    #[test]
    fn one_network_is_slowed_whatever_addresses_it_sends_from() {
        type Addresses = fn(u32) -> String;
        let table: [(Addresses, usize, usize); 3] = [
            (|n| format!("203.0.113.{}", n % 256), 100, 10),
            (|n| format!("2001:db8:1:{:x}::1", n % 256), 75, 7),
            (|n| format!("2001:db8:1:{:x}::1", n * 256), 100, 10),
        ];
        for (address, over_all, at_one) in table {
            let mut stored = Stored::default();
            let tries = (0..200).filter(|n| stored.try_wrong(&format!("user{n}"), &address(*n), at(0)).is_none());
            assert_eq!(tries.count(), over_all);
            let mut stored = Stored::default();
            let tries = (0..200).filter(|n| stored.try_wrong("ann", &address(*n), at(0)).is_none());
            assert_eq!(tries.count(), at_one);
        }
    }

    /// Proves A4, B5: neighbours in the same network, and an attack from everywhere, leave a user who signed in
    /// from there before the tries that they have anyway.
    #[test]
    fn a_user_who_was_there_before_has_their_own_tries() {
        let mut stored = Stored::default();
        for n in 0..2_000 {
            stored.try_wrong("ann", &format!("203.0.{}.{}", n / 256, n % 256), at(0));
            stored.try_wrong(&format!("user{n}"), "203.0.1.7", at(0));
        }
        assert!(stored.try_wrong("ann", "203.0.1.200", at(0)).is_some());
        for _ in 0..5 {
            assert_eq!(stored.try_as("ann", "203.0.1.200", true, at(0)), None);
        }
        assert!(stored.try_as("ann", "203.0.1.200", true, at(0)).is_some());
    }

    /// Proves B5: under attack from everywhere each address has one try a minute, and the attack ends when it ends.
    #[test]
    fn an_identity_under_attack_leaves_each_address_one_try_a_minute() {
        let mut stored = Stored::default();
        for n in 0..100 {
            assert_eq!(stored.try_wrong("ann", &format!("198.51.{n}.1"), at(0)), None, "{n}");
        }
        assert_eq!(stored.try_wrong("ann", "203.0.113.1", at(0)), None);
        assert_eq!(stored.try_wrong("ann", "203.0.113.1", at(1)), Some(SignedDuration::from_secs(59)));
        assert_eq!(stored.try_wrong("ann", "203.0.113.1", at(60)), None);
        for _ in 0..5 {
            assert_eq!(stored.try_wrong("ann", "192.0.2.2", at(3600)), None, "the attack is not over");
        }
    }

    proptest! {
        /// Proves B5: whatever others have done, a fresh address has its try at once, and nobody waits over five
        /// minutes.
        #[test]
        fn nobody_is_kept_out(tries in prop::collection::vec((0..5_u8, 0..40_u8, 0..600_i64), 0..300)) {
            let (mut stored, mut now) = (Stored::default(), 0);
            for (user, address, pause) in tries {
                now += pause;
                let wait = stored.try_wrong(&format!("user{user}"), &format!("198.51.{address}.1"), at(now));
                prop_assert!(wait <= Some(SignedDuration::from_mins(5)), "{wait:?}");
            }
            for user in 0..5 {
                prop_assert_eq!(stored.try_wrong(&format!("user{user}"), "203.0.113.1", at(now)), None);
            }
        }

        /// Proves B5: one address never has more tries at one identity than five and one a minute.
        #[test]
        fn tries_are_bounded(pauses in prop::collection::vec(0..120_i64, 1..200)) {
            let (mut stored, mut now, mut admitted) = (Stored::default(), 0, 0);
            for pause in pauses {
                now += pause;
                admitted += i64::from(stored.try_wrong("ann", "192.0.2.1", at(now)).is_none());
                prop_assert!(admitted <= 5 + now / 60);
            }
        }
    }
}
