//! The outbox: mails that are written with the change that they tell of, and sent after it (E4).
//!
//! A mail is looked for without a lock and taken by a guarded update, so several processes may send at once and
//! none waits for another. A worker that has taken one holds it until its `due_at`; if the worker is killed, it is
//! due again then.

use domain::credential_epoch::CredentialEpoch;
use domain::email::Email;
use domain::mail::delivery::Settlement;
use domain::mail::{Mail, MailState};
use domain::{AccountId, MailBatchId, MailId, UserId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::columns::{millis, optional_time, parsed, stored, time};
use crate::error::{Result, StorageError};
use crate::page::{Page, Paged};
use crate::sql::{execute, execute_rows, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

macro_rules! columns {
    () => {
        "id, account_id, kind, language, recipient, message_id, sealed_message, state, attempts, due_at, last_error,
        expires_at, settled_at, created_at, batch_id, user_id, credential_epoch"
    };
}

queries! {
    INSERT = concat!("INSERT INTO outbox (", columns!(), ", urgent)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)");
    /// Numbers the mails of each account, from an index that covers all the columns needed.
    DUE = concat!("SELECT ", columns!(), " FROM outbox JOIN (
            SELECT id AS due_id, ROW_NUMBER() OVER (PARTITION BY account_id ORDER BY due_at, id) AS turn
            FROM outbox WHERE urgent = $1 AND due_at <= $2
            ORDER BY turn, due_at, id LIMIT $3) due ON due.due_id = outbox.id
        ORDER BY due.turn, due_at, id");
    TAKE = "UPDATE outbox SET state = 'sending', attempts = attempts + 1, due_at = $3 WHERE id = $1 AND due_at = $2";
    SETTLE = "UPDATE outbox SET state = $3, attempts = $4, due_at = $5, last_error = $6, settled_at = $7,
            sealed_message = CASE WHEN $8 THEN sealed_message END
        WHERE id = $1 AND due_at = $2";
    BY_ID = concat!("SELECT ", columns!(), " FROM outbox WHERE id = $1");
    LIST = concat!("SELECT ", columns!(), " FROM outbox WHERE id < $1 ORDER BY id DESC LIMIT $2");
    LIST_OF_STATE = concat!("SELECT ", columns!(), " FROM outbox
        WHERE state = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    REQUEUE = "UPDATE outbox SET state = 'queued', attempts = 0, due_at = $2, settled_at = NULL
        WHERE id = $1 AND state = 'dead' AND (sealed_message IS NOT NULL OR batch_id IS NOT NULL)";
    INSERT_BATCH = "INSERT INTO outbox_batches (id, account_id, sealed_message, created_at) VALUES ($1, $2, $3, $4)";
    BATCH_MESSAGE = "SELECT sealed_message FROM outbox_batches WHERE id = $1";
    SET_MESSAGE = "UPDATE outbox SET sealed_message = $3, credential_epoch = $4
        WHERE id = $1 AND due_at = $2 AND sealed_message IS NULL";
    DELETE = "DELETE FROM outbox WHERE id = $1 AND state <> 'sending'";
    WITHDRAW_INVITATIONS = "DELETE FROM outbox WHERE account_id = $1 AND user_id = $2 AND state = 'queued' AND batch_id IS NULL
        AND kind IN ('invitation', 'first_owner_invitation', 'sso_invitation', 'self_service_invitation')";
    LAST_GIVEN_UP = "SELECT id FROM outbox
        WHERE state = 'dead' AND account_id = $1 AND recipient = $2 AND settled_at IS NOT NULL ORDER BY id DESC LIMIT 1";
    COUNT = "SELECT COUNT(*) FROM outbox WHERE state = $1";
}

/// Narrows the list of mails.
#[derive(Debug, Clone, Default)]
pub struct MailFilter {
    /// Lists the mails in this state alone.
    pub state: Option<MailState>,
}

#[derive(sqlx::FromRow)]
struct MailRow {
    id: Uuid,
    account_id: Option<Uuid>,
    kind: String,
    language: String,
    recipient: String,
    message_id: String,
    sealed_message: Option<Vec<u8>>,
    state: String,
    attempts: i64,
    due_at: Option<i64>,
    last_error: Option<String>,
    expires_at: Option<i64>,
    settled_at: Option<i64>,
    created_at: i64,
    batch_id: Option<Uuid>,
    user_id: Option<Uuid>,
    credential_epoch: Option<i64>,
}

impl TryFrom<MailRow> for Mail {
    type Error = StorageError;

    fn try_from(row: MailRow) -> Result<Self> {
        Ok(Self {
            id: MailId::from_uuid(row.id),
            account_id: row.account_id.map(AccountId::from_uuid),
            kind: parsed("outbox.kind", &row.kind)?,
            language: parsed("outbox.language", &row.language)?,
            recipient: stored("outbox.recipient", row.recipient)?,
            message_id: row.message_id,
            sealed_message: row.sealed_message,
            state: parsed("outbox.state", &row.state)?,
            attempts: row.attempts.try_into().map_err(|error| StorageError::corrupt("outbox.attempts", error))?,
            due_at: optional_time("outbox.due_at", row.due_at)?,
            last_error: row.last_error,
            expires_at: optional_time("outbox.expires_at", row.expires_at)?,
            settled_at: optional_time("outbox.settled_at", row.settled_at)?,
            created_at: time("outbox.created_at", row.created_at)?,
            batch_id: row.batch_id.map(MailBatchId::from_uuid),
            user_id: row.user_id.map(UserId::from_uuid),
            credential_epoch: row.credential_epoch.map(CredentialEpoch::from_number),
        })
    }
}

/// Adds mails to the outbox.
pub async fn insert_all(tx: &mut Tx, mails: &[Mail]) -> Result<()> {
    execute_rows!(tx, INSERT, mails, |mail| {
        id: mail.id.as_uuid(),
        account_id: mail.account_id.map(AccountId::as_uuid),
        kind: mail.kind.as_str(),
        language: mail.language.as_str(),
        recipient: mail.recipient.as_str(),
        message_id: mail.message_id.as_str(),
        sealed_message: mail.sealed_message.as_deref(),
        state: mail.state.as_str(),
        attempts: i64::from(mail.attempts),
        due_at: mail.due_at.map(millis),
        last_error: mail.last_error.as_deref(),
        expires_at: mail.expires_at.map(millis),
        settled_at: mail.settled_at.map(millis),
        created_at: millis(mail.created_at),
        batch_id: mail.batch_id.map(MailBatchId::as_uuid),
        user_id: mail.user_id.map(UserId::as_uuid),
        credential_epoch: mail.credential_epoch.map(CredentialEpoch::number),
        urgent: mail.kind.is_urgent(),
    })?;
    Ok(())
}

/// Keeps what the mails of a batch say, sealed.
pub async fn insert_batch(
    tx: &mut Tx,
    id: MailBatchId,
    account_id: AccountId,
    sealed_message: &[u8],
    at: Timestamp,
) -> Result<()> {
    execute!(tx, INSERT_BATCH, id.as_uuid(), account_id.as_uuid(), sealed_message, millis(at))?;
    Ok(())
}

/// Finds the sealed message of a batch's mails.
pub async fn batch_message(tx: &mut Tx, id: MailBatchId) -> Result<Option<Vec<u8>>> {
    let row: Option<(Vec<u8>,)> = fetch_optional!(tx, BATCH_MESSAGE, id.as_uuid())?;
    Ok(row.map(|(message,)| message))
}

/// Gives a mail of a batch a message of its own, which is a credential of this epoch, before it is sent; `false` if
/// it is not held until then any more, or has one: a worker that sends it again sends the same.
pub async fn set_message(
    tx: &mut Tx,
    id: MailId,
    held_until: Timestamp,
    sealed_message: &[u8],
    epoch: CredentialEpoch,
) -> Result<bool> {
    Ok(execute!(tx, SET_MESSAGE, id.as_uuid(), millis(held_until), sealed_message, epoch.number())? > 0)
}

/// Mails that may be taken now: of those that a user waits for, or of the others. Accounts take turns, each with
/// its longest waiting mail, so that the many mails of one do not keep another's waiting.
pub async fn due(tx: &mut Tx, urgent: bool, now: Timestamp, limit: u16) -> Result<Vec<Mail>> {
    let rows: Vec<MailRow> = fetch_all!(tx, DUE, urgent, millis(now), i64::from(limit))?;
    rows.into_iter().map(Mail::try_from).collect()
}

/// Takes a mail, as [`due`] found it, to be sent until then; `false` if another worker took it first.
pub async fn take(tx: &mut Tx, mail: &Mail, until: Timestamp) -> Result<bool> {
    Ok(execute!(tx, TAKE, mail.id.as_uuid(), mail.due_at.map(millis), millis(until))? > 0)
}

/// Writes what became of a mail; `false` if it is not held until `held_until` any more.
pub async fn settle(tx: &mut Tx, id: MailId, held_until: Timestamp, settlement: &Settlement) -> Result<bool> {
    let rows = execute!(
        tx,
        SETTLE,
        id.as_uuid(),
        millis(held_until),
        settlement.state.as_str(),
        i64::from(settlement.attempts),
        settlement.due_at.map(millis),
        settlement.last_error.as_deref(),
        settlement.settled_at.map(millis),
        settlement.keeps_message,
    )?;
    Ok(rows > 0)
}

/// Finds the mail by its id, in any account: mails are the operator's to look after.
pub async fn by_id(tx: &mut Tx, id: MailId) -> Result<Option<Mail>> {
    let row: Option<MailRow> = fetch_optional!(tx, BY_ID, id.as_uuid())?;
    row.map(Mail::try_from).transpose()
}

/// Mails of every account, the newest first.
pub async fn list(tx: &mut Tx, filter: &MailFilter, page: &Page) -> Result<Paged<Mail>> {
    let rows: Vec<MailRow> = match filter.state {
        Some(state) => fetch_all!(tx, LIST_OF_STATE, state.as_str(), page.below(), page.rows())?,
        None => fetch_all!(tx, LIST, page.below(), page.rows())?,
    };
    let mails = rows.into_iter().map(Mail::try_from).collect::<Result<_>>()?;
    Ok(Paged::cut(mails, page, |mail: &Mail| mail.id.as_uuid()))
}

/// Has a mail that was given up tried again; `false` if it was not, or if its message is gone.
pub async fn requeue(tx: &mut Tx, id: MailId, now: Timestamp) -> Result<bool> {
    Ok(execute!(tx, REQUEUE, id.as_uuid(), millis(now))? > 0)
}

/// Removes a mail, unless it is being sent; whether there was one.
pub async fn delete(tx: &mut Tx, id: MailId) -> Result<bool> {
    Ok(execute!(tx, DELETE, id.as_uuid())? > 0)
}

/// Takes back the mails that invite a user by an invitation of their own and still wait to be sent.
pub async fn withdraw_invitations(tx: &mut Tx, account_id: AccountId, user_id: UserId) -> Result<()> {
    execute!(tx, WITHDRAW_INVITATIONS, account_id.as_uuid(), user_id.as_uuid()).map(drop)
}

/// Whether a mail of an account to this address was given up, and is still remembered.
pub async fn was_given_up(tx: &mut Tx, account_id: AccountId, recipient: &Email) -> Result<bool> {
    let row: Option<(Uuid,)> = fetch_optional!(tx, LAST_GIVEN_UP, account_id.as_uuid(), recipient.as_str())?;
    Ok(row.is_some())
}

/// Counts the mails in this state.
pub async fn count(tx: &mut Tx, state: MailState) -> Result<u64> {
    let row: Option<(i64,)> = fetch_optional!(tx, COUNT, state.as_str())?;
    let (count,) = row.ok_or(StorageError::Stale)?;
    u64::try_from(count).map_err(|error| StorageError::corrupt("count(*)", error))
}
