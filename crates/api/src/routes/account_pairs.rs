//! Pairs of users of two accounts (G1): made by a form login in each, read, and ended.

use actix_web::http::header::ORIGIN;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use domain::account::AccountName;
use domain::account_pair::PairState;
use domain::username::Username;
use domain::{AccountId, AccountPairId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{AccountPairView, CodeGrant, PairFilter, Pairing, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{Account, AccountPath, PageParameters};
use super::answer::List;
use super::names::PairStateName;
use crate::extract::{Authenticated, ClientAddress, Discovery, Ids, JsonBody, Limited, Listing};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    BeginProblems = [ANY, LIMITED, BODY] + SignInCodeRefused + PairingRefused;
    CompleteProblems = [ANY, LIMITED, BODY] + SignInCodeRefused + PairingRefused + SessionExpired;
    MineProblems = [READ] + SessionExpired;
    ListProblems = [READ] + InvalidInput;
    EndProblems = [READ] + PreconditionFailed;
}

/// Registers the operations of pairings and pairs.
pub fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_account_pairing)
        .service(complete_account_pairing)
        .service(list_my_account_pairs)
        .service(delete_my_account_pair)
        .service(list_account_pairs)
        .service(delete_account_pair);
}

/// The code of a form login, as `/oauth/token` would take it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateAccountPairing {
    /// The application that the sign-in was made with.
    #[schema(example = "app_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    client_id: String,
    /// The redirect URI that the sign-in began with.
    #[schema(example = "https://app.example.com/callback")]
    redirect_uri: String,
    /// The code of `redirect_to`; valid once, for 60 seconds.
    #[schema(format = Password)]
    code: String,
    /// Secret that the `code_challenge` was made from (RFC 7636).
    #[schema(format = Password)]
    code_verifier: String,
}

/// The code of the second form login, with the token that the first one gave.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CompleteAccountPairing {
    /// The token that the first sign-in gave.
    #[schema(format = Password)]
    pairing_token: String,
    /// The application that the second sign-in was made with.
    #[schema(example = "app_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    client_id: String,
    /// The redirect URI that the second sign-in began with.
    #[schema(example = "https://app.example.com/callback")]
    redirect_uri: String,
    /// The code of `redirect_to`; valid once, for 60 seconds.
    #[schema(format = Password)]
    code: String,
    /// Secret that the `code_challenge` was made from (RFC 7636).
    #[schema(format = Password)]
    code_verifier: String,
}

/// A pairing that waits for the sign-in to the other account.
#[derive(Debug, Serialize, ToSchema)]
struct AccountPairing {
    /// Token that completes it: keep it in this browser, and put it into no URL.
    pairing_token: String,
    /// End of the time for the second step.
    expires_at: Timestamp,
    /// The account of the first sign-in.
    #[schema(value_type = String, example = "acme")]
    account_name: AccountName,
    /// The user who signed in there.
    #[schema(value_type = String, example = "ann")]
    username: Username,
}

impl From<Pairing> for AccountPairing {
    fn from(Pairing { token, expires_at, account_name, username }: Pairing) -> Self {
        Self { pairing_token: token.expose().to_owned(), expires_at, account_name, username }
    }
}

/// A pair of users, as one side sees it.
#[derive(Debug, Serialize, ToSchema)]
struct AccountPair {
    /// Names it on both sides.
    #[schema(value_type = String, example = "pair_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: AccountPairId,
    /// The user on this side.
    #[schema(value_type = String, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    user_id: UserId,
    /// Name that the user on this side signs in by.
    #[schema(value_type = String, example = "ann")]
    username: Username,
    /// The account on the other side.
    other_account: Account,
    /// The user in that account.
    #[schema(value_type = String, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5969")]
    other_user_id: UserId,
    /// Whether it carries a switch, or is to be made anew.
    #[schema(value_type = PairStateName)]
    state: PairState,
    /// Time of the second form login.
    created_at: Timestamp,
}

impl From<AccountPairView> for AccountPair {
    fn from(AccountPairView { pair, state, username, other }: AccountPairView) -> Self {
        Self {
            id: pair.id,
            user_id: pair.user.user_id,
            username,
            other_account: other.into(),
            other_user_id: pair.other.user_id,
            state,
            created_at: pair.created_at,
        }
    }
}

/// A filter of the pairs that are listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PairParameters {
    /// Leaves only the pairs of this user.
    #[param(value_type = Option<String>)]
    user_id: Option<UserId>,
}

/// A pair in a path of its account.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct PairPath {
    /// The account on this side.
    #[param(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// The pair that is to end.
    #[param(value_type = String, example = "pair_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    pair_id: AccountPairId,
}

/// A pair of the caller in a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct MyPairPath {
    /// The pair that is to end.
    #[param(value_type = String, example = "pair_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    pair_id: AccountPairId,
}

/// Begin to pair users of two accounts.
///
/// Takes the code of a form login that was made for this, in place of `/oauth/token`, and gives a token for the
/// second step. No session comes of the code. A code of SSO, of a mailed link or of a switch is refused, and so is
/// a key or an access token.
#[utoipa::path(
    operation_id = "create_account_pairing", tag = "sign-in", security(()), request_body = CreateAccountPairing,
    responses((status = 200, description = "Sign in to the other account next", body = AccountPairing), BeginProblems),
)]
#[post("/v1/account-pairings")]
async fn create_account_pairing(
    _: Limited<Discovery>,
    request: HttpRequest,
    address: ClientAddress,
    body: JsonBody<CreateAccountPairing>,
    service: web::Data<Service>,
) -> Result<web::Json<AccountPairing>, Problem> {
    let CreateAccountPairing { client_id, redirect_uri, code, code_verifier } = &body.0;
    let (address, origin) = (address.0, origin(&request));
    let proof = CodeGrant { client_id, code, redirect_uri, code_verifier, address, origin };
    Ok(web::Json(service.accounts.begin_account_pairing(proof).await?.into()))
}

/// Complete the pair of two users.
///
/// Takes the code of a form login in the other account, together with the token of the first step. From now on the
/// person switches between the two accounts, while these are linked. Both users are told by mail. The pair is void
/// once anyone else changes the username, an email or the password of either user.
#[utoipa::path(
    operation_id = "complete_account_pairing", tag = "sign-in", security(()), request_body = CompleteAccountPairing,
    responses((status = 200, description = "The pair, as the second account sees it", body = AccountPair), CompleteProblems),
)]
#[post("/v1/account-pairings/complete")]
async fn complete_account_pairing(
    _: Limited<Discovery>,
    request: HttpRequest,
    address: ClientAddress,
    body: JsonBody<CompleteAccountPairing>,
    service: web::Data<Service>,
) -> Result<web::Json<AccountPair>, Problem> {
    let CompleteAccountPairing { pairing_token, client_id, redirect_uri, code, code_verifier } = &body.0;
    let (address, origin) = (address.0, origin(&request));
    let proof = CodeGrant { client_id, code, redirect_uri, code_verifier, address, origin };
    Ok(web::Json(service.accounts.complete_account_pairing(pairing_token, proof).await?.into()))
}

/// List my pairs.
///
/// For any signed-in user: the users of other accounts that they are too. All of them at once.
#[utoipa::path(
    operation_id = "list_my_account_pairs", tag = "me", security(("access_token" = [])),
    responses((status = 200, description = "The pairs as they are now", body = List<AccountPair>), MineProblems),
)]
#[get("/v1/me/account-pairs")]
async fn list_my_account_pairs(
    caller: Authenticated,
    service: web::Data<Service>,
) -> Result<web::Json<List<AccountPair>>, Problem> {
    Ok(web::Json(List::whole(service.accounts.list_my_account_pairs(&caller.0).await?)))
}

/// End one of my pairs.
///
/// For any signed-in user. Sessions that came over it end at once, on both sides.
#[utoipa::path(
    operation_id = "delete_my_account_pair", tag = "me", security(("access_token" = [])), params(MyPairPath),
    responses((status = 204, description = "The pair is gone"), EndProblems),
)]
#[delete("/v1/me/account-pairs/{pair_id}")]
async fn delete_my_account_pair(
    caller: Authenticated,
    path: Ids<MyPairPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    service.accounts.end_my_account_pair(&caller.0, path.0.pair_id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List pairs of an account's users.
///
/// For operators, and for users of the account who hold a role: the users here that are entered from other accounts.
#[utoipa::path(
    operation_id = "list_account_pairs", tag = "account links",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath, PairParameters, PageParameters),
    responses((status = 200, description = "A page of pairs, the oldest first", body = List<AccountPair>), ListProblems),
)]
#[get("/v1/accounts/{account_id}/pairs")]
async fn list_account_pairs(
    caller: Authenticated,
    path: Ids<AccountPath>,
    listing: Listing<PairParameters>,
    service: web::Data<Service>,
) -> Result<web::Json<List<AccountPair>>, Problem> {
    let filter = PairFilter { user_id: listing.filter.user_id };
    let pairs = service.accounts.list_account_pairs(&caller.0, path.0.account_id, &filter, &listing.page).await?;
    Ok(web::Json(List::page(pairs)))
}

/// End a pair of one of an account's users.
///
/// For operators, and for owners of the account. Sessions that came over it end at once, on both sides.
#[utoipa::path(
    operation_id = "delete_account_pair", tag = "account links",
    security(("operator_key" = []), ("access_token" = [])), params(PairPath),
    responses((status = 204, description = "The pair is gone"), EndProblems),
)]
#[delete("/v1/accounts/{account_id}/pairs/{pair_id}")]
async fn delete_account_pair(
    caller: Authenticated,
    path: Ids<PairPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let PairPath { account_id, pair_id } = path.0;
    service.accounts.end_account_pair(&caller.0, account_id, pair_id).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn origin(request: &HttpRequest) -> Option<&str> {
    request.headers().get(ORIGIN)?.to_str().ok()
}
