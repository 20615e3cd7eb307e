//! Accounts (A1), their settings, applications and API keys, and the links with other accounts.
//!
//! Uses: `connections`, `core`, `mail`, `people`, `sessions`, `sign_in`.

pub(crate) mod api_keys;
pub(crate) mod applications;
mod audit_log;
pub(crate) mod links;
pub(crate) mod pairs;
pub(crate) mod sandboxes;
pub(crate) mod settings;
pub(crate) mod switches;

use std::sync::Arc;

use domain::AccountId;
use domain::account::{Account, AccountName};
use domain::account_settings::AccountSettings;
use domain::audit::AuditAction;
use domain::email::Email;
use domain::owner_invitation::OwnerInvitation;
use domain::portal::Portal;
use domain::role::{Permission, Role, RoleSet};
use domain::text::Label;
use domain::username::Username;
use moka::future::Cache;
use serde_json::{Value, json};
use storage::accounts::AccountFilter;
use storage::{Page, Paged, Tx};

use crate::CACHE_ENTRIES;
use crate::core::audit::AuditEntry;
use crate::core::caller::Caller;
use crate::core::error::{Error, Result};
use crate::core::idempotency::{Created, IdempotencyKey};
use crate::core::search::check_search;
use crate::core::version::Versioned;
use crate::core::{Core, account};
use crate::mail::Outbox;
use crate::people::People;
use crate::people::users::NewUser;
use crate::sessions::Sessions;
use crate::sign_in::SignIn;

/// Accounts, their settings, applications and keys, and the links between them.
pub struct Accounts {
    core: Arc<Core>,
    mail: Arc<Outbox>,
    people: Arc<People>,
    sessions: Arc<Sessions>,
    sign_in: Arc<SignIn>,
    origins: Cache<String, bool>,
}

impl Accounts {
    /// Puts the accounts over the families that they need.
    pub(crate) fn new(
        core: Arc<Core>,
        mail: Arc<Outbox>,
        people: Arc<People>,
        sessions: Arc<Sessions>,
        sign_in: Arc<SignIn>,
    ) -> Self {
        let origins = Cache::builder().max_capacity(CACHE_ENTRIES).time_to_live(applications::ORIGIN_CACHE).build();
        Self { core, mail, people, sessions, sign_in, origins }
    }
}

/// Properties of a new account.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Name to sign in with.
    pub name: AccountName,
    /// Name that people read.
    pub display_name: Label,
    /// The first owner; their username is this email.
    pub owner_email: Email,
}

/// An account that was made, and what became of its first owner's mail.
#[derive(Debug, Clone)]
pub struct CreatedAccount {
    /// The account as stored.
    pub account: Account,
    /// State of the first owner's invitation; none where the account was made before first owners were told apart.
    pub owner_invitation: Option<OwnerInvitation>,
}

/// Changes of an account.
#[derive(Debug, Clone, Default)]
pub struct AccountPatch {
    /// New name, if it changes.
    pub name: Option<AccountName>,
    /// A new display name.
    pub display_name: Option<Label>,
}

impl Accounts {
    /// Creates an account with its first owner, who is invited: at once, or as soon as what the answer names is there.
    pub async fn create_account(
        &self,
        caller: &Caller,
        new: NewAccount,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<CreatedAccount>> {
        caller.authorize_operator()?;
        check_new_name(&new.name)?;
        let mut tx = self.core.store.begin().await?;
        if let Some(id) = self.core.replay(&mut tx, caller, key).await? {
            let account = account_by_text(&mut tx, &id).await?;
            return Ok(Created::replayed(self.created_account(&mut tx, account).await?));
        }
        let now = self.core.now();
        let account = Account {
            id: AccountId::from_uuid(self.core.uuid()),
            name: new.name,
            display_name: new.display_name,
            settings: AccountSettings::default(),
            created_at: now,
            updated_at: now,
        };
        storage::accounts::insert(&mut tx, &account).await?;
        self.core.record(&mut tx, caller, created_entry(&account)).await?;
        self.insert_first_owner(&mut tx, caller, &account, new.owner_email).await?;
        self.core.remember(&mut tx, caller, key, account.id.to_string()).await?;
        let created = self.created_account(&mut tx, account).await?;
        tx.commit().await?;
        Ok(Created::fresh(created))
    }

    async fn created_account(&self, tx: &mut Tx, account: Account) -> Result<CreatedAccount> {
        let owner_invitation = self.people.owner_invitation(tx, account.id).await?;
        Ok(CreatedAccount { account, owner_invitation })
    }

    async fn insert_first_owner(&self, tx: &mut Tx, caller: &Caller, account: &Account, email: Email) -> Result<()> {
        let username = Username::parse(email.as_str()).map_err(|error| Error::invalid("/owner_email", error))?;
        let owner = self.people.invited_user(
            account.id,
            NewUser {
                portal: Portal::Admin,
                username,
                email: Some(email),
                display_name: None,
                roles: RoleSet::from([Role::OrganizationOwner]),
            },
        );
        self.people.invite_first_owner(tx, caller, account, owner).await
    }

    /// Lists the accounts that the caller may see: an operator all, others their own.
    pub async fn list_accounts(&self, caller: &Caller, filter: &AccountFilter, page: &Page) -> Result<Paged<Account>> {
        if let Some(own) = caller.own_account() {
            let account = self.get_account(caller, own).await?;
            return Ok(Paged { items: vec![account], next: None });
        }
        check_search(filter.search.as_deref())?;
        let mut tx = self.core.store.read().await?;
        Ok(storage::accounts::list(&mut tx, filter, page).await?)
    }

    /// Reads an account by its id.
    pub async fn get_account(&self, caller: &Caller, id: AccountId) -> Result<Account> {
        caller.authorize(id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        account(&mut tx, id).await
    }

    /// Renames an account or changes what people read.
    pub async fn update_account(
        &self,
        caller: &Caller,
        target: Versioned<AccountId>,
        patch: AccountPatch,
    ) -> Result<Account> {
        let id = target.id;
        caller.authorize(id, Permission::Administer)?;
        let mut tx = self.core.store.begin().await?;
        let before = account(&mut tx, id).await?;
        let expected = target.expect(before.updated_at)?;
        let mut after = before.clone();
        after.name = patch.name.unwrap_or(after.name);
        after.display_name = patch.display_name.unwrap_or(after.display_name);
        if after.name != before.name {
            check_new_name(&after.name)?;
        }
        after.updated_at = self.core.next_version(before.updated_at);
        storage::accounts::update(&mut tx, &after, expected).await?;
        let entry = AuditEntry {
            account_id: Some(id),
            action: AuditAction::AccountUpdated,
            target: id.to_string(),
            before: audited(&before),
            after: audited(&after),
        };
        self.core.record(&mut tx, caller, entry).await?;
        tx.commit().await?;
        Ok(after)
    }
}

/// Refuses a name that no account gets (A1).
pub(crate) fn check_new_name(name: &AccountName) -> Result<()> {
    name.check_new().map_err(|error| Error::invalid("/name", error))
}

async fn account_by_text(tx: &mut Tx, id: &str) -> Result<Account> {
    account(tx, id.parse().map_err(Error::internal)?).await
}

/// A new account, for its log.
pub(crate) fn created_entry(account: &Account) -> AuditEntry {
    AuditEntry {
        account_id: Some(account.id),
        action: AuditAction::AccountCreated,
        target: account.id.to_string(),
        before: Value::Null,
        after: audited(account),
    }
}

fn audited(account: &Account) -> Value {
    json!({ "name": account.name, "display_name": account.display_name })
}
