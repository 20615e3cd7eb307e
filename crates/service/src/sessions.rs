//! Sessions: the tokens that prove them, the keys that sign these, who calls, and how a session ends (I1 to I3).
//!
//! Uses: `core`, `people`.

pub(crate) mod authentication;
mod network_throttle;
mod signing_keys;
pub(crate) mod tokens;

use std::sync::Arc;

use domain::account::Account;
use domain::audit::AuditAction;
use domain::role::Permission;
use domain::secret::SecretDigest;
use domain::session::{Session, SessionEnd};
use domain::user::User;
use domain::{AccountId, SessionId, UserId};
use moka::future::Cache;
use serde_json::{Value, json};
use storage::sessions::SessionFilter;
use storage::{Page, Paged, Tx};

use crate::CACHE_ENTRIES;
use crate::core::Core;
use crate::core::account;
use crate::core::audit::{AuditEntry, AuditOrigin};
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::people::users::user;
use network_throttle::NetworkThrottle;
use signing_keys::KeyringCache;

/// Sessions, the tokens that prove them, and the keys that sign these.
pub struct Sessions {
    core: Arc<Core>,
    keyring: KeyringCache,
    failed_bearers: NetworkThrottle,
    good_keys: Cache<SecretDigest, ()>,
}

impl Sessions {
    /// Puts the sessions over the core.
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self {
            core,
            keyring: KeyringCache::default(),
            failed_bearers: NetworkThrottle::new(authentication::FAILED_BEARERS),
            good_keys: Cache::builder().max_capacity(CACHE_ENTRIES).time_to_live(authentication::GOOD_KEYS).build(),
        }
    }
}

/// A signed-in user, as they see themselves.
#[derive(Debug, Clone)]
pub struct Me {
    /// User who is signed in.
    pub user: User,
    /// Account that the user is of.
    pub account: Account,
    /// Session that the token is of.
    pub session: Session,
}

/// The end of a session, and who brought it about.
pub(crate) struct Ending {
    pub account_id: AccountId,
    pub user_id: UserId,
    pub session_id: SessionId,
    pub reason: SessionEnd,
    pub origin: AuditOrigin,
}

impl Ending {
    /// One that Vestibule brings about itself: a code or token came that should not have.
    pub fn by_system(account_id: AccountId, user_id: UserId, session_id: SessionId, reason: SessionEnd) -> Self {
        Self { account_id, user_id, session_id, reason, origin: AuditOrigin::SYSTEM }
    }
}

impl Sessions {
    /// Describes the caller: user, account and session.
    pub async fn me(&self, caller: &Caller) -> Result<Me> {
        let signed_in = caller.user()?;
        let mut tx = self.core.store.read().await?;
        let session = storage::sessions::by_id(&mut tx, signed_in.account_id, signed_in.session_id).await?;
        Ok(Me {
            user: user(&mut tx, signed_in.account_id, signed_in.user_id).await?,
            account: account(&mut tx, signed_in.account_id).await?,
            session: session.ok_or_else(|| Error::new(Code::SessionExpired))?,
        })
    }

    /// Lists the caller's own live sessions.
    pub async fn list_my_sessions(&self, caller: &Caller, page: &Page) -> Result<Paged<Session>> {
        let signed_in = caller.user()?;
        let filter = SessionFilter {
            user_id: Some(signed_in.user_id),
            live_at: Some(self.core.now()),
            ..SessionFilter::default()
        };
        let mut tx = self.core.store.read().await?;
        Ok(storage::sessions::list(&mut tx, signed_in.account_id, &filter, page).await?)
    }

    /// Ends a session of the caller's own.
    pub async fn end_my_session(&self, caller: &Caller, id: SessionId) -> Result<()> {
        let signed_in = caller.user()?;
        let mut tx = self.core.store.begin().await?;
        let session = session(&mut tx, signed_in.account_id, id).await?;
        if session.user_id != signed_in.user_id {
            return Err(Error::new(Code::NotFound));
        }
        self.end_session_in(tx, caller, &session, SessionEnd::EndedByUser).await
    }

    /// Lists sessions of an account.
    pub async fn list_sessions(
        &self,
        caller: &Caller,
        account_id: AccountId,
        filter: &SessionFilter,
        page: &Page,
    ) -> Result<Paged<Session>> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        Ok(storage::sessions::list(&mut tx, account_id, filter, page).await?)
    }

    /// Ends the session of any user of an account.
    pub async fn end_session(&self, caller: &Caller, account_id: AccountId, id: SessionId) -> Result<()> {
        caller.authorize(account_id, Permission::Administer)?;
        let mut tx = self.core.store.begin().await?;
        let session = session(&mut tx, account_id, id).await?;
        self.end_session_in(tx, caller, &session, SessionEnd::EndedByAdministrator).await
    }

    /// Ends a session; one that has ended already stays as it ended.
    async fn end_session_in(&self, mut tx: Tx, caller: &Caller, session: &Session, reason: SessionEnd) -> Result<()> {
        let ending = Ending {
            account_id: session.account_id,
            user_id: session.user_id,
            session_id: session.id,
            reason,
            origin: caller.origin(),
        };
        self.end_session_as(&mut tx, ending).await?;
        Ok(tx.commit().await?)
    }

    /// Ends a session and writes it down; one that has ended already stays as it ended.
    pub(crate) async fn end_session_as(&self, tx: &mut Tx, ending: Ending) -> Result<()> {
        let Ending { account_id, user_id, session_id, reason, origin } = ending;
        if !storage::sessions::end(tx, account_id, session_id, self.core.now(), reason).await? {
            return Ok(());
        }
        let entry = AuditEntry {
            account_id: Some(account_id),
            action: AuditAction::SessionEnded,
            target: session_id.to_string(),
            before: Value::Null,
            after: json!({ "user_id": user_id, "reason": reason.as_str() }),
        };
        self.core.record_as(tx, origin, entry).await
    }
}

async fn session(tx: &mut Tx, account_id: AccountId, id: SessionId) -> Result<Session> {
    storage::sessions::by_id(tx, account_id, id).await?.ok_or_else(|| Error::new(Code::NotFound))
}
