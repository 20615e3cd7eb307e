//! Whether a portal is ready for SSO (H2).

use actix_web::{get, web};
use domain::UserId;
use domain::portal::Portal;
use domain::sso_readiness::{FindingCode, Severity};
use serde::{Deserialize, Serialize};
use service::{FindingView, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::AccountPath;
use super::names::{FindingCodeName, PortalName, SeverityName};
use crate::extract::{Authenticated, Ids, Parameters};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ReadinessProblems = [READ] + InvalidInput;
}

/// Registers the operation on SSO readiness.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_sso_readiness);
}

/// Findings about a portal's readiness for SSO.
#[derive(Debug, Serialize, ToSchema)]
struct SsoReadiness {
    /// Portal that the findings are about.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Whether the portal is ready: no finding is an `error`, so nothing found would leave users outside.
    ready: bool,
    /// All findings, those about the connection first.
    findings: Vec<ReadinessFinding>,
}

/// A fact that an administrator should know or mend.
#[derive(Debug, Serialize, ToSchema)]
struct ReadinessFinding {
    /// Stable code of the finding.
    #[schema(value_type = FindingCodeName)]
    code: FindingCode,
    /// Severity that its code has.
    #[schema(value_type = SeverityName)]
    severity: Severity,
    /// Description of the finding in words.
    detail: String,
    /// Remedy for the finding.
    fix: &'static str,
    /// Path of this API at which to look.
    #[schema(example = "/v1/accounts/acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968/users")]
    resource: String,
    /// Users that the finding is about, 20 of them at most.
    #[schema(value_type = Vec<String>)]
    users: Vec<UserId>,
    /// Number of users that the finding is about; 0 where it is about none.
    count: usize,
    /// Days until the certificate expires; null for findings about other things.
    days_left: Option<i64>,
}

impl From<FindingView> for ReadinessFinding {
    fn from(view: FindingView) -> Self {
        let FindingView { finding, detail, fix, resource } = view;
        let severity = finding.code.severity();
        let (code, users, count, days_left) = (finding.code, finding.users, finding.count, finding.days_left);
        Self { code, severity, detail, fix, resource, users, count, days_left }
    }
}

impl From<service::SsoReadiness> for SsoReadiness {
    fn from(found: service::SsoReadiness) -> Self {
        let findings = found.findings.into_iter().map(ReadinessFinding::from).collect();
        Self { portal: found.portal, ready: found.is_ready, findings }
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReadinessQuery {
    /// Portal to look at; where it is left out, `admin`.
    #[param(value_type = Option<PortalName>)]
    portal: Option<Portal>,
}

/// Look whether a portal is ready for SSO.
///
/// For operators, and for users of the account who hold a role. Looks at the connection, whether the identity
/// provider answers, the break-glass users, and the users who could not sign in, with the reason.
#[utoipa::path(
    operation_id = "get_sso_readiness", tag = "sso migrations",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])), params(AccountPath, ReadinessQuery),
    responses((status = 200, description = "The findings, most severe first", body = SsoReadiness), ReadinessProblems),
)]
#[get("/v1/accounts/{account_id}/sso-readiness")]
async fn get_sso_readiness(
    caller: Authenticated,
    path: Ids<AccountPath>,
    query: Parameters<ReadinessQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<SsoReadiness>, Problem> {
    let portal = query.0.portal.unwrap_or(Portal::Admin);
    let found = service.connections.sso_readiness(&caller.0, path.0.account_id, portal).await?;
    Ok(web::Json(found.into()))
}
