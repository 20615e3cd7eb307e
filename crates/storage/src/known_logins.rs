//! Known logins: digests of users and the networks that they signed in from, so that a flood keeps none of them
//! out. They name no account, because they are asked about before it is known whether there is one.

use domain::throttle::ThrottleKey;
use jiff::Timestamp;

use crate::columns::{digest, millis};
use crate::error::Result;
use crate::sql::{execute, fetch_all, queries};
use crate::tx::Tx;

queries! {
    REMEMBER = "INSERT INTO known_logins (digest, seen_at) VALUES ($1, $2)
        ON CONFLICT (digest) DO UPDATE SET seen_at = excluded.seen_at";
    NEWEST = "SELECT digest, seen_at FROM known_logins WHERE seen_at >= $1 ORDER BY seen_at DESC LIMIT $2";
}

/// Remembers that a user signed in from a network.
pub async fn remember(tx: &mut Tx, key: ThrottleKey, at: Timestamp) -> Result<()> {
    execute!(tx, REMEMBER, key.as_bytes().as_slice(), millis(at)).map(drop)
}

/// Lists the logins that were seen since then, the latest first.
pub async fn newest(tx: &mut Tx, since: Timestamp, limit: u32) -> Result<Vec<ThrottleKey>> {
    let rows: Vec<(Vec<u8>, i64)> = fetch_all!(tx, NEWEST, millis(since), i64::from(limit))?;
    rows.iter().map(|(bytes, _)| digest("known_logins.digest", bytes).map(ThrottleKey::from_bytes)).collect()
}
