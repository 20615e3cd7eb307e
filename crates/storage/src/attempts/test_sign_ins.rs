//! Test sign-ins (C9): attempts of the kind `test`, which come to findings instead of a code. What waits for the
//! identity provider is the same as in a real sign-in, see [`crate::pending_sign_ins`].

use domain::sign_in_attempt::SignInAttempt;
use domain::sso::connection::SamlConnection;
use domain::sso::test_sign_in::TestFindings;
use domain::{AccountId, AttemptId, ConnectionId};
use jiff::Timestamp;
use sqlx::types::Json;

use crate::columns::{millis, text, time};
use crate::error::{Result, StorageError, Unique, written};
use crate::sign_in_attempts::{AttemptRow, assertion_digest, attempt_columns, failure, warnings};
use crate::sql::{execute, fetch_optional, queries};
use crate::tx::Tx;

queries! {
    BY_ID = concat!("SELECT ", attempt_columns!(), ", findings FROM sign_in_attempts
        WHERE account_id = $1 AND id = $2 AND connection_id = $3 AND kind = 'test'");
    CONCLUDE = "UPDATE sign_in_attempts SET stage = $3, outcome = $4, failure = $5, warnings = $6, saml_message = $7,
            updated_at = $8, findings = $9, assertion_digest = $10
        WHERE account_id = $1 AND id = $2 AND kind = 'test' AND assertion_digest IS NULL
        AND NOT EXISTS (SELECT 1 FROM sign_in_attempts AS other
            WHERE other.connection_id = sign_in_attempts.connection_id AND other.assertion_digest = $10)";
    RECORD_SUCCESS = "UPDATE saml_connections SET tested_at = $3, tested_version = $4 WHERE account_id = $1 AND id = $2";
    CARRY_SUCCESS = "UPDATE saml_connections SET tested_version = updated_at
        WHERE account_id = $1 AND id = $2 AND tested_version = $3";
    LAST_SUCCESS = "SELECT tested_at, tested_version = updated_at AS is_current FROM saml_connections
        WHERE account_id = $1 AND id = $2 AND tested_at IS NOT NULL";
}

/// The last test of a connection that would have let a user in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSuccess {
    /// Time when its response came.
    pub at: Timestamp,
    /// Whether the connection is still as it was tested.
    pub is_current: bool,
}

#[derive(sqlx::FromRow)]
struct TestRow {
    #[sqlx(flatten)]
    attempt: AttemptRow,
    findings: Option<Json<TestFindings>>,
}

/// The test of this id, with what it found once a response has come.
pub async fn by_id(
    tx: &mut Tx,
    account_id: AccountId,
    connection_id: ConnectionId,
    id: AttemptId,
) -> Result<Option<(SignInAttempt, Option<TestFindings>)>> {
    let row: Option<TestRow> = fetch_optional!(tx, BY_ID, account_id.as_uuid(), id.as_uuid(), connection_id.as_uuid())?;
    row.map(|row| Ok((row.attempt.try_into()?, row.findings.map(|findings| findings.0)))).transpose()
}

/// Writes what a response came to into its test: stage, outcome, failure, warnings, message, time and findings.
/// With the assertion's id, that is used up. `Conflict(Answer)` if the test used one before, or its connection has
/// seen this one (C10): a refused test may be answered again, as a sign-in may.
pub async fn conclude(
    tx: &mut Tx,
    test: &SignInAttempt,
    findings: &TestFindings,
    assertion_id: Option<&str>,
) -> Result<()> {
    let rows = execute!(tx, CONCLUDE, {
        account_id: test.account_id.as_uuid(),
        id: test.id.as_uuid(),
        stage: test.stage.as_str(),
        outcome: test.outcome.name().as_str(),
        failure: test.outcome.failure().map(failure),
        warnings: warnings(&test.warnings),
        saml_message: test.saml_message.as_deref().map(text),
        updated_at: millis(test.updated_at),
        findings: Json(findings),
        assertion_digest: assertion_id.map(assertion_digest),
    })?;
    written(rows, StorageError::Conflict(Unique::Answer))
}

/// Remembers on a connection that it was tested with success, beyond the retention of attempts. It is no change of the
/// connection.
pub async fn record_success(tx: &mut Tx, tested: &SamlConnection, now: Timestamp) -> Result<()> {
    let (account_id, id) = (tested.account_id.as_uuid(), tested.id.as_uuid());
    let rows = execute!(tx, RECORD_SUCCESS, account_id, id, millis(now), millis(tested.updated_at))?;
    written(rows, StorageError::Stale)
}

/// Keeps what a test proved over a change that left the settings as they were: enabling, disabling, requiring.
/// `tested` is the version before it.
pub async fn carry_success(tx: &mut Tx, changed: &SamlConnection, tested: Timestamp) -> Result<()> {
    let (account_id, id) = (changed.account_id.as_uuid(), changed.id.as_uuid());
    execute!(tx, CARRY_SUCCESS, account_id, id, millis(tested))?;
    Ok(())
}

/// The last success of a connection's tests.
pub async fn last_success(tx: &mut Tx, account_id: AccountId, id: ConnectionId) -> Result<Option<LastSuccess>> {
    let row: Option<(i64, bool)> = fetch_optional!(tx, LAST_SUCCESS, account_id.as_uuid(), id.as_uuid())?;
    row.map(|(at, is_current)| Ok(LastSuccess { at: time("saml_connections.tested_at", at)?, is_current })).transpose()
}
