//! API keys: how an account's own automation acts in it, without being anybody.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::named::named;
use crate::role::{Permission, Role};
use crate::secret::SecretDigest;
use crate::text::Label;
use crate::user::{User, UserStatus};
use crate::{AccountId, ApiKeyId};

/// Most keys of an account: one for each of its programs, with room for their successors.
pub const API_KEYS_MAX: u32 = 50;
/// Precision of the time at which a key was last used: a request writes nothing, except the first one in an hour.
pub const LAST_USE_PRECISION: SignedDuration = SignedDuration::from_hours(1);

named! {
    /// Scope of an API key. There is none for what decides who is an owner: connections, applications, other keys.
    ApiKeyScope, ApiKeyScopeError, "expected \"read\", \"users:write\" or \"settings:write\"" {
        /// See the account's data.
        Read = "read",
        /// Invite, change and remove people who are no owners.
        UsersWrite = "users:write",
        /// Change the account's settings, but for who gets in: networks and MFA are for owners to change (A6).
        SettingsWrite = "settings:write",
    }
}

/// Scopes of a key, in order.
pub type ApiKeyScopes = BTreeSet<ApiKeyScope>;

/// A key as it is kept. The key itself is shown once, at its making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Id that names it in the audit log.
    pub id: ApiKeyId,
    /// Account that the key acts in.
    pub account_id: AccountId,
    /// Name that tells the purpose of the key.
    pub name: Label,
    /// Scopes that were given to the key.
    pub scopes: ApiKeyScopes,
    /// Beginning of the key, so that a person recognizes it.
    pub hint: String,
    /// Digest by which a presented key is found.
    pub digest: SecretDigest,
    /// Time at which it was made.
    pub created_at: Timestamp,
    /// Time from which on it does not work; none for a key without an end.
    pub expires_at: Option<Timestamp>,
    /// Time of its last use, to [`LAST_USE_PRECISION`].
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

/// Reason for which a key may not change a user in the way that it asks, though it manages users: each of these
/// would make the key's holder more than a key, or another user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// Owners are beyond a key.
    #[error("An API key neither makes nor changes owners")]
    Owner,
    /// Context managers are beyond a key, too: it does not make them.
    #[error("An API key makes no context managers: an owner assigns that role")]
    ContextManager,
    /// Addresses are for an owner to change: with a user's mail comes the user.
    #[error(
        "An API key does not change username, email or recovery email of a user who has a credential: an owner does"
    )]
    Addresses,
    /// Deactivation by an owner stays in force.
    #[error("An API key does not make a deactivated user active again: an owner does")]
    Reactivation,
    /// A weaker sign-in is for an owner or the user to choose.
    #[error("An API key does not switch a user's second factor off: an owner does")]
    SecondFactor,
}

/// A change of a user, and whether they have a credential: a password, or a sign-in behind them.
#[derive(Debug, Clone, Copy)]
pub struct UserChange<'a> {
    /// User before the change.
    pub before: &'a User,
    /// User after the change.
    pub after: &'a User,
    /// Whether they have a password.
    pub has_password: bool,
}

impl UserChange<'_> {
    /// A context manager counts as one who has: their first credential comes by the address, too.
    fn has_credential(&self) -> bool {
        self.has_password || self.before.last_sign_in.is_some() || is_context_manager(self.before)
    }

    fn changes_addresses(&self) -> bool {
        let UserChange { before, after, .. } = self;
        before.username != after.username
            || before.email != after.email
            || before.recovery_email != after.recovery_email
    }
}

/// Whether a key reaches a user: the owners of the account are beyond it (A4).
pub fn decide_reach(user: &User) -> Result<(), KeyRefusal> {
    let owns = user.break_glass || user.roles.all().contains(&Role::OrganizationOwner);
    if owns { Err(KeyRefusal::Owner) } else { Ok(()) }
}

/// Whether a key may make this user (A3).
pub fn decide_making(user: &User) -> Result<(), KeyRefusal> {
    decide_reach(user)?;
    if is_context_manager(user) { Err(KeyRefusal::ContextManager) } else { Ok(()) }
}

/// Whether a key that reaches a user may change them in this way (A3, A7).
pub fn decide_change(change: &UserChange<'_>) -> Result<(), KeyRefusal> {
    let UserChange { before, after, .. } = *change;
    decide_reach(after)?;
    if is_context_manager(after) && !is_context_manager(before) {
        Err(KeyRefusal::ContextManager)
    } else if change.changes_addresses() && change.has_credential() {
        Err(KeyRefusal::Addresses)
    } else if before.status == UserStatus::Inactive && after.status != UserStatus::Inactive {
        Err(KeyRefusal::Reactivation)
    } else if before.require_email_mfa && !after.require_email_mfa {
        Err(KeyRefusal::SecondFactor)
    } else {
        Ok(())
    }
}

fn is_context_manager(user: &User) -> bool {
    user.roles.all().contains(&Role::OrganizationContextManager)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::Email;
    use crate::role::RoleSet;
    use crate::sso::discovery::tests::user;
    use crate::user::{LastSignIn, SignInMethod};
    use crate::username::Username;

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
        assert_eq!(decide_reach(&member), Ok(()));
        for beyond in [assigned, by_saml, marked] {
            assert_eq!(decide_reach(&beyond), Err(KeyRefusal::Owner));
            assert_eq!(decide_making(&beyond), Err(KeyRefusal::Owner));
            let promoted = UserChange { before: &member, after: &beyond, has_password: false };
            assert_eq!(decide_change(&promoted), Err(KeyRefusal::Owner));
        }
    }

    /// Proves A3, A7: what a key may not make of a user, each by its reason.
    #[test]
    fn a_key_takes_nobody_over() {
        let changed = |before: &User, change: &dyn Fn(&mut User)| {
            let mut after = before.clone();
            change(&mut after);
            after
        };
        let decide = |before: &User, has_password, change: &dyn Fn(&mut User)| {
            decide_change(&UserChange { before, after: &changed(before, change), has_password })
        };
        let invited = user(1, "ann", None, UserStatus::Invited);
        let signed_in = changed(&invited, &|user| {
            user.status = UserStatus::Active;
            user.last_sign_in = Some(LastSignIn { at: Timestamp::UNIX_EPOCH, method: SignInMethod::Saml });
        });
        let manager =
            changed(&invited, &|user| user.roles.assigned = RoleSet::from([Role::OrganizationContextManager]));
        let moves: [&dyn Fn(&mut User); 3] = [
            &|user| user.email = Email::parse("thief@evil.test").ok(),
            &|user| user.recovery_email = Email::parse("thief@evil.test").ok(),
            &|user| user.username = Username::parse("vip@acme.test").unwrap(),
        ];
        for change in moves {
            assert_eq!(decide(&invited, false, change), Ok(()));
            assert_eq!(decide(&invited, true, change), Err(KeyRefusal::Addresses));
            assert_eq!(decide(&signed_in, false, change), Err(KeyRefusal::Addresses));
            assert_eq!(decide(&manager, false, change), Err(KeyRefusal::Addresses));
        }
        let inactive = changed(&signed_in, &|user| user.status = UserStatus::Inactive);
        assert_eq!(decide(&signed_in, true, &|user| user.status = UserStatus::Inactive), Ok(()));
        assert_eq!(decide(&inactive, true, &|user| user.status = UserStatus::Active), Err(KeyRefusal::Reactivation));
        let promote = |user: &mut User| user.roles.assigned = RoleSet::from([Role::OrganizationContextManager]);
        assert_eq!(decide(&signed_in, true, &promote), Err(KeyRefusal::ContextManager));
        assert_eq!(decide_making(&manager), Err(KeyRefusal::ContextManager));
        assert_eq!(decide(&manager, false, &|user| user.status = UserStatus::Active), Ok(()));
        let guarded = changed(&signed_in, &|user| user.require_email_mfa = true);
        assert_eq!(decide(&guarded, true, &|user| user.require_email_mfa = false), Err(KeyRefusal::SecondFactor));
    }
}
