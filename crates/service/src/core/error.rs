//! Errors that use-cases answer with when they cannot do what they were asked.

use std::error::Error as StdError;
use std::fmt;

use domain::{AttemptId, UserId};
use storage::{StorageError, Unique};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $detail:literal, $fix:literal;)*) => {
        /// Every reason that a caller may be told; closed, so that the API can map each (see `docs/errors.md`).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code, in the order in which the catalogue lists them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the stable name of the code.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The message: fixed words for the catalogue's codes, the general case for the others.
            pub const fn detail(self) -> &'static str {
                match self { $(Self::$variant => $detail,)* }
            }

            /// Advice to the reader on what they can do.
            pub const fn fix(self) -> &'static str {
                match self { $(Self::$variant => $fix,)* }
            }
        }
    };
}

codes! {
    /// D2: no such account, or no enabled connection for this portal.
    SsoAccountNotConfigured = "sso_account_not_configured", "This account is not configured for SSO",
        "Check the account name. If it is right, ask the account's administrator to enable SSO for this portal.";
    /// D2: unknown email which the connection would not create.
    SsoEmailNotConfigured = "sso_email_not_configured", "This email is not configured for SSO",
        "Ask the account's administrator to add this email to the SSO users.";
    /// D2: several active users share the email.
    SsoMultipleUsernames = "sso_multiple_usernames", "Multiple usernames are associated with this email ID",
        "Ask the account's administrator to remove the duplicates, so that one user is left for this email.";
    /// D2: the asserted identity is not the one that was entered.
    LoginIncorrectCredentials = "login_incorrect_credentials", "Login failed due to incorrect credentials",
        "Use exactly the email that is registered here and at your identity provider.";
    /// D3: the identity provider does not answer.
    IdpUnreachable = "idp_unreachable", "Unable to connect to your identity provider. Please try again later",
        "Try again in some minutes. If it goes on, tell your IT team that the identity provider's login URL does not answer.";
    /// D2: too late, or ended.
    SessionExpired = "session_expired", "Your session has expired. Please log in again", "Start the sign-in again.";
    /// C4: the user holds no role of the admin portal.
    NoRole = "no_role", "You are signed in at your identity provider, but hold no role in this account",
        "Ask the account's administrator to assign a role, or to map one of your groups to a role in the SAML connection.";
    /// A4: an assertion for a user who does not use SSO.
    BreakGlassUser = "break_glass_user", "This user signs in with a password, not through SSO",
        "Sign in with your username and password, or ask an owner for another user for SSO.";
    /// A1: the first owner came another way than by the link of their mail.
    FirstOwnerSetsPassword = "first_owner_sets_password", "The first owner of an account accepts the invitation by setting a password",
        "Open the link of the invitation's mail and choose a password; with it you get in whatever happens to SSO. If the mail is lost, ask the operator to resend the invitation.";
    /// A4: no user would be left who gets in when SSO does not work.
    BreakGlassRequired = "break_glass_required", "This would leave the account without a break-glass user",
        "First make another owner a break-glass user: give them the owner role, let them set a password, and set break_glass on them. Then repeat this.";
    /// A4: what only a break-glass user can prove.
    NotBreakGlass = "not_break_glass", "You are not a break-glass user of this account",
        "Ask an owner to set break_glass on you, if you are to get in whatever happens to SSO.";
    /// A6: outside the allowed networks of the admin portal.
    NetworkNotAllowed = "network_not_allowed", "This account does not allow sign-ins from your network",
        "Sign in from one of the networks that the account allows, or ask an owner to add yours to allowed_networks.";
    /// B4: the identity provider has the passwords.
    PasswordResetUnsupported = "password_reset_unsupported", "Reset password is not supported as SSO is active",
        "Sign in with SSO. Your identity provider manages your password.";
    /// B6: the identity provider has the sign-ins.
    MagicLinkUnsupported = "magic_link_unsupported", "Signing in by a mailed link is not supported as SSO is required",
        "Sign in with SSO.";
    /// B2: another code, or an old one.
    MfaCodeIncorrect = "mfa_code_incorrect", "The code is not correct, or not any more",
        "Type the code of the newest mail, or ask for another one.";
    /// B2: a second factor is asked for, and there is no address to send it to.
    MfaEmailMissing = "mfa_email_missing", "A code must be mailed to you, and no email address of yours is known here",
        "Ask an owner of the account to add your email.";
    /// C10: the response is not one to trust. Why is for diagnostics, not for the browser.
    SamlResponseRefused = "saml_response_refused", "The response of the identity provider was refused",
        "Give the attempt id to the account's administrator, who can look up the reason.";
    /// The frontend asked for something that its registration does not allow.
    ApplicationRefused = "application_refused", "This application may not begin this sign-in",
        "Check client_id and redirect_uri against the application's registration.";
    /// C8: nothing to redirect to.
    NoDefaultApplication = "no_default_application", "No application of this portal can begin a sign-in",
        "Register an application with an initiate_login_uri and make it the portal's default.";
    /// E2: nowhere for a mail's link to lead.
    PageNotConfigured = "page_not_configured", "No page is configured that the mail could lead to",
        "Set what errors names: is_default on an application of the portal, or a page of it such as pages.accept_invitation.";
    /// E4: only what was given up is tried again.
    MailNotRetryable = "mail_not_retryable", "This mail cannot be tried again",
        "Only a dead mail can be retried, and not after its link or code expired: have a new one sent.";
    /// E4: too late to take it back.
    MailBeingSent = "mail_being_sent", "This mail is being sent just now", "Read it again in a minute.";
    /// A field is missing or wrong.
    InvalidInput = "invalid_input", "The request has invalid fields", "Correct the fields that are listed in errors.";
    /// The body is no JSON, or not the JSON that is expected.
    InvalidBody = "invalid_body", "The request body cannot be read", "Send the body that the OpenAPI document describes.";
    /// The body is too large.
    PayloadTooLarge = "payload_too_large", "The request body is too large", "Send less at once.";
    /// The content type is not the one that is read here.
    UnsupportedMediaType = "unsupported_media_type", "The content type is not supported",
        "Send application/json, or application/x-www-form-urlencoded to the OAuth and SAML endpoints.";
    /// A6: no address to compare with networks and to count by.
    ProxyHeaderInvalid = "proxy_header_invalid", "A proxy in front of this service does not tell where the request comes from",
        "Have the proxy append the address that it sees to X-Forwarded-For (nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for).";
    /// Path that has no route.
    RouteNotFound = "route_not_found", "There is nothing at this path", "See /docs for the paths that there are.";
    /// The path has no such method.
    MethodNotAllowed = "method_not_allowed", "This path does not take this method", "See /docs for the methods of each path.";
    /// Credentials that are missing or not valid.
    Unauthenticated = "unauthenticated", "Valid credentials are missing",
        "Send an operator key, an API key or an access token that has not expired as Authorization: Bearer.";
    /// Known, and not allowed.
    Forbidden = "forbidden", "Your roles do not allow this", "Ask an owner of the account.";
    /// Resource that does not exist, or that the caller may not see.
    NotFound = "not_found", "There is no such thing, or it is not yours to see", "Check the id and the account.";
    /// A1: also the name of another account that it gave up less than 90 days ago.
    AccountNameTaken = "account_name_taken", "Another account has this name", "Choose another name.";
    /// A2: another user of the portal has the username or email.
    UsernameTaken = "username_taken", "Another user of this portal goes by this username or email", "Choose another, or first change the user that errors names.";
    /// E1: the person has an invitation that they may accept.
    AlreadyInvited = "already_invited", "This person is invited already", "Resend their invitation instead.";
    /// E1: nothing more can be done with it.
    InvitationAccepted = "invitation_accepted", "The invitation was accepted", "Sign in. If you forgot your password, reset it.";
    /// E1: an owner took it back.
    InvitationRevoked = "invitation_revoked", "The invitation was revoked", "Ask an owner of the account to invite you anew.";
    /// E1: its time went by.
    InvitationExpired = "invitation_expired", "The invitation has expired", "Ask an owner of the account to resend it.";
    /// A3: the user concerned is deactivated.
    UserInactive = "user_inactive", "The user is deactivated", "Make the user active first.";
    /// Token that belongs to no one-time link.
    LinkInvalid = "link_invalid", "This link is not valid", "Open the link of the newest mail, whole. If it goes on, ask for a new mail.";
    /// A one-time link was used.
    LinkUsed = "link_used", "This link was used before", "Sign in, or ask for a new mail.";
    /// E3: a newer mail carries the link that works.
    LinkReplaced = "link_replaced", "A newer link took this one's place", "Open the link of the newest mail, or ask for a new one.";
    /// A one-time link's time is over.
    LinkExpired = "link_expired", "This link has expired", "Ask for a new mail.";
    /// G1: the explaining refusal.
    SwitchNeedsSetup = "switch_needs_setup", "You cannot switch to this account yet",
        "Have an owner set up what the detail names, or sign in to that account.";
    /// G1: what was presented is no proof of a form login.
    SignInCodeRefused = "sign_in_code_refused", "The code of this sign-in cannot be used",
        "Sign in anew by username and password, and send the code within 60 seconds, once, with its client_id, redirect_uri and code_verifier.";
    /// G1: two sign-ins that make no pair.
    PairingRefused = "pairing_refused", "These two sign-ins do not make a pair of users",
        "Do what the detail names; then sign in to both accounts anew.";
    /// G1: the two have a link, or one of them asked for it.
    AccountsLinked = "accounts_linked", "The two accounts are linked, or one has asked the other",
        "Accept the request that waits, or end the link and ask anew.";
    /// G1: more links could not be told apart by their readers.
    TooManyAccountLinks = "too_many_account_links", "The account has as many links and sandboxes as it may have",
        "End a link that is not needed any more.";
    /// One connection per portal.
    ConnectionExists = "connection_exists", "This portal has a SAML connection already", "Change the one that is there.";
    /// C9: the connection lacks settings that enabling needs.
    ConnectionIncomplete = "connection_incomplete", "The SAML connection is not complete", "Set what is listed in errors, then enable it.";
    /// The connection is in use.
    ConnectionEnabled = "connection_enabled", "The SAML connection is enabled", "Disable it first.";
    /// F3, F4: only a migration leads to it and back.
    SsoRequired = "sso_required", "SSO is required for this portal",
        "Sign in with SSO. To go back, an owner previews, signs off and applies a migration of direction revert.";
    /// F2: the users, or something else that a plan rests on, changed.
    MigrationOutdated = "migration_outdated", "What this plan rests on has changed since it was made",
        "Preview a new migration, and sign its digest.";
    /// F1: a plan that cannot be carried out.
    MigrationBlocked = "migration_blocked", "This plan cannot be carried out yet", "Do what errors lists; then preview anew, or decide.";
    /// F2: no owner signed, or too long ago.
    MigrationNotSignedOff = "migration_not_signed_off", "No owner has signed this plan off, or the signature has expired",
        "Read the plan, and sign its digest.";
    /// F3: nothing more can be done with it.
    MigrationOver = "migration_over", "This migration is over", "Preview a new one.";
    /// F3: removed as a duplicate.
    UserArchived = "user_archived", "The user was removed as a duplicate when SSO became required",
        "Going back from SSO can restore them.";
    /// Metadata could not be fetched.
    MetadataUnavailable = "metadata_unavailable", "The identity provider's metadata could not be fetched",
        "Check the URL, or paste the metadata as XML.";
    /// Limit of the account's API keys; each is a secret that an owner must look after.
    TooManyApiKeys = "too_many_api_keys", "The account has as many API keys as it may have", "Revoke a key that is not needed any more.";
    /// Version that another change has replaced in between.
    PreconditionFailed = "precondition_failed", "It was changed since you read it", "Read it again and repeat the change with its new ETag.";
    /// The same idempotency key with another request.
    IdempotencyKeyReused = "idempotency_key_reused", "This Idempotency-Key was used for another request", "Use a new key for a new request.";
    /// Rate limit of the caller's address.
    RateLimited = "rate_limited", "Too many requests from this address", "Wait as long as Retry-After says.";
    /// The database or a queue does not answer.
    Unavailable = "unavailable", "The service cannot answer just now", "Try again in some seconds.";
    /// Fault of this service, not of the caller.
    Internal = "internal", "Something went wrong here", "Report the request_id to the operator.";
}

/// A field that is wrong, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// A JSON pointer (RFC 6901) to the field, or the name of a parameter.
    pub field: String,
    /// Description of what is wrong and what would be right.
    pub detail: String,
}

/// Reason for which a use-case did not do what it was asked.
#[derive(Debug)]
pub struct Error {
    /// Code that names the reason.
    pub code: Code,
    /// Words for this very case, where the code's own say too little.
    pub detail: Option<String>,
    /// The fields that are wrong.
    pub violations: Vec<Violation>,
    /// The sign-in attempt that holds the particulars.
    pub attempt_id: Option<AttemptId>,
    /// The user who is in the way; for callers who may read users.
    pub user_id: Option<UserId>,
    /// Seconds after which a repeat makes sense.
    pub retry_after: Option<u32>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Result of a use-case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A refusal with the code's own words.
    pub fn new(code: Code) -> Self {
        Self {
            code,
            detail: None,
            violations: vec![],
            attempt_id: None,
            user_id: None,
            retry_after: None,
            source: None,
        }
    }

    /// Refuses input for one wrong field.
    pub fn invalid(field: impl Into<String>, problem: impl fmt::Display) -> Self {
        Self::invalid_all(vec![Violation { field: field.into(), detail: problem.to_string() }])
    }

    /// Refuses input for several wrong fields.
    pub fn invalid_all(violations: Vec<Violation>) -> Self {
        Self::new(Code::InvalidInput).with_violations(violations)
    }

    /// A fault of ours, with what caused it.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..Self::new(Code::Internal) }
    }

    /// The same with other words.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same, with the fields that are the reason.
    #[must_use]
    pub fn with_violations(mut self, violations: Vec<Violation>) -> Self {
        self.violations = violations;
        self
    }

    /// The same, pointing to an attempt.
    #[must_use]
    pub fn with_attempt(mut self, attempt_id: Option<AttemptId>) -> Self {
        self.attempt_id = attempt_id;
        self
    }

    /// The same, naming the user who is in the way.
    #[must_use]
    pub fn with_user(mut self, user_id: UserId) -> Self {
        self.user_id = Some(user_id);
        self
    }

    /// The same, with the seconds to wait.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        let code = match &error {
            StorageError::Conflict(unique) => taken(*unique),
            StorageError::Stale => Code::PreconditionFailed,
            StorageError::Unavailable(_) => Code::Unavailable,
            StorageError::Corrupt { .. } | StorageError::Fault(_) => Code::Internal,
        };
        let retry_after = (code == Code::Unavailable).then_some(RETRY_AFTER_SECONDS);
        Self { source: Some(Box::new(error)), retry_after, ..Self::new(code) }
    }
}

/// Seconds that a client is told to wait for a database that does not answer.
pub const RETRY_AFTER_SECONDS: u32 = 5;

fn taken(unique: Unique) -> Code {
    match unique {
        Unique::AccountName => Code::AccountNameTaken,
        Unique::Username => Code::UsernameTaken,
        Unique::ConnectionPortal => Code::ConnectionExists,
        Unique::AccountLink => Code::AccountsLinked,
        // Another pairing of these users came first, a moment ago.
        Unique::AccountPair => Code::PairingRefused,
        _ => Code::Internal,
    }
}
