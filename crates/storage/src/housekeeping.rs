//! Removal of expired rows, in batches small enough that no other transaction waits long.

use domain::idempotency::IDEMPOTENCY_RETENTION;
use domain::login_slowdown::KNOWN_LOGIN_RETENTION;
use domain::mail::MAIL_RETENTION;
use domain::one_time_link::LINK_RETENTION;
use domain::sign_in_attempt::ATTEMPT_RETENTION;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::columns::millis;
use crate::error::Result;
use crate::sql::{execute, queries};
use crate::tx::Tx;

/// Period for which a session, with its tokens, outlives its expiry, so that lists can show it.
pub const SESSION_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 30);

queries! {
    SESSIONS = "DELETE FROM sessions WHERE id IN (
        SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    SIGN_IN_ATTEMPTS = "DELETE FROM sign_in_attempts WHERE id IN (
        SELECT id FROM sign_in_attempts WHERE id < $1 ORDER BY id LIMIT $2)";
    ONE_TIME_LINKS = "DELETE FROM one_time_links WHERE digest IN (
        SELECT digest FROM one_time_links WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
    IDEMPOTENCY_RECORDS = "DELETE FROM idempotency_records WHERE (caller, key) IN (
        SELECT caller, key FROM idempotency_records WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
    THROTTLES = "DELETE FROM throttles WHERE digest IN (
        SELECT digest FROM throttles WHERE clear_at < $1 ORDER BY clear_at LIMIT $2)";
    KNOWN_LOGINS = "DELETE FROM known_logins WHERE digest IN (
        SELECT digest FROM known_logins WHERE seen_at < $1 ORDER BY seen_at LIMIT $2)";
    MAILS = "DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox WHERE settled_at < $1 ORDER BY settled_at LIMIT $2)";
}

/// Counts of the rows that were removed, by table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Sessions; their refresh tokens went with them.
    pub sessions: u64,
    /// Number of removed sign-in attempts.
    pub sign_in_attempts: u64,
    /// Number of removed one-time links.
    pub one_time_links: u64,
    /// Number of removed idempotency keys.
    pub idempotency_records: u64,
    /// Throttles that are clear.
    pub throttles: u64,
    /// Memories of where users signed in from.
    pub known_logins: u64,
    /// Mails that were delivered or given up.
    pub mails: u64,
}

impl Purged {
    /// The most of one table: where it reaches the batch's limit, there may be more to remove.
    pub fn most(&self) -> u64 {
        let Self { sessions, sign_in_attempts, one_time_links, idempotency_records, throttles, known_logins, mails } =
            *self;
        let others = [sign_in_attempts, one_time_links, idempotency_records, throttles, known_logins, mails];
        others.into_iter().fold(sessions, u64::max)
    }
}

/// Removes, of each table, at most `batch` rows that have served their time, the oldest first.
pub async fn purge_expired(tx: &mut Tx, now: Timestamp, batch: u16) -> Result<Purged> {
    let past = |retention: SignedDuration| now.saturating_sub(retention).unwrap_or(Timestamp::MIN);
    let batch = i64::from(batch);
    Ok(Purged {
        sessions: execute!(tx, SESSIONS, millis(past(SESSION_RETENTION)), batch)?,
        one_time_links: execute!(tx, ONE_TIME_LINKS, millis(past(LINK_RETENTION)), batch)?,
        sign_in_attempts: execute!(tx, SIGN_IN_ATTEMPTS, first_id(past(ATTEMPT_RETENTION)), batch)?,
        idempotency_records: execute!(tx, IDEMPOTENCY_RECORDS, millis(past(IDEMPOTENCY_RETENTION)), batch)?,
        throttles: execute!(tx, THROTTLES, millis(now), batch)?,
        known_logins: execute!(tx, KNOWN_LOGINS, millis(past(KNOWN_LOGIN_RETENTION)), batch)?,
        mails: execute!(tx, MAILS, millis(past(MAIL_RETENTION)), batch)?,
    })
}

/// The least id (UUIDv7, RFC 9562 section 5.7) that is given at this time or later.
fn first_id(at: Timestamp) -> Uuid {
    let millis = u64::try_from(millis(at)).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}
