//! Pending sign-ins: what waits for an identity provider's answer.
//!
//! They are found by connection, which the path of the ACS names: whose it is follows from that.

use domain::secret::SecretDigest;
use domain::sso::pending_sign_in::{PendingSignIn, ReturnTo};
use domain::{AccountId, ApplicationId, AttemptId, ConnectionId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::columns::{checked, digest, millis, optional_time, parsed, text, time};
use crate::error::{Result, StorageError};
use crate::sql::{execute, fetch_optional, queries};
use crate::tx::Tx;

macro_rules! columns {
    () => {
        "attempt_id, account_id, portal, connection_id, request_id, relay_state, entered_email, application_id,
        redirect_uri, state, code_challenge, created_at, expires_at, consumed_at"
    };
}

queries! {
    INSERT = concat!("INSERT INTO pending_sign_ins (", columns!(), ")
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");
    BY_RELAY_STATE = concat!("SELECT ", columns!(), " FROM pending_sign_ins
        WHERE connection_id = $1 AND relay_state = $2");
    BY_REQUEST_ID = concat!("SELECT ", columns!(), " FROM pending_sign_ins
        WHERE connection_id = $1 AND request_id = $2");
    CONSUME = concat!("UPDATE pending_sign_ins SET consumed_at = $3
        WHERE connection_id = $1 AND request_id = $2 AND consumed_at IS NULL RETURNING ", columns!());
}

#[derive(sqlx::FromRow)]
struct PendingRow {
    attempt_id: Uuid,
    account_id: Uuid,
    portal: String,
    connection_id: Uuid,
    request_id: String,
    relay_state: Vec<u8>,
    entered_email: Option<String>,
    application_id: Uuid,
    redirect_uri: String,
    state: Option<String>,
    code_challenge: String,
    created_at: i64,
    expires_at: i64,
    consumed_at: Option<i64>,
}

impl TryFrom<PendingRow> for PendingSignIn {
    type Error = StorageError;

    fn try_from(row: PendingRow) -> Result<Self> {
        Ok(Self {
            attempt_id: AttemptId::from_uuid(row.attempt_id),
            account_id: AccountId::from_uuid(row.account_id),
            portal: parsed("pending_sign_ins.portal", &row.portal)?,
            connection_id: ConnectionId::from_uuid(row.connection_id),
            request_id: row.request_id,
            relay_state: SecretDigest::from_bytes(digest("pending_sign_ins.relay_state", &row.relay_state)?),
            entered_email: row.entered_email,
            return_to: ReturnTo {
                application_id: ApplicationId::from_uuid(row.application_id),
                redirect_uri: checked("pending_sign_ins.redirect_uri", row.redirect_uri)?,
                state: row.state,
                code_challenge: checked("pending_sign_ins.code_challenge", row.code_challenge)?,
            },
            created_at: time("pending_sign_ins.created_at", row.created_at)?,
            expires_at: time("pending_sign_ins.expires_at", row.expires_at)?,
            consumed_at: optional_time("pending_sign_ins.consumed_at", row.consumed_at)?,
        })
    }
}

/// Remembers a sign-in that is sent to the identity provider; `Stale` if its connection is gone.
pub async fn insert(tx: &mut Tx, pending: &PendingSignIn) -> Result<()> {
    execute!(
        tx,
        INSERT,
        pending.attempt_id.as_uuid(),
        pending.account_id.as_uuid(),
        pending.portal.as_str(),
        pending.connection_id.as_uuid(),
        text(&pending.request_id),
        pending.relay_state.as_bytes().as_slice(),
        pending.entered_email.as_deref().map(text),
        pending.return_to.application_id.as_uuid(),
        pending.return_to.redirect_uri.as_str(),
        pending.return_to.state.as_deref().map(text),
        pending.return_to.code_challenge.as_str(),
        millis(pending.created_at),
        millis(pending.expires_at),
        pending.consumed_at.map(millis),
    )?;
    Ok(())
}

/// The pending sign-in whose `RelayState` has this digest, consumed or expired ones too.
pub async fn by_relay_state(
    tx: &mut Tx,
    connection_id: ConnectionId,
    relay_state: SecretDigest,
) -> Result<Option<PendingSignIn>> {
    let relay_state = relay_state.as_bytes().as_slice();
    let row: Option<PendingRow> = fetch_optional!(tx, BY_RELAY_STATE, connection_id.as_uuid(), relay_state)?;
    row.map(PendingSignIn::try_from).transpose()
}

/// The pending sign-in whose request has this `ID`, consumed or expired ones too.
pub async fn by_request_id(
    tx: &mut Tx,
    connection_id: ConnectionId,
    request_id: &str,
) -> Result<Option<PendingSignIn>> {
    let row: Option<PendingRow> = fetch_optional!(tx, BY_REQUEST_ID, connection_id.as_uuid(), text(request_id))?;
    row.map(PendingSignIn::try_from).transpose()
}

/// Takes the pending sign-in that a verified response answers; none if there is none, or another response took it
/// before (C10).
pub async fn consume(
    tx: &mut Tx,
    connection_id: ConnectionId,
    request_id: &str,
    now: Timestamp,
) -> Result<Option<PendingSignIn>> {
    let (connection, request_id, now) = (connection_id.as_uuid(), text(request_id), millis(now));
    let row: Option<PendingRow> = fetch_optional!(tx, CONSUME, connection, request_id, now)?;
    row.map(PendingSignIn::try_from).transpose()
}
