//! Removing what has served its time, in batches small enough to keep nobody waiting.

use domain::idempotency::IDEMPOTENCY_RETENTION;
use domain::sign_in_attempt::ATTEMPT_RETENTION;
use jiff::{SignedDuration, Timestamp};

use crate::columns::millis;
use crate::error::Result;
use crate::sql::{Query, execute, queries};
use crate::tx::Tx;

/// How long a pending sign-in outlives its time: a person who answers the identity provider late is told that the
/// session expired, and is led back to their frontend.
pub const PENDING_SIGN_IN_RETENTION: SignedDuration = SignedDuration::from_hours(24);
/// How long a code outlives its issue: one that comes back within a day still ends its session (D4).
pub const CODE_RETENTION: SignedDuration = SignedDuration::from_hours(24);
/// How long a session, with its tokens, outlives its expiry, so that lists can show it.
pub const SESSION_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 30);

queries! {
    PENDING_SIGN_INS = "DELETE FROM pending_sign_ins WHERE attempt_id IN (
        SELECT attempt_id FROM pending_sign_ins WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    CONSUMED_ASSERTIONS = "DELETE FROM consumed_assertions WHERE (connection_id, assertion_digest) IN (
        SELECT connection_id, assertion_digest FROM consumed_assertions WHERE expires_at < $1
        ORDER BY expires_at LIMIT $2)";
    AUTHORIZATION_CODES = "DELETE FROM authorization_codes WHERE digest IN (
        SELECT digest FROM authorization_codes WHERE issued_at < $1 ORDER BY issued_at LIMIT $2)";
    SESSIONS = "DELETE FROM sessions WHERE id IN (
        SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    SIGN_IN_ATTEMPTS = "DELETE FROM sign_in_attempts WHERE id IN (
        SELECT id FROM sign_in_attempts WHERE started_at < $1 ORDER BY started_at LIMIT $2)";
    IDEMPOTENCY_RECORDS = "DELETE FROM idempotency_records WHERE (caller, key) IN (
        SELECT caller, key FROM idempotency_records WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
}

/// How many rows of each table were removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Pending sign-ins.
    pub pending_sign_ins: u64,
    /// Consumed assertions.
    pub consumed_assertions: u64,
    /// Authorization codes.
    pub authorization_codes: u64,
    /// Sessions; their refresh tokens went with them.
    pub sessions: u64,
    /// Sign-in attempts.
    pub sign_in_attempts: u64,
    /// Idempotency keys.
    pub idempotency_records: u64,
}

impl Purged {
    /// The most of one table: where it reaches the batch's limit, there may be more to remove.
    pub fn most(&self) -> u64 {
        let Self { pending_sign_ins, consumed_assertions, authorization_codes, .. } = *self;
        let Self { sessions, sign_in_attempts, idempotency_records, .. } = *self;
        [consumed_assertions, authorization_codes, sessions, sign_in_attempts, idempotency_records]
            .into_iter()
            .fold(pending_sign_ins, u64::max)
    }
}

/// Removes, of each table, at most `batch` rows that have served their time, the oldest first.
pub async fn purge_expired(tx: &mut Tx, now: Timestamp, batch: u16) -> Result<Purged> {
    let past = |retention: SignedDuration| now.saturating_sub(retention).unwrap_or(Timestamp::MIN);
    Ok(Purged {
        pending_sign_ins: purge(tx, PENDING_SIGN_INS, past(PENDING_SIGN_IN_RETENTION), batch).await?,
        consumed_assertions: purge(tx, CONSUMED_ASSERTIONS, now, batch).await?,
        authorization_codes: purge(tx, AUTHORIZATION_CODES, past(CODE_RETENTION), batch).await?,
        sessions: purge(tx, SESSIONS, past(SESSION_RETENTION), batch).await?,
        sign_in_attempts: purge(tx, SIGN_IN_ATTEMPTS, past(ATTEMPT_RETENTION), batch).await?,
        idempotency_records: purge(tx, IDEMPOTENCY_RECORDS, past(IDEMPOTENCY_RETENTION), batch).await?,
    })
}

async fn purge(tx: &mut Tx, query: Query, before: Timestamp, batch: u16) -> Result<u64> {
    execute!(tx, query, millis(before), i64::from(batch))
}
