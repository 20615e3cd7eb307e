//! The keys of access tokens: made, rotated, published, and kept ready in memory (I1).

use std::sync::{Arc, RwLock};

use domain::SigningKeyId;
use domain::audit::AuditAction;
use domain::signing_key::{KeyStep, SigningKey, SigningKeyState, plan_rotation};
use serde_json::{Value, json};
use storage::{StorageError, Tx};

use crate::core::audit::{AuditEntry, AuditOrigin};
use crate::core::error::{Error, Result};
use crate::core::ports::PreparedSigner;
use crate::sessions::Sessions;

/// The keys as of the last look at the database.
pub(crate) struct Keyring {
    /// Signer with the active key.
    pub signer: Box<dyn PreparedSigner>,
    active: SigningKeyId,
    /// Published keys (JWKs), which verify tokens.
    pub jwks: Vec<Value>,
}

/// The keyring in use, if it was loaded.
#[derive(Default)]
pub(crate) struct KeyringCache(RwLock<Option<Arc<Keyring>>>);

impl KeyringCache {
    fn get(&self) -> Option<Arc<Keyring>> {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn set(&self, keyring: Arc<Keyring>) {
        *self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(keyring);
    }
}

impl Sessions {
    /// The JSON Web Key Set (RFC 7517, section 5).
    pub async fn jwks(&self) -> Result<Value> {
        Ok(json!({ "keys": self.keyring().await?.jwks }))
    }

    /// The claims of an access token that a published key signed; times and audience are not looked at.
    pub(crate) async fn verified_claims(&self, token: &str) -> Result<Option<Value>> {
        Ok(self.core.ports.token_signer.verified_claims(token, &self.keyring().await?.jwks))
    }

    pub(crate) async fn keyring(&self) -> Result<Arc<Keyring>> {
        match self.keyring.get() {
            Some(keyring) => Ok(keyring),
            None => self.reload_keyring().await,
        }
    }

    async fn reload_keyring(&self) -> Result<Arc<Keyring>> {
        let mut tx = self.core.store.read().await?;
        let mut keys = storage::signing_keys::list_published(&mut tx).await?;
        drop(tx);
        if !keys.iter().any(|key| key.state == SigningKeyState::Active) {
            keys = self.apply_rotation().await?;
        }
        let keyring = Arc::new(self.prepare_keyring(&keys)?);
        self.keyring.set(Arc::clone(&keyring));
        Ok(keyring)
    }

    fn prepare_keyring(&self, keys: &[SigningKey]) -> Result<Keyring> {
        let active = keys
            .iter()
            .find(|key| key.state == SigningKeyState::Active)
            .ok_or_else(|| Error::internal("no signing key is active"))?;
        let private_key = self
            .core
            .ports
            .sealer
            .open(&seal_context(active.id), &active.sealed_private_key)
            .map_err(Error::internal)?;
        let signer = self
            .core
            .ports
            .token_signer
            .prepare(active.algorithm, &active.id.to_string(), &private_key)
            .map_err(Error::internal)?;
        let jwks = keys.iter().filter(|key| key.state.is_published()).map(|key| key.public_jwk.clone()).collect();
        Ok(Keyring { signer, active: active.id, jwks })
    }

    /// Carries out what the plan says is due, and takes up what other replicas did.
    pub(crate) async fn rotate_signing_keys(&self) -> Result<()> {
        let keys = self.apply_rotation().await?;
        let current = self.keyring.get();
        let published = keys.iter().filter(|key| key.state.is_published()).count();
        let unchanged = current.is_some_and(|ring| {
            ring.jwks.len() == published
                && keys.iter().any(|key| key.id == ring.active && key.state == SigningKeyState::Active)
        });
        if !unchanged {
            self.keyring.set(Arc::new(self.prepare_keyring(&keys)?));
        }
        Ok(())
    }

    /// Adds an upcoming key, which takes over an hour later (an operator's rotation).
    pub async fn request_signing_key_rotation(&self, caller: &crate::Caller) -> Result<()> {
        caller.authorize_operator()?;
        let key = self.make_key(SigningKeyState::Upcoming)?;
        let mut tx = self.core.store.begin().await?;
        storage::signing_keys::insert(&mut tx, &key).await?;
        self.core.record(&mut tx, caller, entry(AuditAction::SigningKeyCreated, key.id, key.state)).await?;
        tx.commit().await?;
        self.rotate_signing_keys().await
    }

    /// Two replicas may plan the same at once: the database lets one of them do each step, and the other sees it done.
    async fn apply_rotation(&self) -> Result<Vec<SigningKey>> {
        let mut tx = self.core.store.read().await?;
        let keys = storage::signing_keys::list_published(&mut tx).await?;
        drop(tx);
        let facts: Vec<_> = keys.iter().map(SigningKey::facts).collect();
        let steps = plan_rotation(&facts, self.core.now());
        if steps.is_empty() {
            return Ok(keys);
        }
        match self.carry_out(&steps, &keys).await {
            Ok(()) => {}
            Err(error) if error.code == crate::Code::PreconditionFailed || is_conflict(&error) => {}
            Err(error) => return Err(error),
        }
        let mut tx = self.core.store.read().await?;
        Ok(storage::signing_keys::list_published(&mut tx).await?)
    }

    async fn carry_out(&self, steps: &[KeyStep], keys: &[SigningKey]) -> Result<()> {
        let created: Vec<SigningKey> = steps
            .iter()
            .filter_map(|step| if let KeyStep::Create(state) = step { Some(self.make_key(*state)) } else { None })
            .collect::<Result<_>>()?;
        let mut tx = self.core.store.begin().await?;
        for step in steps {
            if let KeyStep::Move(id, to) = step {
                self.move_key(&mut tx, keys, *id, *to).await?;
            }
        }
        for key in &created {
            storage::signing_keys::insert(&mut tx, key).await?;
            let entry = entry(AuditAction::SigningKeyCreated, key.id, key.state);
            self.core.record_as(&mut tx, AuditOrigin::SYSTEM, entry).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn move_key(&self, tx: &mut Tx, keys: &[SigningKey], id: SigningKeyId, to: SigningKeyState) -> Result<()> {
        let from = keys.iter().find(|key| key.id == id).map_or(to, |key| key.state);
        if !storage::signing_keys::move_state(tx, id, from, to, self.core.now()).await? {
            return Err(StorageError::Stale.into());
        }
        self.core.record_as(tx, AuditOrigin::SYSTEM, entry(AuditAction::SigningKeyMoved, id, to)).await
    }

    fn make_key(&self, state: SigningKeyState) -> Result<SigningKey> {
        let id = SigningKeyId::from_uuid(self.core.uuid());
        let algorithm = self.core.settings.signing_algorithm;
        let generated = self.core.ports.token_signer.generate(algorithm, &id.to_string()).map_err(Error::internal)?;
        let now = self.core.now();
        Ok(SigningKey {
            id,
            algorithm,
            state,
            since: now,
            created_at: now,
            public_jwk: generated.public_jwk,
            sealed_private_key: self.core.ports.sealer.seal(&seal_context(id), &generated.private_key),
        })
    }
}

fn is_conflict(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<StorageError>());
    matches!(source, Some(StorageError::Conflict(_)))
}

fn seal_context(id: SigningKeyId) -> String {
    format!("signing_key/{id}")
}

fn entry(action: AuditAction, id: SigningKeyId, state: SigningKeyState) -> AuditEntry {
    AuditEntry {
        account_id: None,
        action,
        target: id.to_string(),
        before: Value::Null,
        after: json!({ "state": state.as_str() }),
    }
}
