//! Invitations (E1 to E4): the users that an owner expects, since when, and the outcome.
//!
//! An invitation begins staged, with no mail. Each mail starts its time anew. It ends when the invited person
//! accepts, by its link or by their first sign-in through SSO, or when an owner revokes it.

use jiff::{SignedDuration, Timestamp};

use crate::email::Email;
use crate::named::named;
use crate::portal::Portal;
use crate::sso::connection::SsoMode;
use crate::user::{SignInMethod, UserStatus};
use crate::username::Username;
use crate::{AccountId, InvitationBatchId, InvitationId, UserId};

/// Time that an owner must wait before the same user is mailed again, so that their mailbox is not flooded.
pub const RESEND_PAUSE: SignedDuration = SignedDuration::from_secs(60);

named! {
    /// State of an invitation (E1).
    InvitationState, InvitationStateError, "expected \"pending\", \"accepted\", \"expired\" or \"revoked\"" {
        /// Open invitation: it may be accepted, or is staged and waits for its mail.
        Pending = "pending",
        /// The invited person signed in or set a password.
        Accepted = "accepted",
        /// Expired invitation; a new mail makes it pending again.
        Expired = "expired",
        /// An owner took it back.
        Revoked = "revoked",
    }
}

named! {
    /// Way by which the invited user comes in for the first time (E2).
    AcceptBy, AcceptByError, "expected \"password\", \"sso\" or \"magic_link\"" {
        /// Link that lets them set a password.
        Password = "password",
        /// Sign-in by SSO of the portal.
        Sso = "sso",
        /// Sign-in by magic link; the way of the `self_service` portal.
        MagicLink = "magic_link",
    }
}

/// Reason for which users cannot be invited to come in that way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcceptByRefusal {
    /// The portal's connection is not enabled.
    #[error("sso needs an enabled SAML connection of this portal")]
    SsoIsOff,
    /// The portal lets people in through SSO alone.
    #[error("this portal requires SSO")]
    SsoIsRequired,
    /// Passwords are of the `admin` portal, magic links of `self_service`.
    #[error("password is for the admin portal, magic_link for self_service")]
    OtherPortal,
}

/// Decides how invited people come in (E2): as the inviter wants, or else through SSO wherever it is enabled.
pub fn decide_accept_by(portal: Portal, mode: SsoMode, wanted: Option<AcceptBy>) -> Result<AcceptBy, AcceptByRefusal> {
    let own = match portal {
        Portal::Admin => AcceptBy::Password,
        Portal::SelfService => AcceptBy::MagicLink,
    };
    match (wanted, mode) {
        (None | Some(AcceptBy::Sso), SsoMode::Optional | SsoMode::Required) => Ok(AcceptBy::Sso),
        (Some(AcceptBy::Sso), SsoMode::Off) => Err(AcceptByRefusal::SsoIsOff),
        (None, SsoMode::Off) => Ok(own),
        (Some(wanted), _) if wanted != own => Err(AcceptByRefusal::OtherPortal),
        (Some(_), SsoMode::Required) => Err(AcceptByRefusal::SsoIsRequired),
        (Some(wanted), SsoMode::Off | SsoMode::Optional) => Ok(wanted),
    }
}

/// The mails of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvitationMail {
    /// Time at which the last one was written.
    pub mailed_at: Timestamp,
    /// Time from which on it cannot be accepted.
    pub expires_at: Timestamp,
    /// Number of mails that were written.
    pub sends: u32,
}

/// End of an invitation, with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationEnd {
    /// Accepted at this time by this method.
    Accepted(Timestamp, SignInMethod),
    /// Revoked at this time by an owner.
    Revoked(Timestamp),
}

/// An invitation of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Id of the invitation.
    pub id: InvitationId,
    /// Account that it invites into.
    pub account_id: AccountId,
    /// Portal that it invites into.
    pub portal: Portal,
    /// User who is invited. A revoked invitation's user is gone.
    pub user_id: UserId,
    /// The batch that it came in, if it did.
    pub batch_id: Option<InvitationBatchId>,
    /// Username that they will sign in as.
    pub username: Username,
    /// Address that its mail goes to; a staged one may have none yet.
    pub email: Option<Email>,
    /// Whether it is of the account's first owner (A1): its link sets a password whatever the SSO mode is, and makes a
    /// break-glass user of them.
    pub first_owner: bool,
    /// The owner who invited; none for an operator.
    pub invited_by: Option<UserId>,
    /// Time at which they were invited.
    pub invited_at: Timestamp,
    /// Mails of the invitation; none while it is staged.
    pub mail: Option<InvitationMail>,
    /// End of the invitation; none while it is open.
    pub end: Option<InvitationEnd>,
}

impl Invitation {
    /// State of the invitation at this time.
    pub fn state(&self, now: Timestamp) -> InvitationState {
        match self.end {
            Some(InvitationEnd::Accepted(..)) => InvitationState::Accepted,
            Some(InvitationEnd::Revoked(_)) => InvitationState::Revoked,
            None => open_state(self.mail.map(|mail| mail.expires_at), now),
        }
    }

    /// The mails of it after one more that is written now and leaves this much time.
    pub fn mailed_again(&self, now: Timestamp, lifetime: SignedDuration) -> InvitationMail {
        InvitationMail {
            mailed_at: now,
            expires_at: now.saturating_add(lifetime).unwrap_or(Timestamp::MAX),
            sends: self.mail.map_or(0, |mail| mail.sends).saturating_add(1),
        }
    }
}

/// State of an invitation that has not ended.
fn open_state(expires_at: Option<Timestamp>, now: Timestamp) -> InvitationState {
    if expires_at.is_some_and(|end| now >= end) { InvitationState::Expired } else { InvitationState::Pending }
}

/// Summary of a user's invitation, for a list of users (E3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvitationSummary {
    /// Id of the invitation.
    pub id: InvitationId,
    /// Time at which they were invited.
    pub invited_at: Timestamp,
    /// Time of the last mail; none while it is staged.
    pub mailed_at: Option<Timestamp>,
    /// Time from which on it cannot be accepted.
    pub expires_at: Option<Timestamp>,
    /// Time at which it was accepted, if it was.
    pub accepted_at: Option<Timestamp>,
    /// Time at which it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl InvitationSummary {
    /// State of the invitation at this time.
    pub fn state(&self, now: Timestamp) -> InvitationState {
        match (self.accepted_at, self.revoked_at) {
            (Some(_), _) => InvitationState::Accepted,
            (None, Some(_)) => InvitationState::Revoked,
            (None, None) => open_state(self.expires_at, now),
        }
    }
}

/// Reason for which nothing more can be done with an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvitationRefusal {
    /// Invitation that was accepted before.
    #[error("the invitation was accepted")]
    Accepted,
    /// An owner took it back.
    #[error("the invitation was revoked")]
    Revoked,
    /// Invitation whose time went by.
    #[error("the invitation has expired")]
    Expired,
    /// The first owner's is accepted by the link alone, which sets a password (A1).
    #[error("the first owner accepts by setting a password")]
    SetsPassword,
    /// The invited user was deactivated meanwhile (A3).
    #[error("the invited user is deactivated")]
    Inactive,
    /// The last mail is so recent that the next one waits.
    #[error("the invitation was mailed a moment ago")]
    TooSoon {
        /// Time from which on the next mail may go out.
        until: Timestamp,
    },
}

fn open(invitation: &Invitation) -> Result<(), InvitationRefusal> {
    match invitation.end {
        Some(InvitationEnd::Accepted(..)) => Err(InvitationRefusal::Accepted),
        Some(InvitationEnd::Revoked(_)) => Err(InvitationRefusal::Revoked),
        None => Ok(()),
    }
}

/// Decides whether the invited user is let in, by any way (E2). A staged invitation does not expire: an owner
/// expects this user, and through SSO they may come before any mail. An expired one lets no user in, by any way,
/// so that roles which were meant for a newcomer do not lie about for ever.
pub fn decide_accept(invitation: &Invitation, status: UserStatus, now: Timestamp) -> Result<(), InvitationRefusal> {
    open(invitation)?;
    if !status.is_welcome() {
        return Err(InvitationRefusal::Inactive);
    }
    if invitation.state(now) == InvitationState::Expired { Err(InvitationRefusal::Expired) } else { Ok(()) }
}

/// Decides whether a sign-in accepts it (E2), through SSO for one. The first owner's is left to its link: an
/// account whose owner came through SSO would have no user who gets in when SSO does not work (A1, A4).
pub fn decide_accept_by_sign_in(
    invitation: &Invitation,
    status: UserStatus,
    now: Timestamp,
) -> Result<(), InvitationRefusal> {
    open(invitation)?;
    if invitation.first_owner && status.is_welcome() {
        return Err(InvitationRefusal::SetsPassword);
    }
    decide_accept(invitation, status, now)
}

/// Decides whether another mail may go out (E3), which leaves this much time to accept.
pub fn decide_resend(
    invitation: &Invitation,
    status: UserStatus,
    now: Timestamp,
    lifetime: SignedDuration,
) -> Result<InvitationMail, InvitationRefusal> {
    open(invitation)?;
    if !status.is_welcome() {
        return Err(InvitationRefusal::Inactive);
    }
    let until = invitation.mail.and_then(|mail| mail.mailed_at.saturating_add(RESEND_PAUSE).ok());
    match until {
        Some(until) if now < until => Err(InvitationRefusal::TooSoon { until }),
        _ => Ok(invitation.mailed_again(now, lifetime)),
    }
}

/// Decides whether an owner may still take it back.
pub fn decide_revoke(invitation: &Invitation) -> Result<(), InvitationRefusal> {
    open(invitation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const DAY: i64 = 24 * 3_600;
    const LIFETIME: SignedDuration = SignedDuration::from_secs(7 * DAY);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn staged() -> Invitation {
        Invitation {
            id: InvitationId::from_uuid(Uuid::from_u128(1)),
            account_id: AccountId::from_uuid(Uuid::from_u128(2)),
            portal: Portal::Admin,
            user_id: UserId::from_uuid(Uuid::from_u128(3)),
            batch_id: None,
            username: Username::parse("ann@b.se").unwrap(),
            email: None,
            first_owner: false,
            invited_by: None,
            invited_at: at(0),
            mail: None,
            end: None,
        }
    }

    fn mailed() -> Invitation {
        Invitation { mail: Some(staged().mailed_again(at(0), LIFETIME)), ..staged() }
    }

    fn ended(end: InvitationEnd) -> Invitation {
        Invitation { end: Some(end), ..mailed() }
    }

    /// Proves E1: the four states, and that a staged invitation waits for as long as it takes.
    #[test]
    fn an_invitation_is_pending_accepted_expired_or_revoked() {
        let accepted = ended(InvitationEnd::Accepted(at(1), SignInMethod::Saml));
        let table = [
            (staged(), at(900 * DAY), InvitationState::Pending),
            (mailed(), at(7 * DAY - 1), InvitationState::Pending),
            (mailed(), at(7 * DAY), InvitationState::Expired),
            (accepted, at(7 * DAY), InvitationState::Accepted),
            (ended(InvitationEnd::Revoked(at(1))), at(7 * DAY), InvitationState::Revoked),
        ];
        for (invitation, now, expected) in table {
            assert_eq!(invitation.state(now), expected, "{invitation:?}");
        }
    }

    /// Proves E2, A3.
    #[test]
    fn whoever_is_expected_and_comes_in_time_is_let_in() {
        use InvitationRefusal::{Accepted, Expired, Inactive, Revoked};
        let accepted = ended(InvitationEnd::Accepted(at(1), SignInMethod::Saml));
        let revoked = ended(InvitationEnd::Revoked(at(1)));
        let (invited, inactive) = (UserStatus::Invited, UserStatus::Inactive);
        let table = [
            (staged(), invited, 900, Ok(())),
            (mailed(), invited, 6, Ok(())),
            (mailed(), UserStatus::Active, 6, Ok(())),
            (mailed(), inactive, 6, Err(Inactive)),
            (mailed(), invited, 7, Err(Expired)),
            (accepted, invited, 6, Err(Accepted)),
            (revoked, invited, 6, Err(Revoked)),
        ];
        for (invitation, status, day, expected) in table {
            assert_eq!(decide_accept(&invitation, status, at(day * DAY)), expected, "{invitation:?} {status:?}");
        }
    }

    /// Proves A1, A4: no sign-in accepts the first owner's invitation, whether it was mailed, expired or not; a
    /// deactivated owner is told that instead.
    #[test]
    fn the_first_owner_accepts_by_the_link_alone() {
        let first = Invitation { first_owner: true, ..mailed() };
        let invited = UserStatus::Invited;
        assert_eq!(decide_accept_by_sign_in(&first, invited, at(6 * DAY)), Err(InvitationRefusal::SetsPassword));
        assert_eq!(decide_accept_by_sign_in(&first, invited, at(7 * DAY)), Err(InvitationRefusal::SetsPassword));
        assert_eq!(decide_accept_by_sign_in(&first, UserStatus::Inactive, at(1)), Err(InvitationRefusal::Inactive));
        assert_eq!(decide_accept(&first, invited, at(6 * DAY)), Ok(()));
        assert_eq!(decide_accept_by_sign_in(&mailed(), invited, at(6 * DAY)), Ok(()));
    }

    /// Proves E2: the mail is about a password, SSO or a magic link as the portal has them.
    #[test]
    fn people_come_in_by_a_way_that_the_portal_has() {
        use AcceptBy::{MagicLink, Password, Sso};
        use AcceptByRefusal::{OtherPortal, SsoIsOff, SsoIsRequired};
        use Portal::{Admin, SelfService};
        use SsoMode::{Off, Optional, Required};
        let table = [
            (Admin, Off, None, Ok(Password)),
            (Admin, Off, Some(Sso), Err(SsoIsOff)),
            (Admin, Off, Some(MagicLink), Err(OtherPortal)),
            (Admin, Optional, None, Ok(Sso)),
            (Admin, Optional, Some(Password), Ok(Password)),
            (Admin, Required, None, Ok(Sso)),
            (Admin, Required, Some(Password), Err(SsoIsRequired)),
            (SelfService, Off, None, Ok(MagicLink)),
            (SelfService, Off, Some(Password), Err(OtherPortal)),
            (SelfService, Optional, Some(MagicLink), Ok(MagicLink)),
            (SelfService, Required, Some(MagicLink), Err(SsoIsRequired)),
        ];
        for (portal, mode, wanted, expected) in table {
            assert_eq!(decide_accept_by(portal, mode, wanted), expected, "{portal:?} {mode:?} {wanted:?}");
        }
    }

    /// Proves E3: a new mail starts the time anew, also after it was over, but not twice within a minute.
    #[test]
    fn a_resend_starts_the_time_anew() {
        let invited = UserStatus::Invited;
        let resend = |invitation: &Invitation, status, now| decide_resend(invitation, status, now, LIFETIME);
        let first = resend(&staged(), invited, at(5)).unwrap();
        assert_eq!((first.mailed_at, first.expires_at, first.sends), (at(5), at(5 + 7 * DAY), 1));
        let again = resend(&mailed(), invited, at(30 * DAY)).unwrap();
        assert_eq!((again.expires_at, again.sends), (at(37 * DAY), 2));
        let soon = InvitationRefusal::TooSoon { until: at(60) };
        assert_eq!(resend(&mailed(), invited, at(59)), Err(soon));
        assert!(resend(&mailed(), invited, at(60)).is_ok());
        let revoked = ended(InvitationEnd::Revoked(at(1)));
        assert_eq!(resend(&revoked, invited, at(90)), Err(InvitationRefusal::Revoked));
        assert_eq!(decide_revoke(&revoked), Err(InvitationRefusal::Revoked));
        assert_eq!(decide_revoke(&mailed()), Ok(()));
    }
}
