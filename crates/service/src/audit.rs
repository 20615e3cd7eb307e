//! The audit log (H3): written with every change, in its transaction.

use domain::audit::{AuditActor, AuditEvent, changes};
use domain::role::Permission;
use domain::{AccountId, AuditEventId};
use serde_json::Value;
use storage::audit_events::AuditFilter;
use storage::{Page, Paged, Tx};

use crate::Service;
use crate::caller::Caller;
use crate::error::Result;

/// Description of a change, for the audit log.
pub(crate) struct Deed<'a> {
    /// Account that the change belongs to; none for changes of the operator's own.
    pub account_id: Option<AccountId>,
    /// `<noun>.<verb in the past tense>`.
    pub action: &'a str,
    /// The id of what it was done to.
    pub target: String,
    /// The properties before; null for something new. Never a secret.
    pub before: Value,
    /// The properties after; null for something removed. Never a secret.
    pub after: Value,
}

impl Service {
    /// Lists the events of an account, the newest first.
    pub async fn list_audit_events(
        &self,
        caller: &Caller,
        account_id: AccountId,
        filter: &AuditFilter,
        page: &Page,
    ) -> Result<Paged<AuditEvent>> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.store.read().await?;
        Ok(storage::audit_events::list(&mut tx, account_id, filter, page).await?)
    }

    /// Lists the events that concern the whole installation, the newest first.
    pub async fn list_installation_audit_events(
        &self,
        caller: &Caller,
        filter: &AuditFilter,
        page: &Page,
    ) -> Result<Paged<AuditEvent>> {
        caller.authorize_operator()?;
        let mut tx = self.store.read().await?;
        Ok(storage::audit_events::list_of_installation(&mut tx, filter, page).await?)
    }

    pub(crate) async fn record(&self, tx: &mut Tx, caller: &Caller, deed: Deed<'_>) -> Result<()> {
        let address = caller.address.map(|address| address.to_string());
        self.record_as(tx, caller.actor(), address, deed).await
    }

    pub(crate) async fn record_as(
        &self,
        tx: &mut Tx,
        actor: AuditActor,
        client_address: Option<String>,
        deed: Deed<'_>,
    ) -> Result<()> {
        let event = self.audit_event(actor, client_address, deed);
        Ok(storage::audit_events::insert(tx, &event).await?)
    }

    /// The same for many deeds of one request.
    pub(crate) async fn record_all(&self, tx: &mut Tx, caller: &Caller, deeds: Vec<Deed<'_>>) -> Result<()> {
        let address = caller.address.map(|address| address.to_string());
        let event = |deed| self.audit_event(caller.actor(), address.clone(), deed);
        let events: Vec<AuditEvent> = deeds.into_iter().map(event).collect();
        Ok(storage::audit_events::insert_all(tx, &events).await?)
    }

    fn audit_event(&self, actor: AuditActor, client_address: Option<String>, deed: Deed<'_>) -> AuditEvent {
        AuditEvent {
            id: AuditEventId::from_uuid(self.uuid()),
            account_id: deed.account_id,
            at: self.now(),
            actor_kind: actor.kind().to_owned(),
            actor_id: actor.id(),
            action: deed.action.to_owned(),
            target: deed.target,
            changes: changes(&deed.before, &deed.after),
            client_address,
        }
    }
}
