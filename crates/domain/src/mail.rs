//! Mail: what people are told by it, and how a mail gets from the outbox to its end (E4).

pub mod delivery;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::credential_epoch::CredentialEpoch;
use crate::email::Email;
use crate::language::Language;
use crate::named::named;
use crate::role::Role;
use crate::text::{Label, optional_stored};
use crate::user::User;
use crate::{AccountId, MailBatchId, MailId, UserId};

named! {
    /// Kind of a mail; also the name of its template.
    MailKind, MailKindError, "unknown kind of mail" {
        /// A colleague is invited to set a password.
        Invitation = "invitation",
        /// Invitation of the first owner of a new account.
        FirstOwnerInvitation = "first_owner_invitation",
        /// A colleague is invited to sign in with SSO.
        SsoInvitation = "sso_invitation",
        /// An end user is invited to sign in by magic link.
        SelfServiceInvitation = "self_service_invitation",
        /// SSO is required from now on.
        SsoRequired = "sso_required",
        /// SSO is not used any more.
        SsoEnded = "sso_ended",
        /// The same, with a password to begin with.
        TemporaryPassword = "temporary_password",
        /// A link to set a new password.
        PasswordReset = "password_reset",
        /// The password was changed.
        PasswordChanged = "password_changed",
        /// An address of the user was changed: told to the one that was theirs.
        AddressChanged = "address_changed",
        /// A one-time code for signing in.
        MfaCode = "mfa_code",
        /// A link to sign in with.
        MagicLink = "magic_link",
        /// A break-glass user came in by form login.
        BreakGlassUsed = "break_glass_used",
        /// A break-glass user proved that they would.
        BreakGlassDrill = "break_glass_drill",
        /// A user can be entered from another account from now on.
        UsersPaired = "users_paired",
        /// Whether mail arrives, and what it looks like.
        Test = "test",
    }
}

named! {
    /// State of a mail in the outbox.
    MailState, MailStateError, "expected \"queued\", \"sending\", \"delivered\", \"dead\" or \"withdrawn\"" {
        /// Waiting for its next attempt.
        Queued = "queued",
        /// Being handed to the mail server right now.
        Sending = "sending",
        /// The mail server has taken it.
        Delivered = "delivered",
        /// Given up; an operator may try it again.
        Dead = "dead",
        /// Withdrawn because what it carries was voided before it was sent (A7); it is never sent.
        Withdrawn = "withdrawn",
    }
}

/// Retention of a mail's record after it was settled: as long as an operator or owner may still ask where a mail
/// went.
pub const MAIL_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Content of a mail, with everything that its template needs. Holds secrets (links, codes): sealed wherever it is
/// kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MailMessage {
    /// E2: set a password, and be in.
    Invitation {
        /// The frontend's page, with the one-time token in its fragment.
        link: String,
        /// Time at which the link stops working.
        expires_at: Timestamp,
        /// Name of the inviting user; none where an operator invites.
        #[serde(deserialize_with = "optional_stored")]
        inviter: Option<Label>,
        /// Roles that the invited user will hold.
        roles: Vec<Role>,
    },
    /// A1: the account is there, and yours.
    FirstOwnerInvitation {
        /// The frontend's page, with the one-time token in its fragment.
        link: String,
        /// Time at which the link stops working.
        expires_at: Timestamp,
    },
    /// E2: sign in with SSO.
    SsoInvitation {
        /// Address where a sign-in with SSO begins (C8); not a secret.
        saml_login_url: String,
        /// Time at which the invitation ends.
        expires_at: Timestamp,
        /// Name of the inviting user; none where an operator invites.
        #[serde(deserialize_with = "optional_stored")]
        inviter: Option<Label>,
        /// Roles that the invited user will hold.
        roles: Vec<Role>,
    },
    /// E2: sign in by magic link.
    SelfServiceInvitation {
        /// The frontend's page where people begin to sign in; no secret.
        login_url: String,
        /// Time at which the invitation ends.
        expires_at: Timestamp,
        /// Name of the inviting user; none where an operator invites.
        #[serde(deserialize_with = "optional_stored")]
        inviter: Option<Label>,
    },
    /// F3: sign in with SSO from now on.
    SsoRequired {
        /// Address where a sign-in with SSO begins (C8); not a secret.
        saml_login_url: String,
    },
    /// F4: sign in as before SSO was required.
    SsoEnded {
        /// The frontend's page where people begin to sign in; no secret.
        login_url: String,
    },
    /// F4: sign in with this password, once, and choose another one.
    TemporaryPassword {
        /// The frontend's page where people begin to sign in.
        login_url: String,
        /// Username to sign in with.
        username: String,
        /// Temporary password in clear text.
        password: String,
        /// Time at which the password stops working.
        expires_at: Timestamp,
    },
    /// B4: set a new password.
    PasswordReset {
        /// Username that the password belongs to: several users may have one email (A2).
        username: String,
        /// The frontend's page, with the one-time token in its fragment.
        link: String,
        /// Time at which the link stops working.
        expires_at: Timestamp,
    },
    /// Notice that the password was changed, for a user who may not have done it.
    PasswordChanged {
        /// Time of the password's change.
        changed_at: Timestamp,
    },
    /// Notice that mail and codes go to another address now (A7), for a user who may not have changed it.
    AddressChanged {
        /// Username of the user with the new address.
        username: String,
        /// Time of the address's change.
        changed_at: Timestamp,
    },
    /// B2: the second factor.
    MfaCode {
        /// One-time code of six digits.
        code: String,
        /// Time at which the code stops working.
        expires_at: Timestamp,
    },
    /// B6: the way in of self-service users.
    MagicLink {
        /// The frontend's page, with the one-time token in its fragment.
        link: String,
        /// Time at which the link stops working.
        expires_at: Timestamp,
    },
    /// Notice to every owner that a break-glass user signed in, so that an unexpected use is noticed (A4).
    BreakGlassUsed {
        /// Username of the break-glass user.
        username: String,
        /// Time of the sign-in.
        used_at: Timestamp,
        /// IP address of the client.
        client_address: String,
    },
    /// A4: a drill ended well; the last proof is that this mail arrives.
    BreakGlassDrill {
        /// Time at which the drill ended.
        drilled_at: Timestamp,
    },
    /// Notice to both users of a pair, so that one which they did not make is noticed (G1).
    UsersPaired {
        /// The user who is told.
        username: String,
        /// Display name of the other account.
        other_account: String,
        /// Username of the user in the other account.
        other_username: String,
        /// Time at which the users were paired.
        paired_at: Timestamp,
        /// IP address of the client.
        client_address: String,
    },
    /// An operator tries whether mail arrives.
    Test,
}

impl MailMessage {
    /// Kind of mail that this message is.
    pub const fn kind(&self) -> MailKind {
        match self {
            Self::Invitation { .. } => MailKind::Invitation,
            Self::FirstOwnerInvitation { .. } => MailKind::FirstOwnerInvitation,
            Self::SsoInvitation { .. } => MailKind::SsoInvitation,
            Self::SelfServiceInvitation { .. } => MailKind::SelfServiceInvitation,
            Self::SsoRequired { .. } => MailKind::SsoRequired,
            Self::SsoEnded { .. } => MailKind::SsoEnded,
            Self::TemporaryPassword { .. } => MailKind::TemporaryPassword,
            Self::PasswordReset { .. } => MailKind::PasswordReset,
            Self::PasswordChanged { .. } => MailKind::PasswordChanged,
            Self::AddressChanged { .. } => MailKind::AddressChanged,
            Self::MfaCode { .. } => MailKind::MfaCode,
            Self::MagicLink { .. } => MailKind::MagicLink,
            Self::BreakGlassUsed { .. } => MailKind::BreakGlassUsed,
            Self::BreakGlassDrill { .. } => MailKind::BreakGlassDrill,
            Self::UsersPaired { .. } => MailKind::UsersPaired,
            Self::Test => MailKind::Test,
        }
    }

    /// Time after which the mail would be of no use; none where it stays of use.
    pub const fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Invitation { expires_at, .. }
            | Self::FirstOwnerInvitation { expires_at, .. }
            | Self::SsoInvitation { expires_at, .. }
            | Self::SelfServiceInvitation { expires_at, .. }
            | Self::TemporaryPassword { expires_at, .. }
            | Self::PasswordReset { expires_at, .. }
            | Self::MfaCode { expires_at, .. }
            | Self::MagicLink { expires_at, .. } => Some(*expires_at),
            Self::SsoRequired { .. }
            | Self::SsoEnded { .. }
            | Self::PasswordChanged { .. }
            | Self::AddressChanged { .. }
            | Self::BreakGlassUsed { .. }
            | Self::BreakGlassDrill { .. }
            | Self::UsersPaired { .. }
            | Self::Test => None,
        }
    }
}

impl fmt::Debug for MailMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailMessage({}, …)", self.kind().as_str())
    }
}

impl MailKind {
    /// Whether a user is waiting for the mail: then it goes before mails that were sent to many.
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::PasswordReset | Self::MfaCode | Self::MagicLink)
    }

    /// Whether it lets its user in, or invites them to come: such a mail is void with what it carries, and goes to no
    /// address that is not the user's any more (A7).
    pub const fn is_credential(self) -> bool {
        match self {
            Self::Invitation
            | Self::FirstOwnerInvitation
            | Self::SsoInvitation
            | Self::SelfServiceInvitation
            | Self::TemporaryPassword
            | Self::PasswordReset
            | Self::MfaCode
            | Self::MagicLink => true,
            Self::SsoRequired
            | Self::SsoEnded
            | Self::PasswordChanged
            | Self::AddressChanged
            | Self::BreakGlassUsed
            | Self::BreakGlassDrill
            | Self::UsersPaired
            | Self::Test => false,
        }
    }
}

/// A mail to be sent.
#[derive(Debug, Clone)]
pub struct OutgoingMail {
    /// Account in whose name the mail is sent: its branding applies, and its owners see the mail's state.
    pub account_id: Option<AccountId>,
    /// Address of the recipient.
    pub to: Email,
    /// Language of the mail's text.
    pub language: Language,
    /// Content of the mail, in clear.
    pub message: MailMessage,
}

impl Mail {
    /// The same for this user; void with what else was issued to them, if it is a credential.
    #[must_use]
    pub fn to_user(self, user: &User) -> Self {
        let credential_epoch = self.kind.is_credential().then_some(user.credential_epoch);
        Self { user_id: Some(user.id), credential_epoch, ..self }
    }
}

/// A mail in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Names it; in order of time.
    pub id: MailId,
    /// Account in whose name it is sent.
    pub account_id: Option<AccountId>,
    /// Kind of the mail, which names its template.
    pub kind: MailKind,
    /// Language of the mail's text.
    pub language: Language,
    /// Address of the recipient.
    pub recipient: Email,
    /// The `Message-ID` (RFC 5322, section 3.6.4), without angle brackets; the same in every attempt, so that a
    /// repeated mail is recognized.
    pub message_id: String,
    /// The [`MailMessage`], sealed; erased when the mail is delivered or of no use any more.
    pub sealed_message: Option<Vec<u8>>,
    /// The batch whose message it carries, where it has none of its own.
    pub batch_id: Option<MailBatchId>,
    /// User that a credential or a batch's mail is for: an invitation is taken back with its link; a batch's
    /// secret, if it carries one, is made when it is sent.
    pub user_id: Option<UserId>,
    /// The epoch of that user in which it was written, where it is a credential (A7).
    pub credential_epoch: Option<CredentialEpoch>,
    /// State of the mail in the outbox.
    pub state: MailState,
    /// Number of delivery attempts so far.
    pub attempts: u32,
    /// Time of the next attempt; while it is being sent, the time from which it may be taken for lost and tried
    /// again.
    pub due_at: Option<Timestamp>,
    /// Error of the latest attempt that failed.
    pub last_error: Option<String>,
    /// Time from which the message is of no use any more.
    pub expires_at: Option<Timestamp>,
    /// Time at which it was delivered or given up.
    pub settled_at: Option<Timestamp>,
    /// Time at which it was written.
    pub created_at: Timestamp,
}
