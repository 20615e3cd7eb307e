//! Roles of the `admin` portal, where they come from, and what they permit.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An account-wide permission of an `admin` user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything in the account.
    OrganizationOwner,
    /// Reads all of it; to the frontends, manages service contexts.
    OrganizationContextManager,
    /// Read-only.
    OrganizationMember,
}

/// Why a text names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected \"organization_owner\", \"organization_context_manager\" or \"organization_member\"")]
pub struct RoleError;

impl Role {
    /// Every role, the mightiest first.
    pub const ALL: [Self; 3] = [Self::OrganizationOwner, Self::OrganizationContextManager, Self::OrganizationMember];

    /// The name that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrganizationOwner => "organization_owner",
            Self::OrganizationContextManager => "organization_context_manager",
            Self::OrganizationMember => "organization_member",
        }
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(RoleError)
    }
}

/// A set of roles; in order, so that it always reads the same.
pub type RoleSet = BTreeSet<Role>;

/// Which of a user's roles came from where (C4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleAssignments {
    /// Given by an owner, an operator or an invitation; a SAML sign-in never touches them.
    pub assigned: RoleSet,
    /// Set anew at every SAML sign-in.
    pub saml: RoleSet,
}

impl RoleAssignments {
    /// What the user holds: both sources together.
    pub fn effective(&self) -> RoleSet {
        self.assigned.union(&self.saml).copied().collect()
    }
}

/// What somebody asks to do in an account (A3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// See the account's data.
    Read,
    /// Change settings, users and their roles, applications, authentication; end anybody's session.
    Administer,
}

/// Whether a user with these roles may do that (A3).
pub fn permits(roles: &RoleSet, permission: Permission) -> bool {
    match permission {
        Permission::Read => !roles.is_empty(),
        Permission::Administer => roles.contains(&Role::OrganizationOwner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
