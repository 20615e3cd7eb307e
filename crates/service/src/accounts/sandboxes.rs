//! Sandbox accounts (G1): made by an owner or operator, linked with the account that they belong to.

use domain::account::{Account, AccountName};
use domain::account_link::{AccountRelation, LinkState};
use domain::audit::AuditAction;
use domain::portal::Portal;
use domain::role::{Permission, Role, RoleSet};
use domain::text::Label;
use domain::user::{User, UserStatus};
use domain::{AccountId, UserId};
use storage::Tx;

use crate::accounts::Accounts;
use crate::accounts::links::{AccountLinkView, LinkedAccounts};
use crate::accounts::{check_new_name, created_entry};
use crate::core::account;
use crate::core::caller::{Caller, Identity};
use crate::core::error::{Code, Error, Result};
use crate::core::idempotency::{Created, IdempotencyKey};
use crate::people::users::NewUser;

/// Properties of a sandbox to create.
#[derive(Debug, Clone)]
pub struct NewSandbox {
    /// Handle of the sandbox, unique among accounts.
    pub name: AccountName,
    /// Name of the sandbox that people read.
    pub display_name: Label,
    /// The owner of the account who owns the sandbox first; the caller, if they are one.
    pub owner_id: Option<UserId>,
}

impl Accounts {
    /// Makes a sandbox of an account, with the account's settings and served by its applications. Its first owner
    /// is an owner of the account, who is invited there as the owner of any account is.
    pub async fn create_sandbox(
        &self,
        caller: &Caller,
        account_id: AccountId,
        new: NewSandbox,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<AccountLinkView>> {
        caller.authorize(account_id, Permission::Administer)?;
        let mut tx = self.core.store.begin().await?;
        self.people.hold_owners(&mut tx, caller, account_id).await?;
        if let Some(id) = self.core.replay(&mut tx, caller, key).await? {
            drop(tx);
            let id = id.parse().map_err(Error::internal)?;
            return Ok(Created::replayed(self.get_account_link(caller, account_id, id).await?));
        }
        check_is_no_sandbox(&mut tx, account_id).await?;
        let owner = first_owner(&mut tx, caller, account_id, new.owner_id).await?;
        let of = account(&mut tx, account_id).await?;
        self.check_sandbox(&mut tx, caller, &of, &new.name).await?;
        let sandbox = self.sandbox(of, new);
        storage::accounts::insert(&mut tx, &sandbox).await?;
        storage::accounts::mark_sandbox(&mut tx, sandbox.id, account_id).await?;
        self.core.record(&mut tx, caller, created_entry(&sandbox)).await?;
        let of = LinkedAccounts { account_id, other_account_id: sandbox.id };
        let link = self.new_account_link(of, AccountRelation::Sandbox, LinkState::Accepted);
        self.insert_account_link(&mut tx, &link).await?;
        self.record_on_both_sides(&mut tx, caller, AuditAction::AccountSandboxCreated, &link).await?;
        self.people.invite_first_owner(&mut tx, caller, &sandbox, self.owner_of(&sandbox, &owner)).await?;
        self.core.remember(&mut tx, caller, key, link.id.to_string()).await?;
        tx.commit().await?;
        Ok(Created::fresh(AccountLinkView::of(link, sandbox)))
    }

    /// Holds an owner to the operator's policy: so many sandboxes, under names that are plainly their account's (A1).
    async fn check_sandbox(&self, tx: &mut Tx, caller: &Caller, of: &Account, name: &AccountName) -> Result<()> {
        check_new_name(name)?;
        if caller.authorize_operator().is_ok() {
            return Ok(());
        }
        let policy = self.core.settings.sandboxes;
        if policy.named_after_account && !name.is_within(&of.name) {
            return Err(Error::invalid("/name", format!("must begin with {}- as the name of its account", of.name)));
        }
        let sandboxes = storage::accounts::sandboxes(tx, of.id).await?;
        if sandboxes < i64::from(policy.per_account) {
            return Ok(());
        }
        let detail = format!("The account has {sandboxes} sandboxes, which is as many as it may have");
        Err(Error::new(Code::TooManyAccountLinks).with_detail(detail))
    }

    fn sandbox(&self, of: Account, new: NewSandbox) -> Account {
        let now = self.core.now();
        Account {
            id: AccountId::from_uuid(self.core.uuid()),
            name: new.name,
            display_name: new.display_name,
            settings: of.settings,
            created_at: now,
            updated_at: now,
        }
    }

    /// The first owner of a sandbox: the same names and second factor as in its account, and a password of their own.
    fn owner_of(&self, sandbox: &Account, owner: &User) -> User {
        let new = NewUser {
            portal: Portal::Admin,
            username: owner.username.clone(),
            email: owner.email.clone(),
            display_name: owner.display_name.clone(),
            roles: RoleSet::from([Role::OrganizationOwner]),
        };
        let (recovery_email, require_email_mfa) = (owner.recovery_email.clone(), owner.require_email_mfa);
        User { recovery_email, require_email_mfa, ..self.people.invited_user(sandbox.id, new) }
    }
}

/// Refuses a sandbox of a sandbox: the applications that serve the account serve its own sandboxes alone.
async fn check_is_no_sandbox(tx: &mut Tx, account_id: AccountId) -> Result<()> {
    let links = storage::account_links::list(tx, account_id).await?;
    if links.iter().any(|(link, _)| link.relation == AccountRelation::SandboxOf) {
        let detail = "A sandbox has no sandboxes of its own: create it in the account whose sandbox this is";
        return Err(Error::new(Code::Forbidden).with_detail(detail));
    }
    Ok(())
}

/// The user who is to own a sandbox first: an active owner of the account, the caller unless another is named.
async fn first_owner(tx: &mut Tx, caller: &Caller, account_id: AccountId, named: Option<UserId>) -> Result<User> {
    let refused = |problem| Error::invalid("/owner_id", problem);
    let id = match (named, &caller.identity) {
        (Some(id), _) => id,
        (None, Identity::User(signed_in)) => signed_in.user_id,
        (None, _) => return Err(refused("is needed: name an active owner of the account")),
    };
    let owner = storage::users::by_id(tx, account_id, id).await?;
    let owner = owner.ok_or_else(|| refused("is not a user of the account"))?;
    if owner.email.is_none() {
        return Err(refused("must have an email, which the invitation to the sandbox is mailed to"));
    }
    let owns = owner.status == UserStatus::Active && owner.roles.all().contains(&Role::OrganizationOwner);
    if owns { Ok(owner) } else { Err(refused("must be an active owner of the account")) }
}
