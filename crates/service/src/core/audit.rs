//! The audit log (H3): written with every change, in its transaction.

use domain::audit::{AuditAction, AuditActor, AuditEvent, changes};
use domain::{AccountId, AuditEventId};
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

impl Core {
    pub(crate) async fn record(&self, tx: &mut Tx, caller: &Caller, entry: AuditEntry) -> Result<()> {
        let address = caller.address.map(|address| address.to_string());
        self.record_as(tx, caller.actor(), address, entry).await
    }

    pub(crate) async fn record_as(
        &self,
        tx: &mut Tx,
        actor: AuditActor,
        client_address: Option<String>,
        entry: AuditEntry,
    ) -> Result<()> {
        let event = self.audit_event(actor, client_address, entry);
        Ok(storage::audit_events::insert(tx, &event).await?)
    }

    /// Records many entries of one request.
    pub(crate) async fn record_all(&self, tx: &mut Tx, caller: &Caller, entries: Vec<AuditEntry>) -> Result<()> {
        let address = caller.address.map(|address| address.to_string());
        let event = |entry| self.audit_event(caller.actor(), address.clone(), entry);
        let events: Vec<AuditEvent> = entries.into_iter().map(event).collect();
        Ok(storage::audit_events::insert_all(tx, &events).await?)
    }

    fn audit_event(&self, actor: AuditActor, client_address: Option<String>, entry: AuditEntry) -> AuditEvent {
        AuditEvent {
            id: AuditEventId::from_uuid(self.uuid()),
            account_id: entry.account_id,
            at: self.now(),
            actor_kind: actor.kind().to_owned(),
            actor_id: actor.id(),
            action: entry.action,
            target: entry.target,
            changes: changes(&entry.before, &entry.after),
            client_address,
        }
    }
}
