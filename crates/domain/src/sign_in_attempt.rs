//! Sign-in attempts: one try to sign in, from its first request to a session or a failure (H1).

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::portal::Portal;
use crate::{AccountId, ApplicationId, AttemptId, ConnectionId, UserId};

/// How long a sign-in may take from its start to the identity provider's answer (D2).
pub const SIGN_IN_LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// How long attempts are kept.
pub const ATTEMPT_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Most characters of a value that is kept as wanted or got.
pub const VALUE_MAX_CHARS: usize = 500;

named! {
    /// How an attempt began.
    AttemptKind, AttemptKindError, "not a way in which a sign-in attempt begins" {
        /// A login page asked where to sign in, and got a refusal.
        Discovery = "discovery",
        /// A frontend began it.
        SpInitiated = "sp_initiated",
        /// A response arrived that nobody had asked for.
        IdpInitiated = "idp_initiated",
        /// A username or email and a password were typed.
        Form = "form",
        /// A link that was mailed was opened.
        MagicLink = "magic_link",
        /// Somebody switched here from another account (G1).
        Switch = "switch",
        /// An owner or operator tests the connection; nobody gets in by it (C9).
        Test = "test",
        /// A break-glass user proves that they would get in; nobody does by it (A4).
        BreakGlassDrill = "break_glass_drill",
    }
}

named! {
    /// How far an attempt got.
    AttemptStage, AttemptStageError, "not a stage of a sign-in attempt" {
        /// The login page asked.
        Started = "started",
        /// The browser was sent to the identity provider.
        SentToIdp = "sent_to_idp",
        /// A response came back.
        ResponseReceived = "response_received",
        /// The response is genuine, for us, and fresh.
        ResponseVerified = "response_verified",
        /// It names a user who may sign in.
        UserResolved = "user_resolved",
        /// The frontend was sent a code.
        CodeIssued = "code_issued",
        /// The frontend exchanged it for a session.
        SessionIssued = "session_issued",
    }
}

named! {
    /// How an attempt stands.
    AttemptOutcome, AttemptOutcomeError, "expected \"pending\", \"succeeded\" or \"refused\"" {
        /// Under way, or abandoned.
        Pending = "pending",
        /// It gave a session (or, unsolicited, the redirect that begins one).
        Succeeded = "succeeded",
        /// It failed; see the failure.
        Refused = "refused",
    }
}

/// Which check failed, what it wanted and what it got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptFailure {
    /// What the browser or the login page was told: a code of the error catalogue.
    pub code: String,
    /// What failed: a stable name such as `audience_mismatch`.
    pub reason: String,
    /// The step of the pipeline that it failed in, such as `audience`.
    pub check: String,
    /// What would have passed.
    pub wanted: Option<String>,
    /// What came.
    pub got: Option<String>,
}

impl AttemptFailure {
    /// The failure with its values cut to [`VALUE_MAX_CHARS`].
    #[must_use]
    pub fn bounded(mut self) -> Self {
        for value in [&mut self.wanted, &mut self.got].into_iter().flatten() {
            if let Some((end, _)) = value.char_indices().nth(VALUE_MAX_CHARS) {
                value.truncate(end);
                value.push('…');
            }
        }
        self
    }
}

/// One try to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInAttempt {
    /// What the browser is told, so that a person can name it to support.
    pub id: AttemptId,
    /// Whose account.
    pub account_id: AccountId,
    /// For which portal.
    pub portal: Portal,
    /// Through which connection.
    pub connection_id: Option<ConnectionId>,
    /// For which frontend.
    pub application_id: Option<ApplicationId>,
    /// How it began.
    pub kind: AttemptKind,
    /// How far it got.
    pub stage: AttemptStage,
    /// How it stands.
    pub outcome: AttemptOutcome,
    /// Why it failed.
    pub failure: Option<AttemptFailure>,
    /// The email that was entered.
    pub entered_email: Option<String>,
    /// Who it turned out to be.
    pub user_id: Option<UserId>,
    /// What was odd and did not prevent it: an expired certificate, clock skew, an unknown role value.
    pub warnings: Vec<String>,
    /// The decoded SAML response, secrets and personal values masked.
    pub saml_message: Option<String>,
    /// Where it came from.
    pub client_address: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it last got further.
    pub updated_at: Timestamp,
}

impl SignInAttempt {
    /// An attempt that has just begun, of which no more is known than where it came from and when.
    pub fn new(
        id: AttemptId,
        (account_id, portal): (AccountId, Portal),
        kind: AttemptKind,
        (client_address, now): (IpAddr, Timestamp),
    ) -> Self {
        Self {
            id,
            account_id,
            portal,
            connection_id: None,
            application_id: None,
            kind,
            stage: AttemptStage::Started,
            outcome: AttemptOutcome::Pending,
            failure: None,
            entered_email: None,
            user_id: None,
            warnings: vec![],
            saml_message: None,
            client_address: client_address.to_string(),
            started_at: now,
            updated_at: now,
        }
    }
}
