//! Users: people in one portal of one account.

use jiff::Timestamp;

use crate::credential_epoch::CredentialEpoch;
use crate::email::Email;
use crate::named::named;
use crate::portal::Portal;
use crate::role::RoleAssignments;
use crate::text::Label;
use crate::username::Username;
use crate::{AccountId, UserId};

named! {
    /// Status of a user in the directory.
    UserStatus, UserStatusError, "expected \"invited\", \"active\", \"inactive\" or \"archived\"" {
        /// Expected; the first sign-in makes them active.
        Invited = "invited",
        /// The user may sign in.
        Active = "active",
        /// Deactivated by an owner: refused at every sign-in, exchange and refresh (A3).
        Inactive = "inactive",
        /// Removed as a duplicate when SSO became required: no name finds them, and going back can bring them back
        /// (F3, F4).
        Archived = "archived",
    }
}

impl UserStatus {
    /// Whether a user of this status may sign in, now or once they accept their invitation.
    pub const fn is_welcome(self) -> bool {
        matches!(self, Self::Invited | Self::Active)
    }
}

named! {
    /// Ways in which a user signs in.
    SignInMethod, SignInMethodError, "not a method of signing in" {
        /// Through the account's SAML identity provider.
        Saml = "saml",
        /// Sign-in by password alone.
        Password = "password",
        /// Sign-in by password, and a code that was mailed (B2).
        PasswordAndCode = "password_and_code",
        /// Sign-in by a link that was mailed (B6).
        MagicLink = "magic_link",
    }
}

impl SignInMethod {
    /// Whether it is form login, with or without a code.
    pub const fn is_form_login(self) -> bool {
        matches!(self, Self::Password | Self::PasswordAndCode)
    }

    /// The `amr` claim of the access token. RFC 8176 has no value for a federated sign-in, nor for a mailed link,
    /// so `saml` and `magic_link` are ours.
    pub const fn amr(self) -> &'static [&'static str] {
        match self {
            Self::Saml => &["saml"],
            Self::Password => &["pwd"],
            Self::PasswordAndCode => &["pwd", "otp"],
            Self::MagicLink => &["magic_link"],
        }
    }
}

/// Last sign-in of a user, and its method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSignIn {
    /// Time at which the session began.
    pub at: Timestamp,
    /// Way of signing in.
    pub method: SignInMethod,
}

/// A person in one portal of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Names them for good.
    pub id: UserId,
    /// Account that the user is of.
    pub account_id: AccountId,
    /// Portal whose directory they are in.
    pub portal: Portal,
    /// Unique per account and portal, without regard to case.
    pub username: Username,
    /// Address that mail goes to; need not be unique (A2).
    pub email: Option<Email>,
    /// Name that people read.
    pub display_name: Option<Label>,
    /// Status in the directory.
    pub status: UserStatus,
    /// Second address, for the second factor and recovery; may be outside the company's domain (A4).
    pub recovery_email: Option<Email>,
    /// Whether they are a break-glass user: they sign in by form login alone, and no assertion touches them (A4).
    pub break_glass: bool,
    /// Whether their form logins ask for a mailed code also where their account does not demand it (B2).
    pub require_email_mfa: bool,
    /// Whether an owner named them exempt: they keep their portal's baseline where SSO is required (B3, B6).
    pub exempt: bool,
    /// Roles by their source; empty in the `self_service` portal.
    pub roles: RoleAssignments,
    /// The epoch that whatever is issued to them is stamped with (A7).
    pub credential_epoch: CredentialEpoch,
    /// The last sign-in, if there was one.
    pub last_sign_in: Option<LastSignIn>,
    /// Time at which they were added.
    pub created_at: Timestamp,
    /// Time at which a property last changed; the `ETag`.
    pub updated_at: Timestamp,
}

impl User {
    /// Address that codes of the second factor go to (B2, A4): the recovery email where there is one.
    pub fn second_factor_email(&self) -> Option<&Email> {
        self.recovery_email.as_ref().or(self.email.as_ref())
    }

    /// Address for a link that is for the user alone: their email, or the recovery email of an exempt user whose
    /// email another user goes by.
    pub fn link_email(&self) -> Option<&Email> {
        self.email.as_ref().or(self.recovery_email.as_ref().filter(|_| self.exempt))
    }

    /// Address for the link that sets a new password (B4): a break-glass user's is the recovery email, because they
    /// must get in also when the company's mailboxes are out of reach (A4).
    pub fn reset_email(&self) -> Option<&Email> {
        if self.break_glass { self.second_factor_email() } else { self.link_email() }
    }

    /// Whether they keep their portal's baseline, password or mailed link, also where SSO is required (B3, B6).
    pub const fn keeps_form_login(&self) -> bool {
        self.break_glass || self.exempt
    }
}
