//! People of an account: users, invitations, imports, passwords, mailed links, and the users who get in whatever happens
//! to SSO.
//!
//! Uses: `connections`, `core`, `mail`.

pub(crate) mod break_glass;
pub(crate) mod credential_epochs;
pub(crate) mod directory;
pub(crate) mod invitations;
pub(crate) mod one_time_links;
pub(crate) mod password_resets;
pub(crate) mod passwords;
pub(crate) mod second_factor;
pub(crate) mod user_import;
pub(crate) mod users;

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::connections::Connections;
use crate::core::Core;
use crate::core::fair_semaphore::FairSemaphore;
use crate::core::ports::HashingCapacity;
use crate::mail::Outbox;

/// People of all accounts, with their credentials.
pub struct People {
    core: Arc<Core>,
    mail: Arc<Outbox>,
    connections: Arc<Connections>,
    password_permits: FairSemaphore,
    link_requests: Arc<Semaphore>,
}

impl People {
    /// Puts the people over the outbox and the connections.
    pub(crate) fn new(core: Arc<Core>, mail: Arc<Outbox>, connections: Arc<Connections>) -> Self {
        let HashingCapacity { threads, queue } = core.ports.password_hasher.capacity();
        // While one password is looked at, what the next one needs is read.
        let at_once = threads.saturating_add(threads.min(queue));
        Self {
            core,
            mail,
            connections,
            password_permits: FairSemaphore::new(at_once, queue, passwords::TURN_WAIT),
            link_requests: Arc::new(Semaphore::new(one_time_links::LINK_REQUESTS_AT_ONCE as usize)),
        }
    }
}
