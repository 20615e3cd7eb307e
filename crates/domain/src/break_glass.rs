//! Break-glass users (A4): the owners who get in by form login whatever happens to SSO. An explicit mark makes
//! them that, so that an owner with a password may still use SSO, and an account always has one.

use jiff::Timestamp;

use crate::account_settings::AccountSettings;
use crate::form_login::needs_email_mfa;
use crate::portal::Portal;
use crate::role::Role;
use crate::sso::connection::SsoMode;
use crate::user::{User, UserStatus};

/// The owners of an account besides the one who is about to change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OtherOwners {
    /// Number of those who are invited or active, and whose role an owner assigned.
    pub owners: usize,
    /// Break-glass users among them who get in.
    pub break_glass: usize,
}

/// An owner as they are or would be, and whether they get in as a break-glass user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'a> {
    /// User as of that moment.
    pub user: &'a User,
    /// The answer of [`gets_in`] for them.
    pub gets_in: bool,
}

/// A change that would leave an account without anybody who gets in when SSO does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the change would leave no break-glass user")]
pub struct BreakGlassRequired;

/// Whether a user owns their account by a role that no identity provider can take away.
pub fn is_owner(user: &User) -> bool {
    user.portal == Portal::Admin && user.status.is_welcome() && user.roles.assigned.contains(&Role::OrganizationOwner)
}

/// Whether a user can be a break-glass user: an active owner, by an assigned role, with a password of their own. A
/// temporary one is none: its time runs out.
pub fn can_be_break_glass(user: &User, has_own_password: bool) -> bool {
    is_owner(user) && user.status == UserStatus::Active && has_own_password
}

/// Whether a user gets in by break-glass: with the mark, a password of their own, and an address for the code where
/// one may be asked for.
pub fn gets_in(user: &User, has_own_password: bool, settings: &AccountSettings) -> bool {
    let may_need_code = needs_email_mfa(settings, user) || !settings.allowed_networks.is_empty();
    let is_reachable = user.second_factor_email().is_some() || !may_need_code;
    user.break_glass && can_be_break_glass(user, has_own_password) && is_reachable
}

/// Whether an owner becomes a break-glass user by opening an invitation's link and setting a password there: the
/// first owner does, and any other while the account has none. The page is told before (`break_glass`), so it is
/// not a surprise; otherwise an owner's word alone marks a user.
pub fn becomes_break_glass(user: &User, first_owner: bool, others: OtherOwners) -> bool {
    let accepted = User { status: UserStatus::Active, ..user.clone() };
    can_be_break_glass(&accepted, true) && (first_owner || others.break_glass == 0)
}

/// Whether a form login of this user uses the break-glass path, of which all who answer for the account are told:
/// while the portal's SSO is enabled. Without SSO there is no glass to break: form login is the way in for all
/// users.
pub fn is_break_glass_use(user: &User, mode: SsoMode) -> bool {
    user.break_glass && mode.is_enabled()
}

/// Time at which a break-glass user last got in by form login; none if their last sign-in was another one. No
/// assertion signs them in.
pub fn last_used(user: &User) -> Option<Timestamp> {
    user.last_sign_in.filter(|last| last.method.is_form_login()).map(|last| last.at)
}

/// Decides whether a user may become what `after` says; none where they are removed.
///
/// The last break-glass user who gets in stays one. While there is none yet, because the first owner has not set a
/// password, the last owner stays one instead: they are who can become it. A user who keeps the mark and did not
/// get in before may be changed: that is how they are helped.
pub fn decide_user_change(
    before: Standing<'_>,
    after: Option<Standing<'_>>,
    others: OtherOwners,
) -> Result<(), BreakGlassRequired> {
    let last_break_glass = before.user.break_glass && others.break_glass == 0;
    let last_owner = is_owner(before.user) && others.owners == 0;
    let still_break_glass = after.is_some_and(|after| after.user.break_glass && (after.gets_in || !before.gets_in));
    let still_owner = after.is_some_and(|after| is_owner(after.user));
    if (last_break_glass && !still_break_glass) || (last_owner && !still_owner) {
        Err(BreakGlassRequired)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::Email;
    use crate::network::Network;
    use crate::role::RoleSet;
    use crate::sso::discovery::tests::user;
    use crate::user::{LastSignIn, SignInMethod};

    fn owner(status: UserStatus, break_glass: bool) -> User {
        let mut owner = user(1, "ann@b.se", None, status);
        owner.roles.assigned = RoleSet::from([Role::OrganizationOwner]);
        User { break_glass, ..owner }
    }

    /// Standing of a user where nothing but the mark matters.
    fn standing(user: &User) -> Standing<'_> {
        Standing { user, gets_in: user.break_glass }
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
        let decide =
            |before, after: Option<&User>, others| decide_user_change(standing(before), after.map(standing), others);
        assert_eq!(decide(&last, Some(&renamed), NOBODY), Ok(()));
        for after in [Some(&unset), Some(&demoted), Some(&owner(UserStatus::Inactive, false)), None] {
            for others in [NOBODY, COLLEAGUE] {
                assert_eq!(decide(&last, after, others), Err(BreakGlassRequired), "{after:?}");
            }
            assert_eq!(decide(&last, after, BREAK_GLASS), Ok(()), "{after:?}");
        }
    }

    /// Proves A4: the last who gets in goes on to get in; one who does not, and keeps the mark, may be changed.
    #[test]
    fn who_gets_in_last_is_not_locked_out_by_losing_their_code() {
        let marked = owner(UserStatus::Active, true);
        let (inside, outside) = (standing(&marked), Standing { user: &marked, gets_in: false });
        assert_eq!(decide_user_change(inside, Some(outside), NOBODY), Err(BreakGlassRequired));
        assert_eq!(decide_user_change(inside, Some(outside), BREAK_GLASS), Ok(()));
        assert_eq!(decide_user_change(outside, Some(outside), NOBODY), Ok(()));
        let unmarked = owner(UserStatus::Active, false);
        assert_eq!(decide_user_change(outside, Some(standing(&unmarked)), COLLEAGUE), Err(BreakGlassRequired));
    }

    /// Proves A4: the mark alone lets nobody in: it takes a password of their own, and an address where a code may
    /// be asked for, by the account, by themselves, or because they come from outside the allowed networks.
    #[test]
    fn a_break_glass_user_gets_in_with_their_own_password_and_an_address_for_the_code() {
        let plain = AccountSettings::default();
        let mfa = AccountSettings { require_email_mfa: true, ..plain.clone() };
        let office = vec![Network::parse("192.0.2.0/24").unwrap()];
        let networks = AccountSettings { allowed_networks: office, ..plain.clone() };
        let bare = User { email: None, recovery_email: None, ..owner(UserStatus::Active, true) };
        let reached = User { recovery_email: Some(Email::parse("a@home.se").unwrap()), ..bare.clone() };
        assert!(gets_in(&bare, true, &plain) && !gets_in(&bare, false, &plain));
        assert!(!gets_in(&owner(UserStatus::Active, false), true, &plain));
        for settings in [mfa, networks] {
            assert!(!gets_in(&bare, true, &settings) && gets_in(&reached, true, &settings), "{settings:?}");
        }
        assert!(!gets_in(&User { require_email_mfa: true, ..bare }, true, &plain));
    }

    /// Proves A4: until a first owner has set a password, the last owner stays one.
    #[test]
    fn while_there_is_none_the_last_owner_stays() {
        for status in [UserStatus::Invited, UserStatus::Active] {
            let first = owner(status, false);
            let decide =
                |after: Option<&User>, others| decide_user_change(standing(&first), after.map(standing), others);
            assert_eq!(decide(None, NOBODY), Err(BreakGlassRequired));
            let inactive = owner(UserStatus::Inactive, false);
            assert_eq!(decide(Some(&inactive), NOBODY), Err(BreakGlassRequired));
            assert_eq!(decide(None, COLLEAGUE), Ok(()));
        }
        let member = user(1, "bo@b.se", None, UserStatus::Active);
        assert_eq!(decide_user_change(standing(&member), None, NOBODY), Ok(()));
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
        let invited = owner(UserStatus::Invited, false);
        assert!(becomes_break_glass(&invited, false, COLLEAGUE));
        assert!(!becomes_break_glass(&invited, false, BREAK_GLASS));
        assert!(becomes_break_glass(&invited, true, BREAK_GLASS));
        assert!(!becomes_break_glass(&by_saml, true, NOBODY));
    }
}
