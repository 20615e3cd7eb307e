//! Authorization codes: a part of their attempt's row, which the code names. The client that holds one may use it,
//! so no account is asked for.

use domain::account::AccountName;
use domain::account_settings::AccountSettings;
use domain::application::Application;
use domain::authorization_code::{AuthorizationCode, SessionGrant};
use domain::credential_epoch::{CredentialEpoch, Epochs};
use domain::secret::{PresentedSecret, SecretDigest};
use domain::sso::connection::SsoMode;
use domain::user::User;
use domain::{AccountId, ApplicationId, AttemptId, SessionId, UserId};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::applications::{ApplicationRow, application_columns};
use crate::columns::{checked, digest, home, millis, optional_time, parsed, time};
use crate::error::{Result, StorageError, Unique, written};
use crate::sign_in_attempts::{UsedAssertion, assertion_digest, warnings};
use crate::sql::{execute, fetch_optional, queries};
use crate::tx::Tx;
use crate::users::{UserRow, user_columns};

macro_rules! code_columns {
    () => {
        "sign_in_attempts.id AS code_attempt_id, sign_in_attempts.account_id AS code_account_id,
        sign_in_attempts.code_digest AS code_digest, sign_in_attempts.application_id AS code_application_id,
        sign_in_attempts.redirect_uri AS code_redirect_uri, sign_in_attempts.code_challenge AS code_challenge,
        sign_in_attempts.user_id AS code_user_id, sign_in_attempts.portal AS code_portal,
        sign_in_attempts.method AS code_method, sign_in_attempts.auth_time AS code_auth_time,
        sign_in_attempts.external_roles AS code_external_roles,
        sign_in_attempts.session_not_on_or_after AS code_session_not_on_or_after,
        sign_in_attempts.home_account_id AS code_home_account_id, sign_in_attempts.home_user_id AS code_home_user_id,
        sign_in_attempts.credential_epoch AS code_credential_epoch,
        sign_in_attempts.home_credential_epoch AS code_home_credential_epoch,
        sign_in_attempts.code_issued_at AS code_issued_at, sign_in_attempts.session_id AS code_session_id"
    };
}

queries! {
    ISSUE = "UPDATE sign_in_attempts SET stage = 'code_issued', outcome = 'pending', user_id = $3, warnings = $4,
            updated_at = $5, failure = NULL, saml_message = NULL, code_digest = $6, code_issued_at = $5, method = $7,
            auth_time = $8, external_roles = $9, session_not_on_or_after = $10, assertion_digest = $11,
            home_account_id = $12, home_user_id = $13, assertion_issued_at = $14, credential_epoch = $15,
            home_credential_epoch = $16
        WHERE account_id = $1 AND id = $2 AND code_digest IS NULL AND NOT EXISTS (SELECT 1 FROM sign_in_attempts AS other
            WHERE other.connection_id = sign_in_attempts.connection_id AND other.assertion_digest = $11)";
    EXCHANGE_OF = concat!("SELECT ", code_columns!(), ", ", user_columns!(), ", ", application_columns!(), ",
            accounts.name AS account_name, accounts.settings AS account_settings,
            COALESCE(saml_connections.mode, 'off') AS sso_mode,
            (SELECT home.credential_epoch FROM users AS home WHERE home.account_id = sign_in_attempts.home_account_id
                AND home.id = sign_in_attempts.home_user_id) AS home_epoch
        FROM sign_in_attempts
        JOIN accounts ON accounts.id = sign_in_attempts.account_id
        JOIN users ON users.id = sign_in_attempts.user_id
        JOIN applications ON applications.id = sign_in_attempts.application_id
        LEFT JOIN saml_connections ON saml_connections.account_id = sign_in_attempts.account_id
            AND saml_connections.portal = sign_in_attempts.portal
        WHERE sign_in_attempts.id = $1 AND sign_in_attempts.code_digest = $2");
    SESSION_OF = "SELECT session_id FROM sign_in_attempts WHERE account_id = $1 AND id = $2";
    MARK_USED = "UPDATE sign_in_attempts SET stage = 'session_issued', outcome = 'succeeded', session_id = $3,
            updated_at = $4, external_roles = NULL
        WHERE account_id = $1 AND id = $2 AND session_id IS NULL AND code_digest IS NOT NULL";
    TAKE_AS_PROOF = "UPDATE sign_in_attempts SET outcome = 'succeeded', updated_at = $4, code_digest = NULL
        WHERE account_id = $1 AND id = $2 AND session_id IS NULL AND code_digest = $3";
}

/// All that an exchange is decided by, read at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The authorization code itself, as stored.
    pub code: AuthorizationCode,
    /// The name of its account, as it is now.
    pub account_name: AccountName,
    /// Settings of the code's account, as they are now.
    pub account_settings: AccountSettings,
    /// The code's user, as they are now.
    pub user: User,
    /// The code's application, as it is now.
    pub application: Application,
    /// SSO mode of the code's portal, as it is now.
    pub sso_mode: SsoMode,
    /// The epochs of its users now (A7).
    pub epochs: Epochs,
}

#[expect(clippy::struct_field_names, reason = "a join reads the rows of several tables at once")]
#[derive(sqlx::FromRow)]
struct CodeRow {
    code_digest: Vec<u8>,
    code_account_id: Uuid,
    code_application_id: Uuid,
    code_redirect_uri: String,
    code_challenge: String,
    code_attempt_id: Uuid,
    code_user_id: Uuid,
    code_portal: String,
    code_method: String,
    code_auth_time: i64,
    code_external_roles: Option<Json<Vec<String>>>,
    code_session_not_on_or_after: Option<i64>,
    code_home_account_id: Option<Uuid>,
    code_home_user_id: Option<Uuid>,
    code_credential_epoch: i64,
    code_home_credential_epoch: Option<i64>,
    code_issued_at: i64,
    code_session_id: Option<Uuid>,
}

#[derive(sqlx::FromRow)]
struct ExchangeRow {
    #[sqlx(flatten)]
    code: CodeRow,
    #[sqlx(flatten)]
    user: UserRow,
    #[sqlx(flatten)]
    application: ApplicationRow,
    account_name: String,
    account_settings: Json<AccountSettings>,
    sso_mode: String,
    home_epoch: Option<i64>,
}

impl TryFrom<CodeRow> for AuthorizationCode {
    type Error = StorageError;

    fn try_from(row: CodeRow) -> Result<Self> {
        let not_on_or_after = row.code_session_not_on_or_after;
        Ok(Self {
            digest: SecretDigest::from_bytes(digest("sign_in_attempts.code_digest", &row.code_digest)?),
            account_id: AccountId::from_uuid(row.code_account_id),
            application_id: ApplicationId::from_uuid(row.code_application_id),
            redirect_uri: checked("sign_in_attempts.redirect_uri", row.code_redirect_uri)?,
            code_challenge: checked("sign_in_attempts.code_challenge", row.code_challenge)?,
            attempt_id: AttemptId::from_uuid(row.code_attempt_id),
            grant: SessionGrant {
                user_id: UserId::from_uuid(row.code_user_id),
                portal: parsed("sign_in_attempts.portal", &row.code_portal)?,
                method: parsed("sign_in_attempts.method", &row.code_method)?,
                auth_time: time("sign_in_attempts.auth_time", row.code_auth_time)?,
                external_roles: row.code_external_roles.map(|roles| roles.0).unwrap_or_default(),
                credential_epoch: CredentialEpoch::from_number(row.code_credential_epoch),
                home: home(row.code_home_account_id, row.code_home_user_id, row.code_home_credential_epoch),
                session_not_on_or_after: optional_time("sign_in_attempts.session_not_on_or_after", not_on_or_after)?,
            },
            issued_at: time("sign_in_attempts.code_issued_at", row.code_issued_at)?,
            session_id: row.code_session_id.map(SessionId::from_uuid),
        })
    }
}

/// Evidence that a code rests on, kept for the record.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The assertion, where one led to the code.
    pub assertion: Option<UsedAssertion<'a>>,
    /// Oddities that did not prevent the sign-in.
    pub warnings: &'a [String],
}

/// Turns the attempt into a code that is sent to its frontend, and forgets an earlier refusal. `Conflict(Answer)` if it
/// gave a code before, or its connection has seen the assertion before: of a response and its replay one comes through
/// (C10).
pub async fn issue(tx: &mut Tx, code: &AuthorizationCode, evidence: Evidence<'_>) -> Result<()> {
    let rows = execute!(tx, ISSUE, {
        account_id: code.account_id.as_uuid(),
        id: code.attempt_id.as_uuid(),
        user_id: code.grant.user_id.as_uuid(),
        warnings: warnings(evidence.warnings),
        updated_at: millis(code.issued_at),
        code_digest: code.digest.as_bytes().as_slice(),
        method: code.grant.method.as_str(),
        auth_time: millis(code.grant.auth_time),
        external_roles: Json(&code.grant.external_roles),
        session_not_on_or_after: code.grant.session_not_on_or_after.map(millis),
        assertion_digest: evidence.assertion.map(|used| assertion_digest(used.id)),
        home_account_id: code.grant.home.map(|home| home.account_id.as_uuid()),
        home_user_id: code.grant.home.map(|home| home.user_id.as_uuid()),
        assertion_issued_at: evidence.assertion.map(|used| millis(used.issued_at)),
        credential_epoch: code.grant.credential_epoch.number(),
        home_credential_epoch: code.grant.home.map(|home| home.credential_epoch.number()),
    })?;
    written(rows, StorageError::Conflict(Unique::Answer))
}

/// The code that is presented, used or expired ones too, with its user and application: an exchange in one round trip.
/// None if any of them is gone.
pub async fn exchange_of(tx: &mut Tx, presented: PresentedSecret) -> Result<Option<Exchange>> {
    let digest = presented.digest.as_bytes().as_slice();
    let row: Option<ExchangeRow> = fetch_optional!(tx, EXCHANGE_OF, presented.row, digest)?;
    row.map(|row| {
        let user: User = row.user.try_into()?;
        let home = row.home_epoch.map(CredentialEpoch::from_number);
        Ok(Exchange {
            epochs: Epochs { user: user.credential_epoch, home },
            code: row.code.try_into()?,
            account_name: checked("accounts.name", row.account_name)?,
            account_settings: row.account_settings.0,
            user,
            application: row.application.try_into()?,
            sso_mode: parsed("saml_connections.mode", &row.sso_mode)?,
        })
    })
    .transpose()
}

/// The session that a code was exchanged for.
pub async fn session_of(tx: &mut Tx, account_id: AccountId, attempt_id: AttemptId) -> Result<Option<SessionId>> {
    let row: Option<(Option<Uuid>,)> = fetch_optional!(tx, SESSION_OF, account_id.as_uuid(), attempt_id.as_uuid())?;
    Ok(row.and_then(|(session,)| session).map(SessionId::from_uuid))
}

/// Uses a code up for this session; `false` if it was used before (D4).
pub async fn mark_used(tx: &mut Tx, code: &AuthorizationCode, session_id: SessionId, now: Timestamp) -> Result<bool> {
    let (account_id, attempt_id) = (code.account_id.as_uuid(), code.attempt_id.as_uuid());
    Ok(execute!(tx, MARK_USED, account_id, attempt_id, session_id.as_uuid(), millis(now))? > 0)
}

/// Uses a code up as the proof that it is, for which no session comes of it (G1); `false` if it was used before.
pub async fn take_as_proof(tx: &mut Tx, code: &AuthorizationCode, now: Timestamp) -> Result<bool> {
    let (account_id, attempt_id) = (code.account_id.as_uuid(), code.attempt_id.as_uuid());
    let digest = code.digest.as_bytes().as_slice();
    Ok(execute!(tx, TAKE_AS_PROOF, account_id, attempt_id, digest, millis(now))? > 0)
}
