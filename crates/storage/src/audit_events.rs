//! The audit log. Rows are added and read; nothing changes or removes them (H3).

use domain::audit::{AuditAction, AuditEvent, PropertyChange};
use domain::{AccountId, AuditEventId};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::columns::{millis, text, time};
use crate::error::{Result, StorageError};
use crate::page::{Page, Paged};
use crate::sql::{execute_rows, fetch_all, queries};
use crate::tx::Tx;

macro_rules! columns {
    () => {
        "id, account_id, at, actor_kind, actor_id, action, target, changes, client_address"
    };
}

macro_rules! filters {
    () => {
        " AND id < $1 AND (action = $2 OR $2 IS NULL) AND (actor_id = $3 OR $3 IS NULL) AND (target = $4 OR $4 IS NULL)
        AND (at >= $5 OR $5 IS NULL) AND (at < $6 OR $6 IS NULL) ORDER BY id DESC LIMIT $7"
    };
}

queries! {
    INSERT = concat!("INSERT INTO audit_events (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    LIST = concat!("SELECT ", columns!(), " FROM audit_events WHERE account_id = $8", filters!());
    LIST_OF_INSTALLATION = concat!("SELECT ", columns!(), " FROM audit_events WHERE account_id IS NULL", filters!());
}

/// Narrows the list of audit events.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only events with this action.
    pub action: Option<AuditAction>,
    /// Only events caused by this user or operator key.
    pub actor_id: Option<String>,
    /// Done to this alone.
    pub target: Option<String>,
    /// Start of the period, included.
    pub since: Option<Timestamp>,
    /// End of the period, excluded.
    pub until: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct EventRow {
    id: Uuid,
    account_id: Option<Uuid>,
    at: i64,
    actor_kind: String,
    actor_id: Option<String>,
    action: String,
    target: String,
    changes: Json<Vec<PropertyChange>>,
    client_address: Option<String>,
}

impl TryFrom<EventRow> for AuditEvent {
    type Error = StorageError;

    fn try_from(row: EventRow) -> Result<Self> {
        Ok(Self {
            id: AuditEventId::from_uuid(row.id),
            account_id: row.account_id.map(AccountId::from_uuid),
            at: time("audit_events.at", row.at)?,
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            action: AuditAction::stored(&row.action),
            target: row.target,
            changes: row.changes.0,
            client_address: row.client_address,
        })
    }
}

/// Adds one event to the audit log.
pub async fn insert(tx: &mut Tx, event: &AuditEvent) -> Result<()> {
    insert_all(tx, std::slice::from_ref(event)).await
}

/// Adds many events at once.
pub async fn insert_all(tx: &mut Tx, events: &[AuditEvent]) -> Result<()> {
    execute_rows!(tx, INSERT, events, |event| {
        id: event.id.as_uuid(),
        account_id: event.account_id.map(AccountId::as_uuid),
        at: millis(event.at),
        actor_kind: event.actor_kind.as_str(),
        actor_id: event.actor_id.as_deref(),
        action: event.action.as_str(),
        target: event.target.as_str(),
        changes: Json(&event.changes),
        client_address: event.client_address.as_deref().map(text),
    })?;
    Ok(())
}

/// Events of an account, the newest first.
pub async fn list(tx: &mut Tx, account_id: AccountId, filter: &AuditFilter, page: &Page) -> Result<Paged<AuditEvent>> {
    read(tx, Some(account_id), filter, page).await
}

/// Events that concern the whole installation, the newest first. For operators.
pub async fn list_of_installation(tx: &mut Tx, filter: &AuditFilter, page: &Page) -> Result<Paged<AuditEvent>> {
    read(tx, None, filter, page).await
}

async fn read(
    tx: &mut Tx,
    account_id: Option<AccountId>,
    filter: &AuditFilter,
    page: &Page,
) -> Result<Paged<AuditEvent>> {
    let (below, limit) = (page.below(), page.rows());
    let action = filter.action.map(AuditAction::as_str);
    let [actor, target] = [&filter.actor_id, &filter.target].map(|part| part.as_deref().map(text));
    let [since, until] = [filter.since, filter.until].map(|time| time.map(millis));
    let rows: Vec<EventRow> = match account_id.map(AccountId::as_uuid) {
        Some(id) => fetch_all!(tx, LIST, below, action, actor, target, since, until, limit, id)?,
        None => fetch_all!(tx, LIST_OF_INSTALLATION, below, action, actor, target, since, until, limit)?,
    };
    let events = rows.into_iter().map(AuditEvent::try_from).collect::<Result<_>>()?;
    Ok(Paged::cut(events, page, |event: &AuditEvent| event.id.as_uuid()))
}
