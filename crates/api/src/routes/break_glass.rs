//! Break-glass users: what proves that they get in (A4).

use actix_web::{get, post, web};
use domain::UserId;
use domain::password::Password;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{BreakGlassView, DrillStep, Drilled, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::AccountPath;
use super::answer::List;
use super::form_sign_ins::VerifyMfaCode;
use crate::extract::{Authenticated, ClientAddress, Ids, JsonBody};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ListProblems = [READ];
    DrillProblems = [READ, BODY, LIMITED] + NotBreakGlass + MfaEmailMissing;
    CodeProblems = [READ, BODY, LIMITED] + NotBreakGlass + MfaCodeIncorrect + PreconditionFailed;
}

/// Registers the operations of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(list_break_glass_users).service(create_break_glass_drill).service(complete_break_glass_drill);
}

/// A break-glass user, and what proves that they get in.
#[derive(Debug, Serialize, ToSchema)]
struct BreakGlassUser {
    /// Identifier of the user.
    #[schema(value_type = String, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    user_id: UserId,
    /// Username that they type to sign in.
    username: String,
    /// Address that codes of the second factor and links to set a new password go to.
    #[schema(value_type = Option<String>, format = Email, example = "ann@home.example")]
    mailed_to: Option<String>,
    /// Time of their last form login, if they have not signed in otherwise since.
    last_used_at: Option<Timestamp>,
    /// Time of their last drill with the password that they have now.
    last_drilled_at: Option<Timestamp>,
}

impl From<BreakGlassView> for BreakGlassUser {
    fn from(BreakGlassView { user, last_used_at, drilled_at }: BreakGlassView) -> Self {
        Self {
            user_id: user.id,
            mailed_to: user.second_factor_email().map(|email| email.as_str().to_owned()),
            username: user.username.as_str().to_owned(),
            last_used_at,
            last_drilled_at: drilled_at,
        }
    }
}

/// Proof of who drills.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateBreakGlassDrill {
    /// The password of the user.
    #[schema(value_type = String, format = Password, max_length = 256)]
    current_password: Password,
}

/// Next step of a drill.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
enum BreakGlassDrill {
    /// Nothing: the user would get in.
    Complete {
        /// Time at which it was proved.
        drilled_at: Timestamp,
        /// Whether a mail is on its way to where codes and links go; false where no address is known.
        mail_queued: bool,
    },
    /// The code that was mailed: send it to `/v1/me/break-glass-drills/mfa-code`.
    MfaRequired {
        /// Token that leads on, once.
        pending_token: String,
        /// Time from which on it is too late.
        expires_at: Timestamp,
    },
}

impl From<Drilled> for BreakGlassDrill {
    fn from(Drilled { drilled_at, mail_queued }: Drilled) -> Self {
        Self::Complete { drilled_at, mail_queued }
    }
}

impl From<DrillStep> for BreakGlassDrill {
    fn from(step: DrillStep) -> Self {
        match step {
            DrillStep::Complete(drilled) => drilled.into(),
            DrillStep::MfaRequired { pending } => {
                Self::MfaRequired { pending_token: pending.token.expose().to_owned(), expires_at: pending.expires_at }
            }
        }
    }
}

/// List break-glass users.
///
/// For operators, and for users of the account who hold a role: the owners who get in by form login whatever happens to
/// SSO, and when each last proved it. All of them at once: they are few.
#[utoipa::path(
    operation_id = "list_break_glass_users", tag = "users",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])), params(AccountPath),
    responses((status = 200, description = "The break-glass users as they are now", body = List<BreakGlassUser>), ListProblems),
)]
#[get("/v1/accounts/{account_id}/break-glass-users")]
async fn list_break_glass_users(
    caller: Authenticated,
    path: Ids<AccountPath>,
    service: web::Data<Service>,
) -> Result<web::Json<List<BreakGlassUser>>, Problem> {
    Ok(web::Json(List::whole(service.sign_in.list_break_glass_users(&caller.0, path.0.account_id).await?)))
}

/// Begin a break-glass drill.
///
/// For break-glass users: proves that form login would let them in, with a code where the account asks for one,
/// and that mail to them leaves. The drill signs no user in.
#[utoipa::path(
    operation_id = "create_break_glass_drill", tag = "me", security(("access_token" = [])),
    request_body = CreateBreakGlassDrill,
    responses((status = 200, description = "The next step of the sign-in", body = BreakGlassDrill), DrillProblems),
)]
#[post("/v1/me/break-glass-drills")]
async fn create_break_glass_drill(
    caller: Authenticated,
    address: ClientAddress,
    body: JsonBody<CreateBreakGlassDrill>,
    service: web::Data<Service>,
) -> Result<web::Json<BreakGlassDrill>, Problem> {
    let step = service.sign_in.start_break_glass_drill(&caller.0, &body.0.current_password, address.0).await?;
    Ok(web::Json(step.into()))
}

/// End a break-glass drill with the code that was mailed.
///
/// A code works for ten minutes and five tries.
#[utoipa::path(
    operation_id = "complete_break_glass_drill", tag = "me", security(("access_token" = [])),
    request_body = VerifyMfaCode,
    responses((status = 200, description = "The drill ended with success", body = BreakGlassDrill), CodeProblems),
)]
#[post("/v1/me/break-glass-drills/mfa-code")]
async fn complete_break_glass_drill(
    caller: Authenticated,
    body: JsonBody<VerifyMfaCode>,
    service: web::Data<Service>,
) -> Result<web::Json<BreakGlassDrill>, Problem> {
    let VerifyMfaCode { pending_token, code } = &body.0;
    let drilled = service.sign_in.complete_break_glass_drill(&caller.0, pending_token, code).await?;
    Ok(web::Json(drilled.into()))
}
