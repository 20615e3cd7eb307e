//! API keys: how an account's own automation acts in it, without being anybody.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::named::named;
use crate::role::{Permission, Role};
use crate::secret::SecretDigest;
use crate::text::Label;
use crate::user::User;
use crate::{AccountId, ApiKeyId};

/// Most keys of an account: one for each of its programs, with room for their successors.
pub const API_KEYS_MAX: u32 = 50;
/// How exactly the last use of a key is known: a request is no write, but for the first one in an hour.
pub const LAST_USE_PRECISION: SignedDuration = SignedDuration::from_hours(1);

named! {
    /// What a key may do. There is none for what decides who is an owner: connections, applications, other keys.
    ApiKeyScope, ApiKeyScopeError, "expected \"read\", \"users:write\" or \"settings:write\"" {
        /// See the account's data.
        Read = "read",
        /// Invite, change and remove people who are no owners.
        UsersWrite = "users:write",
        /// Change the account's settings, but for who gets in: networks and MFA are for owners to change (A6).
        SettingsWrite = "settings:write",
    }
}

/// What a key may do, in order.
pub type ApiKeyScopes = BTreeSet<ApiKeyScope>;

/// A key as it is kept. The key itself is shown once, at its making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Names it in the audit log.
    pub id: ApiKeyId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What it is used for.
    pub name: Label,
    /// What it may do.
    pub scopes: ApiKeyScopes,
    /// How it begins, so that a person recognizes it.
    pub hint: String,
    /// What it is found by.
    pub digest: SecretDigest,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it does not work.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to [`LAST_USE_PRECISION`].
    pub last_used_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it still works.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// Whether a use now is worth writing down.
    pub fn use_is_news(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|last| now.duration_since(last) >= LAST_USE_PRECISION)
    }
}

/// Whether a key with these scopes may do that.
pub fn permits(scopes: &ApiKeyScopes, permission: Permission) -> bool {
    match permission {
        Permission::Read => scopes.contains(&ApiKeyScope::Read),
        Permission::ManageUsers => scopes.contains(&ApiKeyScope::UsersWrite),
        Permission::ManageSettings => scopes.contains(&ApiKeyScope::SettingsWrite),
        Permission::Administer => false,
    }
}

/// Whether a key may make, change or remove this user: not if they own the account, from whichever source, or it would
/// make itself an owner by their mailbox.
pub fn may_manage(user: &User) -> bool {
    !user.break_glass && !user.roles.effective().contains(&Role::OrganizationOwner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::RoleSet;
    use crate::sso::discovery::tests::user;
    use crate::user::UserStatus;

    /// Proves A3, A5: a scope opens its own door, and none opens the owners'.
    #[test]
    fn each_scope_permits_one_thing_and_none_of_them_to_administer() {
        use Permission::{Administer, ManageSettings, ManageUsers, Read};
        let table = [
            (ApiKeyScope::Read, Read),
            (ApiKeyScope::UsersWrite, ManageUsers),
            (ApiKeyScope::SettingsWrite, ManageSettings),
        ];
        for (scope, own) in table {
            for permission in [Read, ManageUsers, ManageSettings, Administer] {
                assert_eq!(permits(&ApiKeyScopes::from([scope]), permission), permission == own, "{scope:?}");
            }
        }
        assert!(!permits(&ApiKeyScope::ALL.iter().copied().collect(), Administer));
    }

    /// Proves A3, A4.
    #[test]
    fn owners_are_beyond_a_key() {
        let member = user(1, "ann", None, UserStatus::Active);
        let owner = RoleSet::from([Role::OrganizationOwner]);
        let (mut assigned, mut by_saml, mut marked) = (member.clone(), member.clone(), member.clone());
        assigned.roles.assigned.clone_from(&owner);
        by_saml.roles.saml = owner;
        marked.break_glass = true;
        assert!(may_manage(&member));
        assert!(![assigned, by_saml, marked].iter().any(may_manage));
    }
}
