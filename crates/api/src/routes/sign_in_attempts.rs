//! Sign-in attempts, as diagnostics shows them (H1).

use actix_web::{get, web};
use domain::portal::Portal;
use domain::sign_in_attempt::{
    AttemptFailure, AttemptKind, AttemptOutcome, AttemptStage, SignInAttempt as DomainAttempt,
};
use domain::{AccountId, ApplicationId, AttemptId, ConnectionId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{AttemptFilter, Reason, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{AccountPath, PageParameters};
use super::answer::List;
use super::names::{AttemptKindName, AttemptOutcomeName, AttemptStageName, PortalName, ReasonName};
use crate::extract::{Authenticated, Ids, Listing};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ListProblems = [READ] + InvalidInput;
    ReadProblems = [READ];
}

/// Registers the operations on sign-in attempts.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(list_sign_in_attempts).service(get_sign_in_attempt);
}

/// One attempt of a person to sign in.
#[derive(Debug, Serialize, ToSchema)]
struct SignInAttempt {
    /// Identifier that the person who tried can give to support.
    #[schema(value_type = String, example = "att_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: AttemptId,
    /// Account that the attempt was for.
    #[schema(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Portal that the attempt was for.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Connection that the attempt went through, if any.
    #[schema(value_type = Option<String>)]
    connection_id: Option<ConnectionId>,
    /// Frontend that the attempt was for, if known.
    #[schema(value_type = Option<String>)]
    application_id: Option<ApplicationId>,
    /// Kind of start of the attempt.
    #[schema(value_type = AttemptKindName)]
    kind: AttemptKind,
    /// Stage that the attempt has reached.
    #[schema(value_type = AttemptStageName)]
    stage: AttemptStage,
    /// Outcome of the attempt so far.
    #[schema(value_type = AttemptOutcomeName)]
    outcome: AttemptOutcome,
    /// Cause of the failure; null where the attempt has not failed.
    failure: Option<Failure>,
    /// The email that was entered.
    entered_email: Option<String>,
    /// User who was recognized; null where none was.
    #[schema(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// Irregularities that did not prevent the sign-in.
    warnings: Vec<String>,
    /// Network address of the client.
    client_address: String,
    /// Time at which the attempt began.
    started_at: Timestamp,
    /// Time at which the attempt last got further.
    updated_at: Timestamp,
}

/// The check that failed, and the remedy.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Failure {
    /// Error code that the browser was given.
    #[schema(example = "saml_response_refused")]
    code: String,
    /// Precise reason of the failure.
    #[schema(value_type = ReasonName)]
    reason: &'static str,
    /// Name of the check that failed.
    #[schema(example = "audience")]
    check: String,
    /// Value that would have passed the check.
    wanted: Option<String>,
    /// Value that was received.
    got: Option<String>,
    /// Setting to change, here or at the identity provider.
    fix: &'static str,
}

impl From<AttemptFailure> for Failure {
    fn from(failure: AttemptFailure) -> Self {
        let AttemptFailure { code, reason, check, wanted, got } = failure;
        let reason = Reason::stored(&reason);
        Self { code, reason: reason.as_str(), check, wanted, got, fix: reason.advice() }
    }
}

impl From<DomainAttempt> for SignInAttempt {
    fn from(attempt: DomainAttempt) -> Self {
        Self {
            id: attempt.id,
            account_id: attempt.account_id,
            portal: attempt.portal,
            connection_id: attempt.connection_id,
            application_id: attempt.application_id,
            kind: attempt.kind,
            stage: attempt.stage,
            outcome: attempt.outcome.name(),
            failure: attempt.outcome.failure().cloned().map(Failure::from),
            entered_email: attempt.entered_email,
            user_id: attempt.user_id,
            warnings: attempt.warnings,
            client_address: attempt.client_address,
            started_at: attempt.started_at,
            updated_at: attempt.updated_at,
        }
    }
}

/// An attempt with its message.
#[derive(Debug, Serialize, ToSchema)]
struct SignInAttemptDetails {
    #[serde(flatten)]
    attempt: SignInAttempt,
    /// The decoded SAML response of a refused attempt, with secrets and personal values masked. Unverified: escape it
    /// wherever it is shown.
    saml_message: Option<String>,
}

impl From<DomainAttempt> for SignInAttemptDetails {
    fn from(mut attempt: DomainAttempt) -> Self {
        let saml_message = attempt.saml_message.take();
        Self { attempt: attempt.into(), saml_message }
    }
}

/// An attempt in a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct AttemptPath {
    /// Identifier of the account.
    #[param(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Identifier of the attempt.
    #[param(value_type = String, example = "att_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    attempt_id: AttemptId,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AttemptsQuery {
    /// Portal of the attempts listed; all where it is left out.
    #[param(value_type = Option<PortalName>)]
    portal: Option<Portal>,
    /// Outcome of the attempts listed; all where it is left out.
    #[param(value_type = Option<AttemptOutcomeName>)]
    outcome: Option<AttemptOutcome>,
    /// User whose attempts are listed; all where it is left out.
    #[param(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// Connection of the attempts listed; all where it is left out.
    #[param(value_type = Option<String>)]
    connection_id: Option<ConnectionId>,
    /// Earliest time at which a listed attempt began.
    since: Option<Timestamp>,
    /// Time before which a listed attempt began.
    until: Option<Timestamp>,
}

impl From<AttemptsQuery> for AttemptFilter {
    fn from(query: AttemptsQuery) -> Self {
        let AttemptsQuery { portal, outcome, user_id, connection_id, since, until } = query;
        Self { portal, outcome, user_id, connection_id, since, until }
    }
}

/// List sign-in attempts.
///
/// For operators, and for users of the account who hold a role. The newest first; kept for 30 days.
#[utoipa::path(
    operation_id = "list_sign_in_attempts", tag = "sign-in attempts",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])), params(AccountPath, AttemptsQuery, PageParameters),
    responses((status = 200, description = "A page of attempts", body = List<SignInAttempt>), ListProblems),
)]
#[get("/v1/accounts/{account_id}/sign-in-attempts")]
async fn list_sign_in_attempts(
    caller: Authenticated,
    path: Ids<AccountPath>,
    listing: Listing<AttemptsQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<List<SignInAttempt>>, Problem> {
    let filter = listing.filter.into();
    let attempts = service.sign_in.list_sign_in_attempts(&caller.0, path.0.account_id, &filter, &listing.page).await?;
    Ok(web::Json(List::page(attempts)))
}

/// Read a sign-in attempt.
///
/// For operators, and for users of the account who hold a role. Says what failed, what was expected, what came, and
/// how to fix it.
#[utoipa::path(
    operation_id = "get_sign_in_attempt", tag = "sign-in attempts",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])), params(AttemptPath),
    responses((status = 200, description = "The attempt as it is now", body = SignInAttemptDetails), ReadProblems),
)]
#[get("/v1/accounts/{account_id}/sign-in-attempts/{attempt_id}")]
async fn get_sign_in_attempt(
    caller: Authenticated,
    path: Ids<AttemptPath>,
    service: web::Data<Service>,
) -> Result<web::Json<SignInAttemptDetails>, Problem> {
    let AttemptPath { account_id, attempt_id } = path.0;
    Ok(web::Json(service.sign_in.get_sign_in_attempt(&caller.0, account_id, attempt_id).await?.into()))
}
