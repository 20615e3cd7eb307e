//! The keys that sign access tokens, and when each of them does what.
//!
//! A key is published before it signs and stays published after it stopped, so that no verifier meets a token whose
//! key it cannot find (I1).

use jiff::{SignedDuration, Timestamp};

use crate::SigningKeyId;
use crate::application::ACCESS_TOKEN_SECONDS;
use crate::named::named;

named! {
    /// State of a signing key, which only moves forward.
    SigningKeyState, SigningKeyStateError, "not a state of a signing key" {
        /// Published, does not sign yet.
        Upcoming = "upcoming",
        /// Signs the access tokens, and is published.
        Active = "active",
        /// Signs no more; published until its last token has expired.
        Retiring = "retiring",
        /// Withdrawn from the JWKS; not published any more.
        Retired = "retired",
    }
}

impl SigningKeyState {
    /// Whether the JWKS holds it.
    pub fn is_published(self) -> bool {
        self != Self::Retired
    }
}

named! {
    /// The algorithm of a key (RFC 7518, RFC 8037).
    SigningAlgorithm, SigningAlgorithmError, "expected \"ES256\", \"EdDSA\" or \"RS256\"" {
        /// ECDSA on P-256 with SHA-256: the default.
        Es256 = "ES256",
        /// `EdDSA` on the curve Ed25519 (RFC 8037).
        EdDsa = "EdDSA",
        /// RSA PKCS#1 v1.5 with SHA-256, for verifiers that know nothing else.
        Rs256 = "RS256",
    }
}

/// Time for which a key is published before it signs: longer than any verifier caches the JWKS (we say five
/// minutes).
pub const PUBLISH_AHEAD: SignedDuration = SignedDuration::from_hours(1);
/// Time for which a key signs.
pub const ACTIVE_FOR: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Time for which a key stays published after its last signature: the longest access token's lifetime, and some
/// clock skew.
pub const PUBLISH_AFTER: SignedDuration = SignedDuration::from_secs(*ACCESS_TOKEN_SECONDS.end() as i64 + 600);

/// A key pair that signs access tokens, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Identifier, which is the `kid` of its JWK.
    pub id: SigningKeyId,
    /// Algorithm that it signs with.
    pub algorithm: SigningAlgorithm,
    /// State of the key now.
    pub state: SigningKeyState,
    /// Time since which it is in that state.
    pub since: Timestamp,
    /// Time at which it was made.
    pub created_at: Timestamp,
    /// The public half, as a JSON Web Key (RFC 7517).
    pub public_jwk: serde_json::Value,
    /// The private half, sealed with the master key.
    pub sealed_private_key: Vec<u8>,
}

impl SigningKey {
    /// Facts about the key that [`plan_rotation`] needs.
    pub fn facts(&self) -> SigningKeyFacts {
        SigningKeyFacts { id: self.id, state: self.state, since: self.since }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({}, {:?})", self.id, self.state)
    }
}

/// Facts about a key that [`plan_rotation`] needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SigningKeyFacts {
    /// Identifier of the key.
    pub id: SigningKeyId,
    /// State of the key now.
    pub state: SigningKeyState,
    /// Time since which it is in that state.
    pub since: Timestamp,
}

/// Step of a rotation of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStep {
    /// Make a new key, which begins in this state.
    Create(SigningKeyState),
    /// Move a key to this state.
    Move(SigningKeyId, SigningKeyState),
}

/// Plans the changes of the keys that are due now, in their order. An upcoming key, however it came about, takes
/// over after [`PUBLISH_AHEAD`]; so an operator rotates by creating one.
pub fn plan_rotation(keys: &[SigningKeyFacts], now: Timestamp) -> Vec<KeyStep> {
    let find = |state| keys.iter().filter(move |key| key.state == state);
    let is_older = |key: &&SigningKeyFacts, age| now.duration_since(key.since) >= age;
    let mut steps: Vec<KeyStep> = find(SigningKeyState::Retiring)
        .filter(|key| is_older(key, PUBLISH_AFTER))
        .map(|key| KeyStep::Move(key.id, SigningKeyState::Retired))
        .collect();
    let upcoming = find(SigningKeyState::Upcoming).min_by_key(|key| key.since);
    match (find(SigningKeyState::Active).max_by_key(|key| key.since), upcoming) {
        (None, None) => steps.push(KeyStep::Create(SigningKeyState::Active)),
        (None, Some(next)) => steps.push(KeyStep::Move(next.id, SigningKeyState::Active)),
        (Some(active), Some(next)) if is_older(&next, PUBLISH_AHEAD) => {
            steps.push(KeyStep::Move(active.id, SigningKeyState::Retiring));
            steps.push(KeyStep::Move(next.id, SigningKeyState::Active));
        }
        (Some(active), None) if is_older(&active, ACTIVE_FOR - PUBLISH_AHEAD) => {
            steps.push(KeyStep::Create(SigningKeyState::Upcoming));
        }
        _ => {}
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use SigningKeyState::{Active, Retired, Retiring, Upcoming};
    use uuid::Uuid;

    fn key(n: u128, state: SigningKeyState, since: Timestamp) -> SigningKeyFacts {
        SigningKeyFacts { id: SigningKeyId::from_uuid(Uuid::from_u128(n)), state, since }
    }

    /// Proves I1: at every moment of a year one key signs, was published an hour before it did, and stays published
    /// until its last token has expired.
    #[test]
    fn a_year_of_rotation_never_signs_with_an_unpublished_key() {
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let mut keys: Vec<SigningKeyFacts> = vec![];
        let mut born = std::collections::BTreeMap::new();
        for minutes in (0..365 * 24 * 60).step_by(10) {
            let now = start.saturating_add(SignedDuration::from_mins(minutes)).unwrap();
            for step in plan_rotation(&keys, now) {
                match step {
                    KeyStep::Create(state) => {
                        let made = key(keys.len() as u128, state, now);
                        born.insert(made.id, now);
                        keys.push(made);
                    }
                    KeyStep::Move(id, state) => {
                        let moved = keys.iter_mut().find(|key| key.id == id).unwrap();
                        assert!(moved.state < state);
                        if state == Retired {
                            assert!(now.duration_since(moved.since) >= PUBLISH_AFTER);
                        }
                        (moved.state, moved.since) = (state, now);
                    }
                }
            }
            let active: Vec<_> = keys.iter().filter(|key| key.state == Active).collect();
            assert_eq!(active.len(), 1, "{now}");
            assert!(born[&active[0].id] == start || now.duration_since(born[&active[0].id]) >= PUBLISH_AHEAD);
        }
        assert_eq!(keys.len(), 5);
        assert!(keys.iter().any(|key| key.state == Retired));
    }

    /// Proves I1.
    #[test]
    fn a_key_that_an_operator_adds_takes_over_after_an_hour() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let hour_ago = now - PUBLISH_AHEAD;
        let keys = [key(1, Active, hour_ago), key(2, Upcoming, hour_ago)];
        assert_eq!(plan_rotation(&keys, now), [KeyStep::Move(keys[0].id, Retiring), KeyStep::Move(keys[1].id, Active)]);
        assert!(plan_rotation(&[key(1, Active, hour_ago), key(2, Upcoming, now)], now).is_empty());
    }
}
