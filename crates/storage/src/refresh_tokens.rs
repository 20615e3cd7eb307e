//! Refresh tokens. The client that holds one may use it, so they are found by digest alone.

use domain::account::AccountName;
use domain::account_settings::AccountSettings;
use domain::application::Application;
use domain::credential_epoch::{CredentialEpoch, Epochs};
use domain::secret::SecretDigest;
use domain::session::{RefreshToken, Rotation, Session};
use domain::sso::connection::SsoMode;
use domain::user::User;
use domain::{AccountId, SessionId};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::applications::{ApplicationRow, application_columns};
use crate::columns::{checked, digest, millis, optional_time, parsed, time};
use crate::error::{Result, StorageError};
use crate::sessions::{SessionRow, session_columns};
use crate::sql::{execute, fetch_optional, queries};
use crate::tx::Tx;
use crate::users::{UserRow, user_columns};

macro_rules! token_columns {
    () => {
        "refresh_tokens.digest AS token_digest, refresh_tokens.session_id AS token_session_id,
        refresh_tokens.issued_at AS token_issued_at, refresh_tokens.rotated_at AS token_rotated_at,
        refresh_tokens.sealed_successor AS token_sealed_successor"
    };
}

queries! {
    INSERT = "INSERT INTO refresh_tokens (digest, account_id, session_id, issued_at) VALUES ($1, $2, $3, $4)";
    FAMILY_OF = concat!("SELECT ", token_columns!(), ", ", session_columns!(), ", ", user_columns!(), ", ",
            application_columns!(), ", accounts.name AS account_name,
            accounts.settings AS account_settings, COALESCE(saml_connections.mode, 'off') AS sso_mode,
            (SELECT home.credential_epoch FROM users AS home WHERE home.account_id = sessions.home_account_id
                AND home.id = sessions.home_user_id) AS home_epoch
        FROM refresh_tokens
        JOIN sessions ON sessions.id = refresh_tokens.session_id
        JOIN accounts ON accounts.id = sessions.account_id
        JOIN users ON users.id = sessions.user_id
        JOIN applications ON applications.id = sessions.application_id
        LEFT JOIN saml_connections ON saml_connections.account_id = sessions.account_id
            AND saml_connections.portal = sessions.portal
        WHERE refresh_tokens.digest = $1");
    MARK_ROTATED = "UPDATE refresh_tokens SET rotated_at = $2, sealed_successor = $3
        WHERE digest = $1 AND rotated_at IS NULL";
    FORGET_SUCCESSORS = "UPDATE refresh_tokens SET sealed_successor = NULL
        WHERE account_id = $1 AND session_id = $2 AND digest <> $3 AND sealed_successor IS NOT NULL";
    FORGET_OLD_SUCCESSORS = "UPDATE refresh_tokens SET sealed_successor = NULL
        WHERE sealed_successor IS NOT NULL AND rotated_at < $1";
}

/// All that a refresh is decided by, read at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// The refresh token itself, as stored.
    pub token: RefreshToken,
    /// Session that the token renews.
    pub session: Session,
    /// The name of its account, as it is now.
    pub account_name: AccountName,
    /// Settings of the session's account, as they are now.
    pub account_settings: AccountSettings,
    /// The session's user as they are now.
    pub user: User,
    /// The session's application as it is now.
    pub application: Application,
    /// SSO mode of the session's portal, as it is now.
    pub sso_mode: SsoMode,
    /// The epochs of its users now (A7).
    pub epochs: Epochs,
}

#[expect(clippy::struct_field_names, reason = "a join reads the rows of several tables at once")]
#[derive(sqlx::FromRow)]
struct TokenRow {
    token_digest: Vec<u8>,
    token_session_id: Uuid,
    token_issued_at: i64,
    token_rotated_at: Option<i64>,
    token_sealed_successor: Option<Vec<u8>>,
}

#[derive(sqlx::FromRow)]
struct FamilyRow {
    #[sqlx(flatten)]
    token: TokenRow,
    #[sqlx(flatten)]
    session: SessionRow,
    #[sqlx(flatten)]
    user: UserRow,
    #[sqlx(flatten)]
    application: ApplicationRow,
    account_name: String,
    account_settings: Json<AccountSettings>,
    sso_mode: String,
    home_epoch: Option<i64>,
}

impl TryFrom<TokenRow> for RefreshToken {
    type Error = StorageError;

    fn try_from(row: TokenRow) -> Result<Self> {
        let sealed_successor = row.token_sealed_successor;
        let rotated_at = optional_time("refresh_tokens.rotated_at", row.token_rotated_at)?;
        Ok(Self {
            digest: SecretDigest::from_bytes(digest("refresh_tokens.digest", &row.token_digest)?),
            session_id: SessionId::from_uuid(row.token_session_id),
            issued_at: time("refresh_tokens.issued_at", row.token_issued_at)?,
            rotation: rotated_at.map(|at| Rotation { at, sealed_successor }),
        })
    }
}

/// Keeps a token that is handed out and was not rotated yet; `Stale` if the account has no such session.
pub async fn insert(tx: &mut Tx, account_id: AccountId, token: &RefreshToken) -> Result<()> {
    execute!(
        tx,
        INSERT,
        token.digest.as_bytes().as_slice(),
        account_id.as_uuid(),
        token.session_id.as_uuid(),
        millis(token.issued_at),
    )?;
    Ok(())
}

/// The token of this digest, rotated ones too, with its session, user and application: a refresh in one round trip.
pub async fn family_of(tx: &mut Tx, digest: SecretDigest) -> Result<Option<Family>> {
    let row: Option<FamilyRow> = fetch_optional!(tx, FAMILY_OF, digest.as_bytes().as_slice())?;
    row.map(|row| {
        let user: User = row.user.try_into()?;
        let home = row.home_epoch.map(CredentialEpoch::from_number);
        Ok(Family {
            epochs: Epochs { user: user.credential_epoch, home },
            token: row.token.try_into()?,
            session: row.session.try_into()?,
            account_name: checked("accounts.name", row.account_name)?,
            account_settings: row.account_settings.0,
            user,
            application: row.application.try_into()?,
            sso_mode: parsed("saml_connections.mode", &row.sso_mode)?,
        })
    })
    .transpose()
}

/// Marks a token as exchanged for the next one, which is kept sealed beside it; `false` if it was before (I2).
pub async fn mark_rotated(tx: &mut Tx, digest: SecretDigest, now: Timestamp, sealed_successor: &[u8]) -> Result<bool> {
    Ok(execute!(tx, MARK_ROTATED, digest.as_bytes().as_slice(), millis(now), sealed_successor)? > 0)
}

/// Erases what the other tokens of this one's session gave their client a second time: it is rotated itself now.
pub async fn forget_successors(tx: &mut Tx, account_id: AccountId, token: &RefreshToken) -> Result<()> {
    let digest = token.digest.as_bytes().as_slice();
    execute!(tx, FORGET_SUCCESSORS, account_id.as_uuid(), token.session_id.as_uuid(), digest)?;
    Ok(())
}

/// Erases, of every session, the successors of tokens that were rotated before this time; gives how many there were.
pub async fn forget_old_successors(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    execute!(tx, FORGET_OLD_SUCCESSORS, millis(before))
}
