//! Whether a portal is ready for SSO (H2): each finding with what it means, what to do, and where.

use domain::break_glass::last_used;
use domain::portal::Portal;
use domain::role::Permission;
use domain::sso::connection::SamlConnection;
use domain::sso_readiness::{BreakGlass, Finding, FindingCode, Reach, ReadinessFacts, Tested, findings, is_ready};
use domain::user::UserStatus;
use domain::{AccountId, ConnectionId};
use storage::Tx;

use crate::connections::Connections;
use crate::connections::portal_connection;
use crate::core::account;
use crate::core::caller::Caller;
use crate::core::error::Result;
use crate::core::ports::ProbeResult;

/// Findings about a portal.
#[derive(Debug, Clone)]
pub struct SsoReadiness {
    /// Portal that they are about.
    pub portal: Portal,
    /// Whether nothing was found that would leave people outside.
    pub is_ready: bool,
    /// Findings, those of the connection first.
    pub findings: Vec<FindingView>,
}

/// A finding, and what to do about it.
#[derive(Debug, Clone)]
pub struct FindingView {
    /// Finding with its facts.
    pub finding: Finding,
    /// The same in words.
    pub detail: String,
    /// Advice on what to do.
    pub fix: &'static str,
    /// Path of the resource of this API that it is about.
    pub resource: String,
}

impl Connections {
    /// Looks at everything that SSO of a portal depends on. The identity provider is asked whether it answers,
    /// outside of any transaction.
    pub async fn sso_readiness(&self, caller: &Caller, account_id: AccountId, portal: Portal) -> Result<SsoReadiness> {
        caller.authorize(account_id, Permission::Read)?;
        let now = self.core.now();
        let mut tx = self.core.store.read().await?;
        account(&mut tx, account_id).await?;
        let connection = portal_connection(&mut tx, account_id, portal).await?;
        let tested = match &connection {
            Some(connection) => tested(&mut tx, connection).await?,
            None => None,
        };
        let break_glass = break_glass(&mut tx, account_id).await?;
        let people = storage::sso_readiness::people(&mut tx, account_id, portal, connection.as_ref()).await?;
        drop(tx);
        let reach = match &connection {
            Some(connection) => self.reach(connection).await,
            None => Reach::Fine,
        };
        let facts = ReadinessFacts {
            portal,
            connection: connection.as_ref(),
            reach,
            tested,
            break_glass: &break_glass,
            people: &people,
        };
        let found = findings(&facts, now);
        let connection_id = connection.map(|connection| connection.id);
        Ok(SsoReadiness {
            portal,
            is_ready: is_ready(&found),
            findings: found.into_iter().map(|finding| view(account_id, connection_id, finding)).collect(),
        })
    }

    async fn reach(&self, connection: &SamlConnection) -> Reach {
        match self.probed(connection).await {
            None | Some(ProbeResult::Reachable) => Reach::Fine,
            Some(ProbeResult::Unreachable) => Reach::Unreachable,
            Some(ProbeResult::Unknown) => Reach::Unknown,
        }
    }
}

/// Finds the last test sign-in of a connection that would have let its user in.
async fn tested(tx: &mut Tx, connection: &SamlConnection) -> Result<Option<Tested>> {
    let last = storage::test_sign_ins::last_success(tx, connection.account_id, connection.id).await?;
    Ok(last.map(|last| Tested { is_current: last.is_current }))
}

async fn break_glass(tx: &mut Tx, account_id: AccountId) -> Result<Vec<BreakGlass>> {
    let mut found = vec![];
    for known in storage::break_glass::list(tx, account_id).await? {
        let user = known.user;
        if user.status != UserStatus::Active || !known.has_own_password {
            continue;
        }
        let mail_fails = match user.reset_email() {
            Some(email) => storage::outbox::was_given_up(tx, account_id, email).await?,
            None => false,
        };
        let (has_email, proven_at) = (user.reset_email().is_some(), last_used(&user).max(known.drilled_at));
        found.push(BreakGlass { id: user.id, proven_at, has_email, mail_fails });
    }
    Ok(found)
}

fn view(account_id: AccountId, connection_id: Option<ConnectionId>, finding: Finding) -> FindingView {
    let (detail, fix) = words(&finding);
    let account = format!("/v1/accounts/{account_id}");
    let resource = match (finding.code, connection_id, finding.users.as_slice()) {
        (FindingCode::NoBreakGlassUser, ..) => format!("{account}/users?role=organization_owner"),
        (_, _, [only]) => format!("{account}/users/{only}"),
        (_, _, [_, ..]) => format!("{account}/users"),
        (_, Some(id), []) => format!("{account}/saml-connections/{id}"),
        (_, None, []) => format!("{account}/saml-connections"),
    };
    FindingView { finding, detail, fix, resource }
}

/// Words for a finding, and for what to do about it.
fn words(finding: &Finding) -> (String, &'static str) {
    let count = finding.count;
    let days = finding.days_left.unwrap_or_default();
    let (detail, fix) = match finding.code {
        FindingCode::ConnectionMissing => {
            ("The portal has no SAML connection", "Create one, and import the identity provider's metadata.")
        }
        FindingCode::ConnectionIncomplete => {
            ("The SAML connection is not complete", "Set what its property missing lists.")
        }
        FindingCode::ConnectionDisabled => {
            ("The SAML connection is not enabled", "Test it, then enable it: form login stays.")
        }
        FindingCode::CertificateExpired => {
            ("Every certificate of the identity provider has expired", "Add its current signing certificate.")
        }
        FindingCode::CertificateExpires => {
            let detail = format!("The last valid certificate of the identity provider expires in {days} days");
            return (detail, "Add its next signing certificate beside it.");
        }
        FindingCode::IdpUnreachable => (
            "The identity provider's login URL does not answer",
            "Check login_url, and whether the identity provider is up.",
        ),
        FindingCode::IdpUnknown => (
            "Whether the identity provider answers cannot be looked at from here",
            "Nothing, if it is inside the company's network.",
        ),
        FindingCode::NotTested => {
            ("No test sign-in has succeeded yet", "Do a test sign-in: it shows every check, and gives no session.")
        }
        FindingCode::TestOutdated => {
            ("The connection was changed since its last test sign-in", "Do another test sign-in.")
        }
        FindingCode::NoBreakGlassUser => {
            ("No user gets in when SSO does not work", "Give an owner a password, and set break_glass on them.")
        }
        FindingCode::BreakGlassUnproven => {
            ("Break-glass users who neither came in nor drilled for 90 days", "Have them do a break-glass drill.")
        }
        FindingCode::BreakGlassWithoutEmail => {
            ("Break-glass users to whom no code or reset can be mailed", "Set their recovery_email.")
        }
        FindingCode::BreakGlassMailFails => {
            ("Break-glass users whose last mail could not be delivered", "Correct their recovery_email or email.")
        }
        FindingCode::EmailShared => (
            "Active users who share an email, so that SSO lets none of them in",
            "Remove the duplicates, or preview a migration, which says how.",
        ),
        FindingCode::EmailMissing => {
            ("Users without an email, by which SSO would know them", "Set their email, or exempt them.")
        }
        FindingCode::DomainNotListed => (
            "Users whose email's domain is not on the connection's list",
            "Add the domain to email_domains, or exempt them.",
        ),
        FindingCode::RoleMissing => (
            "Users without a role, who get in only if the identity provider sends one",
            "Assign a role, or set default_roles.",
        ),
        FindingCode::UsersExempt => {
            ("Users who keep form login where SSO is required", "Clear exempt on those who need it no more.")
        }
    };
    (if count > 0 { format!("{detail}: {count}") } else { detail.to_owned() }, fix)
}
