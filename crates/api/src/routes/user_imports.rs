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

/// Registers the operation.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(import_users);
}

/// Users to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserImport {
    /// 1 to 500 users.
    #[schema(min_items = 1, max_items = 500)]
    users: Vec<CreateUser>,
}

/// What became of an import.
#[derive(Debug, Serialize, ToSchema)]
struct UserImportReport {
    /// How many users were created.
    created: usize,
    /// Row by row, in the order in which they were sent.
    results: Vec<ImportResult>,
}

/// What became of one row.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
enum ImportResult {
    /// The user was created.
    Created {
        /// The user.
        user: Box<User>,
    },
    /// The row was refused; the others are not affected.
    Refused {
        /// Why.
        #[schema(example = "username_taken")]
        code: &'static str,
        /// The same in words.
        detail: &'static str,
        /// What to do.
        fix: &'static str,
        /// The user who is in the way.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968", nullable = false)]
        user_id: Option<UserId>,
        /// Which fields of the row are wrong, as pointers into it.
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
    responses((status = 200, description = "What became of each row", body = UserImportReport), ImportProblems),
)]
#[post("/v1/accounts/{account_id}/user-imports")]
async fn import_users(
    caller: Authenticated,
    path: Ids<AccountPath>,
    import: JsonBody<UserImport>,
    service: web::Data<Service>,
) -> Result<web::Json<UserImportReport>, Problem> {
    let rows = import.0.users.into_iter().map(NewUser::from).collect();
    let imported = service.import_users(&caller.0, path.0.account_id, rows).await?;
    let created = imported.iter().filter(|row| matches!(row, ImportedUser::Created(_))).count();
    Ok(web::Json(UserImportReport { created, results: imported.into_iter().map(ImportResult::from).collect() }))
}
