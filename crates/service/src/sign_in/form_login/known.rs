//! Users who signed in from a network before: login capacity is held in reserve for them (A4).
//!
//! They are kept in memory, because a flood must not make questions to the database, and in a table, so that a
//! restart loses none. Every process reads each minute the users that others have seen.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::login_slowdown::{KNOWN_LOGIN_RETENTION, KNOWN_LOGINS_MAX};
use domain::throttle::ThrottleKey;
use jiff::{SignedDuration, Timestamp};
use storage::Tx;
use tokio::sync::OnceCell;

use crate::core::error::Result;
use crate::sign_in::SignIn;

/// Age from which a memory is written down anew.
const RENEWED_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// Time back to which a process looks for what others have seen: several times as long as it waits between two looks.
const SEEN_BY_OTHERS: SignedDuration = SignedDuration::from_mins(5);

/// Logins that this process knows, with the time at which each was last written down.
#[derive(Default)]
pub(crate) struct KnownLogins {
    seen: Mutex<HashMap<ThrottleKey, Timestamp>>,
    loaded: OnceCell<()>,
}

impl KnownLogins {
    fn seen(&self) -> MutexGuard<'_, HashMap<ThrottleKey, Timestamp>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds these, as long as there is room.
    fn learn(&self, keys: impl IntoIterator<Item = ThrottleKey>, at: Timestamp) {
        let mut seen = self.seen();
        for key in keys {
            if seen.len() < KNOWN_LOGINS_MAX as usize || seen.contains_key(&key) {
                seen.entry(key).and_modify(|last| *last = at.max(*last)).or_insert(at);
            }
        }
    }
}

impl SignIn {
    /// Whether this user signed in from there before. Asks the database once in the life of the process.
    pub(super) async fn is_known_login(&self, key: ThrottleKey) -> bool {
        if let Err(error) =
            self.known_logins.loaded.get_or_try_init(|| self.learn_known_logins(KNOWN_LOGIN_RETENTION)).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "known logins cannot be read yet");
        }
        self.known_logins.seen().contains_key(&key)
    }

    /// Learns the logins that other processes have seen.
    pub(crate) async fn refresh_known_logins(&self) -> Result<()> {
        self.learn_known_logins(SEEN_BY_OTHERS).await
    }

    async fn learn_known_logins(&self, back: SignedDuration) -> Result<()> {
        let since = self.core.now().saturating_sub(back).unwrap_or(Timestamp::MIN);
        let keys = storage::known_logins::newest(&mut self.core.store.read().await?, since, KNOWN_LOGINS_MAX).await?;
        // Renewed when they sign in next: how old each is does not matter here.
        self.known_logins.learn(keys, Timestamp::MIN);
        Ok(())
    }

    /// Remembers a user whose password is right, at most once a day.
    pub(super) async fn remember_login(&self, tx: &mut Tx, key: ThrottleKey) -> Result<()> {
        let now = self.core.now();
        let last = self.known_logins.seen().get(&key).copied();
        if last.is_some_and(|last| now.duration_since(last) < RENEWED_AFTER) {
            return Ok(());
        }
        storage::known_logins::remember(tx, key, now).await?;
        self.known_logins.learn([key], now);
        Ok(())
    }
}
