//! Settings of an account (A6).

use actix_web::{HttpResponse, get, patch, web};
use domain::language::Language;
use domain::network::Network;
use service::{Service, Versioned};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{AccountPath, IfMatchParameter};
use super::answer::versioned;
use super::merged::{NoMembers, bodies};
use super::names::LanguageName;
use crate::extract::{Authenticated, Ids, IfMatch, JsonBody, Members};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ReadProblems = [READ];
    UpdateProblems = [READ, BODY] + PreconditionFailed + BreakGlassRequired;
}

/// Registers the operations of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_account_settings).service(update_account_settings);
}

/// Settings that the owners of an account make for its users.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of the domain's settings, which are sent as they are")]
struct AccountSettings {
    /// Whether every form login asks for a code by mail; SSO sign-ins leave that to the identity provider.
    require_email_mfa: bool,
    /// Networks from which people may sign in to the `admin` portal and refresh its sessions; empty for
    /// everywhere. Break-glass users come in from elsewhere too, by a mailed code. A list that would exclude the
    /// caller's own address is refused.
    #[schema(value_type = Vec<String>, max_items = 200, example = json!(["203.0.113.0/24", "2001:db8::/32"]))]
    allowed_networks: Vec<Network>,
    /// Seconds for which a magic link works.
    #[schema(minimum = 60, maximum = 3600)]
    magic_link_seconds: u32,
    /// Seconds for which an invitation can be accepted.
    #[schema(minimum = 3600, maximum = 2_592_000)]
    invitation_seconds: u32,
    /// Most seconds that an access token lives; null leaves it to each application.
    #[schema(minimum = 60, maximum = 3600)]
    max_access_token_seconds: Option<u32>,
    /// Most seconds that a session outlives its last use; null leaves it to each application.
    #[schema(minimum = 300, maximum = 2_592_000)]
    max_idle_seconds: Option<u32>,
    /// Most seconds that a session lives; null leaves it to each application.
    #[schema(minimum = 300, maximum = 2_592_000)]
    max_session_seconds: Option<u32>,
    /// The languages that people are written to in; the first is for those who chose none.
    #[schema(value_type = Vec<LanguageName>, min_items = 1)]
    languages: Vec<Language>,
}

bodies! {
    merge_patch:
    /// Settings to change; what is left out stays. Null leaves a lifetime to the applications.
    UpdateAccountSettings = AccountSettings, NoMembers;
}

/// Read the settings of an account.
///
/// For operators, and for users of the account who hold a role. The version is that of the account.
#[utoipa::path(
    operation_id = "get_account_settings", tag = "accounts", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath),
    responses(
        (status = 200, description = "The settings as they are now", body = AccountSettings,
            headers(("ETag" = String, description = "Version of the account, for `If-Match`"))),
        ReadProblems,
    ),
)]
#[get("/v1/accounts/{account_id}/settings")]
async fn get_account_settings(
    caller: Authenticated,
    path: Ids<AccountPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let account = service.accounts.get_account(&caller.0, path.0.account_id).await?;
    Ok(versioned(account.updated_at, &account.settings))
}

/// Change the settings of an account.
///
/// For operators and owners, and, but for `allowed_networks` and `require_email_mfa`, for API keys with
/// `settings:write`. A change under which no break-glass user could be mailed a code that is asked for is refused.
/// The settings hold from the next sign-in on, and for sessions that live already from their next refresh on. The
/// lifetimes that count are the stricter ones of application and account.
#[utoipa::path(
    operation_id = "update_account_settings", tag = "accounts",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath, IfMatchParameter), request_body = UpdateAccountSettings,
    responses(
        (status = 200, description = "The settings as they are now", body = AccountSettings,
            headers(("ETag" = String, description = "Version of the account, for `If-Match`"))),
        UpdateProblems,
    ),
)]
#[patch("/v1/accounts/{account_id}/settings")]
async fn update_account_settings(
    caller: Authenticated,
    path: Ids<AccountPath>,
    seen: IfMatch,
    change: JsonBody<Members>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let target = Versioned { id: path.0.account_id, seen: seen.0 };
    let account = service.accounts.update_account_settings(&caller.0, target, change.0.into_patch()).await?;
    Ok(versioned(account.updated_at, &account.settings))
}
