//! Credentials have an epoch (A7). What is issued to a user (a link, a code, a pending step, a session, a mail
//! that carries one of these) is stamped with the user's epoch, and counts for nothing in another one. So one
//! number in the user's row voids all of it at once, also what is on no list.

use std::fmt;

use crate::email::Email;
use crate::role::{Role, RoleSet};
use crate::session::SessionEnd;
use crate::sso_migration::Snapshot;
use crate::user::{User, UserStatus};
use crate::username::Username;

/// Number of times that a user's credentials were voided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CredentialEpoch(i64);

impl CredentialEpoch {
    /// The epoch of a user who was just made.
    pub const FIRST: Self = Self(0);

    /// An epoch as it was stored.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// The number to store.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The epoch that voids this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for CredentialEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The epochs that a code or session rests on, or those that count now. Both must be the same: where the home user of a
/// switched session is gone, there is no epoch that it could rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epochs {
    /// Epoch of the user who is signed in.
    pub user: CredentialEpoch,
    /// Epoch of the user in the account where they proved their identity, if they switched from there (G1).
    pub home: Option<CredentialEpoch>,
}

/// The properties of a user that credentials are issued on the strength of.
#[derive(Debug, Clone, Copy)]
struct Grounds<'a> {
    username: &'a Username,
    email: Option<&'a Email>,
    recovery_email: Option<&'a Email>,
    status: UserStatus,
    /// Whether an assigned role makes them an owner, and whether one from an assertion does. They are told apart
    /// because the first reaches sessions that the second does not (C4).
    owns: [bool; 2],
}

impl<'a> Grounds<'a> {
    fn of_user(user: &'a User) -> Self {
        let owns = |roles: &RoleSet| roles.contains(&Role::OrganizationOwner);
        Self {
            username: &user.username,
            email: user.email.as_ref(),
            recovery_email: user.recovery_email.as_ref(),
            status: user.status,
            owns: [owns(&user.roles.assigned), owns(&user.roles.saml)],
        }
    }

    fn of_snapshot(snapshot: &'a Snapshot) -> Self {
        Self {
            username: &snapshot.username,
            email: snapshot.email.as_ref(),
            recovery_email: snapshot.recovery_email.as_ref(),
            status: snapshot.status,
            owns: [snapshot.assigned_roles.contains(&Role::OrganizationOwner), false],
        }
    }

    /// Whether what comes after has the owner role that was not there before: named one, or come in as one.
    fn gains_owner(self, after: Self) -> bool {
        let comes_in = self.status == UserStatus::Invited && after.status == UserStatus::Active;
        self.owns.into_iter().zip(after.owns).any(|(before, after)| after && (comes_in || !before))
    }

    const fn addresses(self) -> (&'a Username, Option<&'a Email>, Option<&'a Email>) {
        (self.username, self.email, self.recovery_email)
    }

    fn voided_by(self, after: Self) -> Option<SessionEnd> {
        if self.status.is_welcome() && !after.status.is_welcome() {
            Some(SessionEnd::UserDeactivated)
        } else if self.addresses() != after.addresses() {
            Some(SessionEnd::AddressChanged)
        } else if self.gains_owner(after) {
            Some(SessionEnd::OwnerGained)
        } else {
            None
        }
    }
}

/// Decides whether a change of a user voids what was issued to them before, and for which reason.
pub fn voided_by(before: &User, after: &User) -> Option<SessionEnd> {
    Grounds::of_user(before).voided_by(Grounds::of_user(after))
}

/// Decides the same of what a plan makes of a user.
pub fn voided_by_plan(before: &Snapshot, after: &Snapshot) -> Option<SessionEnd> {
    Grounds::of_snapshot(before).voided_by(Grounds::of_snapshot(after))
}

/// The addresses that are told of a change: each that is the user's no more.
pub fn told_of_change<'a>(before: &'a User, after: &User) -> Vec<&'a Email> {
    let still = [after.email.as_ref(), after.recovery_email.as_ref()];
    let former = [before.email.as_ref(), before.recovery_email.as_ref()];
    former.into_iter().flatten().filter(|email| !still.contains(&Some(*email))).collect()
}

/// The changed user in the epoch that the change leads to.
#[must_use]
pub fn carried_on(before: &User, mut after: User) -> User {
    let is_voided = voided_by(before, &after).is_some();
    after.credential_epoch = if is_voided { before.credential_epoch.next() } else { before.credential_epoch };
    after
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sso::discovery::tests::user;
    use crate::text::Label;

    fn changed(before: &User, change: impl FnOnce(&mut User)) -> User {
        let mut after = before.clone();
        change(&mut after);
        after
    }

    fn email(text: &str) -> Email {
        Email::parse(text).unwrap()
    }

    /// Proves A7: each change that voids, by its reason.
    #[test]
    fn addresses_deactivation_and_the_owner_role_void_what_was_issued_before() {
        let owner = RoleSet::from([Role::OrganizationOwner]);
        let before = user(1, "ann", Some("ann@b.se"), UserStatus::Active);
        let table = [
            (changed(&before, |user| user.username = Username::parse("bo").unwrap()), SessionEnd::AddressChanged),
            (changed(&before, |user| user.email = Some(email("bo@b.se"))), SessionEnd::AddressChanged),
            (changed(&before, |user| user.email = None), SessionEnd::AddressChanged),
            (changed(&before, |user| user.recovery_email = Some(email("ann@c.se"))), SessionEnd::AddressChanged),
            (changed(&before, |user| user.status = UserStatus::Inactive), SessionEnd::UserDeactivated),
            (changed(&before, |user| user.status = UserStatus::Archived), SessionEnd::UserDeactivated),
            (changed(&before, |user| user.roles.assigned.clone_from(&owner)), SessionEnd::OwnerGained),
            (changed(&before, |user| user.roles.saml.clone_from(&owner)), SessionEnd::OwnerGained),
        ];
        for (after, reason) in table {
            assert_eq!(voided_by(&before, &after), Some(reason), "{after:?}");
            assert_eq!(carried_on(&before, after).credential_epoch, before.credential_epoch.next());
        }
    }

    /// Proves A7, C4: an owner by assertion whom an owner then names one gains what reaches further.
    #[test]
    fn the_owner_role_is_gained_from_each_source_by_itself_and_by_coming_in() {
        let owner = RoleSet::from([Role::OrganizationOwner]);
        let mut by_saml = user(1, "ann", None, UserStatus::Active);
        by_saml.roles.saml.clone_from(&owner);
        let named = changed(&by_saml, |user| user.roles.assigned.clone_from(&owner));
        assert_eq!(voided_by(&by_saml, &named), Some(SessionEnd::OwnerGained));
        assert_eq!(voided_by(&named, &by_saml), None);
        let invited = changed(&named, |user| user.status = UserStatus::Invited);
        assert_eq!(voided_by(&invited, &named), Some(SessionEnd::OwnerGained));
    }

    /// Proves A7: the old address is told, once, and nobody is told of what stays.
    #[test]
    fn the_old_address_is_told_of_a_change() {
        let told = |before: &User, after: &User| -> Vec<String> {
            told_of_change(before, after).into_iter().map(|email| email.as_str().to_owned()).collect()
        };
        let plain = user(1, "ann", Some("ann@b.se"), UserStatus::Active);
        let full = changed(&plain, |user| user.recovery_email = Some(email("ann@c.se")));
        let moved = |before: &User| changed(before, |user| user.email = Some(email("bo@b.se")));
        let swapped = changed(&full, |user| std::mem::swap(&mut user.email, &mut user.recovery_email));
        assert_eq!(told(&plain, &moved(&plain)), ["ann@b.se"]);
        assert_eq!(told(&full, &moved(&full)), ["ann@b.se"]);
        assert_eq!(told(&plain, &full), [""; 0]);
        assert_eq!(told(&full, &plain), ["ann@c.se"]);
        assert_eq!(told(&full, &changed(&full, |user| user.recovery_email = Some(email("ann@d.se")))), ["ann@c.se"]);
        assert_eq!(told(&full, &swapped), [""; 0]);
        assert_eq!(told(&full, &changed(&full, |user| user.status = UserStatus::Inactive)), [""; 0]);
    }

    /// Proves A7: what nobody signs in by leaves credentials as they are.
    #[test]
    fn other_changes_void_nothing() {
        let before = user(1, "ann", Some("ann@b.se"), UserStatus::Active);
        let member = RoleSet::from([Role::OrganizationMember]);
        let same = [
            before.clone(),
            changed(&before, |user| user.display_name = Some(Label::parse("Ann").unwrap())),
            changed(&before, |user| user.roles.assigned.clone_from(&member)),
            changed(&before, |user| user.require_email_mfa = true),
            changed(&before, |user| user.exempt = true),
        ];
        for after in same {
            assert_eq!(voided_by(&before, &after), None, "{after:?}");
            assert_eq!(carried_on(&before, after).credential_epoch, before.credential_epoch);
        }
        let invited = changed(&before, |user| user.status = UserStatus::Invited);
        assert_eq!(voided_by(&invited, &before), None);
    }

    /// Proves A7: a plan is held to the same rule.
    #[test]
    fn a_plan_voids_what_it_renames_removes_or_makes_an_owner() {
        let before = Snapshot::of(&user(1, "ann", Some("ann@b.se"), UserStatus::Active));
        let renamed = Snapshot { username: Username::parse("ann@b.se").unwrap(), ..before.clone() };
        let archived = Snapshot { status: UserStatus::Archived, ..before.clone() };
        let owner = Snapshot { assigned_roles: RoleSet::from([Role::OrganizationOwner]), ..before.clone() };
        let exempt = Snapshot { exempt: true, ..before.clone() };
        assert_eq!(voided_by_plan(&before, &renamed), Some(SessionEnd::AddressChanged));
        assert_eq!(voided_by_plan(&before, &archived), Some(SessionEnd::UserDeactivated));
        assert_eq!(voided_by_plan(&before, &owner), Some(SessionEnd::OwnerGained));
        assert_eq!(voided_by_plan(&before, &exempt), None);
    }
}
