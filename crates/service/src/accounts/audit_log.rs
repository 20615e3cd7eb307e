//! The audit log of an account (H3): read-only.

use domain::AccountId;
use domain::audit::AuditEvent;
use domain::role::Permission;
use storage::audit_events::AuditFilter;
use storage::{Page, Paged};

use crate::accounts::Accounts;
use crate::core::caller::Caller;
use crate::core::error::Result;

impl Accounts {
    /// Lists the events of an account, the newest first.
    pub async fn list_audit_events(
        &self,
        caller: &Caller,
        account_id: AccountId,
        filter: &AuditFilter,
        page: &Page,
    ) -> Result<Paged<AuditEvent>> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        Ok(storage::audit_events::list(&mut tx, account_id, filter, page).await?)
    }
}
