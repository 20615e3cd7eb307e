//! Data that the demo begins with: account, frontend, and a SAML connection to the identity provider beside it.
//! Made by the use-cases that an operator would call, and again at every start: existing data stays.

use std::net::SocketAddr;

use anyhow::Context as _;
use domain::AccountId;
use domain::account::{Account, AccountName};
use domain::application::{Application, ApplicationSettings};
use domain::email::Email;
use domain::portal::Portal;
use domain::role::Role;
use domain::sso::connection::ConnectionSettings;
use domain::text::Label;
use mock_idp::RunningIdp;
use serde_json::json;
use service::{
    AccountFilter, ApplicationFilter, ApplicationPatch, Caller, MergePatch, MetadataImport, MetadataInput, NewAccount,
    NewApplication, NewConnection, Page, Service, Versioned,
};

use crate::words;

/// Account name that the demo's user types.
pub const ACCOUNT_NAME: &str = "demo";
/// The user who signs in through the identity provider, which knows her.
pub const PERSON_EMAIL: &str = "alice@example.test";
/// The first owner, who sets a password by the link in the mailbox and gets in without the identity provider.
pub const OWNER_EMAIL: &str = "owner@example.test";
/// The demo has one account, one frontend and one connection; a person may have added some.
const FIRST_PAGE: u16 = 100;
/// Value that the identity provider sends as alice's role.
const MAPPED_ROLE: &str = "nac-team-lead";

/// Resources that were found or made.
pub struct Seeded {
    /// The frontend, as an application of the account.
    pub application: Application,
    /// URL at which the SAML connection takes responses.
    pub acs_url: String,
    /// The plain link that starts a sign-in (C8).
    pub login_url: String,
    /// An operator's key, new at every start.
    pub operator_key: String,
}

/// Makes sure that all of it is there.
pub async fn seed(service: &Service, idp: &RunningIdp, page: SocketAddr) -> anyhow::Result<Seeded> {
    let account = account(service).await?;
    let application = application(service, account.id, page).await?;
    let (acs_url, login_url) = connection(service, account.id, idp).await?;
    let key = service.installation.create_operator_key(&operator(), Label::parse("demo")?).await.map_err(words::of)?;
    Ok(Seeded { application, acs_url, login_url, operator_key: key.secret.expose().to_owned() })
}

fn operator() -> Caller {
    Caller::command_line()
}

async fn account(service: &Service) -> anyhow::Result<Account> {
    let name = AccountName::parse(ACCOUNT_NAME)?;
    let filter = AccountFilter { search: Some(ACCOUNT_NAME.into()) };
    let found =
        service.accounts.list_accounts(&operator(), &filter, &Page::first(FIRST_PAGE)).await.map_err(words::of)?;
    if let Some(account) = found.items.into_iter().find(|account| account.name == name) {
        return Ok(account);
    }
    let new = NewAccount { name, display_name: Label::parse("Demo")?, owner_email: Email::parse(OWNER_EMAIL)? };
    Ok(service.accounts.create_account(&operator(), new, None).await.map_err(words::of)?.resource.account)
}

async fn application(service: &Service, account_id: AccountId, page: SocketAddr) -> anyhow::Result<Application> {
    let owner = Some(account_id);
    let settings = settings(page);
    let found = service
        .accounts
        .list_applications(&operator(), owner, &ApplicationFilter::default(), &Page::first(FIRST_PAGE))
        .await
        .map_err(words::of)?;
    if let Some(known) = found.items.first() {
        let patch = ApplicationPatch { name: None, settings, is_default: None };
        let updated = service.accounts.update_application(&operator(), owner, Versioned::any(known.id), patch).await;
        return updated.map_err(words::of);
    }
    let new = NewApplication { portal: Portal::Admin, name: Label::parse("Demo page")?, settings, is_default: true };
    Ok(service.accounts.create_application(&operator(), owner, new, None).await.map_err(words::of)?.resource)
}

fn settings(page: SocketAddr) -> MergePatch<ApplicationSettings> {
    let start = format!("http://{page}/");
    MergePatch::of([
        ("redirect_uris", json!([super::page::callback_url(page)])),
        ("allowed_origins", json!([format!("http://{page}")])),
        ("initiate_login_uri", json!(start)),
        ("pages", json!({ "accept_invitation": start })),
    ])
}

/// The identity provider's key is new at every start, so its metadata is taken anew.
async fn connection(service: &Service, account_id: AccountId, idp: &RunningIdp) -> anyhow::Result<(String, String)> {
    let known = service.connections.list_connections(&operator(), account_id).await.map_err(words::of)?;
    let id = if let Some(view) = known.first() {
        view.connection.id
    } else {
        let new = NewConnection { portal: Portal::Admin, settings: patch() };
        let created = service.connections.create_connection(&operator(), account_id, new, None).await;
        created.map_err(words::of)?.resource.connection.id
    };
    let metadata = MetadataImport { source: MetadataInput::Text(idp.metadata_xml()), entity_id: None };
    let imported = service.connections.import_idp_metadata(&operator(), account_id, Versioned::any(id), metadata).await;
    let imported = imported.map_err(words::of).context("the identity provider's metadata was refused")?;
    service.connections.enable_connection(&operator(), account_id, Versioned::any(id)).await.map_err(words::of)?;
    Ok((imported.view.acs_url, imported.view.login_url))
}

fn patch() -> MergePatch<ConnectionSettings> {
    let roles = [Role::OrganizationOwner, Role::OrganizationContextManager];
    MergePatch::of([
        ("role_mappings", json!({ MAPPED_ROLE: roles })),
        ("default_roles", json!([Role::OrganizationMember])),
    ])
}
