//! Throttles: when what is slowed down is clear again. They are about whoever asks, so they name no account.

use domain::throttle::{Pace, ThrottleKey};
use jiff::{SignedDuration, Timestamp};

use crate::columns::{millis, time};
use crate::error::{Result, StorageError};
use crate::sql::{execute, fetch_optional, queries};
use crate::tx::Tx;

queries! {
    COUNT = "INSERT INTO throttles (digest, clear_at) VALUES ($1, $3)
        ON CONFLICT (digest) DO UPDATE SET clear_at = CASE
            WHEN throttles.clear_at <= $2 THEN $3
            WHEN throttles.clear_at + $4 >= $5 THEN $5
            ELSE throttles.clear_at + $4 END
        RETURNING clear_at";
    GIVE_BACK = "UPDATE throttles SET clear_at = clear_at - $2 WHERE digest = $1";
    CLEAR = "DELETE FROM throttles WHERE digest = $1";
}

/// Counts a try; gives when the throttle is clear then. The row stays locked until the transaction ends, so that tries
/// at the same moment see each other; one that is not admitted must not be committed.
pub async fn count(tx: &mut Tx, key: ThrottleKey, pace: Pace, now: Timestamp) -> Result<Timestamp> {
    let (digest, now, period) = (key.as_bytes().as_slice(), millis(now), whole_millis(pace.period));
    let furthest = now.saturating_add(whole_millis(pace.furthest()));
    let row: Option<(i64,)> = fetch_optional!(tx, COUNT, digest, now, now.saturating_add(period), period, furthest)?;
    let (clear_at,) = row.ok_or(StorageError::Stale)?;
    time("throttles.clear_at", clear_at)
}

/// Gives a try back that was counted: it was none that counts.
pub async fn give_back(tx: &mut Tx, key: ThrottleKey, pace: Pace) -> Result<()> {
    execute!(tx, GIVE_BACK, key.as_bytes().as_slice(), whole_millis(pace.period))?;
    Ok(())
}

/// Holds nothing against it any more.
pub async fn clear(tx: &mut Tx, key: ThrottleKey) -> Result<()> {
    execute!(tx, CLEAR, key.as_bytes().as_slice())?;
    Ok(())
}

fn whole_millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
