//! Accounts and their names (A1).

use actix_web::{HttpResponse, get, patch, post, web};
use domain::AccountId;
use domain::account::AccountName;
use domain::email::Email;
use domain::owner_invitation::{OwnerInvitationBlock, OwnerInvitationState};
use domain::text::Label;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{AccountFilter, AccountPatch, NewAccount, Service, Versioned};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::answer::{List, created, versioned};
use super::names::{OwnerInvitationBlockName, OwnerInvitationStateName};
use crate::extract::{Authenticated, Creation, Ids, IfMatch, JsonBody, Listing, given};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ListProblems = [SECURED] + InvalidInput;
    ReadProblems = [READ];
    CreateProblems = [SECURED, BODY] + AccountNameTaken + IdempotencyKeyReused;
    UpdateProblems = [READ, BODY] + AccountNameTaken + PreconditionFailed;
}

/// Registers the operations of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(create_account).service(list_accounts).service(get_account).service(update_account);
}

/// A tenant of this installation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    /// Names it for good.
    #[schema(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: AccountId,
    /// Name that people type as "Account Name"; in lower case.
    #[schema(value_type = String, example = "acme")]
    name: AccountName,
    /// Name that people read.
    #[schema(value_type = String, example = "Acme AB")]
    display_name: Label,
    /// Time at which it was created.
    created_at: Timestamp,
    /// Time at which it last changed.
    updated_at: Timestamp,
}

impl From<domain::account::Account> for Account {
    fn from(account: domain::account::Account) -> Self {
        let domain::account::Account { id, name, display_name, settings: _, created_at, updated_at } = account;
        Self { id, name, display_name, created_at, updated_at }
    }
}

/// An account that was made, and what became of its first owner's mail.
#[derive(Debug, Serialize, ToSchema)]
struct CreatedAccount {
    #[serde(flatten)]
    account: Account,
    /// The first owner's invitation.
    owner_invitation: Option<OwnerInvitation>,
}

/// The first owner's invitation. Its mail goes out by itself once what it waits for is there.
#[derive(Debug, Serialize, ToSchema)]
struct OwnerInvitation {
    /// State of the mail, as it is now.
    #[schema(value_type = OwnerInvitationStateName)]
    state: OwnerInvitationState,
    /// The prerequisite that its mail waits for; null where it waits for nothing.
    #[schema(value_type = Option<OwnerInvitationBlockName>)]
    blocked_by: Option<OwnerInvitationBlock>,
}

impl From<service::CreatedAccount> for CreatedAccount {
    fn from(created: service::CreatedAccount) -> Self {
        let told = |invitation: domain::owner_invitation::OwnerInvitation| {
            let domain::owner_invitation::OwnerInvitation { state, blocked_by } = invitation;
            OwnerInvitation { state, blocked_by }
        };
        Self { account: created.account.into(), owner_invitation: created.owner_invitation.map(told) }
    }
}

/// Properties of a new account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateAccount {
    /// 3 to 63 of letters, digits and hyphens; unique without regard to case.
    #[schema(value_type = String, example = "acme", min_length = 3, max_length = 63)]
    name: AccountName,
    /// Name that people read, on one line.
    #[schema(value_type = String, example = "Acme AB", max_length = 200)]
    display_name: Label,
    /// The first owner, who is invited.
    #[schema(value_type = String, format = Email, example = "ann@acme.example")]
    owner_email: Email,
}

/// Properties of an account to change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateAccount {
    /// A new handle. Nothing changes at an identity provider.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, example = "acme", min_length = 3, max_length = 63)]
    name: Option<AccountName>,
    /// A new display name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, example = "Acme AB", max_length = 200)]
    display_name: Option<Label>,
}

/// An account in a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AccountPath {
    /// Identifier of the account.
    #[param(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    pub account_id: AccountId,
}

/// Part of a list that is wanted.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the form of a documentation; `Listing` reads them")]
pub struct PageParameters {
    /// Most items: 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The condition of a change.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the form of a documentation; `IfMatch` reads it")]
pub struct IfMatchParameter {
    /// The `ETag` of the version that is to be changed. Without it, whatever version is there is changed.
    #[param(rename = "If-Match", example = "\"1800000000000\"")]
    if_match: Option<String>,
}

/// Header that makes a repeat harmless.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the form of a documentation; `Creation` reads it")]
pub struct IdempotencyKeyParameter {
    /// 1 to 128 visible characters. A repeat with the same key and body within 24 hours creates nothing more.
    #[param(rename = "Idempotency-Key", max_length = 128)]
    idempotency_key: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AccountsQuery {
    /// A part of the name or display name, without regard to case.
    q: Option<String>,
}

/// Create an account.
///
/// For operators. Its first owner is invited with the given email, which becomes their username: the mail's link
/// sets a password, whatever the SSO mode is, and makes them the account's break-glass user. If the mail cannot go
/// out yet, `owner_invitation` names what is missing, and it goes out by itself once that is there:
/// `page_not_configured` is a default application of the portal `admin` with `pages.accept_invitation`, of the
/// account or shared.
#[utoipa::path(
    operation_id = "create_account", tag = "accounts", security(("operator_key" = [])), params(IdempotencyKeyParameter),
    request_body = CreateAccount,
    responses(
        (status = 201, description = "The account that was created", body = CreatedAccount, headers(
            ("Location" = String, description = "Path of the new resource"), ("ETag" = String, description = "Version, for `If-Match` of a change"),
        )),
        CreateProblems,
    ),
)]
#[post("/v1/accounts")]
async fn create_account(
    caller: Authenticated,
    new: Creation<CreateAccount>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let CreateAccount { name, display_name, owner_email } = new.body;
    let account = NewAccount { name, display_name, owner_email };
    let account = service.accounts.create_account(&caller.0, account, new.key.as_ref()).await?;
    let (replayed, body) = (account.replayed, CreatedAccount::from(account.resource));
    let (location, version) = (format!("/v1/accounts/{}", body.account.id), body.account.updated_at);
    Ok(created(location, version, replayed, &body))
}

/// List accounts.
///
/// An operator sees all of them, a user their own.
#[utoipa::path(
    operation_id = "list_accounts", tag = "accounts", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountsQuery, PageParameters),
    responses((status = 200, description = "A page of accounts", body = List<Account>), ListProblems),
)]
#[get("/v1/accounts")]
async fn list_accounts(
    caller: Authenticated,
    listing: Listing<AccountsQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<List<Account>>, Problem> {
    let filter = AccountFilter { search: listing.filter.q };
    Ok(web::Json(List::page(service.accounts.list_accounts(&caller.0, &filter, &listing.page).await?)))
}

/// Read an account.
///
/// For operators, and for users of the account who hold a role.
#[utoipa::path(
    operation_id = "get_account", tag = "accounts", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath),
    responses(
        (status = 200, description = "The account as it is now", body = Account, headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        ReadProblems,
    ),
)]
#[get("/v1/accounts/{account_id}")]
async fn get_account(
    caller: Authenticated,
    path: Ids<AccountPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let account = service.accounts.get_account(&caller.0, path.0.account_id).await?;
    Ok(versioned(account.updated_at, &Account::from(account)))
}

/// Change an account.
///
/// For operators and owners. A new name changes nothing at an identity provider.
#[utoipa::path(
    operation_id = "update_account", tag = "accounts", security(("operator_key" = []), ("access_token" = [])),
    params(AccountPath, IfMatchParameter), request_body = UpdateAccount,
    responses(
        (status = 200, description = "The account as it is now", body = Account, headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        UpdateProblems,
    ),
)]
#[patch("/v1/accounts/{account_id}")]
async fn update_account(
    caller: Authenticated,
    path: Ids<AccountPath>,
    seen: IfMatch,
    change: JsonBody<UpdateAccount>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let target = Versioned { id: path.0.account_id, seen: seen.0 };
    let UpdateAccount { name, display_name } = change.0;
    let account = service.accounts.update_account(&caller.0, target, AccountPatch { name, display_name }).await?;
    Ok(versioned(account.updated_at, &Account::from(account)))
}
