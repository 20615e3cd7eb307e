//! Applications: the registered frontends, each of one account, or of none and then shared by all.
//!
//! Where an owner is asked for, an account gives its own applications alone, and `None` the shared ones alone.

use domain::application::{Application, ApplicationSettings};
use domain::portal::Portal;
use domain::{AccountId, ApplicationId};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::columns::{millis, parsed, stored, text, time};
use crate::error::{Result, StorageError, Unique, written};
use crate::page::{Page, Paged};
use crate::sql::{execute, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

/// The columns of an [`ApplicationRow`], under names that a join with other tables leaves apart.
macro_rules! application_columns {
    () => {
        "applications.id AS application_id, applications.account_id AS application_account_id,
        applications.portal AS application_portal, applications.name AS application_name,
        applications.settings AS application_settings, applications.is_default AS application_is_default,
        applications.created_at AS application_created_at, applications.updated_at AS application_updated_at"
    };
}
pub(crate) use application_columns;

/// Whether people of an account sign in with an application: its own, a shared one, or one of the account whose
/// sandbox it is (G1). Never the reverse.
macro_rules! serves {
    () => {
        "(applications.account_id IS NULL OR applications.account_id = accounts.id OR EXISTS (
            SELECT 1 FROM account_links WHERE account_links.account_id = accounts.id
            AND account_links.other_account_id = applications.account_id AND account_links.relation = 'sandbox_of'))"
    };
}
pub(crate) use serves;

queries! {
    INSERT = "INSERT INTO applications (id, account_id, portal, name, settings, is_default, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    BY_ID = concat!("SELECT ", application_columns!(), " FROM applications
        WHERE account_id IS NOT DISTINCT FROM $1 AND id = $2");
    BY_CLIENT_ID = concat!("SELECT ", application_columns!(), " FROM applications WHERE id = $1");
    SERVING = concat!("SELECT ", application_columns!(), " FROM applications JOIN accounts ON accounts.id = $2
        WHERE applications.id = $1 AND ", serves!());
    // By owner, each found by index: the account, nobody, and the account whose sandbox it is.
    ANY_SERVING = "SELECT id FROM applications WHERE account_id = $1 AND portal = $2
        UNION ALL SELECT id FROM applications WHERE account_id IS NULL AND portal = $2
        UNION ALL SELECT applications.id FROM account_links
            JOIN applications ON applications.account_id = account_links.other_account_id
            WHERE account_links.account_id = $1 AND account_links.relation = 'sandbox_of' AND applications.portal = $2
        LIMIT 1";
    DEFAULT_OF = concat!("SELECT ", application_columns!(), " FROM applications WHERE id IN (
            SELECT id FROM applications WHERE account_id = $1 AND portal = $2 AND is_default
            UNION ALL SELECT id FROM applications WHERE account_id IS NULL AND portal = $2 AND is_default
            UNION ALL SELECT parents.id FROM account_links
                JOIN applications AS parents ON parents.account_id = account_links.other_account_id
                WHERE account_links.account_id = $1 AND account_links.relation = 'sandbox_of'
                AND parents.portal = $2 AND parents.is_default)
        ORDER BY CASE WHEN applications.account_id = $1 THEN 0 WHEN applications.account_id IS NULL THEN 2 ELSE 1 END
        LIMIT 1");
    LIST = concat!("SELECT ", application_columns!(), " FROM applications
        WHERE account_id = $1 AND id > $2 AND (portal = $3 OR $3 IS NULL) ORDER BY id LIMIT $4");
    LIST_SHARED = concat!("SELECT ", application_columns!(), " FROM applications
        WHERE account_id IS NULL AND id > $1 AND (portal = $2 OR $2 IS NULL) ORDER BY id LIMIT $3");
    UPDATE = "UPDATE applications SET name = $4, settings = $5, is_default = $6, updated_at = $7
        WHERE account_id IS NOT DISTINCT FROM $1 AND id = $2 AND updated_at = $3";
    CLEAR_DEFAULT = "UPDATE applications SET is_default = FALSE, updated_at = $4
        WHERE account_id IS NOT DISTINCT FROM $1 AND portal = $2 AND is_default AND id <> $3";
    DELETE = "DELETE FROM applications WHERE account_id IS NOT DISTINCT FROM $1 AND id = $2";
    DELETE_ORIGINS = "DELETE FROM application_origins WHERE application_id = $1";
    INSERT_ORIGIN = "INSERT INTO application_origins (account_id, application_id, origin) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING";
    ORIGIN_IS_REGISTERED = "SELECT origin FROM application_origins WHERE origin = $1 LIMIT 1";
}

/// Narrows the list of an account's applications.
#[derive(Debug, Clone, Default)]
pub struct ApplicationFilter {
    /// Lists the applications of this portal alone.
    pub portal: Option<Portal>,
}

#[expect(clippy::struct_field_names, reason = "a join reads the rows of several tables at once")]
#[derive(sqlx::FromRow)]
pub(crate) struct ApplicationRow {
    application_id: Uuid,
    application_account_id: Option<Uuid>,
    application_portal: String,
    application_name: String,
    application_settings: Json<ApplicationSettings>,
    application_is_default: bool,
    application_created_at: i64,
    application_updated_at: i64,
}

impl TryFrom<ApplicationRow> for Application {
    type Error = StorageError;

    fn try_from(row: ApplicationRow) -> Result<Self> {
        Ok(Self {
            id: ApplicationId::from_uuid(row.application_id),
            account_id: row.application_account_id.map(AccountId::from_uuid),
            portal: parsed("applications.portal", &row.application_portal)?,
            name: stored("applications.name", row.application_name)?,
            settings: row.application_settings.0,
            is_default: row.application_is_default,
            created_at: time("applications.created_at", row.application_created_at)?,
            updated_at: time("applications.updated_at", row.application_updated_at)?,
        })
    }
}

/// Adds an application. If it is the default one, the portal's former default stops being it;
/// `Conflict(DefaultApplication)` only if another transaction makes one at the same moment.
pub async fn insert(tx: &mut Tx, application: &Application) -> Result<()> {
    clear_default(tx, application).await?;
    let rows = execute!(
        tx,
        INSERT,
        application.id.as_uuid(),
        application.account_id.map(AccountId::as_uuid),
        application.portal.as_str(),
        application.name.as_str(),
        Json(&application.settings),
        application.is_default,
        millis(application.created_at),
        millis(application.updated_at),
    )?;
    written(rows, StorageError::Conflict(Unique::DefaultApplication))?;
    insert_origins(tx, application).await
}

/// The application of this owner and id.
pub async fn by_id(tx: &mut Tx, owner: impl Into<Option<AccountId>>, id: ApplicationId) -> Result<Option<Application>> {
    let owner = owner.into().map(AccountId::as_uuid);
    let row: Option<ApplicationRow> = fetch_optional!(tx, BY_ID, owner, id.as_uuid())?;
    row.map(Application::try_from).transpose()
}

/// The application of this `client_id`, whatever its account: a frontend says who it is before it says whose.
pub async fn by_client_id(tx: &mut Tx, id: ApplicationId) -> Result<Option<Application>> {
    let row: Option<ApplicationRow> = fetch_optional!(tx, BY_CLIENT_ID, id.as_uuid())?;
    row.map(Application::try_from).transpose()
}

/// The application of this `client_id`, if people of the account sign in with it.
pub async fn serving(tx: &mut Tx, account_id: AccountId, id: ApplicationId) -> Result<Option<Application>> {
    let row: Option<ApplicationRow> = fetch_optional!(tx, SERVING, id.as_uuid(), account_id.as_uuid())?;
    row.map(Application::try_from).transpose()
}

/// Whether people of the account have any application to sign in to this portal with.
pub async fn any_serving(tx: &mut Tx, account_id: AccountId, portal: Portal) -> Result<bool> {
    let row: Option<(Uuid,)> = fetch_optional!(tx, ANY_SERVING, account_id.as_uuid(), portal.as_str())?;
    Ok(row.is_some())
}

/// The application that sign-ins which begin elsewhere go to (C8): the account's own default, that of the account whose
/// sandbox it is (G1), or the shared one.
pub async fn default_of(tx: &mut Tx, account_id: AccountId, portal: Portal) -> Result<Option<Application>> {
    let row: Option<ApplicationRow> = fetch_optional!(tx, DEFAULT_OF, account_id.as_uuid(), portal.as_str())?;
    row.map(Application::try_from).transpose()
}

/// Applications of an owner, the oldest first.
pub async fn list(
    tx: &mut Tx,
    owner: impl Into<Option<AccountId>>,
    filter: &ApplicationFilter,
    page: &Page,
) -> Result<Paged<Application>> {
    let (portal, above, limit) = (filter.portal.map(Portal::as_str), page.above(), page.rows());
    let rows: Vec<ApplicationRow> = match owner.into() {
        Some(account_id) => fetch_all!(tx, LIST, account_id.as_uuid(), above, portal, limit)?,
        None => fetch_all!(tx, LIST_SHARED, above, portal, limit)?,
    };
    let applications = rows.into_iter().map(Application::try_from).collect::<Result<_>>()?;
    Ok(Paged::cut(applications, page, |application: &Application| application.id.as_uuid()))
}

/// Writes what may change (all but account and portal), if it was last changed at `expected_updated_at`; else `Stale`.
/// A new default takes over as in [`insert`].
pub async fn update(tx: &mut Tx, application: &Application, expected_updated_at: Timestamp) -> Result<()> {
    clear_default(tx, application).await?;
    let (account_id, id) = (application.account_id.map(AccountId::as_uuid), application.id.as_uuid());
    let rows = execute!(
        tx,
        UPDATE,
        account_id,
        id,
        millis(expected_updated_at),
        application.name.as_str(),
        Json(&application.settings),
        application.is_default,
        millis(application.updated_at),
    )?;
    written(rows, StorageError::Stale)?;
    execute!(tx, DELETE_ORIGINS, id)?;
    insert_origins(tx, application).await
}

/// Removes an application with its sessions; whether there was one. Its codes lead nowhere.
pub async fn delete(tx: &mut Tx, owner: impl Into<Option<AccountId>>, id: ApplicationId) -> Result<bool> {
    let owner = owner.into().map(AccountId::as_uuid);
    Ok(execute!(tx, DELETE, owner, id.as_uuid())? > 0)
}

/// Whether some application, of whichever account, may be used from this origin: a preflight request says no more.
pub async fn origin_is_registered(tx: &mut Tx, origin: &str) -> Result<bool> {
    let row: Option<(String,)> = fetch_optional!(tx, ORIGIN_IS_REGISTERED, text(origin))?;
    Ok(row.is_some())
}

/// Makes room for a new default of the portal.
async fn clear_default(tx: &mut Tx, new: &Application) -> Result<()> {
    if new.is_default {
        let (account_id, id) = (new.account_id.map(AccountId::as_uuid), new.id.as_uuid());
        execute!(tx, CLEAR_DEFAULT, account_id, new.portal.as_str(), id, millis(new.updated_at))?;
    }
    Ok(())
}

async fn insert_origins(tx: &mut Tx, application: &Application) -> Result<()> {
    let (account_id, id) = (application.account_id.map(AccountId::as_uuid), application.id.as_uuid());
    for origin in &application.settings.allowed_origins {
        execute!(tx, INSERT_ORIGIN, account_id, id, origin.as_str())?;
    }
    Ok(())
}
