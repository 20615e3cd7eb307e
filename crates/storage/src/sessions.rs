//! Rows of sessions, and the ways they end.

use domain::account_pair::AccountPair;
use domain::credential_epoch::CredentialEpoch;
use domain::session::{Session, SessionEnd};
use domain::user::User;
use domain::{AccountId, ApplicationId, SessionId, UserId};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::columns::{home, millis, parsed, time};
use crate::error::{Result, StorageError, written};
use crate::page::{Page, Paged};
use crate::sql::{execute, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

/// The columns of a [`SessionRow`], under names that a join with other tables leaves apart.
macro_rules! session_columns {
    () => {
        "sessions.id AS session_id, sessions.account_id AS session_account_id, sessions.user_id AS session_user_id,
        sessions.application_id AS session_application_id, sessions.portal AS session_portal,
        sessions.method AS session_method, sessions.auth_time AS session_auth_time,
        sessions.external_roles AS session_external_roles, sessions.created_at AS session_created_at,
        sessions.refreshed_at AS session_refreshed_at, sessions.expires_at AS session_expires_at,
        sessions.ended_at AS session_ended_at, sessions.ended_reason AS session_ended_reason,
        sessions.home_account_id AS session_home_account_id, sessions.home_user_id AS session_home_user_id,
        sessions.credential_epoch AS session_credential_epoch, sessions.home_credential_epoch AS session_home_credential_epoch"
    };
}
pub(crate) use session_columns;

queries! {
    INSERT = "INSERT INTO sessions (id, account_id, user_id, application_id, portal, method, auth_time, external_roles,
            created_at, refreshed_at, expires_at, ended_at, ended_reason, home_account_id, home_user_id,
            credential_epoch, home_credential_epoch)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    BY_ID = concat!("SELECT ", session_columns!(), " FROM sessions WHERE account_id = $1 AND id = $2");
    LIST = concat!("SELECT ", session_columns!(), " FROM sessions
        WHERE account_id = $1 AND id < $2 AND (application_id = $3 OR $3 IS NULL)
        AND (expires_at > $4 AND ended_at IS NULL OR $4 IS NULL)
        ORDER BY id DESC LIMIT $5");
    LIST_OF_USER = concat!("SELECT ", session_columns!(), " FROM sessions
        WHERE account_id = $1 AND user_id = $6 AND id < $2 AND (application_id = $3 OR $3 IS NULL)
        AND (expires_at > $4 AND ended_at IS NULL OR $4 IS NULL)
        ORDER BY id DESC LIMIT $5");
    END = "UPDATE sessions SET ended_at = $3, ended_reason = $4
        WHERE account_id = $1 AND id = $2 AND ended_at IS NULL AND expires_at > $3";
    END_SWITCHED = "UPDATE sessions SET ended_at = $3, ended_reason = $4
        WHERE account_id = $1 AND home_account_id = $2 AND ended_at IS NULL AND expires_at > $3";
    END_OVER_PAIR = "UPDATE sessions SET ended_at = $5, ended_reason = $6
        WHERE account_id = $1 AND user_id = $2 AND home_account_id = $3 AND home_user_id = $4
        AND ended_at IS NULL AND expires_at > $5";
    END_SERVED_BY = "UPDATE sessions SET ended_at = $3, ended_reason = $4
        WHERE account_id = $1 AND application_id IN (SELECT id FROM applications WHERE account_id = $2)
        AND ended_at IS NULL AND expires_at > $3";
    END_FOR_USER = "UPDATE sessions SET ended_at = $3, ended_reason = $4
        WHERE (account_id = $1 AND user_id = $2 OR home_account_id = $1 AND home_user_id = $2)
        AND (id <> $5 OR $5 IS NULL) AND ended_at IS NULL AND expires_at > $3";
    CARRY_ON = "UPDATE sessions SET credential_epoch = $4
        WHERE account_id = $1 AND user_id = $2 AND id = $3 AND ended_at IS NULL";
    TOUCH = "UPDATE sessions SET refreshed_at = $2, expires_at = $3 WHERE id = $1 AND ended_at IS NULL";
}

/// Narrows the list of an account's sessions.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Lists the sessions of this user alone.
    pub user_id: Option<UserId>,
    /// Lists the sessions in this frontend alone.
    pub application_id: Option<ApplicationId>,
    /// Lists the sessions that may still be used at this time.
    pub live_at: Option<Timestamp>,
}

#[expect(clippy::struct_field_names, reason = "a join reads the rows of several tables at once")]
#[derive(sqlx::FromRow)]
pub(crate) struct SessionRow {
    session_id: Uuid,
    session_account_id: Uuid,
    session_user_id: Uuid,
    session_application_id: Uuid,
    session_portal: String,
    session_method: String,
    session_auth_time: i64,
    session_external_roles: Json<Vec<String>>,
    session_created_at: i64,
    session_refreshed_at: i64,
    session_expires_at: i64,
    session_ended_at: Option<i64>,
    session_ended_reason: Option<String>,
    session_home_account_id: Option<Uuid>,
    session_home_user_id: Option<Uuid>,
    session_credential_epoch: i64,
    session_home_credential_epoch: Option<i64>,
}

impl TryFrom<SessionRow> for Session {
    type Error = StorageError;

    fn try_from(row: SessionRow) -> Result<Self> {
        let ended = row.session_ended_at.zip(row.session_ended_reason);
        Ok(Self {
            id: SessionId::from_uuid(row.session_id),
            account_id: AccountId::from_uuid(row.session_account_id),
            user_id: UserId::from_uuid(row.session_user_id),
            application_id: ApplicationId::from_uuid(row.session_application_id),
            portal: parsed("sessions.portal", &row.session_portal)?,
            method: parsed("sessions.method", &row.session_method)?,
            auth_time: time("sessions.auth_time", row.session_auth_time)?,
            credential_epoch: CredentialEpoch::from_number(row.session_credential_epoch),
            home: home(row.session_home_account_id, row.session_home_user_id, row.session_home_credential_epoch),
            external_roles: row.session_external_roles.0,
            created_at: time("sessions.created_at", row.session_created_at)?,
            refreshed_at: time("sessions.refreshed_at", row.session_refreshed_at)?,
            expires_at: time("sessions.expires_at", row.session_expires_at)?,
            ended: ended.map(|(at, reason)| read_end(at, &reason)).transpose()?,
        })
    }
}

fn read_end(at: i64, reason: &str) -> Result<(Timestamp, SessionEnd)> {
    Ok((time("sessions.ended_at", at)?, parsed("sessions.ended_reason", reason)?))
}

/// Adds a session; `Stale` if its user or application is gone.
pub async fn insert(tx: &mut Tx, session: &Session) -> Result<()> {
    execute!(tx, INSERT, {
        id: session.id.as_uuid(),
        account_id: session.account_id.as_uuid(),
        user_id: session.user_id.as_uuid(),
        application_id: session.application_id.as_uuid(),
        portal: session.portal.as_str(),
        method: session.method.as_str(),
        auth_time: millis(session.auth_time),
        external_roles: Json(&session.external_roles),
        created_at: millis(session.created_at),
        refreshed_at: millis(session.refreshed_at),
        expires_at: millis(session.expires_at),
        ended_at: session.ended.map(|(at, _)| millis(at)),
        ended_reason: session.ended.map(|(_, reason)| reason.as_str()),
        home_account_id: session.home.map(|home| home.account_id.as_uuid()),
        home_user_id: session.home.map(|home| home.user_id.as_uuid()),
        credential_epoch: session.credential_epoch.number(),
        home_credential_epoch: session.home.map(|home| home.credential_epoch.number()),
    })?;
    Ok(())
}

/// The session of this id.
pub async fn by_id(tx: &mut Tx, account_id: AccountId, id: SessionId) -> Result<Option<Session>> {
    let row: Option<SessionRow> = fetch_optional!(tx, BY_ID, account_id.as_uuid(), id.as_uuid())?;
    row.map(Session::try_from).transpose()
}

/// Sessions of an account, the newest first.
pub async fn list(tx: &mut Tx, account_id: AccountId, filter: &SessionFilter, page: &Page) -> Result<Paged<Session>> {
    let (account_id, below, limit) = (account_id.as_uuid(), page.below(), page.rows());
    let application_id = filter.application_id.map(ApplicationId::as_uuid);
    let live_at = filter.live_at.map(millis);
    let rows: Vec<SessionRow> = match filter.user_id {
        None => fetch_all!(tx, LIST, account_id, below, application_id, live_at, limit)?,
        Some(user) => fetch_all!(tx, LIST_OF_USER, account_id, below, application_id, live_at, limit, user.as_uuid())?,
    };
    let sessions = rows.into_iter().map(Session::try_from).collect::<Result<_>>()?;
    Ok(Paged::cut(sessions, page, |session: &Session| session.id.as_uuid()))
}

/// Ends a session; `false` if there is none, or it has ended or expired already.
pub async fn end(tx: &mut Tx, account_id: AccountId, id: SessionId, at: Timestamp, reason: SessionEnd) -> Result<bool> {
    Ok(execute!(tx, END, account_id.as_uuid(), id.as_uuid(), millis(at), reason.as_str())? > 0)
}

/// End of a user's sessions: time, reason and exception.
#[derive(Debug, Clone, Copy)]
pub struct Ending {
    /// Time at which they end.
    pub at: Timestamp,
    /// Reason that is recorded in each session.
    pub reason: SessionEnd,
    /// The one that stays.
    pub kept: Option<SessionId>,
}

/// Ends the live sessions of a user, in other accounts too where they switched from here (G1); how many there were.
pub async fn end_for_user(tx: &mut Tx, account_id: AccountId, user_id: UserId, ending: Ending) -> Result<u64> {
    let Ending { at, reason, kept } = ending;
    let kept = kept.map(SessionId::as_uuid);
    execute!(tx, END_FOR_USER, account_id.as_uuid(), user_id.as_uuid(), millis(at), reason.as_str(), kept)
}

/// Takes a session of a user along into the epoch that they are in (A7).
pub async fn carry_on(tx: &mut Tx, user: &User, id: SessionId) -> Result<()> {
    let (account_id, user_id) = (user.account_id.as_uuid(), user.id.as_uuid());
    execute!(tx, CARRY_ON, account_id, user_id, id.as_uuid(), user.credential_epoch.number()).map(drop)
}

/// Sessions of one account that rest on another one.
#[derive(Debug, Clone, Copy)]
pub struct AcrossAccounts {
    /// Account that the sessions are of.
    pub of: AccountId,
    /// Account that they rest on: that of their form login, or that of their application.
    pub from: AccountId,
}

/// Ends every live session in an account of users who switched there from that other one; how many there were.
pub async fn end_switched(tx: &mut Tx, ends: AcrossAccounts, at: Timestamp, reason: SessionEnd) -> Result<u64> {
    execute!(tx, END_SWITCHED, ends.of.as_uuid(), ends.from.as_uuid(), millis(at), reason.as_str())
}

/// Ends the live sessions on this side of a pair that came from its other side; how many there were.
pub async fn end_over_pair(tx: &mut Tx, pair: &AccountPair, at: Timestamp, reason: SessionEnd) -> Result<u64> {
    let (account_id, user_id) = (pair.user.account_id.as_uuid(), pair.user.user_id.as_uuid());
    let (home, home_user) = (pair.other.account_id.as_uuid(), pair.other.user_id.as_uuid());
    execute!(tx, END_OVER_PAIR, account_id, user_id, home, home_user, millis(at), reason.as_str())
}

/// Ends every live session in an account that an application of that other one holds, which serves it no more (G1).
pub async fn end_served_by(tx: &mut Tx, ends: AcrossAccounts, at: Timestamp, reason: SessionEnd) -> Result<u64> {
    execute!(tx, END_SERVED_BY, ends.of.as_uuid(), ends.from.as_uuid(), millis(at), reason.as_str())
}

/// Records that tokens were issued for a session, which a refresh token led to, and that it ends then; `Stale` if
/// it has ended.
pub async fn touch(tx: &mut Tx, id: SessionId, refreshed_at: Timestamp, expires_at: Timestamp) -> Result<()> {
    let rows = execute!(tx, TOUCH, id.as_uuid(), millis(refreshed_at), millis(expires_at))?;
    written(rows, StorageError::Stale)
}
