//! Resetting a password by a mailed link (B4).
//!
//! Every request for a reset gets the same answer, whichever user it names. The link is mailed to the user alone.

use jiff::SignedDuration;

use crate::sso::connection::SsoMode;
use crate::throttle::Pace;
use crate::user::{User, UserStatus};

/// Lifetime of a reset link.
pub const RESET_LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// Pace of the mails to one user. Older links go on working until one is used, so a stranger's repeated requests
/// neither flood the user's mailbox nor void their last link.
pub const RESET_PACE: Pace = Pace { burst: 3, period: SignedDuration::from_mins(20) };
/// Most users who are mailed for one email that they share (A2).
pub const RESET_USERS_MAX: usize = 5;

/// Refusal of a reset, because the identity provider handles the portal's passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("SSO is required, so there is no password to reset")]
pub struct ResetUnsupported;

/// Decides the answer to a request for a reset: the same for every email.
pub fn decide_answer(mode: SsoMode) -> Result<(), ResetUnsupported> {
    match mode {
        SsoMode::Off | SsoMode::Optional => Ok(()),
        SsoMode::Required => Err(ResetUnsupported),
    }
}

/// Whether this user may have a new password by mail. Invited users have an invitation for that, deactivated ones
/// nothing at all. Where SSO is required, break-glass and exempt users alone may: theirs is the way in besides the
/// identity provider.
pub fn may_reset(user: &User, mode: SsoMode) -> bool {
    let has_password = user.keeps_form_login() || decide_answer(mode).is_ok();
    user.status == UserStatus::Active && user.reset_email().is_some() && has_password
}

/// Picks the users, among those who go by the entered text, that a mail is for.
pub fn recipients(candidates: &[User], mode: SsoMode) -> Vec<&User> {
    candidates.iter().filter(|user| may_reset(user, mode)).take(RESET_USERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::Email;
    use crate::sso::discovery::tests::user;

    /// Proves B4: active users with an email, not too many of them, and nobody where SSO is required.
    #[test]
    fn active_users_with_an_email_are_mailed_and_everybody_is_told_the_same() {
        let known = [
            user(1, "a", Some("a@b.se"), UserStatus::Active),
            user(2, "b", Some("a@b.se"), UserStatus::Inactive),
            user(3, "c", Some("a@b.se"), UserStatus::Invited),
            user(4, "a@b.se", None, UserStatus::Active),
        ];
        for mode in [SsoMode::Off, SsoMode::Optional] {
            assert_eq!(decide_answer(mode), Ok(()));
            let ids: Vec<_> = recipients(&known, mode).iter().map(|user| user.id).collect();
            assert_eq!(ids, [known[0].id]);
        }
        assert_eq!(decide_answer(SsoMode::Required), Err(ResetUnsupported));
        assert!(recipients(&known, SsoMode::Required).is_empty());
        let recovery_email = Some(Email::parse("home@c.se").unwrap());
        let guard = User { break_glass: true, recovery_email, ..known[0].clone() };
        assert_eq!(guard.reset_email().unwrap().as_str(), "home@c.se");
        assert_eq!(User { break_glass: false, ..guard.clone() }.reset_email().unwrap().as_str(), "a@b.se");
        assert_eq!(recipients(&[guard], SsoMode::Required).len(), 1);
        let many: Vec<User> = (0..9).map(|n| user(n, "x", Some("a@b.se"), UserStatus::Active)).collect();
        assert_eq!(recipients(&many, SsoMode::Off).len(), RESET_USERS_MAX);
    }
}
