//! Roles of the `admin` portal, where they come from, and what they permit.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::user::SignInMethod;

named! {
    /// An account-wide permission of an `admin` user; the mightiest first.
    Role, RoleError, "expected \"organization_owner\", \"organization_context_manager\" or \"organization_member\"" {
        /// Everything in the account.
        OrganizationOwner = "organization_owner",
        /// Reads all of it; to the frontends, manages service contexts.
        OrganizationContextManager = "organization_context_manager",
        /// Reads all of the account, changes nothing.
        OrganizationMember = "organization_member",
    }
}

/// A set of roles; in order, so that it always reads the same.
pub type RoleSet = BTreeSet<Role>;

/// Roles of a user, by the source that they came from (C4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleAssignments {
    /// Given by an owner, an operator or an invitation; a SAML sign-in never touches them.
    pub assigned: RoleSet,
    /// Set anew by every verified assertion; they count in sessions that began with SAML, and nowhere else.
    pub saml: RoleSet,
}

impl RoleAssignments {
    /// Roles that the user holds, from both sources: what they may be in one session or another.
    pub fn all(&self) -> RoleSet {
        self.assigned.union(&self.saml).copied().collect()
    }

    /// Roles that count in a session that began by this method: an identity provider speaks for the sign-ins that
    /// it saw, and not for a password or a mailed link (C4).
    pub fn counting_in(&self, method: SignInMethod) -> RoleSet {
        if method == SignInMethod::Saml { self.all() } else { self.assigned.clone() }
    }
}

/// Action that a user wants to take in an account (A3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// See the account's data.
    Read,
    /// Invite, change and remove people; owners are more than this reaches.
    ManageUsers,
    /// Change the account's settings.
    ManageSettings,
    /// All of it: also owners, applications, authentication and API keys; end any user's session.
    Administer,
}

/// Whether a user with these roles may do that (A3).
pub fn permits(roles: &RoleSet, permission: Permission) -> bool {
    match permission {
        Permission::Read => !roles.is_empty(),
        Permission::ManageUsers | Permission::ManageSettings | Permission::Administer => {
            roles.contains(&Role::OrganizationOwner)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves C4: roles from assertions count in sessions that began with SAML alone, assigned ones everywhere.
    #[test]
    fn roles_from_assertions_count_in_saml_sessions_alone() {
        let (owner, member) = (RoleSet::from([Role::OrganizationOwner]), RoleSet::from([Role::OrganizationMember]));
        let roles = RoleAssignments { assigned: member.clone(), saml: owner };
        assert_eq!(roles.counting_in(SignInMethod::Saml), roles.all());
        assert_eq!(roles.all().len(), 2);
        for method in [SignInMethod::Password, SignInMethod::PasswordAndCode, SignInMethod::MagicLink] {
            assert_eq!(roles.counting_in(method), member, "{method:?}");
        }
    }

    /// Proves A3.
    #[test]
    fn owners_administer_the_others_read_and_no_role_grants_nothing() {
        let table = [
            (vec![Role::OrganizationOwner], true, true),
            (vec![Role::OrganizationContextManager], true, false),
            (vec![Role::OrganizationMember], true, false),
            (vec![Role::OrganizationMember, Role::OrganizationOwner], true, true),
            (vec![], false, false),
        ];
        for (roles, read, administer) in table {
            let roles: RoleSet = roles.into_iter().collect();
            assert_eq!(permits(&roles, Permission::Read), read, "{roles:?}");
            assert_eq!(permits(&roles, Permission::Administer), administer, "{roles:?}");
        }
    }
}
