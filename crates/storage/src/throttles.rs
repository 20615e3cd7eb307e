//! Throttles: the times at which slowed-down requests are clear again. They are about the client that asks, so they
//! name no account.

use domain::throttle::{Pace, ThrottleKey};
use jiff::{SignedDuration, Timestamp};

use crate::columns::{millis, time};
use crate::error::{Result, StorageError};
use crate::sql::{execute, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

queries! {
    COUNT = "INSERT INTO throttles (digest, clear_at) VALUES ($1, $3)
        ON CONFLICT (digest) DO UPDATE SET clear_at = CASE
            WHEN throttles.clear_at <= $2 THEN $3
            WHEN throttles.clear_at + $4 >= $5 THEN $5
            ELSE throttles.clear_at + $4 END
        RETURNING clear_at";
    COUNT_TWO = "INSERT INTO throttles (digest, clear_at) VALUES ($2, $3), ($4, $5)
        ON CONFLICT (digest) DO UPDATE SET clear_at = CASE
            WHEN throttles.clear_at <= $1 THEN excluded.clear_at
            ELSE throttles.clear_at + excluded.clear_at - $1 END
        RETURNING digest, clear_at";
    GIVE_BACK = "UPDATE throttles SET clear_at = clear_at - $2 WHERE digest = $1";
    GIVE_BACK_SEVEN = "UPDATE throttles SET clear_at = clear_at - CASE digest WHEN $1 THEN $2 WHEN $3 THEN $4
            WHEN $5 THEN $6 WHEN $7 THEN $8 WHEN $9 THEN $10 WHEN $11 THEN $12 WHEN $13 THEN $14 ELSE CAST(0 AS BIGINT) END
        WHERE digest IN ($1, $3, $5, $7, $9, $11, $13)";
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

/// Counts a try with two throttles by one statement, as [`count`] does; gives when each is clear then. A throttle
/// that is counted though its try has to wait must not be counted so: nothing keeps it from growing.
pub async fn count_two(tx: &mut Tx, two: [(ThrottleKey, Pace); 2], now: Timestamp) -> Result<[Timestamp; 2]> {
    let [(one, one_pace), (other, other_pace)] = two;
    let now = millis(now);
    let after = |pace: Pace| now.saturating_add(whole_millis(pace.period));
    let rows: Vec<(Vec<u8>, i64)> = fetch_all!(
        tx,
        COUNT_TWO,
        now,
        one.as_bytes().as_slice(),
        after(one_pace),
        other.as_bytes().as_slice(),
        after(other_pace),
    )?;
    let clear_at = |key: ThrottleKey| {
        let row = rows.iter().find(|(digest, _)| digest.as_slice() == key.as_bytes().as_slice());
        row.ok_or(StorageError::Stale).and_then(|(_, clear_at)| time("throttles.clear_at", *clear_at))
    };
    Ok([clear_at(one)?, clear_at(other)?])
}

/// Gives a try back that was counted with all of these, by one statement for as many as a login counts with.
pub async fn give_back_all(tx: &mut Tx, counted: &[(ThrottleKey, Pace)]) -> Result<()> {
    for chunk in counted.chunks(7) {
        let Some(last) = chunk.last() else { continue };
        let nth = |n: usize| chunk.get(n).unwrap_or(last);
        let (key, period) = (|n: usize| nth(n).0.as_bytes().as_slice(), |n: usize| whole_millis(nth(n).1.period));
        execute!(tx, GIVE_BACK_SEVEN, {
            key_1: key(0),
            period_1: period(0),
            key_2: key(1),
            period_2: period(1),
            key_3: key(2),
            period_3: period(2),
            key_4: key(3),
            period_4: period(3),
            key_5: key(4),
            period_5: period(4),
            key_6: key(5),
            period_6: period(5),
            key_7: key(6),
            period_7: period(6),
        })?;
    }
    Ok(())
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
