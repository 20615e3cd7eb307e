//! The enable switch (C9): mode `off` to `optional`, and back.

use domain::audit::AuditAction;
use domain::sso::connection::{Incomplete, SamlConnection, SsoMode};
use domain::{AccountId, ConnectionId};

use crate::connections::Connections;
use crate::connections::{Change, ConnectionView};
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result, Violation};
use crate::core::version::Versioned;

/// Result of enabling a connection.
#[derive(Debug, Clone)]
pub struct EnableReport {
    /// Connection as it is once enabled.
    pub view: ConnectionView,
    /// Users who cannot use SSO until their duplicates are gone (A2).
    pub shared_emails: Vec<SharedEmailReport>,
}

/// An email that several active users share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedEmailReport {
    /// The email, in lower case.
    pub email: String,
    /// Usernames of the users who share it.
    pub usernames: Vec<String>,
}

impl Connections {
    /// Enables a connection that is complete. Form login stays for all users.
    pub async fn enable_connection(
        &self,
        caller: &Caller,
        account_id: AccountId,
        target: Versioned<ConnectionId>,
    ) -> Result<EnableReport> {
        let apply = |connection: &mut SamlConnection| {
            self.check_complete(connection)?;
            if !connection.mode.is_enabled() {
                connection.mode = SsoMode::Optional;
            }
            Ok(())
        };
        let change = Change { action: AuditAction::SamlConnectionEnabled, apply: Box::new(apply) };
        let view = self.change_connection(caller, account_id, target, change).await?;
        let mut tx = self.core.store.read().await?;
        let shared = storage::users::shared_emails(&mut tx, account_id, view.connection.portal).await?;
        let shared_emails = shared
            .into_iter()
            .map(|shared| SharedEmailReport { email: shared.email, usernames: shared.usernames })
            .collect();
        Ok(EnableReport { view, shared_emails })
    }

    /// Disables a connection: from now on nothing goes through it, and its settings stay. Where SSO is required,
    /// people would be left without a way in: a migration leads back (F4).
    pub async fn disable_connection(
        &self,
        caller: &Caller,
        account_id: AccountId,
        target: Versioned<ConnectionId>,
    ) -> Result<ConnectionView> {
        let apply = |connection: &mut SamlConnection| {
            if connection.mode == SsoMode::Required {
                return Err(Error::new(Code::SsoRequired));
            }
            connection.mode = SsoMode::Off;
            Ok(())
        };
        let change = Change { action: AuditAction::SamlConnectionDisabled, apply: Box::new(apply) };
        self.change_connection(caller, account_id, target, change).await
    }

    pub(crate) fn check_complete(&self, connection: &SamlConnection) -> Result<()> {
        let missing = connection.settings.missing(self.core.now());
        if missing.is_empty() {
            return Ok(());
        }
        let violation =
            |missing: &Incomplete| Violation { field: format!("/{}", missing.property()), detail: missing.to_string() };
        let violations = missing.iter().map(violation).collect();
        Err(Error::new(Code::ConnectionIncomplete).with_violations(violations))
    }
}
