//! Whose turn it is to have their password looked at, in a flood of form logins.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::error::Result;
use crate::passwords::too_many_passwords;

/// How many may wait for each turn that there is; further ones are refused at once, so that memory stays bounded.
const WAITING_PER_TURN: usize = 4;
/// How long a turn is waited for. Whoever is refused has waited, so those who try again at once do so at a walk.
const WAIT: Duration = Duration::from_secs(1);

/// As many turns as passwords are looked at, at once. Without one nothing is asked of the database: the surplus would
/// queue up there, where it would keep everybody else waiting.
pub(crate) struct Turns {
    free: Semaphore,
    waiting: Semaphore,
}

impl Turns {
    /// So many at once.
    pub fn new(at_once: usize) -> Self {
        let permits = |number: usize| Semaphore::new(number.min(Semaphore::MAX_PERMITS));
        Self { free: permits(at_once), waiting: permits(at_once.saturating_mul(WAITING_PER_TURN)) }
    }

    /// A turn, until it is dropped. Refused where there is none for too long, or too many wait already.
    pub async fn take(&self) -> Result<SemaphorePermit<'_>> {
        if let Ok(turn) = self.free.try_acquire() {
            return Ok(turn);
        }
        let _place = self.waiting.try_acquire().map_err(|_| too_many_passwords())?;
        match timeout(WAIT, self.free.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(too_many_passwords()),
        }
    }
}
