//! The invitation of an account's first owner (A1): what an operator is told of it, and what it waits for.

use jiff::Timestamp;

use crate::invitation::{Invitation, InvitationState};
use crate::named::named;

named! {
    /// State of the first owner's invitation.
    OwnerInvitationState, OwnerInvitationStateError,
    "expected \"waiting\", \"mailed\", \"accepted\", \"expired\" or \"revoked\"" {
        /// Its mail cannot go out yet; it goes by itself once it can.
        Waiting = "waiting",
        /// Its mail is on its way, or has arrived.
        Mailed = "mailed",
        /// The first owner set their password.
        Accepted = "accepted",
        /// Its time went by; a resend makes it good again.
        Expired = "expired",
        /// An owner took it back.
        Revoked = "revoked",
    }
}

named! {
    /// Prerequisite that the first owner's mail waits for.
    OwnerInvitationBlock, OwnerInvitationBlockError,
    "expected \"page_not_configured\" or \"mail_server_not_configured\"" {
        /// No default application of the admin portal, of the account or shared, has the page `accept_invitation`.
        PageNotConfigured = "page_not_configured",
        /// The installation has no mail server.
        MailServerNotConfigured = "mail_server_not_configured",
    }
}

/// The first owner's invitation, as an operator is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerInvitation {
    /// State of the invitation now.
    pub state: OwnerInvitationState,
    /// The prerequisite that its mail waits for.
    pub blocked_by: Option<OwnerInvitationBlock>,
}

/// Prerequisites of a mail to the first owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailPrerequisites {
    /// A page that its link leads to.
    pub has_page: bool,
    /// A server that takes it.
    pub has_mail_server: bool,
}

impl OwnerInvitation {
    /// Tells of this invitation as it is now.
    pub fn of(invitation: &Invitation, prerequisites: MailPrerequisites, now: Timestamp) -> Self {
        use OwnerInvitationBlock::{MailServerNotConfigured, PageNotConfigured};
        let MailPrerequisites { has_page, has_mail_server } = prerequisites;
        let ended = |state| Self { state, blocked_by: None };
        let waiting = |blocked_by| Self { state: OwnerInvitationState::Waiting, blocked_by };
        match (invitation.state(now), invitation.mail) {
            (InvitationState::Accepted, _) => ended(OwnerInvitationState::Accepted),
            (InvitationState::Revoked, _) => ended(OwnerInvitationState::Revoked),
            (InvitationState::Expired, _) => ended(OwnerInvitationState::Expired),
            (InvitationState::Pending, None) if !has_page => waiting(Some(PageNotConfigured)),
            (InvitationState::Pending, _) if !has_mail_server => waiting(Some(MailServerNotConfigured)),
            (InvitationState::Pending, None) => waiting(None),
            (InvitationState::Pending, Some(_)) => ended(OwnerInvitationState::Mailed),
        }
    }
}
