//! Background work of every replica: keys are rotated in time, old rows removed.

use crate::core::error::Result;
use crate::installation::Installation;

/// Rows of each table that one sweep removes; small, so that sign-ins never wait long behind it.
const SWEEP_BATCH: u16 = 500;
/// Most sweeps in a row.
const SWEEPS_MAX: usize = 200;

impl Installation {
    /// Does the work of every minute: keys are rotated in time, every replica sees the same ones and knows the
    /// users that the others have let in, successors of refresh tokens are erased after their grace, first owners
    /// who can be mailed by now are, and the metrics say how full the outbox is.
    pub async fn tick(&self) -> Result<()> {
        self.sessions.rotate_signing_keys().await?;
        self.sign_in.refresh_known_logins().await?;
        self.sessions.forget_old_successors().await?;
        self.people.mail_first_owners().await?;
        self.mail.measure_outbox().await
    }

    /// Removes what has served its time.
    pub async fn sweep(&self) -> Result<()> {
        for _ in 0..SWEEPS_MAX {
            let mut tx = self.core.store.begin().await?;
            let purged = storage::housekeeping::purge_expired(&mut tx, self.core.now(), SWEEP_BATCH).await?;
            tx.commit().await?;
            if purged.most() < u64::from(SWEEP_BATCH) {
                break;
            }
        }
        Ok(())
    }
}
