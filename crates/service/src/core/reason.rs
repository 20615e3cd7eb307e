//! Reasons for which sign-ins are refused: a closed list, each with its stable name, its title, the code that the browser
//! is told, and the advice for the account's administrator (H1).

mod check;
mod message;

use domain::sign_in_attempt::AttemptFailure;

pub use check::Check;

use crate::core::error::Code;

/// Declares the reasons of this crate, each by its stored name, its title (which is its documentation too), the code that
/// the browser is told, and the advice for administrators.
macro_rules! reasons {
    ($($variant:ident = $name:literal, $title:literal, $code:ident, $advice:expr;)*) => {
        /// Reason for which a sign-in was refused. Its name is stored with the attempt and never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason {
            /// The message itself was refused.
            Message(saml::Reason),
            $(#[doc = $title] $variant,)*
        }

        impl Reason {
            /// The reasons of this crate; those of messages are [`saml::Reason::ALL`].
            const OWN: &'static [Self] = &[$(Self::$variant,)*];

            /// The name that is stored and published, in `snake_case`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::Message(reason) => reason.as_str(),
                    $(Self::$variant => $name,)*
                }
            }

            /// Title in plain English: what is wrong.
            pub const fn title(self) -> &'static str {
                match self {
                    Self::Message(reason) => reason.title(),
                    $(Self::$variant => $title,)*
                }
            }

            /// Code of the error catalogue that the browser or the login page is told, unless another one is due there.
            /// Several reasons share one, so that a stranger learns little.
            pub const fn code(self) -> Code {
                match self {
                    Self::Message(_) => Code::SamlResponseRefused,
                    $(Self::$variant => Code::$code,)*
                }
            }

            /// Advice for the account's administrator: the setting to change, here or at the identity provider (IdP).
            pub const fn advice(self) -> &'static str {
                match self {
                    Self::Message(reason) => message::advice(reason),
                    $(Self::$variant => $advice,)*
                }
            }
        }
    };
}

const ANOTHER_SIGN_IN: &str = "The response belongs to a sign-in that this browser did not begin here. Start anew in one \
    tab; if it goes on, check that the IdP returns RelayState and InResponseTo unchanged.";
const SEVERAL_USERS: &str = "Several active users go by this email. Deactivate or rename all but one.";
const NO_SUCH_USER: &str = "There is no such user, and the connection creates none. Create the user with this username or \
    email, or set provisioning to just_in_time; check email_domains too.";
const NEWEST_LINK: &str = "A link works once, and the newest alone. Ask for another one, and open that.";

reasons! {
    // How the response came (bindings 3.5).
    ResponseByGet = "response_by_get", "The response came by GET instead of HTTP-POST", SamlResponseRefused,
        "The IdP sent its response by GET (HTTP-Redirect or artifact binding), which is not taken. At the IdP, set \
         the response binding of our Reply URL (ACS, Assertion Consumer Service) to HTTP-POST.";
    SentToAnotherAddress = "sent_to_another_address",
        "The response was sent to another address of this service", SamlResponseRefused,
        "The IdP sent the answer to a sign-in of this connection to an address that is not its acs_url: often that \
         of another portal or account, or one with a typing error. At the IdP, set Reply URL (ACS URL) and \
         Identifier (Entity ID) of the application to this connection's acs_url and entity_id.";

    // The state in which it came.
    ResponseReplayed = "response_replayed", "The response was used before", SamlResponseRefused,
        "The response was used before. Going back in the browser or reloading gives this: start anew. If no \
         user did, a response was copied.";
    InResponseToUnknown = "in_response_to_unknown",
        "The response answers a request that is not known", SamlResponseRefused,
        ANOTHER_SIGN_IN;
    RelayStateMismatch = "relay_state_mismatch",
        "The response belongs to a sign-in of another browser", SamlResponseRefused,
        ANOTHER_SIGN_IN;
    UnsolicitedResponse = "unsolicited_response", "The response answers no request", SamlResponseRefused,
        "The sign-in began at the IdP. Give people the saml_login_url as the application's link there, or set \
         allow_idp_initiated, which sends them through an ordinary sign-in.";
    SignInTooSlow = "sign_in_too_slow", "The response came too long after the start", SessionExpired,
        "Over 15 minutes went by between the start and the IdP's answer. Start anew.";

    // The identity that it asserts.
    UsernameAttributeMissing = "username_attribute_missing", "No attribute holds the username", SamlResponseRefused,
        "None of username_attributes came. At the IdP, add a claim of that name with the email; or set \
         username_attributes to a name that came, or username_source to name_id.";
    UsernameAttributeAmbiguous = "username_attribute_ambiguous",
        "The username attributes have different values", SamlResponseRefused,
        "The username attributes have different values. At the IdP, send one value in one of them; or leave one \
         name in username_attributes.";
    NameIdMissing = "name_id_missing", "The assertion has no NameID", SamlResponseRefused,
        "username_source is name_id, and no NameID came. At the IdP, send one; or set username_source to attribute.";
    NameIdTransient = "name_id_transient", "The NameID is transient", SamlResponseRefused,
        "username_source is name_id, and the IdP sends a transient NameID: another one at each sign-in, which identifies \
         no user. Set username_source to attribute here; or, at the IdP, set the NameID format to email address or \
         persistent, and name_id_format here to the same.";
    UsernameInvalid = "username_invalid", "The asserted value cannot be a username", SamlResponseRefused,
        "What the IdP sends as username cannot be one: it is empty, too long, or has white space around it. Correct \
         the claim's source at the IdP.";

    // The user who is meant.
    NotTheEnteredEmail = "not_the_entered_email",
        "Another user than the entered one signed in at the identity provider", LoginIncorrectCredentials,
        "The IdP signed in another user than was entered. Enter exactly the email that the IdP sends; if the \
         browser is signed in there as another person, sign out there first, or set force_authn.";
    EmailDomainNotListed = "email_domain_not_listed",
        "The email's domain is not listed for the connection", SsoEmailNotConfigured,
        "The email's domain is not one that the IdP may speak for. Add it to email_domains, if the company owns it.";
    MultipleUsernames = "multiple_usernames",
        "Several active users go by the asserted identity", SsoMultipleUsernames,
        SEVERAL_USERS;
    UserNotInvited = "user_not_invited", "There is no such user, and none may be created", SsoEmailNotConfigured,
        NO_SUCH_USER;
    InvitationExpired = "invitation_expired", "The invitation has expired", InvitationExpired,
        "The user was invited, and the invitation has expired. An owner can resend it; then the sign-in works again.";
    InvitationRevoked = "invitation_revoked", "The invitation was revoked", SsoEmailNotConfigured,
        "The invitation is over. An owner resends it, or invites the user anew.";
    FirstOwnerSetsPassword = "first_owner_sets_password",
        "The first owner must accept the invitation by its link", FirstOwnerSetsPassword,
        "This is the account's first owner, whose invitation is accepted by its link alone: it sets a password, so \
         that a user gets in when SSO does not work. They open the link of the mail; if it is lost, an owner or \
         the operator resends it.";
    UserInactive = "user_inactive", "The user is not active", SsoEmailNotConfigured,
        "The user was deactivated. An owner can set their status to active.";
    BreakGlassUser = "break_glass_user", "The user is a break-glass user, who does not use SSO", BreakGlassUser,
        "This is a break-glass user, who signs in with a password so that a user gets in when SSO does not work. \
         They use their password, or an owner takes break_glass from them while another user has it, or makes them \
         a second user for SSO with another username and email.";
    NoRole = "no_role", "The user holds no role", NoRole,
        "The user holds no role. Assign one, add the value that came to role_mappings, or set default_roles (they \
         count only where the IdP sends no role attribute).";
    NetworkNotAllowed = "network_not_allowed", "The account does not allow the client's network", NetworkNotAllowed,
        "The sign-in came from outside the account's networks. If the address that came is one of yours, an owner \
         adds its network to allowed_networks; if it is a proxy's, the operator adds the proxy to trusted_proxies.";

    // Before the browser was sent to the identity provider.
    IdpUnreachable = "idp_unreachable", "The identity provider's login URL does not answer", IdpUnreachable,
        "The login_url does not answer. Check it and the IdP; if this service cannot reach it and browsers can, \
         switch probe_login_url off.";
    SsoAccountNotConfigured = "sso_account_not_configured", "The portal has no enabled connection", SsoAccountNotConfigured,
        "The portal has no enabled connection. Complete the connection and enable it.";
    SsoEmailNotConfigured = "sso_email_not_configured",
        "The email is not one that the connection admits", SsoEmailNotConfigured,
        NO_SUCH_USER;
    SsoMultipleUsernames = "sso_multiple_usernames",
        "Several active users go by the entered email", SsoMultipleUsernames,
        SEVERAL_USERS;

    // Form login.
    UserUnknown = "user_unknown", "No user has the entered username or email", LoginIncorrectCredentials,
        "No user has this username or email. Check the spelling and the account name; an owner invites users who \
         are missing.";
    EmailShared = "email_shared", "Several active users have the entered email", LoginIncorrectCredentials,
        "Several active users have this email. Sign in by username, or give each user an email of their own.";
    PasswordNotSet = "password_not_set", "The user has not set a password", LoginIncorrectCredentials,
        "The user has not set a password. Resend the invitation, or let them reset the password.";
    PasswordWrong = "password_wrong", "The password is wrong", LoginIncorrectCredentials,
        "Let the user reset the password. Many of these from many addresses are an attacker who guesses.";
    UserDeactivated = "user_deactivated", "The user was deactivated", LoginIncorrectCredentials,
        "An owner deactivated the user, and an owner can set the status to active again.";
    FormLoginNotAllowed = "form_login_not_allowed", "SSO is required of the user", LoginIncorrectCredentials,
        "SSO is required of this user. Let them sign in with SSO.";
    RoleMissing = "role_missing", "The user knew the password and holds no role", NoRole,
        "The user knew the password and holds no role. Assign a role to the user.";

    // A switch from a linked account.
    SwitchFromSandbox = "switch_from_sandbox", "The session began at a sandbox", SwitchNeedsSetup,
        "They signed in at a sandbox, whose owners need not be yours. Let them sign in at the account itself.";
    SwitchNotByFormLogin = "switch_not_by_form_login", "The session did not begin with form login", SwitchNeedsSetup,
        "They signed in with SSO, which speaks for its own account alone. Let them sign in by username and password \
         there, or here.";
    SwitchUsernameReplaced = "switch_username_replaced", "A migration to SSO replaced the username", SwitchNeedsSetup,
        "A migration to SSO replaced their username by their email, here or there. Give them their username again \
         on both sides, or let them sign in here.";
    SwitchNotServed = "switch_not_served", "No application of the admin portal serves the account", SwitchNeedsSetup,
        "No application of the admin portal serves this account. Register one, or ask the operator.";
    SwitchNotPaired = "switch_not_paired", "The two users are not a pair", SwitchNeedsSetup,
        "They have paired none of your users with theirs. If they are to come here, invite them here, and let them \
         pair the two users by signing in to both accounts.";
    SwitchPairVoid = "switch_pair_void", "A change of one user's credentials voided the pair", SwitchNeedsSetup,
        "Since they paired the two users, another user changed the username, an email, the password, the owner \
         role or the status of one. Let them pair anew by signing in to both accounts.";
    SwitchUserNotReady = "switch_user_not_ready", "The paired user is not active or holds no role", SwitchNeedsSetup,
        "Their user here is not active or holds no role. Activate it, or assign a role.";
    SwitchSsoRequired = "switch_sso_required", "SSO is required of the paired user", SsoRequired,
        "SSO is required of them here. Let them sign in with SSO, or have an owner exempt them.";
    SwitchCodeRequired = "switch_code_required",
        "The account asks for a mailed code, and the session began without one", SwitchNeedsSetup,
        "This account asks for a mailed code, and they signed in without one. Permit require_email_mfa on there, or \
         let them sign in here.";

    // A mailed link.
    LinkUsed = "link_used", "The link was used before", LinkUsed,
        NEWEST_LINK;
    LinkReplaced = "link_replaced", "A newer link took its place", LinkReplaced,
        NEWEST_LINK;
    LinkExpired = "link_expired", "The link has expired", LinkExpired,
        "The mail came, or was opened, too late. Ask for another one; if mails are slow, an owner raises \
         magic_link_seconds.";
    LinkInvalid = "link_invalid", "The link's user was deactivated or has no email any more", LinkInvalid,
        "The user was deactivated, or their email removed, after the link was mailed. An owner can make them active \
         again.";
    MagicLinkUnsupported = "magic_link_unsupported",
        "SSO was required after the link was mailed", MagicLinkUnsupported,
        "SSO became required after the link was mailed. Let the user sign in with SSO.";

    // What is read from the database and was not written by this version.
    OfAnotherVersion = "of_another_version", "Another version of Vestibule refused the sign-in", Internal,
        "Compare what was wanted with what came, and change the setting of that name here or at the IdP.";
}

impl Reason {
    /// The failure that is written down for this reason: refused by this check, and told as [`Reason::code`].
    pub(crate) fn failure(self, check: Check) -> AttemptFailure {
        AttemptFailure {
            code: self.code().as_str().to_owned(),
            reason: self.as_str().to_owned(),
            check: check.as_str().to_owned(),
            wanted: None,
            got: None,
        }
    }

    /// Every reason, those of messages first.
    pub fn all() -> impl Iterator<Item = Self> {
        saml::Reason::ALL.iter().copied().map(Self::Message).chain(Self::OWN.iter().copied())
    }

    /// The reason of a stored name. A name that only another version knows is [`Reason::OfAnotherVersion`], so that
    /// attempts stay readable after a return to an older version.
    pub fn stored(name: &str) -> Self {
        Self::all().find(|reason| reason.as_str() == name).unwrap_or(Self::OfAnotherVersion)
    }
}

impl From<saml::Reason> for Reason {
    fn from(reason: saml::Reason) -> Self {
        Self::Message(reason)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Proves H1: a stored name leads back to its reason, and each reason has advice that says more than its title.
    #[test]
    fn every_reason_has_a_name_of_its_own_and_advice() {
        let names: BTreeSet<_> = Reason::all().map(Reason::as_str).collect();
        assert_eq!(names.len(), Reason::all().count());
        for reason in Reason::all() {
            assert_eq!(Reason::stored(reason.as_str()), reason);
            assert!(reason.title().split(' ').count() >= 4, "{}", reason.title());
            assert!(reason.advice().len() > reason.title().len(), "{}", reason.advice());
        }
        assert_eq!(Reason::stored("a_name_of_tomorrow"), Reason::OfAnotherVersion);
    }
}
