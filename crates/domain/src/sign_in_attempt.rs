//! Sign-in attempts: one try to sign in, from its first request to a session or a failure (H1).

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::portal::Portal;
use crate::{AccountId, ApplicationId, AttemptId, ConnectionId, UserId};

/// Longest time of a sign-in from its start to the identity provider's answer (D2).
pub const SIGN_IN_LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// Time for which attempts are kept.
pub const ATTEMPT_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Most characters of a value that is kept as wanted or got.
pub const VALUE_MAX_CHARS: usize = 500;

named! {
    /// Ways in which an attempt begins.
    AttemptKind, AttemptKindError, "not a way in which a sign-in attempt begins" {
        /// A login page asked where to sign in, and got a refusal.
        Discovery = "discovery",
        /// A frontend began it.
        SpInitiated = "sp_initiated",
        /// A response arrived that was not asked for.
        IdpInitiated = "idp_initiated",
        /// A username or email and a password were typed.
        Form = "form",
        /// A link that was mailed was opened.
        MagicLink = "magic_link",
        /// A user switches here from another account (G1).
        Switch = "switch",
        /// An owner or operator tests the connection; it gives no session (C9).
        Test = "test",
        /// A break-glass user proves that they would get in; it gives no session (A4).
        BreakGlassDrill = "break_glass_drill",
    }
}

named! {
    /// Stages that an attempt reaches, in order.
    AttemptStage, AttemptStageError, "not a stage of a sign-in attempt" {
        /// The login page asked.
        Started = "started",
        /// The browser was sent to the identity provider.
        SentToIdp = "sent_to_idp",
        /// A response came back.
        ResponseReceived = "response_received",
        /// The response is genuine, for us, and fresh.
        ResponseVerified = "response_verified",
        /// The response names a user who may sign in.
        UserResolved = "user_resolved",
        /// The frontend was sent a code.
        CodeIssued = "code_issued",
        /// The frontend exchanged it for a session.
        SessionIssued = "session_issued",
    }
}

named! {
    /// Outcome of an attempt.
    AttemptOutcome, AttemptOutcomeError, "expected \"pending\", \"succeeded\" or \"refused\"" {
        /// Waiting for its next step, or abandoned.
        Pending = "pending",
        /// Led to a session (or, unsolicited, to the redirect that begins one).
        Succeeded = "succeeded",
        /// Refused; the failure says why.
        Refused = "refused",
    }
}

/// Check that failed, with what it wanted and what it got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptFailure {
    /// Code of the error catalogue that the browser or the login page was told.
    pub code: String,
    /// Stable name of the failure, such as `audience_mismatch`.
    pub reason: String,
    /// The step of the pipeline that it failed in, such as `audience`.
    pub check: String,
    /// Value that would have passed.
    pub wanted: Option<String>,
    /// Value that came instead.
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

/// Outcome of an attempt with its data: what was refused has a failure, and nothing else has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The attempt is under way, or abandoned.
    Pending,
    /// The attempt gave a session, or what leads to one.
    Succeeded,
    /// The attempt was refused.
    Refused(AttemptFailure),
}

impl Outcome {
    /// The name of the outcome.
    pub const fn name(&self) -> AttemptOutcome {
        match self {
            Self::Pending => AttemptOutcome::Pending,
            Self::Succeeded => AttemptOutcome::Succeeded,
            Self::Refused(_) => AttemptOutcome::Refused,
        }
    }

    /// The failure of a refused attempt.
    pub const fn failure(&self) -> Option<&AttemptFailure> {
        match self {
            Self::Refused(failure) => Some(failure),
            Self::Pending | Self::Succeeded => None,
        }
    }
}

/// Attempt of a user to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInAttempt {
    /// Identifier that the browser is told, so that a person can name it to support.
    pub id: AttemptId,
    /// Account that it is of.
    pub account_id: AccountId,
    /// Portal that it is for.
    pub portal: Portal,
    /// Connection that it goes through.
    pub connection_id: Option<ConnectionId>,
    /// Application that it is for.
    pub application_id: Option<ApplicationId>,
    /// Way in which it began.
    pub kind: AttemptKind,
    /// Stage that it reached.
    pub stage: AttemptStage,
    /// Outcome, as it stands.
    pub outcome: Outcome,
    /// The email that was entered.
    pub entered_email: Option<String>,
    /// User who was found, if one was.
    pub user_id: Option<UserId>,
    /// Oddities that did not prevent it: an expired certificate, clock skew, an unknown role value.
    pub warnings: Vec<String>,
    /// The decoded SAML response, secrets and personal values masked.
    pub saml_message: Option<String>,
    /// Address that it came from.
    pub client_address: String,
    /// Time at which it began.
    pub started_at: Timestamp,
    /// Time at which it last got further.
    pub updated_at: Timestamp,
}

/// Facts of an attempt that has just begun.
#[derive(Debug, Clone, Copy)]
pub struct AttemptStart {
    /// Identifier that it gets.
    pub id: AttemptId,
    /// Account that it is of.
    pub account_id: AccountId,
    /// Portal that it is for.
    pub portal: Portal,
    /// Way in which it begins.
    pub kind: AttemptKind,
    /// Address that it comes from.
    pub client_address: IpAddr,
    /// Time at which it begins.
    pub at: Timestamp,
}

impl SignInAttempt {
    /// An attempt that has just begun, of which no more is known than where it came from and when.
    pub fn new(start: AttemptStart) -> Self {
        let AttemptStart { id, account_id, portal, kind, client_address, at } = start;
        Self {
            id,
            account_id,
            portal,
            connection_id: None,
            application_id: None,
            kind,
            stage: AttemptStage::Started,
            outcome: Outcome::Pending,
            entered_email: None,
            user_id: None,
            warnings: vec![],
            saml_message: None,
            client_address: client_address.to_string(),
            started_at: at,
            updated_at: at,
        }
    }
}
