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

/// Registers the operation.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_sso_readiness);
}

/// What was found about a portal.
#[derive(Debug, Serialize, ToSchema)]
struct SsoReadiness {
    /// Of which portal.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Whether nothing was found that would leave people outside: no finding is an `error`.
    ready: bool,
    /// What was found, the connection first.
    findings: Vec<ReadinessFinding>,
}

/// Something that somebody should know or mend.
#[derive(Debug, Serialize, ToSchema)]
struct ReadinessFinding {
    /// What.
    #[schema(value_type = FindingCodeName)]
    code: FindingCode,
    /// How much it matters.
    #[schema(value_type = SeverityName)]
    severity: Severity,
    /// The same in words.
    detail: String,
    /// What to do.
    fix: &'static str,
    /// Where: a path of this API.
    #[schema(example = "/v1/accounts/acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968/users")]
    resource: String,
    /// Whom it is about, 20 of them at most.
    #[schema(value_type = Vec<String>)]
    users: Vec<UserId>,
    /// How many it is about.
    count: usize,
    /// Until a certificate expires; null for what is about none.
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
    /// Of which portal; where it is left out, `admin`.
    #[param(value_type = Option<PortalName>)]
    portal: Option<Portal>,
}

/// Look whether a portal is ready for SSO.
///
/// For operators, and for users of the account who hold a role. Looks at the connection, whether the identity provider
/// answers, the break-glass users, and who could not sign in and why.
#[utoipa::path(
    operation_id = "get_sso_readiness", tag = "sso migrations",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])), params(AccountPath, ReadinessQuery),
    responses((status = 200, description = "What was found", body = SsoReadiness), ReadinessProblems),
)]
#[get("/v1/accounts/{account_id}/sso-readiness")]
async fn get_sso_readiness(
    caller: Authenticated,
    path: Ids<AccountPath>,
    query: Parameters<ReadinessQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<SsoReadiness>, Problem> {
    let portal = query.0.portal.unwrap_or(Portal::Admin);
    let found = service.sso_readiness(&caller.0, path.0.account_id, portal).await?;
    Ok(web::Json(found.into()))
}
