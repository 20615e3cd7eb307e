//! API keys for an account's own automation: made by owners, shown once, kept as a digest.

use domain::api_key::{API_KEYS_MAX, ApiKey, ApiKeyScopes};
use domain::audit::AuditAction;
use domain::role::Permission;
use domain::secret::{Secret, SecretKind};
use domain::text::Label;
use domain::{AccountId, ApiKeyId};
use jiff::Timestamp;
use serde_json::{Value, json};
use storage::Tx;

use crate::accounts::Accounts;
use crate::core::account;
use crate::core::audit::AuditEntry;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::core::idempotency::{Created, IdempotencyKey};

/// Properties of a new key.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Purpose that an owner named.
    pub name: Label,
    /// Permissions that it has; at least one.
    pub scopes: ApiKeyScopes,
    /// Time from which on it does not work; none for a key that works until it is revoked.
    pub expires_at: Option<Timestamp>,
}

/// A key that was made.
#[derive(Debug)]
pub struct MadeApiKey {
    /// The key as stored.
    pub key: ApiKey,
    /// The key itself, which is never seen again; none in the answer to a repeated request.
    pub secret: Option<Secret>,
}

impl Accounts {
    /// Makes a key. No key makes another one.
    pub async fn create_api_key(
        &self,
        caller: &Caller,
        account_id: AccountId,
        new: NewApiKey,
        idempotency: Option<&IdempotencyKey>,
    ) -> Result<Created<MadeApiKey>> {
        caller.authorize(account_id, Permission::Administer)?;
        let mut tx = self.core.store.begin().await?;
        self.people.hold_owners(&mut tx, caller, account_id).await?;
        if let Some(id) = self.core.replay(&mut tx, caller, idempotency).await? {
            let key = api_key(&mut tx, account_id, id.parse().map_err(Error::internal)?).await?;
            return Ok(Created::replayed(MadeApiKey { key, secret: None }));
        }
        let (key, secret) = self.new_api_key(account_id, new)?;
        if !storage::api_keys::insert(&mut tx, &key, API_KEYS_MAX).await? {
            return Err(Error::new(Code::TooManyApiKeys));
        }
        self.core.record(&mut tx, caller, entry(AuditAction::ApiKeyCreated, &key, Value::Null, audited(&key))).await?;
        self.core.remember(&mut tx, caller, idempotency, key.id.to_string()).await?;
        tx.commit().await?;
        Ok(Created::fresh(MadeApiKey { key, secret: Some(secret) }))
    }

    fn new_api_key(&self, account_id: AccountId, new: NewApiKey) -> Result<(ApiKey, Secret)> {
        let NewApiKey { name, scopes, expires_at } = new;
        let now = self.core.now();
        if scopes.is_empty() {
            return Err(Error::invalid("/scopes", "must name at least one scope"));
        }
        if expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(Error::invalid("/expires_at", "must be in the future"));
        }
        let secret = Secret::from_random(SecretKind::ApiKey, self.core.random());
        let (id, hint, digest) = (ApiKeyId::from_uuid(self.core.uuid()), secret.hint(), secret.digest());
        let key =
            ApiKey { id, account_id, name, scopes, hint, digest, created_at: now, expires_at, last_used_at: None };
        Ok((key, secret))
    }

    /// Lists the keys of an account, expired ones too.
    pub async fn list_api_keys(&self, caller: &Caller, account_id: AccountId) -> Result<Vec<ApiKey>> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        account(&mut tx, account_id).await?;
        Ok(storage::api_keys::list(&mut tx, account_id).await?)
    }

    /// Reads a key: what is kept of it.
    pub async fn get_api_key(&self, caller: &Caller, account_id: AccountId, id: ApiKeyId) -> Result<ApiKey> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        api_key(&mut tx, account_id, id).await
    }

    /// Revokes a key: it stops working at once, and is gone.
    pub async fn delete_api_key(&self, caller: &Caller, account_id: AccountId, id: ApiKeyId) -> Result<()> {
        caller.authorize(account_id, Permission::Administer)?;
        let mut tx = self.core.store.begin().await?;
        let gone = api_key(&mut tx, account_id, id).await?;
        storage::api_keys::delete(&mut tx, account_id, id).await?;
        self.core
            .record(&mut tx, caller, entry(AuditAction::ApiKeyDeleted, &gone, audited(&gone), Value::Null))
            .await?;
        Ok(tx.commit().await?)
    }
}

async fn api_key(tx: &mut Tx, account_id: AccountId, id: ApiKeyId) -> Result<ApiKey> {
    storage::api_keys::by_id(tx, account_id, id).await?.ok_or_else(|| Error::new(Code::NotFound))
}

fn entry(action: AuditAction, key: &ApiKey, before: Value, after: Value) -> AuditEntry {
    AuditEntry { account_id: Some(key.account_id), action, target: key.id.to_string(), before, after }
}

fn audited(key: &ApiKey) -> Value {
    json!({ "name": key.name, "scopes": key.scopes, "hint": key.hint, "expires_at": key.expires_at })
}
