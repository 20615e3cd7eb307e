//! The caller of a request, and their permissions.

use std::net::IpAddr;

use domain::api_key::{self, ApiKeyScopes, KeyRefusal, UserChange};
use domain::audit::AuditActor;
use domain::credential_epoch::CredentialEpoch;
use domain::portal::Portal;
use domain::role::{Permission, RoleSet, permits};
use domain::user::{SignInMethod, User};
use domain::{AccountId, ApiKeyId, ApplicationId, OperatorKeyId, SessionId, UserId};

use crate::core::audit::AuditOrigin;
use crate::core::error::{Code, Error, Result};

/// The caller of a request, and the address that it comes from.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Identity that the caller has proved.
    pub identity: Identity,
    /// Address that the request comes from; none on the command line.
    pub address: Option<IpAddr>,
}

/// Identities that a caller can prove.
#[derive(Debug, Clone)]
pub enum Identity {
    /// The operator of Vestibule, by an operator key.
    Operator(OperatorKeyId),
    /// The operator of Vestibule, on the machine itself.
    CommandLine,
    /// The own automation of an account.
    ApiKey(ApiKeyCaller),
    /// A user with a session.
    User(SignedInUser),
}

/// A program with a live API key.
#[derive(Debug, Clone)]
pub struct ApiKeyCaller {
    /// The key that was sent.
    pub id: ApiKeyId,
    /// Account that the key is of.
    pub account_id: AccountId,
    /// Permissions that the key has.
    pub scopes: ApiKeyScopes,
}

/// A user with a live session.
#[derive(Debug, Clone)]
pub struct SignedInUser {
    /// The user of the session.
    pub user_id: UserId,
    /// Account that the user is of.
    pub account_id: AccountId,
    /// Portal that the user is of.
    pub portal: Portal,
    /// Session that the token is of.
    pub session_id: SessionId,
    /// Application that the session is of.
    pub application_id: ApplicationId,
    /// Way in which the user signed in.
    pub method: SignInMethod,
    /// Epoch of the user's credentials that the session began in (A7).
    pub credential_epoch: CredentialEpoch,
    /// Roles of the user, as of now and not as of the token, and as far as they count in this session (C4).
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

    /// Whether they may change or remove this user, being allowed to manage users: no key reaches an owner.
    pub fn authorize_over(&self, user: &User) -> Result<()> {
        self.check_key(|| api_key::decide_reach(user))
    }

    /// Whether they may make this user.
    pub fn authorize_making(&self, user: &User) -> Result<()> {
        self.check_key(|| api_key::decide_making(user))
    }

    /// Refuses a change of a user that the caller may not make, though they reach that user.
    pub fn authorize_change(&self, change: &UserChange<'_>) -> Result<()> {
        self.check_key(|| api_key::decide_change(change))
    }

    fn check_key(&self, decide: impl FnOnce() -> std::result::Result<(), KeyRefusal>) -> Result<()> {
        match &self.identity {
            Identity::ApiKey(_) => {
                decide().map_err(|refusal| Error::new(Code::Forbidden).with_detail(refusal.to_string()))
            }
            Identity::Operator(_) | Identity::CommandLine | Identity::User(_) => Ok(()),
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

    /// The session that stays where the caller changes this user: their own, if the user is they (A7).
    pub fn session_of(&self, user: &User) -> Option<SessionId> {
        match &self.identity {
            Identity::User(caller) if (caller.account_id, caller.user_id) == (user.account_id, user.id) => {
                Some(caller.session_id)
            }
            _ => None,
        }
    }

    /// Name of the caller in the audit log.
    pub fn actor(&self) -> AuditActor {
        match &self.identity {
            Identity::Operator(id) => AuditActor::Operator(*id),
            Identity::CommandLine => AuditActor::CommandLine,
            Identity::ApiKey(key) => AuditActor::ApiKey(key.id),
            Identity::User(user) => AuditActor::User(user.user_id),
        }
    }

    /// The caller as the origin of a change, for the audit log.
    pub(crate) fn origin(&self) -> AuditOrigin {
        AuditOrigin { actor: self.actor(), client_address: self.address.map(|address| address.to_string()) }
    }

    /// Names the scope that the caller's idempotency keys are kept under.
    pub fn idempotency_scope(&self) -> String {
        let actor = self.actor();
        actor.id().unwrap_or_else(|| actor.kind().to_owned())
    }
}
