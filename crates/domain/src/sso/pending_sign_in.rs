//! Pending sign-ins: what must be remembered between the request to the identity provider and its answer.

use jiff::Timestamp;

use crate::application::RedirectUri;
use crate::pkce::CodeChallenge;
use crate::portal::Portal;
use crate::secret::SecretDigest;
use crate::sign_in_attempt::AttemptKind;
use crate::{AccountId, ApplicationId, AttemptId, ConnectionId};

/// Most characters of a frontend's `state`.
pub const STATE_MAX_CHARS: usize = 512;

/// A sign-in that waits for the identity provider. Answered once, by the first response that lets somebody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingSignIn {
    /// The attempt it belongs to.
    pub attempt_id: AttemptId,
    /// Whose account.
    pub account_id: AccountId,
    /// For which portal.
    pub portal: Portal,
    /// Through which connection.
    pub connection_id: ConnectionId,
    /// The `ID` of the request, which the response must name.
    pub request_id: String,
    /// The digest of the `RelayState` that the browser carries.
    pub relay_state: SecretDigest,
    /// The email that was entered, if one was.
    pub entered_email: Option<String>,
    /// What becomes of the answer.
    pub purpose: Purpose,
    /// When it began.
    pub created_at: Timestamp,
    /// When it is too late.
    pub expires_at: Timestamp,
    /// Whether a response has let somebody in.
    pub answered: bool,
}

/// What becomes of the answer to a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody gets in, and the frontend gets a code.
    SignIn(ReturnTo),
    /// It is told what would have become of it (C9). No frontend began it, so there is nobody whom a code could go to.
    Test,
}

impl Purpose {
    /// How an attempt for this begins.
    pub const fn kind(&self) -> AttemptKind {
        match self {
            Self::SignIn(_) => AttemptKind::SpInitiated,
            Self::Test => AttemptKind::Test,
        }
    }

    /// The frontend that waits for the outcome.
    pub const fn return_to(&self) -> Option<&ReturnTo> {
        match self {
            Self::SignIn(return_to) => Some(return_to),
            Self::Test => None,
        }
    }
}

/// The frontend that began a sign-in, and how it gets the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnTo {
    /// Its `client_id`.
    pub application_id: ApplicationId,
    /// A URI that it registered.
    pub redirect_uri: RedirectUri,
    /// Its `state`, echoed.
    pub state: Option<String>,
    /// What its `code_verifier` must match.
    pub code_challenge: CodeChallenge,
}
