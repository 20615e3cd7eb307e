//! Importing many users at once (A2).

use actix_web::{post, web};
use domain::UserId;
use serde::{Deserialize, Serialize};
use service::{ImportedUser, NewUser, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::AccountPath;
use super::users::{CreateUser, User};
use crate::extract::{Authenticated, Ids, JsonBody};
use crate::problem::documentation::problems;
use crate::problem::{FieldError, Problem};

problems! {
    ImportProblems = [READ, BODY];
}

/// Registers the import of users.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(import_users);
}

/// Users to create in one import.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserImport {
    /// List of 1 to 500 users.
    #[schema(min_items = 1, max_items = 500)]
    users: Vec<CreateUser>,
}

/// Report on an import of users.
#[derive(Debug, Serialize, ToSchema)]
struct UserImportReport {
    /// Number of users that were created.
    created: usize,
    /// Results row by row, in the order in which the rows were sent.
    results: Vec<ImportResult>,
}

/// Result of one row of an import.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
enum ImportResult {
    /// The user was created.
    Created {
        /// The user as created.
        user: Box<User>,
    },
    /// The row was refused; the others are not affected.
    Refused {
        /// Code of the problem with the row.
        #[schema(example = "username_taken")]
        code: &'static str,
        /// Description of the problem in words.
        detail: &'static str,
        /// Remedy for the problem.
        fix: &'static str,
        /// Existing user who is in the way, if any.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968", nullable = false)]
        user_id: Option<UserId>,
        /// Wrong fields of the row, as pointers into it.
        errors: Vec<FieldError>,
    },
}

impl From<ImportedUser> for ImportResult {
    fn from(imported: ImportedUser) -> Self {
        match imported {
            ImportedUser::Created(user) => Self::Created { user: Box::new((*user).into()) },
            ImportedUser::Refused(error) => Self::Refused {
                code: error.code.as_str(),
                detail: error.code.detail(),
                fix: error.code.fix(),
                user_id: error.user_id,
                errors: error.violations.iter().map(FieldError::from).collect(),
            },
        }
    }
}

/// Import users.
///
/// For operators and owners. All rows are created in one transaction; a row whose username or email
/// is in the way of another user, or of a row before it, is refused alone.
/// The users are `invited` until their first sign-in.
#[utoipa::path(
    operation_id = "import_users", tag = "users", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath), request_body = UserImport,
    responses((status = 200, description = "The result of each row", body = UserImportReport), ImportProblems),
)]
#[post("/v1/accounts/{account_id}/user-imports")]
async fn import_users(
    caller: Authenticated,
    path: Ids<AccountPath>,
    import: JsonBody<UserImport>,
    service: web::Data<Service>,
) -> Result<web::Json<UserImportReport>, Problem> {
    let rows = import.0.users.into_iter().map(NewUser::from).collect();
    let imported = service.people.import_users(&caller.0, path.0.account_id, rows).await?;
    let created = imported.iter().filter(|row| matches!(row, ImportedUser::Created(_))).count();
    Ok(web::Json(UserImportReport { created, results: imported.into_iter().map(ImportResult::from).collect() }))
}
