//! Ways to sign in: SAML, form login, mailed links, the drill of break-glass users, and the attempts that are kept of
//! each.
//!
//! Uses: `connections`, `core`, `mail`, `people`.

pub(crate) mod attempts;
pub(crate) mod authorization_request;
pub(crate) mod break_glass_drill;
pub(crate) mod form_login;
pub(crate) mod magic_link;
pub(crate) mod saml;

use std::sync::Arc;

use crate::connections::Connections;
use crate::core::Core;
use crate::core::fair_semaphore::FairSemaphore;
use crate::mail::Outbox;
use crate::people::People;
use form_login::KnownLogins;
use saml::verification;

/// Ways to sign in, from the first request to the code that is exchanged for a session.
pub struct SignIn {
    core: Arc<Core>,
    mail: Arc<Outbox>,
    connections: Arc<Connections>,
    people: Arc<People>,
    verification_permits: FairSemaphore,
    known_logins: KnownLogins,
}

impl SignIn {
    /// Puts the ways to sign in over the people and their connections.
    pub(crate) fn new(core: Arc<Core>, mail: Arc<Outbox>, connections: Arc<Connections>, people: Arc<People>) -> Self {
        let permits = core.settings.verification_permits.max(1);
        let waiting = permits.saturating_mul(verification::WAITING_PER_PERMIT);
        let verification_permits = FairSemaphore::new(permits, waiting, verification::TURN_WAIT);
        Self { core, mail, connections, people, verification_permits, known_logins: KnownLogins::default() }
    }
}
