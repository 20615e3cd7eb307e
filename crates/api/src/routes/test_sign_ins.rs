//! Test sign-ins (C9): a connection is tried with a real response of its identity provider, and no user is signed
//! in.

use actix_web::{HttpResponse, get, post, web};
use domain::email::Email;
use domain::role::Role;
use domain::sign_in_attempt::{AttemptOutcome, AttemptStage};
use domain::sso::test_sign_in::{
    CheckState, ReceivedAttribute as Attribute, RoleOrigin, TestedCheck as Check, TestedRoles, TestedSubject,
    TestedUser as Subject,
};
use domain::{AccountId, AttemptId, ConnectionId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{Service, StartTestSignIn, TestSignIn as Test};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::answer::recorded;
use super::login::SsoSignIn;
use super::names::{AttemptOutcomeName, AttemptStageName, CheckStateName, RoleName, RoleOriginName, TestedSubjectName};
use super::saml_connections::ConnectionPath;
use super::sign_in_attempts::Failure;
use crate::extract::{Authenticated, ClientAddress, Ids, JsonBody};
use crate::page::{PlainPage, plain_page};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    StartProblems = [READ, BODY, LIMITED] + ConnectionIncomplete + SsoEmailNotConfigured + SsoMultipleUsernames
        + IdpUnreachable;
    ReadProblems = [READ];
}

/// Registers the operations on test sign-ins.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(create_test_sign_in).service(get_test_sign_in);
}

/// Request to begin a test sign-in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateTestSignIn {
    /// The work email that a user would type on the login page, to try what it would say.
    #[schema(value_type = Option<String>, format = Email, example = "ann@acme.example")]
    email: Option<Email>,
}

/// A test of a connection, and what it found.
#[derive(Debug, Serialize, ToSchema)]
struct TestSignIn {
    /// Identifier of the test's sign-in attempt.
    #[schema(value_type = String, example = "att_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: AttemptId,
    /// The connection that is tested.
    #[schema(value_type = String, example = "conn_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    connection_id: Option<ConnectionId>,
    /// Stage that the test has reached.
    #[schema(value_type = AttemptStageName)]
    stage: AttemptStage,
    /// Outcome of the test: `succeeded` where the response would have let a user in.
    #[schema(value_type = AttemptOutcomeName)]
    outcome: AttemptOutcome,
    /// Reason why the response would have been refused; null where it was not.
    failure: Option<Failure>,
    /// Every check, in the order in which they are made.
    checks: Vec<TestedCheck>,
    /// User who would be signed in; null where the test did not get so far.
    user: Option<TestedUser>,
    /// The roles that they would hold, and by which mapping.
    roles: Vec<GrantedRoles>,
    /// Whether the subject has a `NameID`; its value is masked.
    name_id_received: bool,
    /// The attributes that came; their values are masked.
    attributes: Vec<ReceivedAttribute>,
    /// Irregularities that did not prevent the sign-in.
    warnings: Vec<String>,
    /// The decoded SAML response where it was refused, with secrets and personal values masked. Unverified: escape it
    /// wherever it is shown.
    saml_message: Option<String>,
    /// Time at which the test began.
    started_at: Timestamp,
    /// Time at which the test last got further.
    updated_at: Timestamp,
    /// Time until which a response may come.
    expires_at: Timestamp,
}

/// A check of a test.
#[derive(Debug, Serialize, ToSchema)]
struct TestedCheck {
    /// Name of the check.
    #[schema(example = "audience")]
    check: String,
    /// Result of the check.
    #[schema(value_type = CheckStateName)]
    state: CheckState,
    /// Value that passes the check, where it is a single one.
    wanted: Option<String>,
    /// Value that was received.
    got: Option<String>,
}

impl From<Check> for TestedCheck {
    fn from(Check { check, state, wanted, got }: Check) -> Self {
        Self { check, state, wanted, got }
    }
}

/// User that the tested response names.
#[derive(Debug, Serialize, ToSchema)]
struct TestedUser {
    /// Effect that a sign-in would have on the user.
    #[schema(value_type = TestedSubjectName)]
    subject: TestedSubject,
    /// The username in the response.
    username: String,
    /// The user who would be bound.
    #[schema(value_type = Option<String>)]
    user_id: Option<UserId>,
}

impl From<Subject> for TestedUser {
    fn from(Subject { subject, username, user_id }: Subject) -> Self {
        Self { subject, username, user_id }
    }
}

/// Roles that the user would hold, by their origin.
#[derive(Debug, Serialize, ToSchema)]
struct GrantedRoles {
    /// Origin that grants the roles.
    #[schema(value_type = RoleOriginName)]
    origin: RoleOrigin,
    /// The value of the role attribute that led to them.
    value: Option<String>,
    /// Roles granted by this origin.
    #[schema(value_type = Vec<RoleName>)]
    roles: Vec<Role>,
}

impl From<TestedRoles> for GrantedRoles {
    fn from(TestedRoles { origin, value, roles }: TestedRoles) -> Self {
        Self { origin, value, roles: roles.into_iter().collect() }
    }
}

/// Attribute of the response, without its values.
#[derive(Debug, Serialize, ToSchema)]
struct ReceivedAttribute {
    /// `Name` of the SAML attribute.
    name: String,
    /// Number of values in the attribute.
    values: usize,
}

impl From<Attribute> for ReceivedAttribute {
    fn from(Attribute { name, values }: Attribute) -> Self {
        Self { name, values }
    }
}

impl From<Test> for TestSignIn {
    fn from(Test { attempt, findings, expires_at }: Test) -> Self {
        Self {
            id: attempt.id,
            connection_id: attempt.connection_id,
            stage: attempt.stage,
            outcome: attempt.outcome.name(),
            failure: attempt.outcome.failure().cloned().map(Failure::from),
            checks: findings.checks.into_iter().map(TestedCheck::from).collect(),
            user: findings.user.map(TestedUser::from),
            roles: findings.roles.into_iter().map(GrantedRoles::from).collect(),
            name_id_received: findings.name_id,
            attributes: findings.attributes.into_iter().map(ReceivedAttribute::from).collect(),
            warnings: attempt.warnings,
            saml_message: attempt.saml_message,
            started_at: attempt.started_at,
            updated_at: attempt.updated_at,
            expires_at,
        }
    }
}

/// A test in a path.
#[expect(clippy::struct_field_names, reason = "the names of a path's parameters")]
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct TestPath {
    /// Identifier of the account.
    #[param(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Identifier of the connection.
    #[param(value_type = String, example = "conn_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    connection_id: ConnectionId,
    /// Identifier of the test's attempt.
    #[param(value_type = String, example = "att_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    attempt_id: AttemptId,
}

/// Page that the browser of a test shows when it comes back.
pub(super) fn tested_page(attempt_id: AttemptId, would_let_in: bool) -> String {
    let heading = if would_let_in { "The test sign-in succeeded" } else { "The test sign-in was refused" };
    let text = "No user was signed in. Close this page; the findings are where you began the test.";
    plain_page(&PlainPage { title: "Test sign-in", heading, text }, &[("Test", &attempt_id.to_string())])
}

/// Begin a test sign-in.
///
/// For operators and owners. Tries a complete connection, enabled or not, with a real response of its identity
/// provider: send a browser on as `handoff` says, and read the test when it has come back. A test signs no user in,
/// and changes no user or role.
#[utoipa::path(
    operation_id = "create_test_sign_in", tag = "saml connections",
    security(("operator_key" = []), ("access_token" = [])), params(ConnectionPath), request_body = CreateTestSignIn,
    responses(
        (status = 201, description = "The test has begun", body = SsoSignIn,
            headers(("Location" = String, description = "Path of the test and its findings"))),
        StartProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/saml-connections/{connection_id}/test-sign-ins")]
async fn create_test_sign_in(
    caller: Authenticated,
    path: Ids<ConnectionPath>,
    address: ClientAddress,
    body: JsonBody<CreateTestSignIn>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let ConnectionPath { account_id, connection_id } = path.0;
    let start = StartTestSignIn { email: body.0.email, address: address.0 };
    let begun = service.sign_in.start_test_sign_in(&caller.0, account_id, connection_id, start).await?;
    let tests = format!("/v1/accounts/{account_id}/saml-connections/{connection_id}/test-sign-ins");
    Ok(recorded(format!("{tests}/{}", begun.attempt_id), false, &SsoSignIn::from(begun)))
}

/// Read a test sign-in.
///
/// For operators, and for users of the account who hold a role. Kept for 30 days, as all sign-in attempts are.
#[utoipa::path(
    operation_id = "get_test_sign_in", tag = "saml connections",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])), params(TestPath),
    responses((status = 200, description = "The test as it is now", body = TestSignIn), ReadProblems),
)]
#[get("/v1/accounts/{account_id}/saml-connections/{connection_id}/test-sign-ins/{attempt_id}")]
async fn get_test_sign_in(
    caller: Authenticated,
    path: Ids<TestPath>,
    service: web::Data<Service>,
) -> Result<web::Json<TestSignIn>, Problem> {
    let TestPath { account_id, connection_id, attempt_id } = path.0;
    let test = service.sign_in.get_test_sign_in(&caller.0, account_id, connection_id, attempt_id).await?;
    Ok(web::Json(test.into()))
}
