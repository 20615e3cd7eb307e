//! Users and their assigned roles (A2, A3).

use domain::api_key::UserChange;
use domain::audit::AuditAction;
use domain::credential_epoch::CredentialEpoch;
use domain::directory::NewNames;
use domain::email::Email;
use domain::invitation::{InvitationState, InvitationSummary};
use domain::portal::Portal;
use domain::role::{Permission, RoleAssignments, RoleSet};
use domain::text::Label;
use domain::user::{User, UserStatus};
use domain::username::Username;
use domain::{AccountId, UserId};
use serde_json::{Value, json};
use storage::users::{ListedUser, UserFilter};
use storage::{Page, Paged, Tx};

use crate::core::account;
use crate::core::audit::AuditEntry;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::core::idempotency::{Created, IdempotencyKey};
use crate::core::search::check_search;
use crate::core::version::Versioned;
use crate::people::People;
use crate::people::directory::{Naming, check_names};

/// Properties of a new user.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Portal that the user is of.
    pub portal: Portal,
    /// Name to sign in with; need not be the email.
    pub username: Username,
    /// Address that mail goes to.
    pub email: Option<Email>,
    /// Name that people read.
    pub display_name: Option<Label>,
    /// Assigned roles; for the `admin` portal alone.
    pub roles: RoleSet,
}

/// A user as lists show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    /// The user as stored.
    pub user: User,
    /// Invitation of the user with its state; none for a user that an identity provider brought.
    pub invitation: Option<(InvitationSummary, InvitationState)>,
}

/// Changes of a user. The inner `None` of an optional property removes it.
#[derive(Debug, Clone, Default)]
pub struct UserPatch {
    /// New username, if it changes.
    pub username: Option<Username>,
    /// New email, or none to remove it.
    pub email: Option<Option<Email>>,
    /// A new display name.
    pub display_name: Option<Option<Label>>,
    /// A new status: `active` and `inactive` can be set, `invited` is where a user begins.
    pub status: Option<UserStatus>,
    /// The assigned roles, all of them.
    pub roles: Option<RoleSet>,
    /// Second address of the user, for the second factor and recovery.
    pub recovery_email: Option<Option<Email>>,
    /// Whether they are a break-glass user; an active owner with a password can be one.
    pub break_glass: Option<bool>,
    /// Whether their form logins ask for a mailed code.
    pub require_email_mfa: Option<bool>,
    /// Whether they keep form login where SSO is required (B3); for the `admin` portal alone.
    pub exempt: Option<bool>,
}

impl People {
    /// Creates a user, who is invited until their first sign-in.
    pub async fn create_user(
        &self,
        caller: &Caller,
        account_id: AccountId,
        new: NewUser,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<User>> {
        caller.authorize(account_id, Permission::ManageUsers)?;
        check_roles(new.portal, &new.roles)?;
        let mut tx = self.core.store.begin().await?;
        self.hold_owners(&mut tx, caller, account_id).await?;
        if let Some(id) = self.core.replay(&mut tx, caller, key).await? {
            let id = id.parse().map_err(Error::internal)?;
            return Ok(Created::replayed(user(&mut tx, account_id, id).await?));
        }
        let user = self.invited_user(account_id, new);
        caller.authorize_making(&user)?;
        let naming = Naming { caller, by_invitation: false };
        check_names(&mut tx, naming, &user, NewNames::ALL).await?;
        storage::users::insert(&mut tx, &user).await?;
        self.stage_invitation(&mut tx, caller, &user).await?;
        let entry = entry(AuditAction::UserCreated, &user, Value::Null, audited_user(&user));
        self.core.record(&mut tx, caller, entry).await?;
        self.core.remember(&mut tx, caller, key, user.id.to_string()).await?;
        tx.commit().await?;
        Ok(Created::fresh(user))
    }

    /// A new user, who waits for their first sign-in.
    pub(crate) fn invited_user(&self, account_id: AccountId, new: NewUser) -> User {
        let now = self.core.now();
        User {
            id: UserId::from_uuid(self.core.uuid()),
            account_id,
            portal: new.portal,
            username: new.username,
            email: new.email,
            display_name: new.display_name,
            recovery_email: None,
            break_glass: false,
            require_email_mfa: false,
            exempt: false,
            credential_epoch: CredentialEpoch::FIRST,
            status: UserStatus::Invited,
            roles: RoleAssignments { assigned: new.roles, saml: RoleSet::new() },
            last_sign_in: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Lists the users of an account, each with their invitation as it stands now (E3).
    pub async fn list_users(
        &self,
        caller: &Caller,
        account_id: AccountId,
        filter: &UserFilter,
        page: &Page,
    ) -> Result<Paged<UserView>> {
        caller.authorize(account_id, Permission::Read)?;
        check_search(filter.search.as_deref())?;
        let mut tx = self.core.store.read().await?;
        account(&mut tx, account_id).await?;
        let found = storage::users::list(&mut tx, account_id, filter, page).await?;
        let now = self.core.now();
        let view = |listed: ListedUser| {
            let invitation = listed.invitation.map(|invitation| (invitation, invitation.state(now)));
            UserView { user: listed.user, invitation }
        };
        Ok(Paged { items: found.items.into_iter().map(view).collect(), next: found.next })
    }

    /// Reads a user of the account.
    pub async fn get_user(&self, caller: &Caller, account_id: AccountId, id: UserId) -> Result<User> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        user(&mut tx, account_id, id).await
    }

    /// Changes a user; what their credentials rest on voids those at once (A7). The last break-glass user stays
    /// one (A4).
    pub async fn update_user(
        &self,
        caller: &Caller,
        account_id: AccountId,
        target: Versioned<UserId>,
        patch: UserPatch,
    ) -> Result<User> {
        let is_about_sign_in = patch.exempt.is_some();
        let wanted = if is_about_sign_in { Permission::Administer } else { Permission::ManageUsers };
        caller.authorize(account_id, wanted)?;
        let mut tx = self.core.store.begin().await?;
        self.hold_owners(&mut tx, caller, account_id).await?;
        let before = user(&mut tx, account_id, target.id).await?;
        caller.authorize_over(&before)?;
        if before.status == UserStatus::Archived {
            return Err(Error::new(Code::UserArchived));
        }
        target.expect(before.updated_at)?;
        let marked = patch.break_glass;
        let mut after = self.guarded_user(&mut tx, &before, patched(before.clone(), patch)?, marked).await?;
        let credential = storage::password_credentials::by_user(&mut tx, account_id, target.id).await?;
        let has_password = credential.is_some();
        caller.authorize_change(&UserChange { before: &before, after: &after, has_password })?;
        let naming = Naming { caller, by_invitation: false };
        check_names(&mut tx, naming, &after, NewNames::between(&before, &after)).await?;
        after.updated_at = self.core.next_version(before.updated_at);
        let after = self.write_user(&mut tx, &before, after, caller.session_of(&before)).await?;
        let entry = entry(AuditAction::UserUpdated, &after, audited_user(&before), audited_user(&after));
        self.core.record(&mut tx, caller, entry).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Deletes a user with their sessions, but not the last break-glass user (A4). The audit log keeps what they did.
    pub async fn delete_user(&self, caller: &Caller, account_id: AccountId, target: Versioned<UserId>) -> Result<()> {
        caller.authorize(account_id, Permission::ManageUsers)?;
        let mut tx = self.core.store.begin().await?;
        self.hold_owners(&mut tx, caller, account_id).await?;
        let gone = user(&mut tx, account_id, target.id).await?;
        caller.authorize_over(&gone)?;
        target.expect(gone.updated_at)?;
        self.guard_owners(&mut tx, &gone, None).await?;
        storage::invitations::revoke_of_user(&mut tx, account_id, target.id, self.core.now()).await?;
        self.remove_user(&mut tx, &gone).await?;
        self.core
            .record(&mut tx, caller, entry(AuditAction::UserDeleted, &gone, audited_user(&gone), Value::Null))
            .await?;
        Ok(tx.commit().await?)
    }
}

fn patched(mut user: User, patch: UserPatch) -> Result<User> {
    user.username = patch.username.unwrap_or(user.username);
    user.email = patch.email.unwrap_or(user.email);
    user.display_name = patch.display_name.unwrap_or(user.display_name);
    user.recovery_email = patch.recovery_email.unwrap_or(user.recovery_email);
    user.require_email_mfa = patch.require_email_mfa.unwrap_or(user.require_email_mfa);
    check_email_mfa(&user)?;
    match patch.status {
        Some(UserStatus::Invited) if user.status != UserStatus::Invited => {
            return Err(Error::invalid("/status", "a user cannot become invited again; set active or inactive"));
        }
        Some(UserStatus::Archived) => {
            return Err(Error::invalid("/status", "only a migration archives a user; set active or inactive"));
        }
        Some(status) => user.status = status,
        None => {}
    }
    user.exempt = patch.exempt.unwrap_or(user.exempt);
    if let Some(roles) = patch.roles {
        check_roles(user.portal, &roles)?;
        user.roles.assigned = roles;
    }
    Ok(user)
}

/// Refuses to ask for a mailed code where the user cannot get one (B2).
pub(crate) fn check_email_mfa(user: &User) -> Result<()> {
    let problem = match (user.require_email_mfa, user.portal) {
        (true, Portal::SelfService) => "is for the admin portal: magic links ask for no code",
        (true, Portal::Admin) if user.second_factor_email().is_none() => {
            "needs an email or a recovery_email that the code can go to"
        }
        _ => return Ok(()),
    };
    Err(Error::invalid("/require_email_mfa", problem))
}

pub(crate) fn check_roles(portal: Portal, roles: &RoleSet) -> Result<()> {
    if portal == Portal::SelfService && !roles.is_empty() {
        return Err(Error::invalid(
            "/roles",
            "account roles are for the admin portal; leave them out for self_service",
        ));
    }
    Ok(())
}

/// The user, or "not found".
pub(crate) async fn user(tx: &mut Tx, account_id: AccountId, id: UserId) -> Result<User> {
    storage::users::by_id(tx, account_id, id).await?.ok_or_else(|| Error::new(Code::NotFound))
}

pub(crate) fn entry(action: AuditAction, user: &User, before: Value, after: Value) -> AuditEntry {
    AuditEntry { account_id: Some(user.account_id), action, target: user.id.to_string(), before, after }
}

/// Properties of a user that the audit log keeps.
pub(crate) fn audited_user(user: &User) -> Value {
    json!({
        "portal": user.portal,
        "username": user.username,
        "email": user.email,
        "display_name": user.display_name,
        "recovery_email": user.recovery_email,
        "break_glass": user.break_glass,
        "require_email_mfa": user.require_email_mfa,
        "exempt": user.exempt,
        "status": user.status,
        "roles": user.roles,
    })
}
