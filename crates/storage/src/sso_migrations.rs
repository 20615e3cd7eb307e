//! Plans of requiring SSO and of going back: their heads. The rows are in [`crate::sso_migration_rows`].

use domain::portal::Portal;
use domain::sso_migration::{
    Applied, Blocker, Counts, Decisions, Direction, Effects, MigrationOptions, MigrationState, Progress, SignOff,
    SsoMigration, UntestedOverride,
};
use domain::{AccountId, SsoMigrationId, UserId};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::columns::{checked, millis, optional_time, parsed, time};
use crate::error::{Result, StorageError, written};
use crate::page::{Page, Paged};
use crate::sql::{execute, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

macro_rules! columns {
    () => {
        "id, account_id, portal, direction, state, reverts, options, decisions, digest, counts, blockers, created_by,
        created_at, updated_at, signed_off_by, signed_off_at, sign_off_expires_at, applied_by, applied_at, effects,
        sign_off_override_reason, sign_off_override_version"
    };
}

queries! {
    INSERT = concat!("INSERT INTO sso_migrations (", columns!(), ")
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
            $22)");
    BY_ID = concat!("SELECT ", columns!(), " FROM sso_migrations WHERE account_id = $1 AND id = $2");
    LIST = concat!("SELECT ", columns!(), " FROM sso_migrations
        WHERE account_id = $1 AND id < $2 AND (portal = $3 OR $3 IS NULL) ORDER BY id DESC LIMIT $4");
    LAST_APPLIED = concat!("SELECT ", columns!(), " FROM sso_migrations
        WHERE account_id = $1 AND portal = $2 AND direction = 'require' AND state = 'applied' ORDER BY id DESC LIMIT 1");
    UPDATE = "UPDATE sso_migrations SET state = $5, decisions = $6, digest = $7, counts = $8, blockers = $9,
            updated_at = $10, signed_off_by = $11, signed_off_at = $12, sign_off_expires_at = $13, applied_by = $14,
            applied_at = $15, effects = $16, sign_off_override_reason = $17, sign_off_override_version = $18
        WHERE account_id = $1 AND id = $2 AND updated_at = $3 AND state = $4";
    SUPERSEDE = "UPDATE sso_migrations SET state = 'superseded', updated_at = $3
        WHERE account_id = $1 AND portal = $2 AND state IN ('previewed', 'signed_off')";
    MARK_REVERTED = "UPDATE sso_migrations SET state = 'reverted', updated_at = $3
        WHERE account_id = $1 AND id = $2 AND state = 'applied'";
}

/// Narrows the list of an account's migrations.
#[derive(Debug, Clone, Default)]
pub struct MigrationFilter {
    /// Lists the migrations of this portal alone.
    pub portal: Option<Portal>,
}

#[derive(sqlx::FromRow)]
struct MigrationRow {
    id: Uuid,
    account_id: Uuid,
    portal: String,
    direction: String,
    state: String,
    reverts: Option<Uuid>,
    options: Json<MigrationOptions>,
    decisions: Json<Decisions>,
    digest: String,
    counts: Json<Counts>,
    blockers: Json<Vec<Blocker>>,
    created_by: Uuid,
    created_at: i64,
    updated_at: i64,
    signed_off_by: Option<Uuid>,
    signed_off_at: Option<i64>,
    sign_off_expires_at: Option<i64>,
    applied_by: Option<Uuid>,
    applied_at: Option<i64>,
    effects: Option<Json<Effects>>,
    sign_off_override_reason: Option<String>,
    sign_off_override_version: Option<i64>,
}

impl TryFrom<MigrationRow> for SsoMigration {
    type Error = StorageError;

    fn try_from(row: MigrationRow) -> Result<Self> {
        let progress = read_progress(&row)?;
        Ok(Self {
            progress,
            id: SsoMigrationId::from_uuid(row.id),
            account_id: AccountId::from_uuid(row.account_id),
            portal: parsed("sso_migrations.portal", &row.portal)?,
            direction: parsed::<Direction>("sso_migrations.direction", &row.direction)?,
            reverts: row.reverts.map(SsoMigrationId::from_uuid),
            options: row.options.0,
            decisions: row.decisions.0,
            digest: parsed("sso_migrations.digest", &row.digest)?,
            counts: row.counts.0,
            blockers: row.blockers.0,
            created_by: UserId::from_uuid(row.created_by),
            created_at: time("sso_migrations.created_at", row.created_at)?,
            updated_at: time("sso_migrations.updated_at", row.updated_at)?,
        })
    }
}

/// Reads the state with what belongs to it; a row that lacks that is corrupt.
fn read_progress(row: &MigrationRow) -> Result<Progress> {
    let state = parsed::<MigrationState>("sso_migrations.state", &row.state)?;
    let (sign_off, applied) = (read_sign_off(row)?, read_applied(row)?);
    let lacks = |what| StorageError::corrupt("sso_migrations.state", format!("{} without {what}", state.as_str()));
    let signed = |sign_off: Option<SignOff>| sign_off.ok_or_else(|| lacks("a signature"));
    let carried_out = || applied.ok_or_else(|| lacks("the record of its application"));
    Ok(match state {
        MigrationState::Previewed => Progress::Previewed,
        MigrationState::SignedOff => Progress::SignedOff(signed(sign_off)?),
        MigrationState::Applied => Progress::Applied(signed(sign_off)?, carried_out()?),
        MigrationState::Reverted => Progress::Reverted(signed(sign_off)?, carried_out()?),
        MigrationState::Superseded => Progress::Superseded(sign_off),
    })
}

fn read_sign_off(row: &MigrationRow) -> Result<Option<SignOff>> {
    let at = optional_time("sso_migrations.signed_off_at", row.signed_off_at)?;
    let expires_at = optional_time("sso_migrations.sign_off_expires_at", row.sign_off_expires_at)?;
    let Some(((by, at), expires_at)) = row.signed_off_by.zip(at).zip(expires_at) else { return Ok(None) };
    Ok(Some(SignOff { by: UserId::from_uuid(by), at, expires_at, untested: read_untested(row)? }))
}

fn read_untested(row: &MigrationRow) -> Result<Option<UntestedOverride>> {
    let version = optional_time("sso_migrations.sign_off_override_version", row.sign_off_override_version)?;
    let Some((reason, connection_version)) = row.sign_off_override_reason.clone().zip(version) else { return Ok(None) };
    let reason = checked("sso_migrations.sign_off_override_reason", reason)?;
    Ok(Some(UntestedOverride { reason, connection_version }))
}

fn read_applied(row: &MigrationRow) -> Result<Option<Applied>> {
    let at = optional_time("sso_migrations.applied_at", row.applied_at)?;
    let effects = row.effects.as_ref().map(|effects| effects.0).unwrap_or_default();
    Ok(row.applied_by.zip(at).map(|(by, at)| Applied { by: UserId::from_uuid(by), at, effects }))
}

/// Adds a migration's head.
pub async fn insert(tx: &mut Tx, migration: &SsoMigration) -> Result<()> {
    execute!(tx, INSERT, {
        id: migration.id.as_uuid(),
        account_id: migration.account_id.as_uuid(),
        portal: migration.portal.as_str(),
        direction: migration.direction.as_str(),
        state: migration.progress.state().as_str(),
        reverts: migration.reverts.map(SsoMigrationId::as_uuid),
        options: Json(&migration.options),
        decisions: Json(&migration.decisions),
        digest: migration.digest.as_str(),
        counts: Json(&migration.counts),
        blockers: Json(&migration.blockers),
        created_by: migration.created_by.as_uuid(),
        created_at: millis(migration.created_at),
        updated_at: millis(migration.updated_at),
        signed_off_by: migration.progress.sign_off().map(|signed| signed.by.as_uuid()),
        signed_off_at: migration.progress.sign_off().map(|signed| millis(signed.at)),
        sign_off_expires_at: migration.progress.sign_off().map(|signed| millis(signed.expires_at)),
        applied_by: migration.progress.applied().map(|applied| applied.by.as_uuid()),
        applied_at: migration.progress.applied().map(|applied| millis(applied.at)),
        effects: migration.progress.applied().map(|applied| Json(applied.effects)),
        sign_off_override_reason: migration.progress.untested().map(|word| word.reason.as_str()),
        sign_off_override_version: migration.progress.untested().map(|word| millis(word.connection_version)),
    })?;
    Ok(())
}

/// The migration of this id.
pub async fn by_id(tx: &mut Tx, account_id: AccountId, id: SsoMigrationId) -> Result<Option<SsoMigration>> {
    let row: Option<MigrationRow> = fetch_optional!(tx, BY_ID, account_id.as_uuid(), id.as_uuid())?;
    row.map(SsoMigration::try_from).transpose()
}

/// The migrations of an account, the newest first.
pub async fn list(
    tx: &mut Tx,
    account_id: AccountId,
    filter: &MigrationFilter,
    page: &Page,
) -> Result<Paged<SsoMigration>> {
    let portal = filter.portal.map(Portal::as_str);
    let rows: Vec<MigrationRow> = fetch_all!(tx, LIST, account_id.as_uuid(), page.below(), portal, page.rows())?;
    let found = rows.into_iter().map(SsoMigration::try_from).collect::<Result<_>>()?;
    Ok(Paged::cut(found, page, |migration: &SsoMigration| migration.id.as_uuid()))
}

/// The migration that made SSO required in this portal and was not put back.
pub async fn last_applied(tx: &mut Tx, account_id: AccountId, portal: Portal) -> Result<Option<SsoMigration>> {
    let row: Option<MigrationRow> = fetch_optional!(tx, LAST_APPLIED, account_id.as_uuid(), portal.as_str())?;
    row.map(SsoMigration::try_from).transpose()
}

/// Writes what may change of a migration, if it is as `before` was read; else `Stale`.
pub async fn update(tx: &mut Tx, after: &SsoMigration, before: &SsoMigration) -> Result<()> {
    let rows = execute!(tx, UPDATE, {
        account_id: after.account_id.as_uuid(),
        id: after.id.as_uuid(),
        read_updated_at: millis(before.updated_at),
        read_state: before.progress.state().as_str(),
        state: after.progress.state().as_str(),
        decisions: Json(&after.decisions),
        digest: after.digest.as_str(),
        counts: Json(&after.counts),
        blockers: Json(&after.blockers),
        updated_at: millis(after.updated_at),
        signed_off_by: after.progress.sign_off().map(|signed| signed.by.as_uuid()),
        signed_off_at: after.progress.sign_off().map(|signed| millis(signed.at)),
        sign_off_expires_at: after.progress.sign_off().map(|signed| millis(signed.expires_at)),
        applied_by: after.progress.applied().map(|applied| applied.by.as_uuid()),
        applied_at: after.progress.applied().map(|applied| millis(applied.at)),
        effects: after.progress.applied().map(|applied| Json(applied.effects)),
        sign_off_override_reason: after.progress.untested().map(|word| word.reason.as_str()),
        sign_off_override_version: after.progress.untested().map(|word| millis(word.connection_version)),
    })?;
    written(rows, StorageError::Stale)
}

/// Ends what is planned for a portal and not carried out; how many there were.
pub async fn supersede(tx: &mut Tx, account_id: AccountId, portal: Portal, at: Timestamp) -> Result<u64> {
    execute!(tx, SUPERSEDE, account_id.as_uuid(), portal.as_str(), millis(at))
}

/// Records that what a migration did was put back; `Stale` if it was before.
pub async fn mark_reverted(tx: &mut Tx, account_id: AccountId, id: SsoMigrationId, at: Timestamp) -> Result<()> {
    let rows = execute!(tx, MARK_REVERTED, account_id.as_uuid(), id.as_uuid(), millis(at))?;
    written(rows, StorageError::Stale)
}
