//! Links between accounts, and sandbox accounts (G1).

use actix_web::{HttpResponse, delete, get, post, web};
use domain::account::AccountName;
use domain::account_link::{AccountRelation, LinkState};
use domain::text::Label;
use domain::{AccountId, AccountLinkId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{AccountLinkView, NewSandbox, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{Account, AccountPath, IdempotencyKeyParameter};
use super::answer::{List, recorded};
use super::names::{AccountRelationName, LinkStateName};
use crate::extract::{Authenticated, Creation, Ids};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ReadProblems = [READ];
    RequestProblems = [READ, BODY] + AccountsLinked + TooManyAccountLinks + IdempotencyKeyReused;
    AcceptProblems = [READ] + PreconditionFailed;
    EndProblems = [READ] + PreconditionFailed;
    SandboxProblems = [READ, BODY] + AccountNameTaken + TooManyAccountLinks + IdempotencyKeyReused;
}

/// Registers the operations of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_account_link)
        .service(list_account_links)
        .service(get_account_link)
        .service(accept_account_link)
        .service(delete_account_link)
        .service(create_sandbox);
}

/// A link between two accounts, as one of them sees it.
#[derive(Debug, Serialize, ToSchema)]
struct AccountLink {
    /// Names it on both sides.
    #[schema(value_type = String, example = "lnk_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: AccountLinkId,
    /// Account whose side this is.
    #[schema(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Account on the other side.
    #[schema(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5969")]
    other_account_id: AccountId,
    /// The account there; null until it has agreed.
    other_account: Option<Account>,
    /// Relation of the other account to this one.
    #[schema(value_type = AccountRelationName)]
    relation: AccountRelation,
    /// State of the link.
    #[schema(value_type = LinkStateName)]
    state: LinkState,
    /// Time at which one side asked.
    requested_at: Timestamp,
    /// Time at which the other side accepted.
    accepted_at: Option<Timestamp>,
}

impl From<AccountLinkView> for AccountLink {
    fn from(AccountLinkView { link, other }: AccountLinkView) -> Self {
        Self {
            id: link.id,
            account_id: link.account_id,
            other_account_id: link.other_account_id,
            other_account: other.map(Account::from),
            relation: link.relation,
            state: link.state,
            requested_at: link.requested_at,
            accepted_at: link.accepted_at,
        }
    }
}

/// Account to link with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateAccountLink {
    /// The other account's id, as its owners tell it.
    #[schema(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5969")]
    other_account_id: AccountId,
}

/// Properties of a new sandbox.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateSandbox {
    /// 3 to 63 of letters, digits and hyphens; unique without regard to case.
    #[schema(value_type = String, example = "acme-sandbox", min_length = 3, max_length = 63)]
    name: AccountName,
    /// Name that people read, on one line.
    #[schema(value_type = String, example = "Acme AB (sandbox)", max_length = 200)]
    display_name: Label,
    /// The active owner of the account who owns the sandbox first; without it, the caller.
    #[schema(value_type = Option<String>, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    owner_id: Option<UserId>,
}

/// A link in a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct LinkPath {
    /// Identifier of the account.
    #[param(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Identifier of the link.
    #[param(value_type = String, example = "lnk_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    link_id: AccountLinkId,
}

/// Ask for a link with another account.
///
/// For operators and owners. An owner of the other account accepts it; from then on people who are users of both
/// may pair these, and switch from one account to the other.
#[utoipa::path(
    operation_id = "create_account_link", tag = "account links",
    security(("operator_key" = []), ("access_token" = [])), params(AccountPath, IdempotencyKeyParameter),
    request_body = CreateAccountLink,
    responses(
        (status = 201, description = "The link, which waits", body = AccountLink,
            headers(("Location" = String, description = "Path of the new resource"))),
        RequestProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/links")]
async fn create_account_link(
    caller: Authenticated,
    path: Ids<AccountPath>,
    new: Creation<CreateAccountLink>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let (account_id, other) = (path.0.account_id, new.body.other_account_id);
    let made = service.accounts.request_account_link(&caller.0, account_id, other, new.key.as_ref()).await?;
    let body = AccountLink::from(made.resource);
    Ok(recorded(location(account_id, body.id), made.replayed, &body))
}

/// List links.
///
/// For operators, and for users of the account who hold a role. All of them at once: there are at most 50.
#[utoipa::path(
    operation_id = "list_account_links", tag = "account links",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])), params(AccountPath),
    responses((status = 200, description = "The links as they are now", body = List<AccountLink>), ReadProblems),
)]
#[get("/v1/accounts/{account_id}/links")]
async fn list_account_links(
    caller: Authenticated,
    path: Ids<AccountPath>,
    service: web::Data<Service>,
) -> Result<web::Json<List<AccountLink>>, Problem> {
    Ok(web::Json(List::whole(service.accounts.list_account_links(&caller.0, path.0.account_id).await?)))
}

/// Read a link.
///
/// For operators, and for users of the account who hold a role.
#[utoipa::path(
    operation_id = "get_account_link", tag = "account links",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])), params(LinkPath),
    responses((status = 200, description = "The link as it is now", body = AccountLink), ReadProblems),
)]
#[get("/v1/accounts/{account_id}/links/{link_id}")]
async fn get_account_link(
    caller: Authenticated,
    path: Ids<LinkPath>,
    service: web::Data<Service>,
) -> Result<web::Json<AccountLink>, Problem> {
    let LinkPath { account_id, link_id } = path.0;
    Ok(web::Json(service.accounts.get_account_link(&caller.0, account_id, link_id).await?.into()))
}

/// Accept a link.
///
/// For owners of the account that was asked, in person: no operator consents for them. From now on, users of this
/// account who prove a form login in both accounts may come here from a session of the other one. A link alone
/// lets no user in.
#[utoipa::path(
    operation_id = "accept_account_link", tag = "account links", security(("access_token" = [])), params(LinkPath),
    responses((status = 200, description = "The link as it is now", body = AccountLink), AcceptProblems),
)]
#[post("/v1/accounts/{account_id}/links/{link_id}/accept")]
async fn accept_account_link(
    caller: Authenticated,
    path: Ids<LinkPath>,
    service: web::Data<Service>,
) -> Result<web::Json<AccountLink>, Problem> {
    let LinkPath { account_id, link_id } = path.0;
    Ok(web::Json(service.accounts.accept_account_link(&caller.0, account_id, link_id).await?.into()))
}

/// End a link.
///
/// For operators, and for owners of either account; also to decline one. With it end the pairs of users, and at
/// once the sessions that came over it. A sandbox stays, as an account of its own: the other account's
/// applications serve it no more, so give it one of its own first.
#[utoipa::path(
    operation_id = "delete_account_link", tag = "account links",
    security(("operator_key" = []), ("access_token" = [])), params(LinkPath),
    responses((status = 204, description = "The link is gone"), EndProblems),
)]
#[delete("/v1/accounts/{account_id}/links/{link_id}")]
async fn delete_account_link(
    caller: Authenticated,
    path: Ids<LinkPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let LinkPath { account_id, link_id } = path.0;
    service.accounts.end_account_link(&caller.0, account_id, link_id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Create a sandbox.
///
/// For operators and owners: an account with the settings of this one, linked with it and served by its
/// applications, whose first owner is one of this account's. They are invited by mail, set a password there, and
/// sign in.
#[utoipa::path(
    operation_id = "create_sandbox", tag = "account links",
    security(("operator_key" = []), ("access_token" = [])), params(AccountPath, IdempotencyKeyParameter),
    request_body = CreateSandbox,
    responses(
        (status = 201, description = "The link with the sandbox", body = AccountLink,
            headers(("Location" = String, description = "Path of the link to the sandbox"))),
        SandboxProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/sandboxes")]
async fn create_sandbox(
    caller: Authenticated,
    path: Ids<AccountPath>,
    new: Creation<CreateSandbox>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let account_id = path.0.account_id;
    let CreateSandbox { name, display_name, owner_id } = new.body;
    let sandbox = NewSandbox { name, display_name, owner_id };
    let made = service.accounts.create_sandbox(&caller.0, account_id, sandbox, new.key.as_ref()).await?;
    let body = AccountLink::from(made.resource);
    Ok(recorded(location(account_id, body.id), made.replayed, &body))
}

fn location(account_id: AccountId, link_id: AccountLinkId) -> String {
    format!("/v1/accounts/{account_id}/links/{link_id}")
}
