//! State of the identity provider, shared by its HTTP handlers and its owner.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use url::{Host, Url};

use super::answer::{Answer, Answering, SignIn, form};
use super::authn_request::AuthnRequest;
use super::fault::{Fault, Faults};
use super::options::Options;
use super::user::User;
use crate::ambient;
use crate::certificate::{Certificate, KeyKind};
use crate::identity::{IdentityError, SigningIdentity, Validity};
use crate::message::BuildError;

/// Login forms that may be open at once; the oldest is forgotten.
const MAX_PENDING: usize = 1000;

/// A sign-in that this identity provider does not serve.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("the assertion consumer service {0} is neither on loopback nor among the option allowed_acs")]
    ForeignAcs(String),
    #[error("there is no user {0}")]
    UnknownUser(String),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Keys, addresses and everything that the control API changes.
pub(super) struct State {
    pub entity_id: String,
    pub base_url: String,
    pub identity: SigningIdentity,
    /// Made when a response is to be signed with a key that no service provider trusts.
    foreign_identity: OnceLock<SigningIdentity>,
    settings: Mutex<Settings>,
}

/// Settings that the control API changes, and sign-ins under way.
pub(super) struct Settings {
    pub users: Vec<User>,
    pub options: Options,
    pub faults: Faults,
    /// The last response, for [`Fault::Replay`].
    previous: Option<String>,
    /// Login forms under way, by their handle, oldest first.
    pending: VecDeque<(String, SignIn)>,
}

impl Settings {
    pub fn new(users: Vec<User>, options: Options) -> Self {
        Self { users, options, faults: Faults::default(), previous: None, pending: VecDeque::new() }
    }
}

impl State {
    pub fn new(base_url: String, entity_id: String, identity: SigningIdentity, settings: Settings) -> Self {
        Self { entity_id, base_url, identity, foreign_identity: OnceLock::new(), settings: Mutex::new(settings) }
    }

    /// URL of the single sign-on service, for both bindings.
    pub fn sso_url(&self) -> String {
        format!("{}/sso", self.base_url)
    }

    /// The settings, locked; nothing waits while holding them.
    pub fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The certificate with which requests must be signed, if one is registered. It was checked when it was set.
    pub fn request_certificate(&self) -> Option<Certificate> {
        let settings = self.settings();
        let pem = settings.options.request_certificate_pem.as_ref()?;
        Certificate::from_pem(pem).ok()
    }

    /// Starts a sign-in from a request, if its assertion consumer service may be answered.
    pub fn sign_in(&self, request: AuthnRequest, relay_state: Option<String>) -> Result<SignIn, AnswerError> {
        self.checked(SignIn { request_id: Some(request.id), audience: request.issuer, acs: request.acs, relay_state })
    }

    /// Lets a sign-in through whose answer goes to loopback or to a place that the options allow.
    pub fn checked(&self, sign_in: SignIn) -> Result<SignIn, AnswerError> {
        let allowed = self.settings().options.allowed_acs.contains(&sign_in.acs);
        if allowed || is_loopback(&sign_in.acs) { Ok(sign_in) } else { Err(AnswerError::ForeignAcs(sign_in.acs)) }
    }

    /// Keeps a sign-in while its login form is open; answers the form's handle.
    pub fn remember(&self, sign_in: SignIn) -> String {
        let handle = ambient::identifier();
        let mut settings = self.settings();
        if settings.pending.len() >= MAX_PENDING {
            settings.pending.pop_front();
        }
        settings.pending.push_back((handle.clone(), sign_in));
        handle
    }

    /// The sign-in of a login form.
    pub fn pending(&self, handle: &str) -> Option<SignIn> {
        let settings = self.settings();
        let found = settings.pending.iter().find(|(candidate, _)| candidate == handle);
        found.map(|(_, sign_in)| sign_in.clone())
    }

    /// Forgets a sign-in that was answered.
    pub fn forget(&self, handle: &str) {
        self.settings().pending.retain(|(candidate, _)| candidate != handle);
    }

    /// The user of that name.
    pub fn user(&self, username: &str) -> Result<User, AnswerError> {
        let settings = self.settings();
        let found = settings.users.iter().find(|user| user.username == username);
        found.cloned().ok_or_else(|| AnswerError::UnknownUser(username.to_owned()))
    }

    /// Answers for a user. Without `faults` of its own, the response has those which the control API set.
    pub fn answer(&self, sign_in: &SignIn, user: &User, faults: Option<Vec<Fault>>) -> Result<Answer, AnswerError> {
        let (options, faults, previous) = {
            let mut settings = self.settings();
            let faults = faults.unwrap_or_else(|| settings.faults.take());
            (settings.options.clone(), faults, settings.previous.clone())
        };
        if let Some(previous) = previous.filter(|_| faults.contains(&Fault::Replay)) {
            return Ok(form(sign_in, &previous));
        }
        let xml = self.answering(&options, &faults)?.response(sign_in, user)?;
        let answer = form(sign_in, &xml);
        self.settings().previous = Some(xml);
        Ok(answer)
    }

    /// Answers that no user signed in; `second_level` is a status such as `NoPassive`.
    pub fn refusal(&self, sign_in: &SignIn, second_level: &str) -> Result<Answer, AnswerError> {
        let options = self.settings().options.clone();
        let xml = self.answering(&options, &[])?.failure(sign_in, second_level)?;
        Ok(form(sign_in, &xml))
    }

    fn answering<'a>(&'a self, options: &'a Options, faults: &'a [Fault]) -> Result<Answering<'a>, IdentityError> {
        let identity = if faults.contains(&Fault::WrongKey) { self.foreign_identity()? } else { &self.identity };
        Ok(Answering { entity_id: &self.entity_id, identity, options, faults, now: ambient::now() })
    }

    fn foreign_identity(&self) -> Result<&SigningIdentity, IdentityError> {
        if let Some(identity) = self.foreign_identity.get() {
            return Ok(identity);
        }
        let kind: KeyKind = self.identity.certificate().kind();
        let identity = SigningIdentity::generate("Mock IdP", kind, Validity::LONG)?;
        Ok(self.foreign_identity.get_or_init(|| identity))
    }
}

/// Whether a URL is http(s) and leads to this machine.
fn is_loopback(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    local && matches!(url.scheme(), "http" | "https")
}
