//! The audit log (H3): read-only.

use actix_web::{get, web};
use domain::audit::{AuditAction, AuditEvent as DomainEvent, PropertyChange as DomainChange};
use domain::{AccountId, AuditEventId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::{AuditFilter, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{AccountPath, PageParameters};
use super::answer::List;
use super::names::AuditActionName;
use crate::extract::{Authenticated, Ids, Listing};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ListProblems = [READ] + InvalidInput;
    InstallationProblems = [SECURED] + InvalidInput;
}

/// Registers the operations of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(list_audit_events).service(list_installation_audit_events);
}

/// One thing that was done.
#[derive(Debug, Serialize, ToSchema)]
struct AuditEvent {
    /// Names it; in order of time.
    #[schema(value_type = String, example = "aud_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: AuditEventId,
    /// Account in which it happened.
    #[schema(value_type = Option<String>, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: Option<AccountId>,
    /// Time at which it happened.
    occurred_at: Timestamp,
    /// Author of the change.
    actor: Actor,
    /// Action that was taken.
    #[schema(value_type = AuditActionName)]
    action: AuditAction,
    /// Id of the thing that it was done to.
    target: String,
    /// Changes, property by property.
    changes: Vec<PropertyChange>,
    /// Address that the request came from.
    client_address: Option<String>,
}

/// Author of a change.
#[derive(Debug, Serialize, ToSchema)]
struct Actor {
    /// `operator`, `command_line`, `user` or `system`.
    #[schema(example = "user")]
    kind: String,
    /// Identifier of the author, where there are several of the kind.
    id: Option<String>,
}

/// A property, before and after.
#[derive(Debug, Serialize, ToSchema)]
struct PropertyChange {
    /// Its name; a dot leads into an object.
    property: String,
    /// Value before; null where it was not there.
    before: Value,
    /// Value after; null where it is gone.
    after: Value,
}

impl From<DomainChange> for PropertyChange {
    fn from(change: DomainChange) -> Self {
        let DomainChange { property, before, after } = change;
        Self { property, before, after }
    }
}

impl From<DomainEvent> for AuditEvent {
    fn from(event: DomainEvent) -> Self {
        Self {
            id: event.id,
            account_id: event.account_id,
            occurred_at: event.at,
            actor: Actor { kind: event.actor_kind, id: event.actor_id },
            action: event.action,
            target: event.target,
            changes: event.changes.into_iter().map(PropertyChange::from).collect(),
            client_address: event.client_address,
        }
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Only events of this action.
    #[param(value_type = Option<AuditActionName>, inline)]
    action: Option<AuditAction>,
    /// Only events caused by this user or operator key.
    actor_id: Option<String>,
    /// Only events about this resource.
    target: Option<String>,
    /// Only events that happened then or later.
    since: Option<Timestamp>,
    /// Only events that happened before then.
    until: Option<Timestamp>,
}

impl From<AuditQuery> for AuditFilter {
    fn from(query: AuditQuery) -> Self {
        let AuditQuery { action, actor_id, target, since, until } = query;
        Self { action, actor_id, target, since, until }
    }
}

/// List audit events.
///
/// For operators, and for users of the account who hold a role. The newest first; nothing is ever changed or removed.
#[utoipa::path(
    operation_id = "list_audit_events", tag = "audit", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath, AuditQuery, PageParameters),
    responses((status = 200, description = "A page of events", body = List<AuditEvent>), ListProblems),
)]
#[get("/v1/accounts/{account_id}/audit-events")]
async fn list_audit_events(
    caller: Authenticated,
    path: Ids<AccountPath>,
    listing: Listing<AuditQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<List<AuditEvent>>, Problem> {
    let filter = AuditFilter::from(listing.filter);
    let events = service.accounts.list_audit_events(&caller.0, path.0.account_id, &filter, &listing.page).await?;
    Ok(web::Json(List::page(events)))
}

/// List audit events of the installation.
///
/// For operators: what concerns no single account, such as operator keys, signing keys and shared applications.
#[utoipa::path(
    operation_id = "list_installation_audit_events", tag = "audit", security(("operator_key" = [])),
    params(AuditQuery, PageParameters),
    responses((status = 200, description = "A page of events", body = List<AuditEvent>), InstallationProblems),
)]
#[get("/v1/audit-events")]
async fn list_installation_audit_events(
    caller: Authenticated,
    listing: Listing<AuditQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<List<AuditEvent>>, Problem> {
    let filter = AuditFilter::from(listing.filter);
    let events = service.installation.list_installation_audit_events(&caller.0, &filter, &listing.page).await?;
    Ok(web::Json(List::page(events)))
}
