//! The installation as a whole: operator keys, the work of every minute, readiness, and the audit log of no account.
//!
//! Uses: `core`, `mail`, `people`, `sessions`, `sign_in`.

mod housekeeping;
pub(crate) mod operator_keys;

use std::sync::Arc;

use domain::audit::AuditEvent;
use storage::audit_events::AuditFilter;
use storage::{Page, Paged};

use crate::core::Core;
use crate::core::caller::Caller;
use crate::core::error::Result;
use crate::mail::Outbox;
use crate::people::People;
use crate::sessions::Sessions;
use crate::sign_in::SignIn;

/// The installation as a whole.
pub struct Installation {
    core: Arc<Core>,
    mail: Arc<Outbox>,
    people: Arc<People>,
    sessions: Arc<Sessions>,
    sign_in: Arc<SignIn>,
}

impl Installation {
    /// Puts the installation's work over the families that need it.
    pub(crate) fn new(
        core: Arc<Core>,
        mail: Arc<Outbox>,
        people: Arc<People>,
        sessions: Arc<Sessions>,
        sign_in: Arc<SignIn>,
    ) -> Self {
        Self { core, mail, people, sessions, sign_in }
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> Result<()> {
        Ok(self.core.store.ping().await?)
    }

    /// Lists the events that concern the whole installation, the newest first.
    pub async fn list_installation_audit_events(
        &self,
        caller: &Caller,
        filter: &AuditFilter,
        page: &Page,
    ) -> Result<Paged<AuditEvent>> {
        caller.authorize_operator()?;
        let mut tx = self.core.store.read().await?;
        Ok(storage::audit_events::list_of_installation(&mut tx, filter, page).await?)
    }
}
