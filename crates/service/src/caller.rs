//! Who asks, and whether they may.

use std::net::IpAddr;

use domain::audit::AuditActor;
use domain::portal::Portal;
use domain::role::{Permission, RoleSet, permits};
use domain::{AccountId, ApplicationId, OperatorKeyId, SessionId, UserId};

use crate::error::{Code, Error, Result};

/// Who sends a request, and from where.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub identity: Identity,
    /// From where; none on the command line.
    pub address: Option<IpAddr>,
}

/// Who somebody has proved to be.
#[derive(Debug, Clone)]
pub enum Identity {
    /// Whoever runs Vestibule, by API key.
    Operator(OperatorKeyId),
    /// Whoever runs Vestibule, on the machine itself.
    CommandLine,
    /// A signed-in user.
    User(SignedInUser),
}

/// A user with a live session.
#[derive(Debug, Clone)]
pub struct SignedInUser {
    /// Who.
    pub user_id: UserId,
    /// Of which account.
    pub account_id: AccountId,
    /// In which portal.
    pub portal: Portal,
    /// By which session.
    pub session_id: SessionId,
    /// In which frontend.
    pub application_id: ApplicationId,
    /// With which roles, as of now and not as of the token.
    pub roles: RoleSet,
}

impl Caller {
    /// The operator's command line.
    pub fn command_line() -> Self {
        Self { identity: Identity::CommandLine, address: None }
    }

    /// Whether they may do this in that account. To an outsider the account is not there (A5).
    pub fn authorize(&self, account_id: AccountId, permission: Permission) -> Result<()> {
        match &self.identity {
            Identity::Operator(_) | Identity::CommandLine => Ok(()),
            Identity::User(user) if user.account_id != account_id => Err(Error::new(Code::NotFound)),
            Identity::User(user) if permits(&user.roles, permission) => Ok(()),
            Identity::User(_) => Err(Error::new(Code::Forbidden)),
        }
    }

    /// Whether they run Vestibule.
    pub fn authorize_operator(&self) -> Result<()> {
        match self.identity {
            Identity::Operator(_) | Identity::CommandLine => Ok(()),
            Identity::User(_) => Err(Error::new(Code::Forbidden)),
        }
    }

    /// The signed-in user; an operator is none.
    pub fn user(&self) -> Result<&SignedInUser> {
        match &self.identity {
            Identity::User(user) => Ok(user),
            Identity::Operator(_) | Identity::CommandLine => {
                Err(Error::new(Code::Forbidden).with_detail("This is for signed-in users, not for operator keys"))
            }
        }
    }

    /// How the audit log names them.
    pub fn actor(&self) -> AuditActor {
        match &self.identity {
            Identity::Operator(id) => AuditActor::Operator(*id),
            Identity::CommandLine => AuditActor::CommandLine,
            Identity::User(user) => AuditActor::User(user.user_id),
        }
    }

    /// Under which name their idempotency keys are kept.
    pub fn idempotency_scope(&self) -> String {
        let actor = self.actor();
        actor.id().unwrap_or_else(|| actor.kind().to_owned())
    }
}
