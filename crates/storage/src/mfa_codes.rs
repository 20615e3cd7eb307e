//! Codes that were mailed as a second factor: one per sign-in (B2).

use domain::credential_epoch::CredentialEpoch;
use domain::mfa_code::SentMfaCode;
use domain::secret::SecretDigest;
use domain::{AccountId, AttemptId};
use jiff::Timestamp;

use crate::columns::{digest, millis, time};
use crate::error::Result;
use crate::sql::{execute, fetch_optional, queries};
use crate::tx::Tx;

queries! {
    SET = "INSERT INTO mfa_codes (account_id, attempt_id, digest, credential_epoch, tries, sent_at)
        VALUES ($1, $2, $3, $6, 0, $4)
        ON CONFLICT (account_id, attempt_id) DO UPDATE SET digest = excluded.digest, tries = 0,
            sent_at = excluded.sent_at, credential_epoch = excluded.credential_epoch
        WHERE mfa_codes.sent_at <= $5";
    TRY = "UPDATE mfa_codes SET tries = tries + 1 WHERE account_id = $1 AND attempt_id = $2
        RETURNING digest, credential_epoch, tries, sent_at";
    DELETE = "DELETE FROM mfa_codes WHERE account_id = $1 AND attempt_id = $2";
}

/// A code that is mailed for an attempt.
#[derive(Debug, Clone, Copy)]
pub struct NewMfaCode {
    /// Account of the sign-in attempt.
    pub account_id: AccountId,
    /// Attempt that the code is for.
    pub attempt_id: AttemptId,
    /// Digest that the code must give.
    pub digest: SecretDigest,
    /// The epoch that its user is in (A7).
    pub credential_epoch: CredentialEpoch,
    /// Time when the mail is sent.
    pub sent_at: Timestamp,
    /// Latest time at which the code before may have been sent.
    pub pause_began: Timestamp,
}

/// Keeps a code that is mailed, in place of the one before; `false` if that was sent after `pause_began`.
pub async fn set(tx: &mut Tx, code: &NewMfaCode) -> Result<bool> {
    let (account_id, attempt_id) = (code.account_id.as_uuid(), code.attempt_id.as_uuid());
    let (digest, epoch) = (code.digest.as_bytes().as_slice(), code.credential_epoch.number());
    let (sent_at, pause_began) = (millis(code.sent_at), millis(code.pause_began));
    Ok(execute!(tx, SET, account_id, attempt_id, digest, sent_at, pause_began, epoch)? > 0)
}

/// Counts a try of the code, and gives it: so tries at the same moment are all counted.
pub async fn count_try(tx: &mut Tx, account_id: AccountId, attempt_id: AttemptId) -> Result<Option<SentMfaCode>> {
    let row: Option<(Vec<u8>, i64, i64, i64)> = fetch_optional!(tx, TRY, account_id.as_uuid(), attempt_id.as_uuid())?;
    row.map(|(bytes, epoch, tries, sent_at)| {
        Ok(SentMfaCode {
            digest: SecretDigest::from_bytes(digest("mfa_codes.digest", &bytes)?),
            credential_epoch: CredentialEpoch::from_number(epoch),
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
