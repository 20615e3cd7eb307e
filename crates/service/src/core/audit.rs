//! The audit log (H3): written with every change, in its transaction.

use std::net::IpAddr;

use domain::audit::{AuditAction, AuditActor, AuditEvent, changes};
use domain::{AccountId, AuditEventId, UserId};
use serde_json::Value;
use storage::Tx;

use crate::core::Core;
use crate::core::caller::Caller;
use crate::core::error::Result;

/// Entry of the log, without who caused it and when.
pub(crate) struct AuditEntry {
    /// Account that the change belongs to; none for changes of the operator's own.
    pub account_id: Option<AccountId>,
    /// Action that was taken.
    pub action: AuditAction,
    /// Id of the thing that it was done to.
    pub target: String,
    /// The properties before; null for something new. Never a secret.
    pub before: Value,
    /// The properties after; null for something removed. Never a secret.
    pub after: Value,
}

/// Origin of a change: who caused it, and from where.
#[derive(Debug, Clone)]
pub(crate) struct AuditOrigin {
    /// Author of the change.
    pub actor: AuditActor,
    /// Address that the request came from; none where no request caused it.
    pub client_address: Option<String>,
}

impl AuditOrigin {
    /// Vestibule itself, or what an identity provider asserted.
    pub const SYSTEM: Self = Self { actor: AuditActor::System, client_address: None };

    /// A user who acts before there is a session, from this address.
    pub fn user(id: UserId, address: IpAddr) -> Self {
        Self { actor: AuditActor::User(id), client_address: Some(address.to_string()) }
    }
}

impl Core {
    pub(crate) async fn record(&self, tx: &mut Tx, caller: &Caller, entry: AuditEntry) -> Result<()> {
        self.record_as(tx, caller.origin(), entry).await
    }

    pub(crate) async fn record_as(&self, tx: &mut Tx, origin: AuditOrigin, entry: AuditEntry) -> Result<()> {
        let event = self.audit_event(&origin, entry);
        Ok(storage::audit_events::insert(tx, &event).await?)
    }

    /// Records many entries of one request.
    pub(crate) async fn record_all(&self, tx: &mut Tx, caller: &Caller, entries: Vec<AuditEntry>) -> Result<()> {
        let origin = caller.origin();
        let event = |entry| self.audit_event(&origin, entry);
        let events: Vec<AuditEvent> = entries.into_iter().map(event).collect();
        Ok(storage::audit_events::insert_all(tx, &events).await?)
    }

    fn audit_event(&self, origin: &AuditOrigin, entry: AuditEntry) -> AuditEvent {
        AuditEvent {
            id: AuditEventId::from_uuid(self.uuid()),
            account_id: entry.account_id,
            at: self.now(),
            actor_kind: origin.actor.kind().to_owned(),
            actor_id: origin.actor.id(),
            action: entry.action,
            target: entry.target,
            changes: changes(&entry.before, &entry.after),
            client_address: origin.client_address.clone(),
        }
    }
}
