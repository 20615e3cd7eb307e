//! Sign-in attempts: what diagnostics shows (H1).

use domain::portal::Portal;
use domain::sign_in_attempt::{AttemptFailure, AttemptOutcome, AttemptStage, SignInAttempt};
use domain::{AccountId, ApplicationId, AttemptId, ConnectionId, UserId};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::columns::{millis, parsed, text, time};
use crate::error::{Result, StorageError, written};
use crate::page::{Page, Paged};
use crate::sql::{execute, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

macro_rules! columns {
    () => {
        "id, account_id, portal, connection_id, application_id, kind, stage, outcome, failure, entered_email, user_id,
        warnings, saml_message, client_address, started_at, updated_at"
    };
}

queries! {
    INSERT = concat!("INSERT INTO sign_in_attempts (", columns!(), ")
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)");
    UPDATE = "UPDATE sign_in_attempts SET connection_id = $3, application_id = $4, kind = $5, stage = $6, outcome = $7,
            failure = $8, entered_email = $9, user_id = $10, warnings = $11, saml_message = $12, updated_at = $13
        WHERE account_id = $1 AND id = $2 AND stage NOT IN ('code_issued', 'session_issued')";
    ADVANCE = "UPDATE sign_in_attempts SET stage = $3, outcome = $4, user_id = $5, warnings = $6, updated_at = $7,
            failure = NULL, saml_message = NULL
        WHERE account_id = $1 AND id = $2";
    COMPLETE = "UPDATE sign_in_attempts SET stage = 'session_issued', outcome = 'succeeded', updated_at = $3
        WHERE account_id = $1 AND id = $2";
    BY_ID = concat!("SELECT ", columns!(), " FROM sign_in_attempts WHERE account_id = $1 AND id = $2");
    LIST = concat!("SELECT ", columns!(), " FROM sign_in_attempts
        WHERE account_id = $1 AND id < $2 AND (portal = $3 OR $3 IS NULL) AND (outcome = $4 OR $4 IS NULL)
        AND (user_id = $5 OR $5 IS NULL) AND (connection_id = $6 OR $6 IS NULL)
        AND (started_at >= $7 OR $7 IS NULL) AND (started_at < $8 OR $8 IS NULL)
        ORDER BY id DESC LIMIT $9");
    COUNT_UNLINKED = "SELECT count(*) FROM sign_in_attempts
        WHERE connection_id = $1 AND started_at >= $2 AND client_address = $3 AND user_id IS NULL";
    COUNT_UNLINKED_OF_CONNECTION = "SELECT count(*) FROM sign_in_attempts
        WHERE connection_id = $1 AND started_at >= $2 AND user_id IS NULL";
}

/// Which attempts of an account are listed.
#[derive(Debug, Clone, Default)]
pub struct AttemptFilter {
    /// For this portal alone.
    pub portal: Option<Portal>,
    /// That stand like this.
    pub outcome: Option<AttemptOutcome>,
    /// Of this user alone.
    pub user_id: Option<UserId>,
    /// Through this connection alone.
    pub connection_id: Option<ConnectionId>,
    /// That began then or later.
    pub since: Option<Timestamp>,
    /// That began before then.
    pub until: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct AttemptRow {
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
            outcome: parsed("sign_in_attempts.outcome", &row.outcome)?,
            failure: row.failure.map(|failure| failure.0),
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

/// Records an attempt that begins.
pub async fn insert(tx: &mut Tx, attempt: &SignInAttempt) -> Result<()> {
    execute!(
        tx,
        INSERT,
        attempt.id.as_uuid(),
        attempt.account_id.as_uuid(),
        attempt.portal.as_str(),
        attempt.connection_id.map(ConnectionId::as_uuid),
        attempt.application_id.map(ApplicationId::as_uuid),
        attempt.kind.as_str(),
        attempt.stage.as_str(),
        attempt.outcome.as_str(),
        attempt.failure.as_ref().map(failure),
        attempt.entered_email.as_deref().map(text),
        attempt.user_id.map(UserId::as_uuid),
        warnings(attempt),
        attempt.saml_message.as_deref().map(text),
        text(&attempt.client_address),
        millis(attempt.started_at),
        millis(attempt.updated_at),
    )?;
    Ok(())
}

/// Writes how an attempt stands now; `Stale` if it is gone, or gave a code meanwhile. Account, portal, address and
/// beginning stay.
pub async fn update(tx: &mut Tx, attempt: &SignInAttempt) -> Result<()> {
    let rows = execute!(
        tx,
        UPDATE,
        attempt.account_id.as_uuid(),
        attempt.id.as_uuid(),
        attempt.connection_id.map(ConnectionId::as_uuid),
        attempt.application_id.map(ApplicationId::as_uuid),
        attempt.kind.as_str(),
        attempt.stage.as_str(),
        attempt.outcome.as_str(),
        attempt.failure.as_ref().map(failure),
        attempt.entered_email.as_deref().map(text),
        attempt.user_id.map(UserId::as_uuid),
        warnings(attempt),
        attempt.saml_message.as_deref().map(text),
        millis(attempt.updated_at),
    )?;
    written(rows, StorageError::Stale)
}

/// How far an attempt has got: what a success changes.
#[derive(Debug)]
pub struct Advance<'a> {
    /// The stage it reached.
    pub stage: AttemptStage,
    /// Who it turned out to be.
    pub user_id: UserId,
    /// What was odd.
    pub warnings: &'a [String],
    /// When.
    pub at: Timestamp,
}

/// Moves an attempt on and forgets an earlier refusal; it is pending until it gives a session. `Stale` if it is gone.
pub async fn advance(tx: &mut Tx, account_id: AccountId, id: AttemptId, to: &Advance<'_>) -> Result<()> {
    let warnings: Vec<_> = to.warnings.iter().map(|warning| text(warning)).collect();
    let rows = execute!(
        tx,
        ADVANCE,
        account_id.as_uuid(),
        id.as_uuid(),
        to.stage.as_str(),
        AttemptOutcome::Pending.as_str(),
        to.user_id.as_uuid(),
        Json(&warnings),
        millis(to.at),
    )?;
    written(rows, StorageError::Stale)
}

/// Records that an attempt gave a session; `false` if it is gone.
pub async fn complete(tx: &mut Tx, account_id: AccountId, id: AttemptId, at: Timestamp) -> Result<bool> {
    Ok(execute!(tx, COMPLETE, account_id.as_uuid(), id.as_uuid(), millis(at))? > 0)
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
    let rows: Vec<AttemptRow> = fetch_all!(
        tx,
        LIST,
        account_id.as_uuid(),
        page.below(),
        filter.portal.map(Portal::as_str),
        filter.outcome.map(AttemptOutcome::as_str),
        filter.user_id.map(UserId::as_uuid),
        filter.connection_id.map(ConnectionId::as_uuid),
        filter.since.map(millis),
        filter.until.map(millis),
        page.rows(),
    )?;
    let attempts = rows.into_iter().map(SignInAttempt::try_from).collect::<Result<_>>()?;
    Ok(Paged::cut(attempts, page, |attempt: &SignInAttempt| attempt.id.as_uuid()))
}

/// How many attempts that are linked to no user (under way, abandoned, refused) this address caused at this connection
/// since then. Anyone can cause them, so they are capped before one more is stored.
pub async fn count_unlinked(
    tx: &mut Tx,
    connection_id: ConnectionId,
    client_address: &str,
    since: Timestamp,
) -> Result<i64> {
    let address = text(client_address);
    let row: Option<(i64,)> = fetch_optional!(tx, COUNT_UNLINKED, connection_id.as_uuid(), millis(since), address)?;
    Ok(row.map_or(0, |(count,)| count))
}

/// As [`count_unlinked`], from all addresses together.
pub async fn count_unlinked_of_connection(tx: &mut Tx, connection_id: ConnectionId, since: Timestamp) -> Result<i64> {
    let row: Option<(i64,)> =
        fetch_optional!(tx, COUNT_UNLINKED_OF_CONNECTION, connection_id.as_uuid(), millis(since))?;
    Ok(row.map_or(0, |(count,)| count))
}

/// What failed, with values as both engines take them: they come from whoever posted the response.
fn failure(failure: &AttemptFailure) -> Json<AttemptFailure> {
    let value = |value: &Option<String>| value.as_deref().map(|value| text(value).into_owned());
    Json(AttemptFailure { wanted: value(&failure.wanted), got: value(&failure.got), ..failure.clone() })
}

fn warnings(attempt: &SignInAttempt) -> Json<Vec<String>> {
    Json(attempt.warnings.iter().map(|warning| text(warning).into_owned()).collect())
}
