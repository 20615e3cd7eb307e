//! Sign-in attempts: one row per sign-in, from its start to its session. Here is what diagnostics shows of it (H1);
//! [`crate::pending_sign_ins`] and [`crate::authorization_codes`] are its other faces.

use domain::portal::Portal;
use domain::sign_in_attempt::{AttemptFailure, AttemptOutcome, Outcome, SignInAttempt};
use domain::sso::pending_sign_in::PendingSignIn;
use domain::{AccountId, ApplicationId, AttemptId, ConnectionId, UserId};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::types::Json;
use uuid::Uuid;

use crate::attempts::client_networks::ClientNetworks;
use crate::columns::{millis, parsed, text, time};
use crate::error::{Result, StorageError, Unique, written};
use crate::page::{Page, Paged};
use crate::sql::{execute, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

macro_rules! attempt_columns {
    () => {
        "id, account_id, portal, connection_id, application_id, kind, stage, outcome, failure, entered_email, user_id,
        warnings, saml_message, client_address, started_at, updated_at"
    };
}
pub(crate) use attempt_columns;

queries! {
    INSERT = concat!("INSERT INTO sign_in_attempts (", attempt_columns!(), ", request_id, handle_digest, redirect_uri, state,
            code_challenge, expires_at, assertion_digest, client_key)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $27
        WHERE (SELECT count(CASE WHEN client_key BETWEEN $28 AND $29 THEN 1 END) < $30
                AND count(CASE WHEN client_key BETWEEN $31 AND $32 THEN 1 END) < $33 AND count(*) < $36
                FROM sign_in_attempts WHERE connection_id = $4 AND started_at >= $24
                AND client_key BETWEEN $34 AND $35 AND user_id IS NULL)
        AND (SELECT count(*) FROM sign_in_attempts
                WHERE connection_id = $4 AND started_at >= $25 AND user_id IS NULL) < $26
        ON CONFLICT DO NOTHING");
    REFUSE = "UPDATE sign_in_attempts SET stage = $3, outcome = 'refused', failure = $4, saml_message = $5,
            updated_at = $6
        WHERE account_id = $1 AND id = $2 AND code_digest IS NULL AND assertion_digest IS NULL";
    REFUSE_USED = "UPDATE sign_in_attempts SET stage = $3, outcome = 'refused', failure = $4, saml_message = $5,
            updated_at = $6, user_id = $7, assertion_digest = $8, assertion_issued_at = $9
        WHERE account_id = $1 AND id = $2 AND code_digest IS NULL AND NOT EXISTS (SELECT 1 FROM sign_in_attempts AS other
            WHERE other.connection_id = sign_in_attempts.connection_id AND other.assertion_digest = $8)";
    NEWER_ASSERTION = "SELECT id FROM sign_in_attempts
        WHERE account_id = $1 AND user_id = $2 AND assertion_issued_at > $3 LIMIT 1";
    BY_ID = concat!("SELECT ", attempt_columns!(), " FROM sign_in_attempts WHERE account_id = $1 AND id = $2");
    LIST = concat!("SELECT ", attempt_columns!(), " FROM sign_in_attempts
        WHERE account_id = $1 AND id < $2 AND (portal = $3 OR $3 IS NULL) AND (outcome = $4 OR $4 IS NULL)
        AND (user_id = $5 OR $5 IS NULL) AND (connection_id = $6 OR $6 IS NULL)
        AND (started_at >= $7 OR $7 IS NULL) AND (started_at < $8 OR $8 IS NULL)
        ORDER BY id DESC LIMIT $9");
}

/// Limits of the attempts per connection that are linked to no user (under way, abandoned, refused). Any client
/// can cause them, so they are counted before one more is stored.
#[derive(Debug, Clone, Copy)]
pub struct UnlinkedLimits {
    /// Limit from one client: start of the period, and number; wider networks of its address may have more.
    pub of_address: (Timestamp, u32),
    /// Limit from all addresses together: start of the period, and number.
    pub of_connection: (Timestamp, u32),
}

/// An assertion that a sign-in used up.
#[derive(Debug, Clone, Copy)]
pub struct UsedAssertion<'a> {
    /// `ID` attribute of the assertion.
    pub id: &'a str,
    /// Time when its identity provider issued it.
    pub issued_at: Timestamp,
}

/// Narrows the list of an account's attempts.
#[derive(Debug, Clone, Default)]
pub struct AttemptFilter {
    /// Lists the attempts for this portal alone.
    pub portal: Option<Portal>,
    /// Lists the attempts with this outcome alone.
    pub outcome: Option<AttemptOutcome>,
    /// Lists the attempts of this user alone.
    pub user_id: Option<UserId>,
    /// Lists the attempts through this connection alone.
    pub connection_id: Option<ConnectionId>,
    /// Start of the period in which they began, included.
    pub since: Option<Timestamp>,
    /// End of the period in which they began, excluded.
    pub until: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct AttemptRow {
    id: Uuid,
    account_id: Uuid,
    portal: String,
    connection_id: Option<Uuid>,
    application_id: Option<Uuid>,
    kind: String,
    stage: String,
    outcome: String,
    failure: Option<Json<AttemptFailure>>,
    entered_email: Option<String>,
    user_id: Option<Uuid>,
    warnings: Json<Vec<String>>,
    saml_message: Option<String>,
    client_address: String,
    started_at: i64,
    updated_at: i64,
}

impl TryFrom<AttemptRow> for SignInAttempt {
    type Error = StorageError;

    fn try_from(row: AttemptRow) -> Result<Self> {
        Ok(Self {
            id: AttemptId::from_uuid(row.id),
            account_id: AccountId::from_uuid(row.account_id),
            portal: parsed("sign_in_attempts.portal", &row.portal)?,
            connection_id: row.connection_id.map(ConnectionId::from_uuid),
            application_id: row.application_id.map(ApplicationId::from_uuid),
            kind: parsed("sign_in_attempts.kind", &row.kind)?,
            stage: parsed("sign_in_attempts.stage", &row.stage)?,
            outcome: outcome(&row.outcome, row.failure)?,
            entered_email: row.entered_email,
            user_id: row.user_id.map(UserId::from_uuid),
            warnings: row.warnings.0,
            saml_message: row.saml_message,
            client_address: row.client_address,
            started_at: time("sign_in_attempts.started_at", row.started_at)?,
            updated_at: time("sign_in_attempts.updated_at", row.updated_at)?,
        })
    }
}

/// Reads the outcome with its failure; a refused attempt without one is corrupt.
fn outcome(name: &str, failure: Option<Json<AttemptFailure>>) -> Result<Outcome> {
    match (parsed("sign_in_attempts.outcome", name)?, failure) {
        (AttemptOutcome::Pending, _) => Ok(Outcome::Pending),
        (AttemptOutcome::Succeeded, _) => Ok(Outcome::Succeeded),
        (AttemptOutcome::Refused, Some(failure)) => Ok(Outcome::Refused(failure.0)),
        (AttemptOutcome::Refused, None) => Err(StorageError::corrupt("sign_in_attempts.failure", "it is missing")),
    }
}

/// Columns of an attempt's row that are set when it is stored and are not part of [`SignInAttempt`].
#[derive(Default)]
struct Beside<'a> {
    pending: Option<&'a PendingSignIn>,
    assertion_id: Option<&'a str>,
    limits: Option<&'a UnlinkedLimits>,
}

/// Records a sign-in attempt; `Stale` if it cannot be stored.
pub async fn insert(tx: &mut Tx, attempt: &SignInAttempt) -> Result<()> {
    written(store(tx, attempt, Beside::default()).await?, StorageError::Stale)
}

/// Records an attempt that anyone can cause; `false` if that would exceed the limits.
pub async fn insert_within(tx: &mut Tx, attempt: &SignInAttempt, limits: &UnlinkedLimits) -> Result<bool> {
    Ok(store(tx, attempt, Beside { limits: Some(limits), ..Beside::default() }).await? > 0)
}

/// Records an attempt that an unsolicited assertion began; `Conflict(Answer)` if the connection has seen the
/// assertion before (C10).
pub async fn insert_unsolicited(tx: &mut Tx, attempt: &SignInAttempt, assertion_id: &str) -> Result<()> {
    let rows = store(tx, attempt, Beside { assertion_id: Some(assertion_id), ..Beside::default() }).await?;
    written(rows, StorageError::Conflict(Unique::Answer))
}

/// Records an attempt that waits for its identity provider; `false` if that would exceed the limits.
pub async fn insert_pending(
    tx: &mut Tx,
    attempt: &SignInAttempt,
    pending: &PendingSignIn,
    limits: &UnlinkedLimits,
) -> Result<bool> {
    Ok(store(tx, attempt, Beside { pending: Some(pending), limits: Some(limits), assertion_id: None }).await? > 0)
}

async fn store(tx: &mut Tx, attempt: &SignInAttempt, beside: Beside<'_>) -> Result<u64> {
    let Beside { pending, assertion_id, limits } = beside;
    let unlimited = UnlinkedLimits { of_address: (Timestamp::MAX, 1), of_connection: (Timestamp::MAX, 1) };
    let UnlinkedLimits { of_address, of_connection } = limits.unwrap_or(&unlimited);
    let return_to = pending.and_then(|pending| pending.purpose.return_to());
    let networks = ClientNetworks::of(&attempt.client_address, of_address.1);
    execute!(tx, INSERT, {
        id: attempt.id.as_uuid(),
        account_id: attempt.account_id.as_uuid(),
        portal: attempt.portal.as_str(),
        connection_id: attempt.connection_id.map(ConnectionId::as_uuid),
        application_id: attempt.application_id.map(ApplicationId::as_uuid),
        kind: attempt.kind.as_str(),
        stage: attempt.stage.as_str(),
        outcome: attempt.outcome.name().as_str(),
        failure: attempt.outcome.failure().map(failure),
        entered_email: attempt.entered_email.as_deref().map(text),
        user_id: attempt.user_id.map(UserId::as_uuid),
        warnings: warnings(&attempt.warnings),
        saml_message: attempt.saml_message.as_deref().map(text),
        client_address: text(&attempt.client_address),
        started_at: millis(attempt.started_at),
        updated_at: millis(attempt.updated_at),
        request_id: pending.map(|pending| text(&pending.request_id)),
        handle_digest: pending.map(|pending| pending.relay_state.as_bytes().as_slice()),
        redirect_uri: return_to.map(|return_to| return_to.redirect_uri.as_str()),
        state: return_to.and_then(|return_to| return_to.state.as_deref()).map(text),
        code_challenge: return_to.map(|return_to| return_to.code_challenge.as_str()),
        expires_at: pending.map(|pending| millis(pending.expires_at)),
        assertion_digest: assertion_id.map(assertion_digest),
        address_started_at: millis(of_address.0),
        connection_started_at: millis(of_connection.0),
        most_of_connection: i64::from(of_connection.1),
        client_key: networks.key,
        client_first: networks.client.first,
        client_last: networks.client.last,
        client_most: networks.client.most,
        site_first: networks.site.first,
        site_last: networks.site.last,
        site_most: networks.site.most,
        region_first: networks.region.first,
        region_last: networks.region.last,
        region_most: networks.region.most,
    })
}

/// Digest by which an assertion is remembered: its identity provider chooses the length of the id.
pub(crate) fn assertion_digest(id: &str) -> Vec<u8> {
    Sha256::digest(id.as_bytes()).to_vec()
}

/// Writes a refusal into an attempt: its stage, failure, message and time; `false` if it is gone, or was answered
/// meanwhile.
pub async fn refuse(tx: &mut Tx, refused: &SignInAttempt) -> Result<bool> {
    let rows = execute!(
        tx,
        REFUSE,
        refused.account_id.as_uuid(),
        refused.id.as_uuid(),
        refused.stage.as_str(),
        refused.outcome.failure().map(failure),
        refused.saml_message.as_deref().map(text),
        millis(refused.updated_at),
    )?;
    Ok(rows > 0)
}

/// Writes a refusal that its assertion brought about into the attempt of a user, and uses the assertion up;
/// `Conflict(Answer)` if the attempt gave a code, or the connection has seen the assertion before (C10).
pub async fn refuse_used(tx: &mut Tx, refused: &SignInAttempt, assertion: UsedAssertion<'_>) -> Result<()> {
    let rows = execute!(tx, REFUSE_USED, {
        account_id: refused.account_id.as_uuid(),
        id: refused.id.as_uuid(),
        stage: refused.stage.as_str(),
        failure: refused.outcome.failure().map(failure),
        saml_message: refused.saml_message.as_deref().map(text),
        updated_at: millis(refused.updated_at),
        user_id: refused.user_id.map(UserId::as_uuid),
        assertion_digest: assertion_digest(assertion.id),
        assertion_issued_at: millis(assertion.issued_at),
    })?;
    written(rows, StorageError::Conflict(Unique::Answer))
}

/// Whether an assertion of this user that was issued later was used already.
pub async fn newer_assertion_was_used(
    tx: &mut Tx,
    account_id: AccountId,
    user_id: UserId,
    issued_at: Timestamp,
) -> Result<bool> {
    let (account_id, user_id) = (account_id.as_uuid(), user_id.as_uuid());
    let row: Option<(Uuid,)> = fetch_optional!(tx, NEWER_ASSERTION, account_id, user_id, millis(issued_at))?;
    Ok(row.is_some())
}

/// The attempt of this id.
pub async fn by_id(tx: &mut Tx, account_id: AccountId, id: AttemptId) -> Result<Option<SignInAttempt>> {
    let row: Option<AttemptRow> = fetch_optional!(tx, BY_ID, account_id.as_uuid(), id.as_uuid())?;
    row.map(SignInAttempt::try_from).transpose()
}

/// Attempts of an account, the newest first.
pub async fn list(
    tx: &mut Tx,
    account_id: AccountId,
    filter: &AttemptFilter,
    page: &Page,
) -> Result<Paged<SignInAttempt>> {
    let rows: Vec<AttemptRow> = fetch_all!(tx, LIST, {
        account_id: account_id.as_uuid(),
        below_id: page.below(),
        portal: filter.portal.map(Portal::as_str),
        outcome: filter.outcome.map(AttemptOutcome::as_str),
        user_id: filter.user_id.map(UserId::as_uuid),
        connection_id: filter.connection_id.map(ConnectionId::as_uuid),
        since_started_at: filter.since.map(millis),
        until_started_at: filter.until.map(millis),
        limit: page.rows(),
    })?;
    let attempts = rows.into_iter().map(SignInAttempt::try_from).collect::<Result<_>>()?;
    Ok(Paged::cut(attempts, page, |attempt: &SignInAttempt| attempt.id.as_uuid()))
}

/// Failure with its values as both engines take them: they come from the client that posted the response.
pub(crate) fn failure(failure: &AttemptFailure) -> Json<AttemptFailure> {
    let value = |value: &Option<String>| value.as_deref().map(|value| text(value).into_owned());
    Json(AttemptFailure { wanted: value(&failure.wanted), got: value(&failure.got), ..failure.clone() })
}

pub(crate) fn warnings(warnings: &[String]) -> Json<Vec<String>> {
    Json(warnings.iter().map(|warning| text(warning).into_owned()).collect())
}
