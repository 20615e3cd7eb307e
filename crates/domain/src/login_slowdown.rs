//! How wrong passwords slow down whoever sends them (B5).
//!
//! Three throttles count the tries of a form login: of one identity from one address, of one address, and of one
//! identity from anywhere. A right password gives its try back, so that wrong ones alone count.
//!
//! - One address at one identity has a few tries at once, then one a minute.
//! - One address has a bounded number of tries over all identities: it cannot try one password on everybody.
//! - What an identity has from anywhere refuses nobody by itself: if it did, an attacker could keep the person out by
//!   trying all the time. It tells that the identity is under attack, and then every address has one try, and one more
//!   a minute. So whoever knows the password gets in at once from an address of their own, whatever others do.
//!
//! An identity is what was typed, whether such a user exists or not, so that no answer tells.

use std::net::{IpAddr, Ipv6Addr};

use jiff::{SignedDuration, Timestamp};

use crate::account::AccountName;
use crate::portal::Portal;
use crate::throttle::{Pace, ThrottleKey};
use crate::username::normalized;

/// One identity from one address: enough for a person who tries their old passwords.
pub const AT_ADDRESS: Pace = Pace { burst: 5, period: SignedDuration::from_mins(1) };
/// The same while the identity is under attack.
pub const AT_ADDRESS_UNDER_ATTACK: Pace = Pace { burst: 1, period: SignedDuration::from_mins(1) };
/// One address at all identities: an office behind one address mistypes a few passwords on a Monday morning.
pub const OF_ADDRESS: Pace = Pace { burst: 50, period: SignedDuration::from_secs(10) };
/// One identity from anywhere: more wrong passwords than a person has devices and patience.
pub const OF_IDENTITY: Pace = Pace { burst: 20, period: SignedDuration::from_mins(1) };
/// Bits of an IPv6 address that its user cannot choose (RFC 6177: a site has a /64 at least).
const IPV6_PREFIX_BITS: u32 = 64;

/// What a try counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginThrottles {
    /// The address.
    pub address: ThrottleKey,
    /// The identity, from anywhere.
    pub identity: ThrottleKey,
    /// The identity from this address.
    pub at_address: ThrottleKey,
}

impl LoginThrottles {
    /// Those of an identity that was typed into the form of an account's portal, from an address.
    pub fn of((account_name, portal): (&AccountName, Portal), typed: &str, address: IpAddr) -> Self {
        let (network, identity) = (network(address), normalized(typed));
        let identity = [account_name.as_str(), portal.as_str(), &identity];
        let [account_name, portal, name] = identity;
        Self {
            address: ThrottleKey::of("login_address", &[&network]),
            identity: ThrottleKey::of("login_identity", &identity),
            at_address: ThrottleKey::of("login_at_address", &[account_name, portal, name, &network]),
        }
    }
}

/// The address, or the network where its user may choose among its addresses.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = address.to_bits() & (u128::MAX << IPV6_PREFIX_BITS);
            Ipv6Addr::from_bits(network).to_string()
        }
    }
}

/// When each throttle is clear, this try counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginCounts {
    /// Of the address.
    pub address: Timestamp,
    /// Of the identity, from anywhere.
    pub identity: Timestamp,
    /// Of the identity from this address.
    pub at_address: Timestamp,
}

/// How long to wait before the password is looked at; `None` if it is now. A try that must wait is not counted.
pub fn decide_login_wait(counts: &LoginCounts, now: Timestamp) -> Option<SignedDuration> {
    let is_attacked = OF_IDENTITY.wait(counts.identity, now).is_some();
    let pace = if is_attacked { AT_ADDRESS_UNDER_ATTACK } else { AT_ADDRESS };
    pace.wait(counts.at_address, now).max(OF_ADDRESS.wait(counts.address, now))
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
            let account = AccountName::parse("acme").unwrap();
            let keys = LoginThrottles::of((&account, Portal::Admin), user, address.parse().unwrap());
            let counts = LoginCounts {
                address: self.counted(keys.address, OF_ADDRESS, now),
                identity: self.counted(keys.identity, OF_IDENTITY, now),
                at_address: self.counted(keys.at_address, AT_ADDRESS, now),
            };
            let wait = decide_login_wait(&counts, now);
            if wait.is_none() {
                self.0.extend([
                    (keys.address, counts.address),
                    (keys.identity, counts.identity),
                    (keys.at_address, counts.at_address),
                ]);
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
        assert_eq!(stored.try_wrong("ann", "192.0.2.2", at(0)), None);
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
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1");
        assert_ne!(network("2001:db8:0:1::1".parse().unwrap()), network("2001:db8:0:2::1".parse().unwrap()));
    }

    /// Proves B5: under attack from everywhere each address has one try a minute, and the attack ends when it ends.
    #[test]
    fn an_identity_under_attack_leaves_each_address_one_try_a_minute() {
        let mut stored = Stored::default();
        for n in 0..100 {
            assert_eq!(stored.try_wrong("ann", &format!("198.51.100.{n}"), at(0)), None, "{n}");
        }
        assert_eq!(stored.try_wrong("ann", "203.0.113.1", at(0)), None);
        assert_eq!(stored.try_wrong("ann", "203.0.113.1", at(1)), Some(SignedDuration::from_secs(59)));
        assert_eq!(stored.try_wrong("ann", "203.0.113.1", at(60)), None);
        for _ in 0..5 {
            assert_eq!(stored.try_wrong("ann", "203.0.113.2", at(3600)), None, "the attack is not over");
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
                let wait = stored.try_wrong(&format!("user{user}"), &format!("198.51.100.{address}"), at(now));
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
