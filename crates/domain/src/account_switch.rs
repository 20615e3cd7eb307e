//! Switching accounts (G1): from a session in one account to one in another without a new sign-in, as the user
//! whom a pair names there, with the rights that the other account gives and never by weaker proof than it asks
//! for.

use crate::account_link::{AccountLink, AccountRelation, LinkState};
use crate::account_pair::PairState;
use crate::account_settings::AccountSettings;
use crate::credential_epoch::CredentialEpoch;
use crate::form_login::{form_login_allowed, needs_email_mfa};
use crate::portal::Portal;
use crate::sso::connection::SsoMode;
use crate::user::{SignInMethod, User, UserStatus};
use crate::username::normalized;
use crate::{AccountId, UserId};

/// Account and user with which a user who switched had proved their identity. Both stay the same however often
/// they switch on, so that trust between accounts is never handed on: what counts is the link with the account
/// that saw the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HomeUser {
    /// Account in which they proved their identity.
    pub account_id: AccountId,
    /// Id of their user in that account.
    pub user_id: UserId,
    /// Epoch of that user in which they proved it (A7).
    pub credential_epoch: CredentialEpoch,
}

/// A user at home, as they proved their identity.
#[derive(Debug, Clone, Copy)]
pub struct AtHome<'a> {
    /// User who proved their identity.
    pub user: &'a User,
    /// Method by which they signed in.
    pub method: SignInMethod,
    /// Whether their username login is retained there: [`username_retained`].
    pub username_retained: bool,
}

/// The user of another account who is the same person.
#[derive(Debug, Clone, Copy)]
pub enum Counterpart<'a> {
    /// User unknown: they hold no pair there.
    Unpaired,
    /// User of their own: paired, or the one at home itself.
    Known {
        /// User in the other account.
        user: &'a User,
        /// Whether the username login is retained there: [`username_retained`].
        username_retained: bool,
        /// State of the pair.
        pair: PairState,
    },
}

/// The account that a user would switch to.
#[derive(Debug, Clone, Copy)]
pub struct Destination<'a> {
    /// The link that home has with it; none where it is home itself.
    pub link: Option<&'a AccountLink>,
    /// Settings of that account (A6).
    pub settings: &'a AccountSettings,
    /// SSO mode of its `admin` portal.
    pub mode: SsoMode,
    /// Whether any application of the `admin` portal serves it.
    pub is_served: bool,
    /// The user there who is the same person.
    pub counterpart: Counterpart<'a>,
    /// Whether it lets people in from where the request comes.
    pub admits_address: bool,
}

/// Reason for which a user cannot switch. Each but the first says what is to be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SwitchRefusal {
    /// The accounts are not linked, or one of them has not agreed.
    #[error("the accounts are not linked")]
    NotLinked,
    /// No application serves the account, so no sign-in to it could begin.
    #[error(
        "no application serves the other account: have an owner there, or the operator, register one for its admin portal"
    )]
    NotServed,
    /// User who signed in at a sandbox alone, whose owners need not be those of the account.
    #[error("sign in at the account itself: a sign-in at its sandbox does not count there")]
    FromSandbox,
    /// The session began by SSO: an identity provider speaks for its own account alone.
    #[error("sign in with your username and password here; SSO of one account does not count in another")]
    NotByFormLogin,
    /// A migration to SSO put the email in the place of the username.
    #[error(
        "your username login is not retained in both accounts: an SSO migration replaced your username by your email"
    )]
    UsernameReplaced,
    /// Pair missing: they hold no pair of users in the two accounts.
    #[error(
        "you hold no paired users in the two accounts: pair them once, by signing in to each with username and password \
         (POST /v1/account-pairings); without a user or a password there, accept the invitation or have an owner there send one"
    )]
    NotPaired,
    /// The pair is void: another actor changed what one of the two form logins rests on.
    #[error(
        "your pair is void, because the username, an email or the password of one of its users was changed by somebody else, or \
         its owner role or status: pair anew, by signing in to each account with username and password"
    )]
    PairVoid,
    /// User of theirs in the other account is not active or holds no role.
    #[error("your user in the other account is not active or holds no role: have an owner there see to it")]
    UserNotReady,
    /// SSO is required of their user there.
    #[error("the other account requires SSO of you")]
    SsoRequired,
    /// The other account asks for a second factor, which this session did not have.
    #[error(
        "the other account asks for a code by mail: sign in here with one, where an owner turns it on, or sign in there"
    )]
    CodeRequired,
    /// The other account does not allow sign-ins from here.
    #[error("the other account does not allow sign-ins from your network")]
    NetworkNotAllowed,
}

/// Whether a username login is retained: no migration to SSO replaced the username by the email, or the user has
/// another one again. `written` is what the last migration that was applied wrote in its place.
pub fn username_retained(user: &User, written: Option<&str>) -> bool {
    written.is_none_or(|written| normalized(written) != user.username.normalized())
}

/// Decides whether a caller may enter the other account, and as which user: the one that they proved to be there
/// once, if that stands, and never by weaker proof than a form login there would ask for now.
pub fn decide_switch<'a>(home: &AtHome<'_>, to: &Destination<'a>) -> Result<&'a User, SwitchRefusal> {
    check_way(home, to)?;
    let Counterpart::Known { user, username_retained, pair } = to.counterpart else {
        return Err(SwitchRefusal::NotPaired);
    };
    if !home.username_retained || !username_retained {
        return Err(SwitchRefusal::UsernameReplaced);
    }
    if pair == PairState::Void {
        return Err(SwitchRefusal::PairVoid);
    }
    if !is_ready(home.user) || !is_ready(user) {
        return Err(SwitchRefusal::UserNotReady);
    }
    if !form_login_allowed(to.mode, user.keeps_form_login()) {
        return Err(SwitchRefusal::SsoRequired);
    }
    if needs_email_mfa(to.settings, user) && home.method != SignInMethod::PasswordAndCode {
        return Err(SwitchRefusal::CodeRequired);
    }
    if to.admits_address { Ok(user) } else { Err(SwitchRefusal::NetworkNotAllowed) }
}

/// Checks that a way leads from the account of the form login to the other one, whichever user is meant there.
fn check_way(home: &AtHome<'_>, to: &Destination<'_>) -> Result<(), SwitchRefusal> {
    if to.link.is_some_and(|link| link.state != LinkState::Accepted) {
        Err(SwitchRefusal::NotLinked)
    } else if to.link.is_some_and(|link| link.relation == AccountRelation::SandboxOf) {
        Err(SwitchRefusal::FromSandbox)
    } else if !to.is_served {
        Err(SwitchRefusal::NotServed)
    } else if !home.method.is_form_login() {
        Err(SwitchRefusal::NotByFormLogin)
    } else {
        Ok(())
    }
}

fn is_ready(user: &User) -> bool {
    user.portal == Portal::Admin && user.status == UserStatus::Active && !user.roles.assigned.is_empty()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::AccountLinkId;
    use crate::role::{Role, RoleSet};
    use crate::sso::discovery::tests::user;

    fn link(state: LinkState) -> AccountLink {
        AccountLink {
            id: AccountLinkId::from_uuid(Uuid::from_u128(1)),
            account_id: AccountId::from_uuid(Uuid::from_u128(1)),
            other_account_id: AccountId::from_uuid(Uuid::from_u128(2)),
            relation: AccountRelation::Linked,
            state,
            requested_at: Timestamp::UNIX_EPOCH,
            accepted_at: None,
        }
    }

    fn ann(n: u128) -> User {
        let mut ann = user(n, "ann", Some("Ann@b.se"), UserStatus::Active);
        ann.roles.assigned = RoleSet::from([Role::OrganizationMember]);
        ann
    }

    /// Her user in the other account: what pairs two users is no name.
    fn user_of_another_name() -> User {
        let mut other = user(2, "a.b", Some("ann@elsewhere.se"), UserStatus::Active);
        other.roles.assigned = RoleSet::from([Role::OrganizationMember]);
        other
    }

    /// Facts of a switch for which a test checks the decision, all others being well.
    #[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
    struct Case {
        home: User,
        method: SignInMethod,
        home_retained: bool,
        link: Option<AccountLink>,
        is_served: bool,
        there: Option<User>,
        there_retained: bool,
        is_void: bool,
        mode: SsoMode,
        settings: AccountSettings,
        admits_address: bool,
    }

    impl Case {
        fn good() -> Self {
            Self {
                home: ann(1),
                method: SignInMethod::Password,
                home_retained: true,
                link: Some(link(LinkState::Accepted)),
                is_served: true,
                there: Some(user_of_another_name()),
                there_retained: true,
                is_void: false,
                mode: SsoMode::Optional,
                settings: AccountSettings::default(),
                admits_address: true,
            }
        }

        fn decide(&self) -> Result<UserId, SwitchRefusal> {
            let home = AtHome { user: &self.home, method: self.method, username_retained: self.home_retained };
            let to = Destination {
                link: self.link.as_ref(),
                settings: &self.settings,
                mode: self.mode,
                is_served: self.is_served,
                counterpart: match &self.there {
                    None => Counterpart::Unpaired,
                    Some(user) => Counterpart::Known {
                        user,
                        username_retained: self.there_retained,
                        pair: if self.is_void { PairState::Void } else { PairState::Current },
                    },
                },
                admits_address: self.admits_address,
            };
            decide_switch(&home, &to).map(|user| user.id)
        }
    }

    /// Proves G1: each thing amiss is told by name.
    #[test]
    fn each_thing_that_is_not_set_up_is_told_by_name() {
        use SwitchRefusal as Refused;
        let there = user_of_another_name;
        assert_eq!(Case::good().decide(), Ok(there().id));
        assert_eq!(Case { link: None, ..Case::good() }.decide(), Ok(there().id), "home needs no link with itself");
        let refused = |case: Case, refusal| assert_eq!(case.decide(), Err(refusal));
        refused(Case { link: Some(link(LinkState::Requested)), ..Case::good() }, Refused::NotLinked);
        refused(Case { link: Some(link(LinkState::Asked)), ..Case::good() }, Refused::NotLinked);
        let of_sandbox = AccountLink { relation: AccountRelation::SandboxOf, ..link(LinkState::Accepted) };
        refused(Case { link: Some(of_sandbox), ..Case::good() }, Refused::FromSandbox);
        let to_sandbox = AccountLink { relation: AccountRelation::Sandbox, ..link(LinkState::Accepted) };
        assert_eq!(Case { link: Some(to_sandbox), ..Case::good() }.decide(), Ok(there().id));
        refused(Case { is_served: false, ..Case::good() }, Refused::NotServed);
        refused(Case { method: SignInMethod::Saml, ..Case::good() }, Refused::NotByFormLogin);
        refused(Case { there: None, ..Case::good() }, Refused::NotPaired);
        refused(Case { is_void: true, ..Case::good() }, Refused::PairVoid);
        refused(Case { home_retained: false, ..Case::good() }, Refused::UsernameReplaced);
        refused(Case { there_retained: false, ..Case::good() }, Refused::UsernameReplaced);
        let gone = User { status: UserStatus::Inactive, ..there() };
        refused(Case { there: Some(gone), ..Case::good() }, Refused::UserNotReady);
        let left = User { status: UserStatus::Inactive, ..ann(1) };
        refused(Case { home: left, ..Case::good() }, Refused::UserNotReady);
        refused(Case { mode: SsoMode::Required, ..Case::good() }, Refused::SsoRequired);
        let settings = || AccountSettings { require_email_mfa: true, ..AccountSettings::default() };
        refused(Case { settings: settings(), ..Case::good() }, Refused::CodeRequired);
        let with_code = Case { settings: settings(), method: SignInMethod::PasswordAndCode, ..Case::good() };
        assert_eq!(with_code.decide(), Ok(there().id));
        refused(Case { admits_address: false, ..Case::good() }, Refused::NetworkNotAllowed);
        for there in [User { break_glass: true, ..there() }, User { exempt: true, ..there() }] {
            let case = Case { mode: SsoMode::Required, there: Some(there.clone()), ..Case::good() };
            assert_eq!(case.decide(), Ok(there.id));
        }
    }

    /// Proves G1: a username that was given back, or chosen anew, is retained.
    #[test]
    fn a_username_is_retained_unless_it_is_what_a_migration_wrote() {
        let by_email = user(1, "ann@b.se", Some("ann@b.se"), UserStatus::Active);
        assert!(username_retained(&by_email, None));
        assert!(!username_retained(&by_email, Some("ANN@b.se")));
        assert!(username_retained(&ann(1), Some("ann@b.se")));
    }

    proptest! {
        /// Proves G1, A4: whatever the facts, nobody switches who could not sign in there by form login with this
        /// proof, or whose pair does not stand.
        #[test]
        fn a_switch_is_never_easier_than_a_form_login(
            (method, status) in (prop::sample::select(SignInMethod::ALL), prop::sample::select(UserStatus::ALL)),
            mode in prop::sample::select(&[SsoMode::Off, SsoMode::Optional, SsoMode::Required][..]),
            (require_email_mfa, admits_address, break_glass, has_role) in any::<(bool, bool, bool, bool)>(),
            (is_paired, is_void, is_served) in any::<(bool, bool, bool)>(),
        ) {
            let mut there = User { status, break_glass, ..user_of_another_name() };
            if !has_role { there.roles.assigned = RoleSet::new(); }
            let settings = AccountSettings { require_email_mfa, ..AccountSettings::default() };
            let case = Case { method, is_served, is_void, mode, settings, admits_address, ..Case::good() };
            let case = Case { there: Some(there).filter(|_| is_paired), ..case };
            if case.decide().is_ok() {
                prop_assert!(is_paired && !is_void && is_served);
                prop_assert!(method.is_form_login() && status == UserStatus::Active && has_role && admits_address);
                prop_assert!(mode != SsoMode::Required || break_glass);
                prop_assert!(!require_email_mfa || method == SignInMethod::PasswordAndCode);
            }
        }
    }
}
