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

/// Sign-in that waits for the identity provider. Answered once, by the first response that lets a user in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingSignIn {
    /// The attempt it belongs to.
    pub attempt_id: AttemptId,
    /// Account that it is of.
    pub account_id: AccountId,
    /// Portal that it is for.
    pub portal: Portal,
    /// Connection that it goes through.
    pub connection_id: ConnectionId,
    /// The `ID` of the request, which the response must name.
    pub request_id: String,
    /// The digest of the `RelayState` that the browser carries.
    pub relay_state: SecretDigest,
    /// The email that was entered, if one was.
    pub entered_email: Option<String>,
    /// Use of the answer.
    pub purpose: Purpose,
    /// Time at which it began.
    pub created_at: Timestamp,
    /// Time from which on it is too late.
    pub expires_at: Timestamp,
    /// Whether a response has let a user in.
    pub answered: bool,
}

/// Uses of the answer to a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// A user gets in, and the frontend gets a code.
    SignIn(ReturnTo),
    /// A test, which shows what would have become of the response (C9). It was not begun by a frontend, so there is
    /// none to send a code to.
    Test,
}

impl Purpose {
    /// Kind of the attempts for this use.
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
    /// `client_id` of the application.
    pub application_id: ApplicationId,
    /// A URI that it registered.
    pub redirect_uri: RedirectUri,
    /// `state` of the frontend, echoed.
    pub state: Option<String>,
    /// Challenge that its `code_verifier` must match.
    pub code_challenge: CodeChallenge,
}
