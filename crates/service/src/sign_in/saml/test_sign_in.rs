//! Test sign-ins (C9): an owner tries a saved connection, enabled or not, with a real response, and no user gets
//! in.

use std::net::IpAddr;

use domain::audit::AuditAction;
use domain::email::Email;
use domain::role::Permission;
use domain::sign_in_attempt::{AttemptKind, SIGN_IN_LIFETIME, SignInAttempt};
use domain::sso::connection::SamlConnection;
use domain::sso::pending_sign_in::Purpose;
use domain::sso::test_sign_in::TestFindings;
use domain::{AccountId, AttemptId, ConnectionId};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::connections::{connection, entry};
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::sign_in::SignIn;
use crate::sign_in::saml::discovery::email_refusal;
use crate::sign_in::saml::refusal::NewAttempt;
use crate::sign_in::saml::start::StartedSignIn;
use crate::sign_in::saml::test_checks::{Wanted, untried};

/// Body that begins a test.
#[derive(Debug, Clone)]
pub struct StartTestSignIn {
    /// Work email, as a user would type it on the login page.
    pub email: Option<Email>,
    /// Address that the request comes from.
    pub address: IpAddr,
}

/// A test sign-in, and what it found.
#[derive(Debug, Clone)]
pub struct TestSignIn {
    /// Attempt of the test, which tells how far it got.
    pub attempt: SignInAttempt,
    /// Findings of the test, once it was answered.
    pub findings: TestFindings,
    /// Time until which a response may come.
    pub expires_at: Timestamp,
}

impl SignIn {
    /// Begins a test of a connection that is complete. Refused where a login page would be, in the same words.
    pub async fn start_test_sign_in(
        &self,
        caller: &Caller,
        account_id: AccountId,
        id: ConnectionId,
        start: StartTestSignIn,
    ) -> Result<StartedSignIn> {
        caller.authorize(account_id, Permission::Administer)?;
        let mut tx = self.core.store.read().await?;
        let connection = connection(&mut tx, account_id, id).await?;
        self.connections.check_complete(&connection)?;
        let email_refusal = match &start.email {
            Some(email) => email_refusal(&mut tx, &connection, email).await?,
            None => None,
        };
        drop(tx);
        let attempt = NewAttempt {
            connection: &connection,
            application_id: None,
            kind: AttemptKind::Test,
            entered_email: start.email.as_ref(),
            address: start.address,
        };
        if let Some(reason) = self.start_refusal(&connection, email_refusal).await {
            return Err(self.refuse_start(attempt, reason).await);
        }
        let (pending, relay_state) = self.pending(&attempt, Purpose::Test);
        let mut tx = self.core.store.begin().await?;
        self.write_start(&mut tx, &attempt, &pending).await?;
        let begun = json!({ "attempt_id": pending.attempt_id });
        self.core
            .record(&mut tx, caller, entry(AuditAction::SamlConnectionTestStarted, &connection, Value::Null, begun))
            .await?;
        tx.commit().await?;
        self.handed_off(&connection, &pending, &relay_state).await
    }

    /// Reads a test of a connection.
    pub async fn get_test_sign_in(
        &self,
        caller: &Caller,
        account_id: AccountId,
        connection_id: ConnectionId,
        id: AttemptId,
    ) -> Result<TestSignIn> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        let connection = connection(&mut tx, account_id, connection_id).await?;
        let found = storage::test_sign_ins::by_id(&mut tx, account_id, connection_id, id).await?;
        let (attempt, findings) = found.ok_or_else(|| Error::new(Code::NotFound))?;
        let acs_url = self.connections.acs_url(&connection.sp_hash);
        let checks = || untried(&wanted(&connection, &acs_url));
        let findings = findings.unwrap_or_else(|| TestFindings { checks: checks(), ..TestFindings::default() });
        let expires_at = attempt.started_at.saturating_add(SIGN_IN_LIFETIME).unwrap_or(Timestamp::MAX);
        Ok(TestSignIn { attempt, findings, expires_at })
    }
}

/// Values that a connection wants of every response.
pub(super) fn wanted<'a>(connection: &'a SamlConnection, acs_url: &'a str) -> Wanted<'a> {
    Wanted { acs_url, idp_entity_id: connection.settings.idp_entity_id.as_deref().unwrap_or_default() }
}
