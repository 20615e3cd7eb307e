//! Signing in to the `self_service` portal by a mailed link (B6).
//!
//! Every request for a link gets the same answer, whichever email it names. The link is mailed to the user alone.

use jiff::SignedDuration;

use crate::email::Email;
use crate::form_login::method_allowed;
use crate::portal::Portal;
use crate::sso::connection::SsoMode;
use crate::sso::discovery::{Match, matching_user};
use crate::throttle::Pace;
use crate::user::{SignInMethod, User};

/// Pace of the mails to one user, so that a stranger's requests do not flood their mailbox. One mail in each
/// lifetime of a link (A6's default) stays possible however many requests come.
pub const MAGIC_LINK_PACE: Pace = Pace { burst: 3, period: SignedDuration::from_mins(5) };

/// Refusal of a magic link, because the identity provider handles the portal's sign-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("SSO is required, so there are no magic links")]
pub struct MagicLinkUnsupported;

/// Decides the answer to a request for a link: the same for every email.
pub fn decide_answer(mode: SsoMode) -> Result<(), MagicLinkUnsupported> {
    match mode {
        SsoMode::Off | SsoMode::Optional => Ok(()),
        SsoMode::Required => Err(MagicLinkUnsupported),
    }
}

/// Whether this user may sign in by a link. An invited user becomes active thereby. Where SSO is required, exempt
/// users alone may: the answer to the request is the same, and they are mailed besides, as with a reset (B3, B4).
pub fn may_sign_in(user: &User, mode: SsoMode) -> bool {
    user.portal == Portal::SelfService
        && user.status.is_welcome()
        && user.link_email().is_some()
        && method_allowed(mode, SignInMethod::MagicLink, user.keeps_form_login())
}

/// Picks the user that the link for the entered email is mailed to. Where several active users share it, no user is
/// picked, because choosing one could let in another (A2).
pub fn recipient<'a>(email: &Email, candidates: &'a [User], mode: SsoMode) -> Option<&'a User> {
    match matching_user(email.as_str(), candidates) {
        Match::One(user) if may_sign_in(user, mode) => Some(user),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sso::discovery::tests::user;
    use crate::user::UserStatus;

    fn end_user(n: u128, email: Option<&str>, status: UserStatus) -> User {
        User { portal: Portal::SelfService, ..user(n, &format!("user-{n}"), email, status) }
    }

    /// Proves B6, B3: active and invited users of the portal, where SSO is not required or they are exempt, and
    /// only with an email.
    #[test]
    fn active_and_invited_end_users_sign_in_by_link() {
        use UserStatus::{Active, Inactive, Invited};
        let email = Some("a@b.se");
        let table = [
            (end_user(1, email, Active), SsoMode::Off, true),
            (end_user(1, email, Invited), SsoMode::Optional, true),
            (end_user(1, email, Inactive), SsoMode::Off, false),
            (end_user(1, None, Active), SsoMode::Off, false),
            (end_user(1, email, Active), SsoMode::Required, false),
            (User { exempt: true, ..end_user(1, email, Active) }, SsoMode::Required, true),
            (User { exempt: true, ..end_user(1, email, Inactive) }, SsoMode::Required, false),
            (User { exempt: true, ..end_user(1, None, Active) }, SsoMode::Required, false),
            (
                User { exempt: true, recovery_email: Email::parse("own@b.se").ok(), ..end_user(1, None, Active) },
                SsoMode::Required,
                true,
            ),
            (user(1, "ann", email, Active), SsoMode::Off, false),
        ];
        for (user, mode, expected) in table {
            assert_eq!(may_sign_in(&user, mode), expected, "{user:?} {mode:?}");
        }
    }

    /// Proves B6, A2: an email that several active users share is nobody's.
    #[test]
    fn a_link_is_for_the_one_user_of_an_email() {
        use UserStatus::{Active, Inactive};
        let email = Email::parse("A@b.se").unwrap();
        let one = end_user(1, Some("a@b.se"), Active);
        let gone = end_user(2, Some("a@b.se"), Inactive);
        let other = end_user(3, Some("a@b.se"), Active);
        let id = |users: &[User]| recipient(&email, users, SsoMode::Off).map(|user| user.id);
        assert_eq!(id(&[one.clone(), gone]), Some(one.id));
        assert_eq!(id(&[one, other]), None);
        assert_eq!(id(&[]), None);
    }
}
