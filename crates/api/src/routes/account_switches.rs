//! Switching between linked accounts (G1).

use actix_web::{get, post, web};
use domain::AccountId;
use domain::account_link::AccountRelation;
use serde::{Deserialize, Serialize};
use service::{Service, SwitchAccount, SwitchableAccount as Place, switch_code};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::Account;
use super::answer::List;
use super::authorization_request::{AuthorizationFields, Authorized};
use super::form_sign_ins::SignIn;
use super::merged::bodies;
use super::names::AccountRelationName;
use crate::extract::{Authenticated, ClientAddress};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ListProblems = [READ];
    SwitchProblems = [READ, BODY] + SsoRequired + SwitchNeedsSetup + ApplicationRefused;
}

/// Registers the operations of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(list_switchable_accounts).service(create_account_switch);
}

/// An account to switch to.
#[derive(Debug, Serialize, ToSchema)]
struct SwitchableAccount {
    /// The account to switch to.
    account: Account,
    /// Relation to the account in which the caller proved who they are; null where it is that one.
    #[schema(value_type = Option<AccountRelationName>)]
    relation: Option<AccountRelation>,
    /// Setup that is missing; null where nothing is.
    blocked: Option<Blocked>,
}

/// Reason for which an account cannot be switched to yet.
#[derive(Debug, Serialize, ToSchema)]
struct Blocked {
    /// The code that switching would be refused with.
    #[schema(example = "switch_needs_setup")]
    code: &'static str,
    /// Description of what is to be set up.
    detail: String,
}

impl From<Place> for SwitchableAccount {
    fn from(Place { account, relation, refusal }: Place) -> Self {
        let blocked = |refusal| Blocked { code: switch_code(refusal).as_str(), detail: refusal.to_string() };
        Self { account: account.into(), relation, blocked: refusal.map(blocked) }
    }
}

bodies! {
    joined:
    /// Account to switch to, and the application that asks: one of the `admin` portal that serves it.
    CreateAccountSwitch = AccountSwitchFields, AuthorizationFields;
}

/// Fields of a switch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AccountSwitchFields {
    /// Account to switch to.
    #[schema(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
}

/// List the accounts I may switch to.
///
/// For any signed-in administrator: the accounts that are linked with the one where they proved who they are, its
/// sandboxes among them, each with what is to be set up before they can.
#[utoipa::path(
    operation_id = "list_switchable_accounts", tag = "me", security(("access_token" = [])),
    responses((status = 200, description = "The accounts as they are now", body = List<SwitchableAccount>), ListProblems),
)]
#[get("/v1/me/switchable-accounts")]
async fn list_switchable_accounts(
    caller: Authenticated,
    address: ClientAddress,
    service: web::Data<Service>,
) -> Result<web::Json<List<SwitchableAccount>>, Problem> {
    Ok(web::Json(List::whole(service.accounts.list_switchable_accounts(&caller.0, address.0).await?)))
}

/// Switch to another account.
///
/// For any signed-in administrator who has paired their users in the two accounts (`/v1/account-pairings`), and
/// whose username login is retained in both. The answer sends the browser on with a code, as after a sign-in; its
/// session is of the paired user there, with the rights that the account gives them, and with `auth_time` and
/// `amr` of this one: where the account asks for a mailed code, this session must have begun with one. This
/// session goes on; the one there ends with it at the latest.
#[utoipa::path(
    operation_id = "create_account_switch", tag = "me", security(("access_token" = [])),
    request_body = CreateAccountSwitch,
    responses((status = 200, description = "The next step, which is `complete`", body = SignIn), SwitchProblems),
)]
#[post("/v1/me/account-switches")]
async fn create_account_switch(
    caller: Authenticated,
    address: ClientAddress,
    body: Authorized<AccountSwitchFields>,
    service: web::Data<Service>,
) -> Result<web::Json<SignIn>, Problem> {
    let Authorized { authorization, rest: AccountSwitchFields { account_id } } = body;
    let switch = SwitchAccount { account_id, authorization, address: address.0 };
    Ok(web::Json(service.accounts.switch_account(&caller.0, switch).await?.into()))
}
