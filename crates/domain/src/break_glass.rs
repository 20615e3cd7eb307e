//! Break-glass users (A4): the owners who get in by form login whatever happens to SSO. Who is one is explicit, so that an
//! owner with a password may still use SSO, and an account always has one.

use jiff::Timestamp;

use crate::portal::Portal;
use crate::role::Role;
use crate::sso::connection::SsoMode;
use crate::user::{User, UserStatus};

/// The owners of an account besides the one who is about to change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OtherOwners {
    /// Who are invited or active, and whose role an owner assigned.
    pub owners: usize,
    /// Who are break-glass users.
    pub break_glass: usize,
}

/// A change that would leave an account without anybody who gets in when SSO does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the change would leave no break-glass user")]
pub struct BreakGlassRequired;

/// Whether somebody owns their account by a role that no identity provider can take away.
pub fn is_owner(user: &User) -> bool {
    user.portal == Portal::Admin && user.status.is_welcome() && user.roles.assigned.contains(&Role::OrganizationOwner)
}

/// Whether somebody can be a break-glass user: an active owner, by an assigned role, with a password.
pub fn can_be_break_glass(user: &User, has_password: bool) -> bool {
    is_owner(user) && user.status == UserStatus::Active && has_password
}

/// Whether somebody becomes a break-glass user by setting their password: the first owner does, who is nobody's colleague
/// yet.
pub fn becomes_break_glass(user: &User, others: OtherOwners) -> bool {
    can_be_break_glass(user, true) && others.break_glass == 0
}

/// Whether a form login of this user uses the break-glass path, of which everybody hears who answers for the account: while
/// the portal's SSO is enabled. Without SSO there is no glass to break: form login is how everybody comes in.
pub fn is_break_glass_use(user: &User, mode: SsoMode) -> bool {
    user.break_glass && mode.is_enabled()
}

/// When a break-glass user last got in by form login, as far as that was the last time at all; no assertion signs them in.
pub fn last_used(user: &User) -> Option<Timestamp> {
    user.last_sign_in.filter(|last| last.method.is_form_login()).map(|last| last.at)
}

/// Decides whether a user may become what `after` says; none where they are removed.
///
/// The last break-glass user stays one. While there is none yet, because the first owner has not set a password, the last
/// owner stays one instead: they are who can become it.
pub fn decide_user_change(before: &User, after: Option<&User>, others: OtherOwners) -> Result<(), BreakGlassRequired> {
    let last_break_glass = before.break_glass && others.break_glass == 0;
    let last_owner = is_owner(before) && others.owners == 0;
    let still_break_glass = after.is_some_and(|after| after.break_glass);
    let still_owner = after.is_some_and(is_owner);
    if (last_break_glass && !still_break_glass) || (last_owner && !still_owner) {
        Err(BreakGlassRequired)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::RoleSet;
    use crate::sso::discovery::tests::user;
    use crate::user::{LastSignIn, SignInMethod};

    fn owner(status: UserStatus, break_glass: bool) -> User {
        let mut owner = user(1, "ann@b.se", None, status);
        owner.roles.assigned = RoleSet::from([Role::OrganizationOwner]);
        User { break_glass, ..owner }
    }

    const NOBODY: OtherOwners = OtherOwners { owners: 0, break_glass: 0 };
    const COLLEAGUE: OtherOwners = OtherOwners { owners: 1, break_glass: 0 };
    const BREAK_GLASS: OtherOwners = OtherOwners { owners: 1, break_glass: 1 };

    /// Proves A4: no change takes the last one away, whichever way.
    #[test]
    fn the_last_break_glass_user_stays_one() {
        let last = owner(UserStatus::Active, true);
        let renamed = User { display_name: None, ..last.clone() };
        let unset = owner(UserStatus::Active, false);
        let mut demoted = unset.clone();
        demoted.roles.assigned = RoleSet::from([Role::OrganizationMember]);
        assert_eq!(decide_user_change(&last, Some(&renamed), NOBODY), Ok(()));
        for after in [Some(&unset), Some(&demoted), Some(&owner(UserStatus::Inactive, false)), None] {
            for others in [NOBODY, COLLEAGUE] {
                assert_eq!(decide_user_change(&last, after, others), Err(BreakGlassRequired), "{after:?}");
            }
            assert_eq!(decide_user_change(&last, after, BREAK_GLASS), Ok(()), "{after:?}");
        }
    }

    /// Proves A4: until a first owner has set a password, the last owner stays one.
    #[test]
    fn while_there_is_none_the_last_owner_stays() {
        for status in [UserStatus::Invited, UserStatus::Active] {
            let first = owner(status, false);
            assert_eq!(decide_user_change(&first, None, NOBODY), Err(BreakGlassRequired));
            let inactive = owner(UserStatus::Inactive, false);
            assert_eq!(decide_user_change(&first, Some(&inactive), NOBODY), Err(BreakGlassRequired));
            assert_eq!(decide_user_change(&first, None, COLLEAGUE), Ok(()));
        }
        let member = user(1, "bo@b.se", None, UserStatus::Active);
        assert_eq!(decide_user_change(&member, None, NOBODY), Ok(()));
    }

    /// Proves A4: a use is loud while SSO is enabled, and tells when it was the last.
    #[test]
    fn a_form_login_of_a_break_glass_user_beside_sso_is_a_use() {
        let mut marked = owner(UserStatus::Active, true);
        assert!(is_break_glass_use(&marked, SsoMode::Required) && is_break_glass_use(&marked, SsoMode::Optional));
        assert!(!is_break_glass_use(&marked, SsoMode::Off));
        assert!(!is_break_glass_use(&owner(UserStatus::Active, false), SsoMode::Required));
        let at = Timestamp::UNIX_EPOCH;
        for (method, used) in [(SignInMethod::PasswordAndCode, Some(at)), (SignInMethod::Saml, None)] {
            marked.last_sign_in = Some(LastSignIn { at, method });
            assert_eq!(last_used(&marked), used);
        }
    }

    /// Proves A4: an active owner, by an assigned role, with a password; and the first of them becomes one at once.
    #[test]
    fn who_can_be_one_is_an_active_owner_with_a_password() {
        let active = owner(UserStatus::Active, false);
        let mut by_saml = active.clone();
        by_saml.roles.assigned = RoleSet::new();
        by_saml.roles.saml = RoleSet::from([Role::OrganizationOwner]);
        assert!(can_be_break_glass(&active, true));
        assert!(!can_be_break_glass(&active, false));
        assert!(!can_be_break_glass(&by_saml, true));
        assert!(!can_be_break_glass(&owner(UserStatus::Invited, false), true));
        assert!(becomes_break_glass(&active, COLLEAGUE));
        assert!(!becomes_break_glass(&active, BREAK_GLASS));
    }
}
