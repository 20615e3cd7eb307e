//! One-time links. The user who holds one may use it, so they are found by digest alone.

use domain::credential_epoch::CredentialEpoch;
use domain::one_time_link::{LinkEnd, LinkPurpose, OneTimeLink};
use domain::secret::SecretDigest;
use domain::{AccountId, UserId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::columns::{digest, millis, parsed, time};
use crate::error::{Result, StorageError};
use crate::sql::{execute, execute_rows, fetch_optional, queries};
use crate::tx::Tx;

queries! {
    INSERT = "INSERT INTO one_time_links (digest, account_id, user_id, purpose, created_at, expires_at, ended_at,
            ended_reason, credential_epoch)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    BY_DIGEST = "SELECT digest, account_id, user_id, purpose, created_at, expires_at, ended_at, ended_reason,
            credential_epoch
        FROM one_time_links WHERE digest = $1";
    TAKE = "UPDATE one_time_links SET ended_at = $2, ended_reason = 'used'
        WHERE digest = $1 AND ended_at IS NULL AND expires_at > $2";
    REPLACE_OF_USER = "UPDATE one_time_links SET ended_at = $4, ended_reason = 'replaced'
        WHERE account_id = $1 AND user_id = $2 AND purpose = $3 AND ended_at IS NULL";
}

#[derive(sqlx::FromRow)]
struct LinkRow {
    digest: Vec<u8>,
    account_id: Uuid,
    user_id: Uuid,
    purpose: String,
    created_at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
    ended_reason: Option<String>,
    credential_epoch: i64,
}

impl TryFrom<LinkRow> for OneTimeLink {
    type Error = StorageError;

    fn try_from(row: LinkRow) -> Result<Self> {
        let ended = row.ended_at.zip(row.ended_reason);
        Ok(Self {
            digest: SecretDigest::from_bytes(digest("one_time_links.digest", &row.digest)?),
            account_id: AccountId::from_uuid(row.account_id),
            user_id: UserId::from_uuid(row.user_id),
            purpose: parsed("one_time_links.purpose", &row.purpose)?,
            credential_epoch: CredentialEpoch::from_number(row.credential_epoch),
            created_at: time("one_time_links.created_at", row.created_at)?,
            expires_at: time("one_time_links.expires_at", row.expires_at)?,
            ended: ended.map(|(at, reason)| read_end(at, &reason)).transpose()?,
        })
    }
}

fn read_end(at: i64, reason: &str) -> Result<(Timestamp, LinkEnd)> {
    Ok((time("one_time_links.ended_at", at)?, parsed("one_time_links.ended_reason", reason)?))
}

/// Keeps a link that is mailed; `Stale` if the account has no such user.
pub async fn insert(tx: &mut Tx, link: &OneTimeLink) -> Result<()> {
    insert_all(tx, std::slice::from_ref(link)).await
}

/// Keeps many links at once; `Stale` if one of their users is not there.
pub async fn insert_all(tx: &mut Tx, links: &[OneTimeLink]) -> Result<()> {
    execute_rows!(tx, INSERT, links, |link| {
        digest: link.digest.as_bytes().as_slice(),
        account_id: link.account_id.as_uuid(),
        user_id: link.user_id.as_uuid(),
        purpose: link.purpose.as_str(),
        created_at: millis(link.created_at),
        expires_at: millis(link.expires_at),
        ended_at: link.ended.map(|(at, _)| millis(at)),
        ended_reason: link.ended.map(|(_, reason)| reason.as_str()),
        credential_epoch: link.credential_epoch.number(),
    })?;
    Ok(())
}

/// The link of this digest, used, replaced and expired ones too.
pub async fn by_digest(tx: &mut Tx, digest: SecretDigest) -> Result<Option<OneTimeLink>> {
    let row: Option<LinkRow> = fetch_optional!(tx, BY_DIGEST, digest.as_bytes().as_slice())?;
    row.map(OneTimeLink::try_from).transpose()
}

/// Uses a link up; `false` if it was used, replaced or over before: of two at once, one is told so.
pub async fn take(tx: &mut Tx, digest: SecretDigest, now: Timestamp) -> Result<bool> {
    Ok(execute!(tx, TAKE, digest.as_bytes().as_slice(), millis(now))? > 0)
}

/// Ends a user's links of this purpose that still work, because a newer one takes their place or there is no use for
/// them any more; how many there were.
pub async fn replace_of_user(
    tx: &mut Tx,
    account_id: AccountId,
    user_id: UserId,
    purpose: LinkPurpose,
    now: Timestamp,
) -> Result<u64> {
    execute!(tx, REPLACE_OF_USER, account_id.as_uuid(), user_id.as_uuid(), purpose.as_str(), millis(now))
}
