//! Effects of a plan's rows, each as one statement for all of them: so that the transaction is short also for a
//! whole company, and on SQLite no other writer waits long.

use domain::language::Language;
use domain::mail::MailKind;
use domain::portal::Portal;
use domain::session::SessionEnd;
use domain::sso_migration::Person;
use domain::user::User;
use domain::{AccountId, MailBatchId, SsoMigrationId, UserId};
use jiff::Timestamp;

use crate::columns::millis;
use crate::error::{Result, StorageError};
use crate::sql::{execute, fetch_all, queries};
use crate::tx::Tx;
use crate::users::{UserRow, user_columns};

queries! {
    PEOPLE = concat!("SELECT ", user_columns!(), ", password_credentials.user_id IS NOT NULL AS has_password,
            password_credentials.user_id IS NOT NULL AND NOT password_credentials.must_change AS has_own_password,
            users.id IN (SELECT user_id FROM invitations WHERE account_id = $1 AND first_owner AND accepted_at IS NULL
                AND revoked_at IS NULL) AS awaits_first_owner
        FROM users
        LEFT JOIN password_credentials ON password_credentials.account_id = users.account_id
            AND password_credentials.user_id = users.id
            AND (password_credentials.expires_at > $3 OR password_credentials.expires_at IS NULL)
        WHERE users.account_id = $1 AND users.portal = $2 ORDER BY users.id");
    STEP_ASIDE = "UPDATE users SET username_normalized = sso_migration_rows.tombstone FROM sso_migration_rows
        WHERE sso_migration_rows.account_id = $1 AND sso_migration_rows.migration_id = $2
        AND sso_migration_rows.tombstone IS NOT NULL
        AND users.account_id = $1 AND users.id = sso_migration_rows.user_id";
    CHANGE = "UPDATE users SET username = sso_migration_rows.after_username,
            username_normalized = sso_migration_rows.after_username_normalized,
            email = sso_migration_rows.after_email, email_normalized = sso_migration_rows.after_email_normalized,
            recovery_email = sso_migration_rows.after_recovery_email, status = sso_migration_rows.after_status,
            assigned_roles = sso_migration_rows.after_assigned_roles, exempt = sso_migration_rows.after_exempt,
            credential_epoch = CASE WHEN sso_migration_rows.voids THEN users.credential_epoch + 1
                ELSE users.credential_epoch END,
            search_text = CASE WHEN sso_migration_rows.after_status = 'archived' THEN users.search_text
                ELSE sso_migration_rows.after_username_normalized
                    || substr(users.search_text, CAST(sso_migration_rows.search_from AS INTEGER)) END,
            updated_at = CASE WHEN users.updated_at >= $3 THEN users.updated_at + 1 ELSE $3 END
        FROM sso_migration_rows
        WHERE sso_migration_rows.account_id = $1 AND sso_migration_rows.migration_id = $2
        AND sso_migration_rows.after_username IS NOT NULL
        AND users.account_id = $1 AND users.id = sso_migration_rows.user_id
        AND users.updated_at = sso_migration_rows.version";
    END_SESSIONS = "UPDATE sessions SET ended_at = $3, ended_reason = $4
        WHERE (account_id = $1 AND portal = $2 OR home_account_id = $1) AND ended_at IS NULL AND expires_at > $3
        AND EXISTS (SELECT 1 FROM users WHERE users.account_id = $1 AND users.portal = $2
            AND users.id = CASE WHEN sessions.account_id = $1 THEN sessions.user_id ELSE sessions.home_user_id END
            AND users.id <> $5 AND NOT users.break_glass AND (users.status = 'archived'
                OR CASE WHEN sessions.account_id = $1 THEN sessions.credential_epoch
                    ELSE sessions.home_credential_epoch END <> users.credential_epoch
                OR sessions.method = 'saml' AND $6 OR sessions.method <> 'saml' AND $7 AND NOT users.exempt))";
    CARRY_ON = "UPDATE sessions SET credential_epoch = users.credential_epoch FROM users
        WHERE sessions.account_id = $1 AND sessions.portal = $2 AND sessions.ended_at IS NULL AND sessions.expires_at > $3
        AND users.account_id = $1 AND users.id = sessions.user_id AND sessions.credential_epoch <> users.credential_epoch";
    CARRY_ON_SWITCHED = "UPDATE sessions SET home_credential_epoch = users.credential_epoch FROM users
        WHERE sessions.home_account_id = $1 AND sessions.ended_at IS NULL AND sessions.expires_at > $3
        AND users.account_id = $1 AND users.portal = $2 AND users.id = sessions.home_user_id
        AND sessions.home_credential_epoch <> users.credential_epoch";
    END_LINKS = "UPDATE one_time_links SET ended_at = $3, ended_reason = 'replaced'
        WHERE account_id = $1 AND ended_at IS NULL AND user_id IN (SELECT id FROM users
            WHERE account_id = $1 AND portal = $2 AND NOT break_glass AND NOT exempt)
        AND user_id NOT IN (SELECT user_id FROM invitations
            WHERE account_id = $1 AND first_owner AND accepted_at IS NULL AND revoked_at IS NULL)";
    MAIL_INVITATIONS = "UPDATE invitations SET mailed_at = $3, expires_at = $4, sends = sends + 1
        WHERE account_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND user_id IN (
            SELECT user_id FROM sso_migration_rows
            WHERE account_id = $1 AND migration_id = $2 AND mail_kind = 'sso_invitation')";
    INSERT_MAILS = "INSERT INTO outbox (id, account_id, kind, language, recipient, message_id, state, urgent, attempts,
            due_at, expires_at, created_at, batch_id, user_id, credential_epoch)
        SELECT sso_migration_rows.mail_id, users.account_id, sso_migration_rows.mail_kind, $4, users.email,
            sso_migration_rows.message_id, 'queued', FALSE, 0, $5, $6, $5, $7, users.id,
            CASE WHEN $8 THEN users.credential_epoch END
        FROM sso_migration_rows JOIN users ON users.id = sso_migration_rows.user_id
        WHERE sso_migration_rows.account_id = $1 AND sso_migration_rows.migration_id = $2
        AND sso_migration_rows.mail_kind = $3 AND users.account_id = $1 AND users.email IS NOT NULL";
}

#[derive(sqlx::FromRow)]
struct PersonRow {
    #[sqlx(flatten)]
    user: UserRow,
    has_password: bool,
    has_own_password: bool,
    awaits_first_owner: bool,
}

/// Lists all users of a portal, archived ones too, by id; with whether they have a password that still works at
/// this time.
pub async fn people(tx: &mut Tx, account_id: AccountId, portal: Portal, now: Timestamp) -> Result<Vec<Person>> {
    let rows: Vec<PersonRow> = fetch_all!(tx, PEOPLE, account_id.as_uuid(), portal.as_str(), millis(now))?;
    let person = |row: PersonRow| {
        let PersonRow { user, has_password, has_own_password, awaits_first_owner } = row;
        Ok(Person { user: User::try_from(user)?, has_password, has_own_password, awaits_first_owner })
    };
    rows.into_iter().map(person).collect()
}

/// Makes every user what the plan says, who are `changes` in number; `Stale` if one of them was changed since.
pub async fn change_users(
    tx: &mut Tx,
    account_id: AccountId,
    id: SsoMigrationId,
    changes: usize,
    now: Timestamp,
) -> Result<()> {
    execute!(tx, STEP_ASIDE, account_id.as_uuid(), id.as_uuid())?;
    let rows = execute!(tx, CHANGE, account_id.as_uuid(), id.as_uuid(), millis(now))?;
    if usize::try_from(rows) == Ok(changes) { Ok(()) } else { Err(StorageError::Stale) }
}

/// Sessions that end. Those of removed duplicates do; those of break-glass users never, nor this user's.
#[derive(Debug, Clone, Copy)]
pub struct EndingSessions {
    /// User whose sessions stay.
    pub kept: UserId,
    /// Whether the sessions that began through SSO end.
    pub of_sso: bool,
    /// Whether the other sessions end, but for exempt users'.
    pub of_others: bool,
    /// Reason that is recorded in each session.
    pub reason: SessionEnd,
}

/// Ends the live sessions of a portal's users, also those that they switched to elsewhere, and those of an earlier
/// epoch (A7); gives how many there were. Sessions that stay are taken along into the epoch that their user is in
/// now.
pub async fn end_sessions(
    tx: &mut Tx,
    account_id: AccountId,
    portal: Portal,
    ending: EndingSessions,
    now: Timestamp,
) -> Result<u64> {
    let EndingSessions { kept, of_sso, of_others, reason } = ending;
    let (kept, reason) = (kept.as_uuid(), reason.as_str());
    let (account_id, portal, now) = (account_id.as_uuid(), portal.as_str(), millis(now));
    let ended = execute!(tx, END_SESSIONS, account_id, portal, now, reason, kept, of_sso, of_others)?;
    execute!(tx, CARRY_ON, account_id, portal, now)?;
    execute!(tx, CARRY_ON_SWITCHED, account_id, portal, now)?;
    Ok(ended)
}

/// Ends the one-time links of a portal's users who have no form login any more, or get another way in; how many.
pub async fn end_links(tx: &mut Tx, account_id: AccountId, portal: Portal, now: Timestamp) -> Result<u64> {
    execute!(tx, END_LINKS, account_id.as_uuid(), portal.as_str(), millis(now))
}

/// Records in the invitations of the users that the plan invites that they were mailed, and until when they may be
/// accepted.
pub async fn mail_invitations(
    tx: &mut Tx,
    account_id: AccountId,
    id: SsoMigrationId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<u64> {
    execute!(tx, MAIL_INVITATIONS, account_id.as_uuid(), id.as_uuid(), millis(now), millis(expires_at))
}

/// The mails of a plan of one kind, which say what their batch does.
#[derive(Debug, Clone, Copy)]
pub struct PlannedMails {
    /// Kind of all these mails.
    pub kind: MailKind,
    /// Language of all these mails.
    pub language: Language,
    /// Batch that holds their message.
    pub batch_id: MailBatchId,
    /// Time after which the mail is of no use.
    pub expires_at: Option<Timestamp>,
}

/// Writes the mails of a plan into the outbox; how many there are.
pub async fn insert_mails(
    tx: &mut Tx,
    account_id: AccountId,
    id: SsoMigrationId,
    mails: PlannedMails,
    now: Timestamp,
) -> Result<u64> {
    execute!(
        tx,
        INSERT_MAILS,
        account_id.as_uuid(),
        id.as_uuid(),
        mails.kind.as_str(),
        mails.language.as_str(),
        millis(now),
        mails.expires_at.map(millis),
        mails.batch_id.as_uuid(),
        mails.kind.is_credential(),
    )
}
