//! The rows of plans: what becomes of each user. Written in bulk, read in pages, carried out by
//! [`crate::sso_migration_effects`].

use domain::credential_epoch::voided_by_plan;
use domain::email::Email;
use domain::mail::MailKind;
use domain::portal::Portal;
use domain::role::RoleSet;
use domain::sso_migration::{Action, ActionName, Choice, Row, Snapshot};
use domain::user::UserStatus;
use domain::{AccountId, MailId, SsoMigrationId, UserId};
use sqlx::types::Json;
use uuid::Uuid;

use crate::columns::{millis, parsed, stored, time};
use crate::error::{Result, StorageError};
use crate::page::{Page, Paged};
use crate::sql::{execute, execute_rows, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

macro_rules! columns {
    () => {
        "user_id, version, details, choices, before_snapshot, after_username, after_email, after_recovery_email,
        after_status, after_assigned_roles, after_exempt, tombstone, mail_kind"
    };
}

queries! {
    INSERT = "INSERT INTO sso_migration_rows (account_id, migration_id, user_id, version, action, details, choices,
            before_snapshot, after_username, after_username_normalized, after_email, after_email_normalized,
            after_recovery_email, after_status, after_assigned_roles, after_exempt, search_from, tombstone, mail_kind,
            mail_id, message_id, voids)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";
    DELETE = "DELETE FROM sso_migration_rows WHERE account_id = $1 AND migration_id = $2";
    DELETE_DRAFTS = "DELETE FROM sso_migration_rows WHERE account_id = $1 AND migration_id IN (
            SELECT id FROM sso_migrations
            WHERE account_id = $1 AND portal = $2 AND state = 'previewed' AND signed_off_at IS NULL)";
    LIST = concat!("SELECT ", columns!(), " FROM sso_migration_rows
        WHERE account_id = $1 AND migration_id = $2 AND user_id > $3 AND (action = $4 OR $4 IS NULL)
        ORDER BY user_id LIMIT $5");
    CHANGED = concat!("SELECT ", columns!(), " FROM sso_migration_rows
        WHERE account_id = $1 AND migration_id = $2 AND after_username IS NOT NULL ORDER BY user_id");
    REPLACED = "SELECT sso_migration_rows.after_username FROM sso_migrations
        JOIN sso_migration_rows ON sso_migration_rows.account_id = sso_migrations.account_id
            AND sso_migration_rows.migration_id = sso_migrations.id AND sso_migration_rows.user_id = $2
        WHERE sso_migrations.account_id = $1 AND sso_migrations.direction = 'require'
        AND sso_migrations.state = 'applied' AND sso_migration_rows.action = 'rename'
        AND sso_migration_rows.after_username IS NOT NULL
        ORDER BY sso_migrations.applied_at DESC LIMIT 1";
}

/// A username that no user can have, for a user who gives theirs up: a username holds no control character.
fn tombstone(id: UserId) -> String {
    format!("\u{1}{id}")
}

/// A row, and the mail that goes with it.
#[derive(Debug, Clone)]
pub struct NewRow {
    /// The plan's row for one user.
    pub row: Row,
    /// Id and `Message-ID` of its mail; none if the user is told nothing.
    pub mail: Option<(MailId, String)>,
}

#[derive(sqlx::FromRow)]
struct StoredRow {
    user_id: Uuid,
    version: i64,
    details: Json<Action>,
    choices: Json<Vec<Choice>>,
    before_snapshot: Json<Snapshot>,
    after_username: Option<String>,
    after_email: Option<String>,
    after_recovery_email: Option<String>,
    after_status: Option<String>,
    after_assigned_roles: Option<Json<RoleSet>>,
    after_exempt: Option<bool>,
    tombstone: Option<String>,
    mail_kind: Option<String>,
}

impl TryFrom<StoredRow> for Row {
    type Error = StorageError;

    fn try_from(row: StoredRow) -> Result<Self> {
        let email = |text: Option<String>| text.map(|text| stored("sso_migration_rows.email", text)).transpose();
        let after = match (row.after_username, row.after_status, row.after_assigned_roles, row.after_exempt) {
            (Some(username), Some(status), Some(Json(assigned_roles)), Some(exempt)) => Some(Snapshot {
                username: stored("sso_migration_rows.after_username", username)?,
                email: email(row.after_email)?,
                recovery_email: email(row.after_recovery_email)?,
                status: parsed("sso_migration_rows.after_status", &status)?,
                assigned_roles,
                exempt,
            }),
            _ => None,
        };
        let is_archived = after.as_ref().is_some_and(|after| after.status == UserStatus::Archived);
        let mail = row.mail_kind.map(|kind| parsed("sso_migration_rows.mail_kind", &kind));
        Ok(Self {
            user_id: UserId::from_uuid(row.user_id),
            before: row.before_snapshot.0,
            version: time("sso_migration_rows.version", row.version)?,
            action: row.details.0,
            steps_aside: row.tombstone.is_some() && !is_archived,
            after,
            choices: row.choices.0,
            mail: mail.transpose()?,
        })
    }
}

/// Values of a row's columns, some of them derived from the row.
struct Columns<'a> {
    new: &'a NewRow,
    username: Option<String>,
    email: Option<String>,
    search_from: i64,
    tombstone: Option<String>,
}

impl<'a> Columns<'a> {
    /// An archived user is found by neither name nor email.
    fn of(new: &'a NewRow) -> Self {
        let NewRow { row, .. } = new;
        let after = row.after.as_ref();
        let is_archived = after.is_some_and(|after| after.status == UserStatus::Archived);
        let tombstone = (is_archived || row.steps_aside).then(|| tombstone(row.user_id));
        let found = after.filter(|_| !is_archived);
        let username = found.map(|after| after.username.normalized());
        let chars = row.before.username.normalized().chars().count();
        Self {
            new,
            username: username.or_else(|| after.and(tombstone.clone())),
            email: found.and_then(|after| after.email.as_ref()).map(Email::normalized),
            search_from: i64::try_from(chars).unwrap_or(i64::MAX).saturating_add(1),
            tombstone,
        }
    }

    fn after(&self) -> Option<&Snapshot> {
        self.new.row.after.as_ref()
    }

    /// Whether the row voids what was issued to its user (A7).
    fn voids(&self) -> bool {
        self.after().is_some_and(|after| voided_by_plan(&self.new.row.before, after).is_some())
    }
}

/// Writes the rows of a plan.
pub async fn insert_all(
    tx: &mut Tx,
    account_id: AccountId,
    migration_id: SsoMigrationId,
    rows: &[NewRow],
) -> Result<()> {
    for part in rows.chunks(ROWS_AT_ONCE) {
        let columns: Vec<Columns<'_>> = part.iter().map(Columns::of).collect();
        execute_rows!(tx, INSERT, columns, |columns| {
            account_id: account_id.as_uuid(),
            migration_id: migration_id.as_uuid(),
            user_id: columns.new.row.user_id.as_uuid(),
            version: millis(columns.new.row.version),
            action: columns.new.row.action.name().as_str(),
            details: Json(&columns.new.row.action),
            choices: Json(&columns.new.row.choices),
            before_snapshot: Json(&columns.new.row.before),
            after_username: columns.after().map(|after| after.username.as_str()),
            after_username_normalized: columns.username.as_deref(),
            after_email: columns.after().and_then(|after| after.email.as_ref()).map(Email::as_str),
            after_email_normalized: columns.email.as_deref(),
            after_recovery_email: columns.after().and_then(|after| after.recovery_email.as_ref()).map(Email::as_str),
            after_status: columns.after().map(|after| after.status.as_str()),
            after_assigned_roles: columns.after().map(|after| Json(&after.assigned_roles)),
            after_exempt: columns.after().map(|after| after.exempt),
            search_from: columns.search_from,
            tombstone: columns.tombstone.as_deref(),
            mail_kind: columns.new.row.mail.map(MailKind::as_str),
            mail_id: columns.new.mail.as_ref().map(|(id, _)| id.as_uuid()),
            message_id: columns.new.mail.as_ref().map(|(_, message_id)| message_id.as_str()),
            voids: columns.voids(),
        })?;
    }
    Ok(())
}

/// Rows that are made ready for the database at once, so that they need not all be held twice.
const ROWS_AT_ONCE: usize = 2_000;

/// Removes the rows of a plan that is made anew.
pub async fn delete(tx: &mut Tx, account_id: AccountId, migration_id: SsoMigrationId) -> Result<u64> {
    execute!(tx, DELETE, account_id.as_uuid(), migration_id.as_uuid())
}

/// Removes the rows of a portal's unsigned plans, because a new plan takes their place.
pub async fn delete_drafts(tx: &mut Tx, account_id: AccountId, portal: Portal) -> Result<u64> {
    execute!(tx, DELETE_DRAFTS, account_id.as_uuid(), portal.as_str())
}

/// Rows of a plan, by user; those of one action alone, if one is named.
pub async fn list(
    tx: &mut Tx,
    account_id: AccountId,
    migration_id: SsoMigrationId,
    action: Option<ActionName>,
    page: &Page,
) -> Result<Paged<Row>> {
    let rows: Vec<StoredRow> = fetch_all!(
        tx,
        LIST,
        account_id.as_uuid(),
        migration_id.as_uuid(),
        page.above(),
        action.map(ActionName::as_str),
        page.rows(),
    )?;
    let rows = rows.into_iter().map(Row::try_from).collect::<Result<_>>()?;
    Ok(Paged::cut(rows, page, |row: &Row| row.user_id.as_uuid()))
}

/// The rows of a plan that change something, by user.
pub async fn changed(tx: &mut Tx, account_id: AccountId, migration_id: SsoMigrationId) -> Result<Vec<Row>> {
    let rows: Vec<StoredRow> = fetch_all!(tx, CHANGED, account_id.as_uuid(), migration_id.as_uuid())?;
    rows.into_iter().map(Row::try_from).collect()
}

/// The username that requiring SSO wrote in the place of a user's own, unless that was taken back (G1).
pub async fn replaced_username(tx: &mut Tx, account_id: AccountId, user_id: UserId) -> Result<Option<String>> {
    let row: Option<(String,)> = fetch_optional!(tx, REPLACED, account_id.as_uuid(), user_id.as_uuid())?;
    Ok(row.map(|(username,)| username))
}
