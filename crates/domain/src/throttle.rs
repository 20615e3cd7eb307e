//! Throttles: how often something may be tried.
//!
//! Each keeps one time, `clear_at`: when nothing is held against it any more. A try moves it on by the pace's period,
//! starting from now at the earliest; who would move it further than the burst allows must wait. (The generic cell rate
//! algorithm of ATM Forum's Traffic Management 4.0, section 4.4.2.) Time alone heals everything, so nothing is locked.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::network::Breadth;

/// Pace of tries: so many at once, then one more in each period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Number of tries that may come at once.
    pub burst: i32,
    /// Time after which one try is forgiven.
    pub period: SignedDuration,
}

impl Pace {
    /// The pace of all clients of a network together, where this is the pace of one.
    #[must_use]
    pub fn of_network(self, breadth: Breadth) -> Self {
        let halves = i32::try_from(breadth.halves()).unwrap_or(i32::MAX);
        Self { burst: self.burst.saturating_mul(halves) / 2, period: self.period.saturating_mul(2) / halves }
    }

    /// Longest time from now until `clear_at` with which a try is admitted.
    pub const fn reach(self) -> SignedDuration {
        self.period.saturating_mul(self.burst)
    }

    /// Longest time from now until a stored `clear_at`: one try too many.
    pub const fn furthest(self) -> SignedDuration {
        self.reach().saturating_add(self.period)
    }

    /// Time to wait before this try, which is counted in `clear_at` already; `None` if it may go on.
    pub fn wait(self, clear_at: Timestamp, now: Timestamp) -> Option<SignedDuration> {
        let over = clear_at.duration_since(now).saturating_sub(self.reach());
        over.is_positive().then_some(over)
    }
}

/// The seconds that a client is told to wait.
pub fn retry_after(wait: SignedDuration) -> u32 {
    let whole = if wait.subsec_nanos() > 0 { wait.as_secs().saturating_add(1) } else { wait.as_secs() };
    u32::try_from(whole).unwrap_or(u32::MAX)
}

/// Subject of a throttle, as the digest of its kind and its parts: the parts may be any text that a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThrottleKey([u8; 32]);

impl ThrottleKey {
    /// The key of these parts. No two lists of parts give the same.
    pub fn of(kind: &str, parts: &[&str]) -> Self {
        let mut digest = Sha256::new_with_prefix(kind);
        for part in parts {
            digest.update([0]);
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }

    /// A key as it was stored.
    pub const fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The bytes to store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { burst: 3, period: SignedDuration::from_secs(10) };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    /// Proves B5: what lies within the burst goes on, one too many waits for as long as one takes.
    #[test]
    fn a_try_over_the_burst_waits() {
        let cases = [(at(-5), None), (at(10), None), (at(30), None), (at(31), Some(1)), (at(40), Some(10))];
        for (clear_at, wanted) in cases {
            assert_eq!(PACE.wait(clear_at, at(0)).map(|wait| wait.as_secs()), wanted, "{clear_at}");
        }
        assert_eq!(retry_after(SignedDuration::from_millis(1)), 1);
        assert_eq!(retry_after(SignedDuration::from_secs(7)), 7);
    }

    /// Proves B5: a wider network may do more than one client, and less than all of its clients.
    #[test]
    fn a_wider_network_has_a_wider_allowance() {
        let paces = [Breadth::Client, Breadth::Site, Breadth::Region].map(|breadth| PACE.of_network(breadth));
        assert_eq!(paces.map(|pace| pace.burst), [3, 4, 6]);
        assert_eq!(paces.map(|pace| pace.period.as_millis()), [10_000, 6_666, 5_000]);
    }

    /// Proves B5: nobody can type one identity so that another one is slowed down.
    #[test]
    fn keys_of_different_parts_differ() {
        let keys = [
            ThrottleKey::of("a", &["b", "c"]),
            ThrottleKey::of("a", &["bc", ""]),
            ThrottleKey::of("a", &["b\0\0\0\0\0\0\0\0\u{1}c"]),
            ThrottleKey::of("ab", &["c"]),
            ThrottleKey::of("a", &[]),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "{index}");
        }
    }
}
