//! Codes that were mailed as a second factor: one per sign-in (B2).

use domain::mfa_code::SentMfaCode;
use domain::secret::SecretDigest;
use domain::{AccountId, AttemptId};
use jiff::Timestamp;

use crate::columns::{digest, millis, time};
use crate::error::Result;
use crate::sql::{execute, fetch_optional, queries};
use crate::tx::Tx;

queries! {
    SET = "INSERT INTO mfa_codes (account_id, attempt_id, digest, tries, sent_at) VALUES ($1, $2, $3, 0, $4)
        ON CONFLICT (account_id, attempt_id) DO UPDATE SET digest = excluded.digest, tries = 0, sent_at = excluded.sent_at
        WHERE mfa_codes.sent_at <= $5";
    TRY = "UPDATE mfa_codes SET tries = tries + 1 WHERE account_id = $1 AND attempt_id = $2
        RETURNING digest, tries, sent_at";
    DELETE = "DELETE FROM mfa_codes WHERE account_id = $1 AND attempt_id = $2";
}

/// Keeps a code that is mailed, in place of the one before; `false` if that was sent after `pause_began`.
pub async fn set(
    tx: &mut Tx,
    (account_id, attempt_id): (AccountId, AttemptId),
    digest: SecretDigest,
    (sent_at, pause_began): (Timestamp, Timestamp),
) -> Result<bool> {
    let (account_id, attempt_id) = (account_id.as_uuid(), attempt_id.as_uuid());
    let digest = digest.as_bytes().as_slice();
    Ok(execute!(tx, SET, account_id, attempt_id, digest, millis(sent_at), millis(pause_began))? > 0)
}

/// Counts a try of the code, and gives it: so tries at the same moment are all counted.
pub async fn count_try(tx: &mut Tx, account_id: AccountId, attempt_id: AttemptId) -> Result<Option<SentMfaCode>> {
    let row: Option<(Vec<u8>, i64, i64)> = fetch_optional!(tx, TRY, account_id.as_uuid(), attempt_id.as_uuid())?;
    row.map(|(bytes, tries, sent_at)| {
        Ok(SentMfaCode {
            digest: SecretDigest::from_bytes(digest("mfa_codes.digest", &bytes)?),
            tries,
            sent_at: time("mfa_codes.sent_at", sent_at)?,
        })
    })
    .transpose()
}

/// Forgets the code: it was used.
pub async fn delete(tx: &mut Tx, account_id: AccountId, attempt_id: AttemptId) -> Result<()> {
    execute!(tx, DELETE, account_id.as_uuid(), attempt_id.as_uuid())?;
    Ok(())
}
