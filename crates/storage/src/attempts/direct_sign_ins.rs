//! Sign-ins that are checked here: by password or magic link. They are a part of their attempt's row, which their
//! pending token names; the client that holds it goes on with them, so no account is asked for.

use domain::credential_epoch::CredentialEpoch;
use domain::direct_sign_in::{Awaited, DirectSignIn};
use domain::secret::{PresentedSecret, SecretDigest};
use domain::sign_in_attempt::SignInAttempt;
use domain::sso::pending_sign_in::ReturnTo;
use domain::{AccountId, ApplicationId, AttemptId, UserId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::attempts::client_networks::ClientNetworks;
use crate::columns::{checked, millis, parsed, text, time};
use crate::error::{Result, StorageError, written};
use crate::sign_in_attempts::{failure, warnings};
use crate::sql::{execute, fetch_optional, queries};
use crate::tx::Tx;

queries! {
    INSERT = "INSERT INTO sign_in_attempts (id, account_id, portal, application_id, kind, stage, outcome, entered_email,
            user_id, warnings, client_address, started_at, updated_at, handle_digest, redirect_uri, state, code_challenge,
            expires_at, method, auth_time, awaits, credential_epoch)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";
    INSERT_REFUSED = "INSERT INTO sign_in_attempts (id, account_id, portal, application_id, kind, stage, outcome, failure,
            entered_email, warnings, client_address, started_at, updated_at, client_key)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $16
        WHERE (SELECT count(CASE WHEN client_key BETWEEN $17 AND $18 THEN 1 END) < $19
                AND count(CASE WHEN client_key BETWEEN $20 AND $21 THEN 1 END) < $22 AND count(*) < $25
                FROM sign_in_attempts WHERE account_id = $2 AND connection_id IS NULL AND started_at >= $14
                AND client_key BETWEEN $23 AND $24 AND user_id IS NULL)
        AND (SELECT count(*) FROM sign_in_attempts WHERE account_id = $2 AND connection_id IS NULL
                AND started_at >= $14 AND user_id IS NULL) < $15";
    BY_HANDLE = "SELECT id, account_id, portal, application_id, user_id, redirect_uri, state, code_challenge, expires_at,
            method, auth_time, awaits, credential_epoch
        FROM sign_in_attempts WHERE id = $1 AND handle_digest = $2 AND awaits IS NOT NULL";
    ADVANCE = "UPDATE sign_in_attempts SET handle_digest = $4, awaits = $5, method = $6, updated_at = $7, credential_epoch = $8
        WHERE account_id = $1 AND id = $2 AND handle_digest = $3 AND awaits IS NOT NULL";
}

/// Limits of the refused attempts that are kept per account: from one address, and from all together. Any client
/// can cause them.
#[derive(Debug, Clone, Copy)]
pub struct RefusedLimits {
    /// Start of the period that counts.
    pub since: Timestamp,
    /// Limit from one client; wider networks of its address may have more.
    pub per_address: u32,
    /// Limit from all addresses together.
    pub per_account: u32,
}

#[derive(sqlx::FromRow)]
struct SignInRow {
    id: Uuid,
    account_id: Uuid,
    portal: String,
    application_id: Uuid,
    user_id: Uuid,
    redirect_uri: String,
    state: Option<String>,
    code_challenge: String,
    expires_at: i64,
    method: String,
    auth_time: i64,
    awaits: Option<String>,
    credential_epoch: i64,
}

impl TryFrom<SignInRow> for DirectSignIn {
    type Error = StorageError;

    fn try_from(row: SignInRow) -> Result<Self> {
        Ok(Self {
            attempt_id: AttemptId::from_uuid(row.id),
            account_id: AccountId::from_uuid(row.account_id),
            portal: parsed("sign_in_attempts.portal", &row.portal)?,
            user_id: UserId::from_uuid(row.user_id),
            return_to: ReturnTo {
                application_id: ApplicationId::from_uuid(row.application_id),
                redirect_uri: checked("sign_in_attempts.redirect_uri", row.redirect_uri)?,
                state: row.state,
                code_challenge: checked("sign_in_attempts.code_challenge", row.code_challenge)?,
            },
            method: parsed("sign_in_attempts.method", &row.method)?,
            auth_time: time("sign_in_attempts.auth_time", row.auth_time)?,
            credential_epoch: CredentialEpoch::from_number(row.credential_epoch),
            awaits: row.awaits.map(|awaits| parsed("sign_in_attempts.awaits", &awaits)).transpose()?,
            expires_at: time("sign_in_attempts.expires_at", row.expires_at)?,
        })
    }
}

/// Records an attempt with the sign-in that it is; `handle` is the digest of the token that leads on, if it waits for
/// something.
pub async fn insert(
    tx: &mut Tx,
    attempt: &SignInAttempt,
    sign_in: &DirectSignIn,
    handle: Option<SecretDigest>,
) -> Result<()> {
    let ReturnTo { application_id, redirect_uri, state, code_challenge } = &sign_in.return_to;
    let rows = execute!(tx, INSERT, {
        id: attempt.id.as_uuid(),
        account_id: attempt.account_id.as_uuid(),
        portal: attempt.portal.as_str(),
        application_id: application_id.as_uuid(),
        kind: attempt.kind.as_str(),
        stage: attempt.stage.as_str(),
        outcome: attempt.outcome.name().as_str(),
        entered_email: attempt.entered_email.as_deref().map(text),
        user_id: sign_in.user_id.as_uuid(),
        warnings: warnings(&attempt.warnings),
        client_address: text(&attempt.client_address),
        started_at: millis(attempt.started_at),
        updated_at: millis(attempt.updated_at),
        handle_digest: handle.as_ref().map(|digest| digest.as_bytes().as_slice()),
        redirect_uri: redirect_uri.as_str(),
        state: state.as_deref().map(text),
        code_challenge: code_challenge.as_str(),
        expires_at: millis(sign_in.expires_at),
        method: sign_in.method.as_str(),
        auth_time: millis(sign_in.auth_time),
        awaits: sign_in.awaits.map(Awaited::as_str),
        credential_epoch: sign_in.credential_epoch.number(),
    })?;
    written(rows, StorageError::Stale)
}

/// Records a refused attempt, of a known user or not; `false` if that would exceed the limits.
pub async fn insert_refused(tx: &mut Tx, attempt: &SignInAttempt, limits: RefusedLimits) -> Result<bool> {
    let networks = ClientNetworks::of(&attempt.client_address, limits.per_address);
    let rows = execute!(tx, INSERT_REFUSED, {
        id: attempt.id.as_uuid(),
        account_id: attempt.account_id.as_uuid(),
        portal: attempt.portal.as_str(),
        application_id: attempt.application_id.map(ApplicationId::as_uuid),
        kind: attempt.kind.as_str(),
        stage: attempt.stage.as_str(),
        outcome: attempt.outcome.name().as_str(),
        failure: attempt.outcome.failure().map(failure),
        entered_email: attempt.entered_email.as_deref().map(text),
        warnings: warnings(&attempt.warnings),
        client_address: text(&attempt.client_address),
        started_at: millis(attempt.started_at),
        updated_at: millis(attempt.updated_at),
        limit_started_at: millis(limits.since),
        most_of_account: i64::from(limits.per_account),
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
    })?;
    Ok(rows > 0)
}

/// The sign-in that this token leads on with, expired ones too.
pub async fn by_handle(tx: &mut Tx, handle: PresentedSecret) -> Result<Option<DirectSignIn>> {
    let row: Option<SignInRow> = fetch_optional!(tx, BY_HANDLE, handle.row, handle.digest.as_bytes().as_slice())?;
    row.map(DirectSignIn::try_from).transpose()
}

/// Takes a sign-in one step on: `taken` is the digest of the token that led here and is used up, `next` of the one that
/// leads on, if there is more to come. `false` if it was used up before.
pub async fn advance(
    tx: &mut Tx,
    sign_in: &DirectSignIn,
    taken: SecretDigest,
    next: Option<SecretDigest>,
    now: Timestamp,
) -> Result<bool> {
    let rows = execute!(
        tx,
        ADVANCE,
        sign_in.account_id.as_uuid(),
        sign_in.attempt_id.as_uuid(),
        taken.as_bytes().as_slice(),
        next.as_ref().map(|digest| digest.as_bytes().as_slice()),
        sign_in.awaits.map(Awaited::as_str),
        sign_in.method.as_str(),
        millis(now),
        sign_in.credential_epoch.number(),
    )?;
    Ok(rows > 0)
}
