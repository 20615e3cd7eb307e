//! Who asks, and whether they may.

use std::net::IpAddr;

use domain::api_key::{self, ApiKeyScopes};
use domain::audit::AuditActor;
use domain::portal::Portal;
use domain::role::{Permission, RoleSet, permits};
use domain::user::User;
use domain::{AccountId, ApiKeyId, ApplicationId, OperatorKeyId, SessionId, UserId};

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
    /// The own automation of an account.
    ApiKey(ApiKeyCaller),
    /// A signed-in user.
    User(SignedInUser),
}

/// A program with a live API key.
#[derive(Debug, Clone)]
pub struct ApiKeyCaller {
    /// Which key.
    pub id: ApiKeyId,
    /// Of which account.
    pub account_id: AccountId,
    /// What it may do.
    pub scopes: ApiKeyScopes,
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
            Identity::ApiKey(key) if key.account_id != account_id => Err(Error::new(Code::NotFound)),
            Identity::ApiKey(key) if api_key::permits(&key.scopes, permission) => Ok(()),
            Identity::User(_) | Identity::ApiKey(_) => Err(Error::new(Code::Forbidden)),
        }
    }

    /// Whether they may make, change or remove this user, being allowed to manage users: no key reaches an owner.
    pub fn authorize_over(&self, user: &User) -> Result<()> {
        match &self.identity {
            Identity::ApiKey(_) if !api_key::may_manage(user) => {
                Err(Error::new(Code::Forbidden).with_detail("An API key neither makes nor changes owners"))
            }
            _ => Ok(()),
        }
    }

    /// The one account that they belong to; an operator sees all.
    pub fn own_account(&self) -> Option<AccountId> {
        match &self.identity {
            Identity::Operator(_) | Identity::CommandLine => None,
            Identity::ApiKey(key) => Some(key.account_id),
            Identity::User(user) => Some(user.account_id),
        }
    }

    /// Whether they run Vestibule.
    pub fn authorize_operator(&self) -> Result<()> {
        match self.identity {
            Identity::Operator(_) | Identity::CommandLine => Ok(()),
            Identity::ApiKey(_) | Identity::User(_) => Err(Error::new(Code::Forbidden)),
        }
    }

    /// The signed-in user; an operator or a program is none.
    pub fn user(&self) -> Result<&SignedInUser> {
        match &self.identity {
            Identity::User(user) => Ok(user),
            Identity::Operator(_) | Identity::CommandLine | Identity::ApiKey(_) => {
                Err(Error::new(Code::Forbidden).with_detail("This is for signed-in users, not for keys"))
            }
        }
    }

    /// How the audit log names them.
    pub fn actor(&self) -> AuditActor {
        match &self.identity {
            Identity::Operator(id) => AuditActor::Operator(*id),
            Identity::CommandLine => AuditActor::CommandLine,
            Identity::ApiKey(key) => AuditActor::ApiKey(key.id),
            Identity::User(user) => AuditActor::User(user.user_id),
        }
    }

    /// Under which name their idempotency keys are kept.
    pub fn idempotency_scope(&self) -> String {
        let actor = self.actor();
        actor.id().unwrap_or_else(|| actor.kind().to_owned())
    }
}
