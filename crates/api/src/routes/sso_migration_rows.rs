//! The rows of a plan of requiring SSO, or of going back: what becomes of each user (F1).

use actix_web::{get, web};
use domain::UserId;
use domain::email::Email;
use domain::mail::MailKind;
use domain::role::RoleSet;
use domain::sso_migration::row::{ConflictKind, DuplicateRule, Evidence, KeepReason};
use domain::sso_migration::{Action, ActionName, Choice, Row, Snapshot};
use domain::user::UserStatus;
use domain::username::Username;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{RowFilter, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::PageParameters;
use super::answer::List;
use super::names::{
    ConflictKindName, DuplicateRuleName, KeepReasonName, MailKindName, MigrationActionName, MigrationChoiceName,
    RoleName, UserStatusName,
};
use super::sso_migrations::SsoMigrationPath;
use crate::extract::{Authenticated, Ids, Listing};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ListProblems = [READ] + InvalidInput;
}

/// Registers the listing of a migration's rows.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(list_sso_migration_rows);
}

/// Row of a plan: the changes to one user.
#[derive(Debug, Serialize, ToSchema)]
struct SsoMigrationRow {
    /// User that the row is about.
    #[schema(value_type = String, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    user_id: UserId,
    #[serde(flatten)]
    action: RowAction,
    /// The user before the migration.
    before: UserSnapshot,
    /// The user after the migration; null where nothing changes.
    after: Option<UserSnapshot>,
    /// Choices that an owner has for this user.
    #[schema(value_type = Vec<MigrationChoiceName>)]
    choices: Vec<Choice>,
    /// Mail that the user gets; null where they get none.
    #[schema(value_type = Option<MailKindName>)]
    mail: Option<MailKind>,
}

/// Action of the migration on a user, with its reason.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
enum RowAction {
    /// The user stays as they are.
    Keep {
        /// Reason why nothing changes.
        #[schema(value_type = KeepReasonName)]
        reason: KeepReason,
    },
    /// The username becomes another one.
    Rename {
        /// Username before the migration.
        #[schema(value_type = String, example = "ann")]
        from: Username,
        /// Username after the migration.
        #[schema(value_type = String, example = "ann@acme.example")]
        to: Username,
    },
    /// The user is archived, because another user stands for the same person.
    RemoveDuplicate {
        /// User who stays for the same person.
        #[schema(value_type = String, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
        stays: UserId,
        /// Rule that decided which of the two stays.
        #[schema(value_type = DuplicateRuleName)]
        rule: DuplicateRule,
        /// Facts about the user who is removed.
        removed: DuplicateEvidence,
        /// Facts about the user who stays.
        kept: DuplicateEvidence,
        /// The assigned roles that the user who stays does not hold.
        #[schema(value_type = Vec<RoleName>)]
        roles: RoleSet,
        /// Whether those roles go to the user who stays, or are lost.
        roles_united: bool,
    },
    /// The user keeps username and form login.
    Exempt {
        /// Whether the email, which another user goes by, becomes the recovery email.
        email_moved: bool,
    },
    /// The owner who plans keeps username and form login.
    RetainedAdmin {
        /// Whether they become exempt by it; a break-glass user need not.
        becomes_exempt: bool,
    },
    /// An owner must decide.
    Conflict {
        /// Kind of conflict to decide.
        #[schema(value_type = ConflictKindName)]
        kind: ConflictKind,
        /// Other users that the conflict involves.
        #[schema(value_type = Vec<String>)]
        with: Vec<UserId>,
    },
    /// Going back: what was changed is put back.
    Restore {
        /// Whether they come back from the archive.
        from_archive: bool,
    },
}

/// Facts about one of several users who go by the same email.
#[derive(Debug, Serialize, ToSchema)]
struct DuplicateEvidence {
    /// Status of the user when the plan was made.
    #[schema(value_type = UserStatusName)]
    status: UserStatus,
    /// Time of the user's last sign-in; null where there was none.
    last_sign_in_at: Option<Timestamp>,
    /// Roles that the user holds, from either source.
    #[schema(value_type = Vec<RoleName>)]
    roles: RoleSet,
    /// Time at which the user was added.
    created_at: Timestamp,
}

/// Everything of a user that a migration may change.
#[derive(Debug, Serialize, ToSchema)]
struct UserSnapshot {
    /// Name that the user signs in with.
    #[schema(value_type = String, example = "ann")]
    username: Username,
    /// Address that mail to the user goes to.
    #[schema(value_type = Option<String>, example = "ann@acme.example")]
    email: Option<Email>,
    /// Second address, for the second factor and recovery.
    #[schema(value_type = Option<String>, example = "ann@home.example")]
    recovery_email: Option<Email>,
    /// Status of the user at this point.
    #[schema(value_type = UserStatusName)]
    status: UserStatus,
    /// Roles given to the user by an owner or operator.
    #[schema(value_type = Vec<RoleName>)]
    assigned_roles: RoleSet,
    /// Whether they keep form login where SSO is required.
    exempt: bool,
}

impl From<Snapshot> for UserSnapshot {
    fn from(snapshot: Snapshot) -> Self {
        let Snapshot { username, email, recovery_email, status, assigned_roles, exempt } = snapshot;
        Self { username, email, recovery_email, status, assigned_roles, exempt }
    }
}

impl From<Evidence> for DuplicateEvidence {
    fn from(evidence: Evidence) -> Self {
        let Evidence { status, last_sign_in_at, roles, created_at } = evidence;
        Self { status, last_sign_in_at, roles, created_at }
    }
}

impl From<Action> for RowAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Keep { reason } => Self::Keep { reason },
            Action::Rename { from, to } => Self::Rename { from, to },
            Action::RemoveDuplicate { stays, rule, removed, kept, roles, roles_united } => {
                let (removed, kept) = (removed.into(), kept.into());
                Self::RemoveDuplicate { stays, rule, removed, kept, roles, roles_united }
            }
            Action::Exempt { email_moved } => Self::Exempt { email_moved },
            Action::RetainedAdmin { becomes_exempt } => Self::RetainedAdmin { becomes_exempt },
            Action::Conflict { kind, with } => Self::Conflict { kind, with },
            Action::Restore { from_archive } => Self::Restore { from_archive },
        }
    }
}

impl From<Row> for SsoMigrationRow {
    fn from(row: Row) -> Self {
        Self {
            user_id: row.user_id,
            action: row.action.into(),
            before: row.before.into(),
            after: row.after.map(UserSnapshot::from),
            choices: row.choices,
            mail: row.mail,
        }
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RowsQuery {
    /// Action of the rows listed; all where it is left out.
    #[param(value_type = Option<MigrationActionName>, inline)]
    action: Option<ActionName>,
}

/// List the rows of a migration.
///
/// For operators, and for users of the account who hold a role. There is a row for each user of the portal. The
/// rows of a preview that was never signed go when another one takes its place; all others stay for good.
#[utoipa::path(
    operation_id = "list_sso_migration_rows", tag = "sso migrations",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(SsoMigrationPath, RowsQuery, PageParameters),
    responses((status = 200, description = "A page of rows", body = List<SsoMigrationRow>), ListProblems),
)]
#[get("/v1/accounts/{account_id}/sso-migrations/{migration_id}/rows")]
async fn list_sso_migration_rows(
    caller: Authenticated,
    path: Ids<SsoMigrationPath>,
    listing: Listing<RowsQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<List<SsoMigrationRow>>, Problem> {
    let filter = RowFilter { migration_id: path.0.migration_id, action: listing.filter.action };
    let rows = service.migrations.list_sso_migration_rows(&caller.0, path.0.account_id, filter, &listing.page).await?;
    Ok(web::Json(List::page(rows)))
}
