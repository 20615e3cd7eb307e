//! Authorization codes. Whoever holds one may use it, so they are found by digest alone.

use domain::account::AccountName;
use domain::application::Application;
use domain::authorization_code::{AuthorizationCode, SessionGrant};
use domain::secret::SecretDigest;
use domain::user::User;
use domain::{AccountId, ApplicationId, AttemptId, SessionId, UserId};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::applications::{ApplicationRow, application_columns};
use crate::columns::{checked, digest, millis, optional_time, parsed, time};
use crate::error::{Result, StorageError};
use crate::sql::{execute, fetch_optional, queries};
use crate::tx::Tx;
use crate::users::{UserRow, user_columns};

macro_rules! code_columns {
    () => {
        "authorization_codes.digest AS code_digest, authorization_codes.account_id AS code_account_id,
        authorization_codes.application_id AS code_application_id,
        authorization_codes.redirect_uri AS code_redirect_uri,
        authorization_codes.code_challenge AS code_challenge, authorization_codes.attempt_id AS code_attempt_id,
        authorization_codes.user_id AS code_user_id, authorization_codes.portal AS code_portal,
        authorization_codes.method AS code_method, authorization_codes.auth_time AS code_auth_time,
        authorization_codes.external_roles AS code_external_roles,
        authorization_codes.session_not_on_or_after AS code_session_not_on_or_after,
        authorization_codes.issued_at AS code_issued_at, authorization_codes.session_id AS code_session_id"
    };
}

queries! {
    INSERT = "INSERT INTO authorization_codes (digest, account_id, application_id, redirect_uri, code_challenge,
            attempt_id, user_id, portal, method, auth_time, external_roles, session_not_on_or_after, issued_at, session_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    BY_DIGEST = concat!("SELECT ", code_columns!(), " FROM authorization_codes WHERE digest = $1");
    EXCHANGE_OF = concat!("SELECT ", code_columns!(), ", ", user_columns!(), ", ", application_columns!(), ",
            accounts.name AS account_name
        FROM authorization_codes
        JOIN accounts ON accounts.id = authorization_codes.account_id
        JOIN users ON users.id = authorization_codes.user_id
        JOIN applications ON applications.id = authorization_codes.application_id
        WHERE authorization_codes.digest = $1");
    MARK_USED = "UPDATE authorization_codes SET session_id = $2, used_at = $3 WHERE digest = $1 AND session_id IS NULL";
}

/// All that an exchange is decided by, read at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The code.
    pub code: AuthorizationCode,
    /// The name of its account, as it is now.
    pub account_name: AccountName,
    /// Its user as they are now.
    pub user: User,
    /// Its application as it is now.
    pub application: Application,
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
    code_external_roles: Json<Vec<String>>,
    code_session_not_on_or_after: Option<i64>,
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
}

impl TryFrom<CodeRow> for AuthorizationCode {
    type Error = StorageError;

    fn try_from(row: CodeRow) -> Result<Self> {
        let not_on_or_after = row.code_session_not_on_or_after;
        Ok(Self {
            digest: SecretDigest::from_bytes(digest("authorization_codes.digest", &row.code_digest)?),
            account_id: AccountId::from_uuid(row.code_account_id),
            application_id: ApplicationId::from_uuid(row.code_application_id),
            redirect_uri: checked("authorization_codes.redirect_uri", row.code_redirect_uri)?,
            code_challenge: checked("authorization_codes.code_challenge", row.code_challenge)?,
            attempt_id: AttemptId::from_uuid(row.code_attempt_id),
            grant: SessionGrant {
                user_id: UserId::from_uuid(row.code_user_id),
                portal: parsed("authorization_codes.portal", &row.code_portal)?,
                method: parsed("authorization_codes.method", &row.code_method)?,
                auth_time: time("authorization_codes.auth_time", row.code_auth_time)?,
                external_roles: row.code_external_roles.0,
                session_not_on_or_after: optional_time("authorization_codes.session_not_on_or_after", not_on_or_after)?,
            },
            issued_at: time("authorization_codes.issued_at", row.code_issued_at)?,
            session_id: row.code_session_id.map(SessionId::from_uuid),
        })
    }
}

/// Keeps a code that is sent to its frontend.
pub async fn insert(tx: &mut Tx, code: &AuthorizationCode) -> Result<()> {
    execute!(
        tx,
        INSERT,
        code.digest.as_bytes().as_slice(),
        code.account_id.as_uuid(),
        code.application_id.as_uuid(),
        code.redirect_uri.as_str(),
        code.code_challenge.as_str(),
        code.attempt_id.as_uuid(),
        code.grant.user_id.as_uuid(),
        code.grant.portal.as_str(),
        code.grant.method.as_str(),
        millis(code.grant.auth_time),
        Json(&code.grant.external_roles),
        code.grant.session_not_on_or_after.map(millis),
        millis(code.issued_at),
        code.session_id.map(SessionId::as_uuid),
    )?;
    Ok(())
}

/// The code of this digest, used or expired ones too.
pub async fn by_digest(tx: &mut Tx, digest: SecretDigest) -> Result<Option<AuthorizationCode>> {
    let row: Option<CodeRow> = fetch_optional!(tx, BY_DIGEST, digest.as_bytes().as_slice())?;
    row.map(AuthorizationCode::try_from).transpose()
}

/// The code of this digest, used or expired ones too, with its user and application: an exchange in one round trip.
/// None if either of them is gone.
pub async fn exchange_of(tx: &mut Tx, digest: SecretDigest) -> Result<Option<Exchange>> {
    let row: Option<ExchangeRow> = fetch_optional!(tx, EXCHANGE_OF, digest.as_bytes().as_slice())?;
    row.map(|row| {
        Ok(Exchange {
            code: row.code.try_into()?,
            account_name: checked("accounts.name", row.account_name)?,
            user: row.user.try_into()?,
            application: row.application.try_into()?,
        })
    })
    .transpose()
}

/// Uses a code up for this session; `false` if it was used before (D4).
pub async fn mark_used(tx: &mut Tx, digest: SecretDigest, session_id: SessionId, now: Timestamp) -> Result<bool> {
    Ok(execute!(tx, MARK_USED, digest.as_bytes().as_slice(), session_id.as_uuid(), millis(now))? > 0)
}
