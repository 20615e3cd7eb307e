//! Applications: the registered frontends.

use std::time::Duration;

use domain::application::{
    Application, ApplicationSettings, Origin, Page as FrontendPage, RedirectUri, URI_MAX_BYTES, URIS_MAX, UriError,
};
use domain::audit::AuditAction;
use domain::portal::Portal;
use domain::role::Permission;
use domain::text::Label;
use domain::{AccountId, ApplicationId};
use serde_json::{Value, json};
use storage::applications::ApplicationFilter;
use storage::{Page, Paged, Tx};

use crate::accounts::Accounts;
use crate::core::account;
use crate::core::audit::AuditEntry;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result, Violation};
use crate::core::idempotency::{Created, IdempotencyKey};
use crate::core::merge::MergePatch;
use crate::core::version::Versioned;

/// Properties of a new application.
#[derive(Debug, Clone)]
pub struct NewApplication {
    /// Portal that it is the frontend of.
    pub portal: Portal,
    /// Name that administrators read.
    pub name: Label,
    /// Settings that are not to have their default.
    pub settings: MergePatch<ApplicationSettings>,
    /// Whether sign-ins that begin elsewhere go to it.
    pub is_default: bool,
}

/// Changes of an application.
#[derive(Debug, Clone)]
pub struct ApplicationPatch {
    /// New name, if it changes.
    pub name: Option<Label>,
    /// Changes to its settings.
    pub settings: MergePatch<ApplicationSettings>,
    /// Whether it is the default from now on.
    pub is_default: Option<bool>,
}

/// Time for which it is believed that a browser origin is registered, or is not.
pub(super) const ORIGIN_CACHE: Duration = Duration::from_secs(15);

impl Accounts {
    /// Registers an application of an account, or (an operator, without an account) one that all accounts share.
    pub async fn create_application(
        &self,
        caller: &Caller,
        owner: Option<AccountId>,
        new: NewApplication,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<Application>> {
        authorize(caller, owner, Permission::Administer)?;
        let settings = new.settings.applied_to(&ApplicationSettings::default())?;
        check(&settings, new.is_default, None)?;
        let mut tx = self.core.store.begin().await?;
        if let Some(id) = self.core.replay(&mut tx, caller, key).await? {
            let id = id.parse().map_err(Error::internal)?;
            return Ok(Created::replayed(application(&mut tx, owner, id).await?));
        }
        if let Some(account_id) = owner {
            account(&mut tx, account_id).await?;
        }
        let now = self.core.now();
        let application = Application {
            id: ApplicationId::from_uuid(self.core.uuid()),
            account_id: owner,
            portal: new.portal,
            name: new.name,
            settings,
            is_default: new.is_default,
            created_at: now,
            updated_at: now,
        };
        storage::applications::insert(&mut tx, &application).await?;
        self.people.mail_owners_served_by(&mut tx, &application).await?;
        let entry = entry(AuditAction::ApplicationCreated, &application, Value::Null, audited(&application));
        self.core.record(&mut tx, caller, entry).await?;
        self.core.remember(&mut tx, caller, key, application.id.to_string()).await?;
        tx.commit().await?;
        self.origins.invalidate_all();
        Ok(Created::fresh(application))
    }

    /// Lists the applications of an account, or the shared ones.
    pub async fn list_applications(
        &self,
        caller: &Caller,
        owner: Option<AccountId>,
        filter: &ApplicationFilter,
        page: &Page,
    ) -> Result<Paged<Application>> {
        authorize(caller, owner, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        Ok(storage::applications::list(&mut tx, owner, filter, page).await?)
    }

    /// Reads an application of the account.
    pub async fn get_application(
        &self,
        caller: &Caller,
        owner: Option<AccountId>,
        id: ApplicationId,
    ) -> Result<Application> {
        authorize(caller, owner, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        application(&mut tx, owner, id).await
    }

    /// Changes an application of the account.
    pub async fn update_application(
        &self,
        caller: &Caller,
        owner: Option<AccountId>,
        target: Versioned<ApplicationId>,
        patch: ApplicationPatch,
    ) -> Result<Application> {
        authorize(caller, owner, Permission::Administer)?;
        let mut tx = self.core.store.begin().await?;
        let before = application(&mut tx, owner, target.id).await?;
        let expected = target.expect(before.updated_at)?;
        let mut after = before.clone();
        after.name = patch.name.unwrap_or(after.name);
        after.settings = patch.settings.applied_to(&before.settings)?;
        after.is_default = patch.is_default.unwrap_or(after.is_default);
        after.updated_at = self.core.next_version(before.updated_at);
        check(&after.settings, after.is_default, Some(&before.settings))?;
        storage::applications::update(&mut tx, &after, expected).await?;
        self.people.mail_owners_served_by(&mut tx, &after).await?;
        self.core
            .record(&mut tx, caller, entry(AuditAction::ApplicationUpdated, &after, audited(&before), audited(&after)))
            .await?;
        tx.commit().await?;
        self.origins.invalidate_all();
        Ok(after)
    }

    /// Removes an application with its sessions.
    pub async fn delete_application(
        &self,
        caller: &Caller,
        owner: Option<AccountId>,
        target: Versioned<ApplicationId>,
    ) -> Result<()> {
        authorize(caller, owner, Permission::Administer)?;
        let mut tx = self.core.store.begin().await?;
        let gone = application(&mut tx, owner, target.id).await?;
        target.expect(gone.updated_at)?;
        storage::applications::delete(&mut tx, owner, target.id).await?;
        self.core
            .record(&mut tx, caller, entry(AuditAction::ApplicationDeleted, &gone, audited(&gone), Value::Null))
            .await?;
        tx.commit().await?;
        self.origins.invalidate_all();
        Ok(())
    }

    /// Whether any application has registered this browser origin; what CORS asks.
    pub async fn origin_is_registered(&self, origin: &str) -> bool {
        // Anyone can send any text: what cannot be registered is not kept in memory either.
        if origin.len() > URI_MAX_BYTES {
            return false;
        }
        if let Some(known) = self.origins.get(origin).await {
            return known;
        }
        let Ok(mut tx) = self.core.store.read().await else { return false };
        let Ok(found) = storage::applications::origin_is_registered(&mut tx, origin).await else { return false };
        self.origins.insert(origin.to_owned(), found).await;
        found
    }
}

/// An account's applications are its own; the shared ones are the operator's.
fn authorize(caller: &Caller, owner: Option<AccountId>, permission: Permission) -> Result<()> {
    owner.map_or_else(|| caller.authorize_operator(), |account_id| caller.authorize(account_id, permission))
}

/// Every wrong field of settings that replace others. URIs that stay as they were registered are not looked at again.
fn check(settings: &ApplicationSettings, is_default: bool, before: Option<&ApplicationSettings>) -> Result<()> {
    let mut wrong = not_canonical(settings, before);
    let mut refuse = |field: &str, detail: String| wrong.push(Violation { field: field.to_owned(), detail });
    if settings.redirect_uris.is_empty() || settings.redirect_uris.len() > URIS_MAX {
        refuse("/redirect_uris", format!("must have 1 to {URIS_MAX} entries"));
    }
    if settings.allowed_origins.len() > URIS_MAX {
        refuse("/allowed_origins", format!("must have at most {URIS_MAX} entries"));
    }
    if let Err(error) = settings.lifetimes.check() {
        refuse("/lifetimes", error.to_string());
    }
    if is_default && settings.initiate_login_uri.is_none() {
        refuse(
            "/initiate_login_uri",
            "must be set on the default application: the SAML login URL redirects to it".into(),
        );
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::invalid_all(wrong)) }
}

/// The URIs and origins that are new and not in the form in which they are kept.
fn not_canonical(settings: &ApplicationSettings, before: Option<&ApplicationSettings>) -> Vec<Violation> {
    let kept_uris = before.map(uris).unwrap_or_default();
    let is_new_uri = |(_, uri): &(String, &RedirectUri)| kept_uris.iter().all(|(_, kept)| kept != uri);
    let is_new_origin = |(_, origin): &(usize, &Origin)| before.is_none_or(|b| !b.allowed_origins.contains(origin));
    let of_uris = uris(settings).into_iter().filter(is_new_uri).map(|(field, uri)| (field, uri.check_canonical()));
    let of_origins = settings.allowed_origins.iter().enumerate().filter(is_new_origin);
    let of_origins = of_origins.map(|(index, one)| (format!("/allowed_origins/{index}"), one.check_canonical()));
    let refused = |(field, checked): (String, Result<(), UriError>)| {
        checked.err().map(|error| Violation { field, detail: error.to_string() })
    };
    of_uris.chain(of_origins).filter_map(refused).collect()
}

/// Every URI of an application, by the pointer to it.
fn uris(settings: &ApplicationSettings) -> Vec<(String, &RedirectUri)> {
    let redirects = settings.redirect_uris.iter().enumerate();
    let initiate = settings.initiate_login_uri.iter().map(|uri| ("/initiate_login_uri".to_owned(), uri));
    let pages = FrontendPage::ALL
        .iter()
        .filter_map(|page| Some((format!("/pages/{}", page.as_str()), settings.pages.url(*page)?)));
    redirects.map(|(index, uri)| (format!("/redirect_uris/{index}"), uri)).chain(initiate).chain(pages).collect()
}

async fn application(tx: &mut Tx, owner: Option<AccountId>, id: ApplicationId) -> Result<Application> {
    storage::applications::by_id(tx, owner, id).await?.ok_or_else(|| Error::new(Code::NotFound))
}

fn entry(action: AuditAction, application: &Application, before: Value, after: Value) -> AuditEntry {
    AuditEntry { account_id: application.account_id, action, target: application.id.to_string(), before, after }
}

fn audited(application: &Application) -> Value {
    json!({
        "portal": application.portal,
        "name": application.name,
        "is_default": application.is_default,
        "settings": application.settings,
    })
}
