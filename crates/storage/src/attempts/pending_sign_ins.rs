//! Pending sign-ins: what waits for an identity provider's answer. They are a part of their attempt's row, which their
//! handle and their request name.
//!
//! They are looked for within the connection that the path of the ACS names: whose it is follows from that. A sign-in
//! that is found otherwise can only be refused.

use domain::secret::{PresentedSecret, SecretDigest};
use domain::sign_in_attempt::AttemptKind;
use domain::sso::pending_sign_in::{PendingSignIn, Purpose, ReturnTo};
use domain::{AccountId, ApplicationId, AttemptId, ConnectionId};
use uuid::Uuid;

use crate::columns::{checked, digest, parsed, text, time};
use crate::error::{Result, StorageError};
use crate::sql::{fetch_optional, queries};
use crate::tx::Tx;

macro_rules! columns {
    () => {
        "id, account_id, portal, connection_id, kind, request_id, handle_digest, entered_email, application_id,
        redirect_uri, state, code_challenge, started_at, expires_at,
        (code_digest IS NOT NULL OR assertion_digest IS NOT NULL) AS answered"
    };
}

queries! {
    BY_HANDLE = concat!("SELECT ", columns!(), " FROM sign_in_attempts
        WHERE id = $1 AND handle_digest = $2 AND connection_id = $3 AND request_id IS NOT NULL");
    OF_ANY_CONNECTION = concat!("SELECT ", columns!(), " FROM sign_in_attempts
        WHERE id = $1 AND handle_digest = $2 AND connection_id IS NOT NULL AND request_id IS NOT NULL");
    BY_REQUEST_ID = concat!("SELECT ", columns!(), " FROM sign_in_attempts
        WHERE id = $1 AND request_id = $2 AND connection_id = $3");
}

#[derive(sqlx::FromRow)]
struct PendingRow {
    id: Uuid,
    account_id: Uuid,
    portal: String,
    connection_id: Uuid,
    kind: String,
    request_id: String,
    handle_digest: Vec<u8>,
    entered_email: Option<String>,
    #[sqlx(flatten)]
    purpose: PurposeRow,
    started_at: i64,
    expires_at: i64,
    answered: bool,
}

/// The frontend that waits; a test has none.
#[derive(sqlx::FromRow)]
struct PurposeRow {
    application_id: Option<Uuid>,
    redirect_uri: Option<String>,
    state: Option<String>,
    code_challenge: Option<String>,
}

impl PurposeRow {
    fn purpose(self, kind: AttemptKind) -> Result<Purpose> {
        if kind == AttemptKind::Test {
            return Ok(Purpose::Test);
        }
        let missing = |column| StorageError::corrupt(column, "is missing from a sign-in that waits");
        let (uri, challenge) = ("sign_in_attempts.redirect_uri", "sign_in_attempts.code_challenge");
        Ok(Purpose::SignIn(ReturnTo {
            application_id: ApplicationId::from_uuid(
                self.application_id.ok_or_else(|| missing("sign_in_attempts.application_id"))?,
            ),
            redirect_uri: checked(uri, self.redirect_uri.ok_or_else(|| missing(uri))?)?,
            state: self.state,
            code_challenge: checked(challenge, self.code_challenge.ok_or_else(|| missing(challenge))?)?,
        }))
    }
}

impl TryFrom<PendingRow> for PendingSignIn {
    type Error = StorageError;

    fn try_from(row: PendingRow) -> Result<Self> {
        let kind = parsed("sign_in_attempts.kind", &row.kind)?;
        Ok(Self {
            attempt_id: AttemptId::from_uuid(row.id),
            account_id: AccountId::from_uuid(row.account_id),
            portal: parsed("sign_in_attempts.portal", &row.portal)?,
            connection_id: ConnectionId::from_uuid(row.connection_id),
            request_id: row.request_id,
            relay_state: SecretDigest::from_bytes(digest("sign_in_attempts.handle_digest", &row.handle_digest)?),
            entered_email: row.entered_email,
            purpose: row.purpose.purpose(kind)?,
            created_at: time("sign_in_attempts.started_at", row.started_at)?,
            expires_at: time("sign_in_attempts.expires_at", row.expires_at)?,
            answered: row.answered,
        })
    }
}

/// The sign-in that this `RelayState` was given for, answered or expired ones too.
pub async fn by_relay_state(
    tx: &mut Tx,
    connection_id: ConnectionId,
    relay_state: PresentedSecret,
) -> Result<Option<PendingSignIn>> {
    let digest = relay_state.digest.as_bytes().as_slice();
    let row: Option<PendingRow> = fetch_optional!(tx, BY_HANDLE, relay_state.row, digest, connection_id.as_uuid())?;
    row.map(PendingSignIn::try_from).transpose()
}

/// The sign-in that this `RelayState` was given for, of whichever connection: where its answer came to the address of
/// another. The secret alone, of 256 bits, says whose it is.
pub async fn of_any_connection(tx: &mut Tx, relay_state: PresentedSecret) -> Result<Option<PendingSignIn>> {
    let digest = relay_state.digest.as_bytes().as_slice();
    let row: Option<PendingRow> = fetch_optional!(tx, OF_ANY_CONNECTION, relay_state.row, digest)?;
    row.map(PendingSignIn::try_from).transpose()
}

/// The sign-in of this attempt, if its request has this `ID`; answered or expired ones too.
pub async fn by_request_id(
    tx: &mut Tx,
    connection_id: ConnectionId,
    attempt_id: AttemptId,
    request_id: &str,
) -> Result<Option<PendingSignIn>> {
    let (attempt_id, connection_id) = (attempt_id.as_uuid(), connection_id.as_uuid());
    let row: Option<PendingRow> = fetch_optional!(tx, BY_REQUEST_ID, attempt_id, text(request_id), connection_id)?;
    row.map(PendingSignIn::try_from).transpose()
}
