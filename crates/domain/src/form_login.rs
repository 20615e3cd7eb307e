//! Form login: the user that a typed identity stands for, and whether the password lets them in (A3, B1, B3, B5).

use std::net::IpAddr;

use crate::account_settings::AccountSettings;
use crate::portal::Portal;
use crate::sso::connection::SsoMode;
use crate::sso::discovery::{Match, matching_user};
use crate::user::{SignInMethod, User};

/// Reason for which a form login lets no user in. Only the last two are told, to a client that knew the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormLoginRefusal {
    /// Unknown identity: no user has this username or email.
    UnknownUser,
    /// Ambiguous identity: several users who may sign in have it.
    SeveralUsers,
    /// The user never set a password.
    NoPassword,
    /// Password that is not the user's.
    WrongPassword,
    /// The user was deactivated.
    Inactive,
    /// SSO is required of this user.
    SsoRequired,
    /// The user holds no role.
    NoRole,
    /// Network that the account does not let the user in from.
    AddressNotAllowed,
}

/// Finds the user that a typed identity stands for, among the users who have it as username or email: as with SSO,
/// the one who may sign in.
pub fn identify<'a>(candidates: &'a [User], typed: &str) -> Result<&'a User, FormLoginRefusal> {
    match matching_user(typed, candidates) {
        Match::One(user) => Ok(user),
        Match::Several => Err(FormLoginRefusal::SeveralUsers),
        Match::None => Err(FormLoginRefusal::UnknownUser),
    }
}

/// Whether this user may use form login (B3): every user, until SSO is required; then break-glass and exempt users
/// alone.
pub fn form_login_allowed(mode: SsoMode, keeps_form_login: bool) -> bool {
    mode != SsoMode::Required || keeps_form_login
}

/// Whether a sign-in by this method may become or stay a session (B3): one that did not come through SSO ends
/// where SSO is required of its user.
pub fn method_allowed(mode: SsoMode, method: SignInMethod, keeps_form_login: bool) -> bool {
    method == SignInMethod::Saml || form_login_allowed(mode, keeps_form_login)
}

/// Whether a code is asked for after the password (B2): where the account demands it, or the user wishes it.
pub fn needs_email_mfa(settings: &AccountSettings, user: &User) -> bool {
    settings.require_email_mfa || user.require_email_mfa
}

/// Whether a sign-in from this address takes a mailed code: a break-glass user outside the allowed networks proves more
/// instead of being kept out (A4).
pub fn needs_code(settings: &AccountSettings, user: &User, address: IpAddr) -> bool {
    needs_email_mfa(settings, user) || (user.break_glass && !settings.admits(user.portal, address))
}

/// Whether a session of this user may begin or go on from this address (A6). Allowed networks never keep
/// break-glass users out who proved more than the password (A4): `mailed_code` is whether this account mailed them
/// the code of this sign-in.
pub fn network_allowed(settings: &AccountSettings, user: &User, mailed_code: bool, address: IpAddr) -> bool {
    settings.admits(user.portal, address) || (user.break_glass && mailed_code)
}

/// Facts that are known when the password has been compared.
#[derive(Debug, Clone, Copy)]
pub struct FormLoginFacts<'a> {
    /// User that the typed identity stands for.
    pub user: Result<&'a User, FormLoginRefusal>,
    /// Whether their password is the one that was typed; none where they have none.
    pub is_right: Option<bool>,
    /// Whether this user may use form login: [`form_login_allowed`].
    pub is_allowed: bool,
    /// Whether the account lets people in from where the request came.
    pub admits_address: bool,
}

/// Decides a form login. What it depends on beside the password is looked at only once the password is right, so
/// that an answer which tells it goes only to a client that knows the password.
pub fn decide_form_login<'a>(facts: &FormLoginFacts<'a>) -> Result<&'a User, FormLoginRefusal> {
    let user = facts.user?;
    let is_right = facts.is_right.ok_or(FormLoginRefusal::NoPassword)?;
    if !is_right {
        Err(FormLoginRefusal::WrongPassword)
    } else if !user.status.is_welcome() {
        Err(FormLoginRefusal::Inactive)
    } else if !facts.is_allowed {
        Err(FormLoginRefusal::SsoRequired)
    } else if !facts.admits_address {
        Err(FormLoginRefusal::AddressNotAllowed)
    } else if user.portal == Portal::Admin && user.roles.assigned.is_empty() {
        Err(FormLoginRefusal::NoRole)
    } else {
        Ok(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential_epoch::CredentialEpoch;
    use crate::email::Email;
    use crate::role::{Role, RoleAssignments, RoleSet};
    use crate::user::UserStatus;
    use crate::username::Username;
    use crate::{AccountId, UserId};
    use jiff::Timestamp;
    use uuid::Uuid;

    fn user(id: u128, username: &str, email: &str, status: UserStatus) -> User {
        User {
            id: UserId::from_uuid(Uuid::from_u128(id)),
            account_id: AccountId::from_uuid(Uuid::from_u128(9)),
            portal: Portal::Admin,
            username: Username::parse(username).unwrap(),
            email: Some(Email::parse(email).unwrap()),
            display_name: None,
            status,
            roles: RoleAssignments {
                assigned: RoleSet::from([Role::OrganizationMember]),
                ..RoleAssignments::default()
            },
            recovery_email: None,
            break_glass: false,
            require_email_mfa: false,
            exempt: false,
            credential_epoch: CredentialEpoch::FIRST,
            last_sign_in: None,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// Proves B1, A2: what several who may sign in go by, as username or email, signs nobody in.
    #[test]
    fn a_typed_identity_stands_for_one_user_or_for_none() {
        use UserStatus::{Active, Inactive, Invited};
        let mail = "ann@acme.example";
        let named = user(1, "Ann@Acme.example", "other@acme.example", Active);
        let (ann, bob, gone) =
            (user(2, "ann", mail, Active), user(3, "bob", mail, Active), user(4, "x", mail, Inactive));
        let cases: [(Vec<User>, Result<u128, FormLoginRefusal>); 9] = [
            (vec![], Err(FormLoginRefusal::UnknownUser)),
            (vec![ann.clone()], Ok(2)),
            (vec![ann.clone(), bob.clone()], Err(FormLoginRefusal::SeveralUsers)),
            (vec![ann.clone(), named], Err(FormLoginRefusal::SeveralUsers)),
            (vec![ann.clone(), user(5, "new", mail, Invited)], Err(FormLoginRefusal::SeveralUsers)),
            (vec![ann.clone(), bob, gone.clone()], Err(FormLoginRefusal::SeveralUsers)),
            (vec![gone.clone(), ann], Ok(2)),
            (vec![gone], Ok(4)),
            (vec![user(5, "new", mail, Invited)], Ok(5)),
        ];
        for (index, (candidates, wanted)) in cases.into_iter().enumerate() {
            let found = identify(&candidates, "ANN@acme.example").map(|user| user.id.as_uuid().as_u128());
            assert_eq!(found, wanted, "{index}");
        }
    }

    /// Proves B5, A3, A6: whatever is wrong besides, a wrong password is told as nothing but wrong.
    #[test]
    fn nothing_is_told_before_the_password_is_right() {
        use FormLoginRefusal::{AddressNotAllowed, Inactive, NoPassword, NoRole, SsoRequired, WrongPassword};
        let active = user(1, "ann", "ann@acme.example", UserStatus::Active);
        let inactive = user(1, "ann", "ann@acme.example", UserStatus::Inactive);
        let invited = user(1, "ann", "ann@acme.example", UserStatus::Invited);
        let roleless = User { roles: RoleAssignments::default(), ..active.clone() };
        let right = FormLoginFacts { user: Ok(&active), is_right: Some(true), is_allowed: true, admits_address: true };
        let cases = [
            (right, Ok(())),
            (FormLoginFacts { user: Ok(&invited), ..right }, Ok(())),
            (FormLoginFacts { user: Ok(&roleless), ..right }, Err(NoRole)),
            (FormLoginFacts { user: Ok(&inactive), ..right }, Err(Inactive)),
            (FormLoginFacts { is_allowed: false, ..right }, Err(SsoRequired)),
            (FormLoginFacts { admits_address: false, ..right }, Err(AddressNotAllowed)),
            (
                FormLoginFacts { user: Err(FormLoginRefusal::SeveralUsers), ..right },
                Err(FormLoginRefusal::SeveralUsers),
            ),
        ];
        for (facts, wanted) in cases {
            assert_eq!(decide_form_login(&facts).map(|_| ()), wanted, "{facts:?}");
            if facts.user.is_ok() {
                let wrong = FormLoginFacts { is_right: Some(false), ..facts };
                assert_eq!(decide_form_login(&wrong).map(|_| ()), Err(WrongPassword), "{facts:?}");
                let none = FormLoginFacts { is_right: None, ..facts };
                assert_eq!(decide_form_login(&none).map(|_| ()), Err(NoPassword), "{facts:?}");
            }
        }
    }

    /// Proves B3: the baseline stays for everybody until SSO is required, and for break-glass and exempt users for
    /// good.
    #[test]
    fn form_login_is_there_for_whom_it_must() {
        for mode in [SsoMode::Off, SsoMode::Optional] {
            assert!(form_login_allowed(mode, false) && form_login_allowed(mode, true));
        }
        assert!(form_login_allowed(SsoMode::Required, true));
        assert!(!form_login_allowed(SsoMode::Required, false));
        assert!(method_allowed(SsoMode::Required, SignInMethod::Saml, false));
        for method in [SignInMethod::Password, SignInMethod::PasswordAndCode, SignInMethod::MagicLink] {
            assert!(
                !method_allowed(SsoMode::Required, method, false) && method_allowed(SsoMode::Required, method, true)
            );
        }
    }

    /// Proves A4, A6: from outside the allowed networks nobody comes but a break-glass user, by a mailed code.
    #[test]
    fn allowed_networks_ask_more_of_break_glass_users_and_keep_others_out() {
        let (inside, outside) = ("192.0.2.1".parse().unwrap(), "203.0.113.7".parse().unwrap());
        let office = vec![crate::network::Network::parse("192.0.2.0/24").unwrap()];
        let settings = AccountSettings { allowed_networks: office, ..AccountSettings::default() };
        let ann = user(1, "ann", "ann@b.se", UserStatus::Active);
        let guard = User { break_glass: true, ..ann.clone() };
        let table = [(&ann, inside, false), (&ann, outside, false), (&guard, inside, false), (&guard, outside, true)];
        for (user, address, asked) in table {
            assert_eq!(needs_code(&settings, user, address), asked, "{address}");
            assert_eq!(network_allowed(&settings, user, false, address), address == inside);
            assert_eq!(network_allowed(&settings, user, true, address), address == inside || asked);
        }
    }
}
