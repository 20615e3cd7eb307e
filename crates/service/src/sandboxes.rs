//! Sandbox accounts (G1): made by an owner or operator, linked with the account that they belong to.

use domain::account::{Account, AccountName};
use domain::account_link::{AccountRelation, LinkState};
use domain::role::{Permission, Role, RoleAssignments, RoleSet};
use domain::text::Label;
use domain::user::{User, UserStatus};
use domain::{AccountId, UserId};
use serde_json::Value;
use storage::Tx;

use crate::Service;
use crate::account_links::AccountLinkView;
use crate::accounts::{account, created_deed};
use crate::caller::{Caller, Identity};
use crate::error::{Error, Result};
use crate::idempotency::{Created, IdempotencyKey};
use crate::users::{audited_user, deed, user};

/// What a sandbox is made with.
#[derive(Debug, Clone)]
pub struct NewSandbox {
    /// Its handle.
    pub name: AccountName,
    /// What people read.
    pub display_name: Label,
    /// The owner of the account who owns the sandbox first; the caller, if they are one.
    pub owner_id: Option<UserId>,
}

impl Service {
    /// Makes a sandbox of an account, with the account's settings. Its first owner is an owner of the account, by the same
    /// username and email, who switches there; a password of their own they may set there later.
    pub async fn create_sandbox(
        &self,
        caller: &Caller,
        account_id: AccountId,
        new: NewSandbox,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<AccountLinkView>> {
        caller.authorize(account_id, Permission::Administer)?;
        let mut tx = self.store.begin().await?;
        self.hold_owners(&mut tx, caller, account_id).await?;
        if let Some(id) = self.replay(&mut tx, caller, key).await? {
            drop(tx);
            let id = id.parse().map_err(Error::internal)?;
            return Ok(Created::replayed(self.get_account_link(caller, account_id, id).await?));
        }
        let owner = first_owner(&mut tx, caller, account_id, new.owner_id).await?;
        let sandbox = self.sandbox(account(&mut tx, account_id).await?, new);
        storage::accounts::insert(&mut tx, &sandbox).await?;
        self.record(&mut tx, caller, created_deed(&sandbox)).await?;
        self.copy_owner(&mut tx, caller, &owner, sandbox.id).await?;
        let link = self.new_account_link((account_id, sandbox.id), AccountRelation::Sandbox, LinkState::Accepted);
        self.insert_account_link(&mut tx, &link).await?;
        self.record_on_both_sides(&mut tx, caller, "account.sandbox_created", &link).await?;
        self.remember(&mut tx, caller, key, link.id.to_string()).await?;
        tx.commit().await?;
        Ok(Created::fresh(AccountLinkView::of(link, sandbox)))
    }

    fn sandbox(&self, of: Account, new: NewSandbox) -> Account {
        let now = self.now();
        Account {
            id: AccountId::from_uuid(self.uuid()),
            name: new.name,
            display_name: new.display_name,
            settings: of.settings,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whoever owns the account owns its sandbox, as the user that they are: switching finds them there.
    async fn copy_owner(&self, tx: &mut Tx, caller: &Caller, owner: &User, sandbox: AccountId) -> Result<()> {
        let now = self.now();
        let copy = User {
            id: UserId::from_uuid(self.uuid()),
            account_id: sandbox,
            roles: RoleAssignments { assigned: RoleSet::from([Role::OrganizationOwner]), ..RoleAssignments::default() },
            break_glass: false,
            exempt: false,
            last_sign_in: None,
            created_at: now,
            updated_at: now,
            ..owner.clone()
        };
        storage::users::insert(tx, &copy).await?;
        self.record(tx, caller, deed("user.created", &copy, Value::Null, audited_user(&copy))).await
    }
}

/// Who owns a sandbox first: an active owner of the account, the caller unless somebody is named.
async fn first_owner(tx: &mut Tx, caller: &Caller, account_id: AccountId, named: Option<UserId>) -> Result<User> {
    let refused = |problem| Error::invalid("/owner_id", problem);
    let id = match (named, &caller.identity) {
        (Some(id), _) => id,
        (None, Identity::User(signed_in)) => signed_in.user_id,
        (None, _) => return Err(refused("is needed: name an active owner of the account")),
    };
    let owner = user(tx, account_id, id).await.map_err(|_| refused("is no user of the account"))?;
    let owns = owner.status == UserStatus::Active && owner.roles.effective().contains(&Role::OrganizationOwner);
    if owns { Ok(owner) } else { Err(refused("must be an active owner of the account")) }
}
