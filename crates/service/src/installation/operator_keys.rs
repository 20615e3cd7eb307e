//! Operators' API keys: made on the command line, shown once, kept as a digest.

use domain::OperatorKeyId;
use domain::audit::AuditAction;
use domain::operator_key::OperatorKey;
use domain::secret::{Secret, SecretKind};
use domain::text::Label;
use serde_json::{Value, json};

use crate::core::audit::AuditEntry;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::installation::Installation;

/// A key that was just made.
#[derive(Debug)]
pub struct NewOperatorKey {
    /// Record that is kept of the key.
    pub key: OperatorKey,
    /// The key itself; this is the only time it is seen.
    pub secret: Secret,
}

impl Installation {
    /// Makes a key with this name.
    pub async fn create_operator_key(&self, caller: &Caller, name: Label) -> Result<NewOperatorKey> {
        caller.authorize_operator()?;
        let secret = Secret::from_random(SecretKind::OperatorKey, self.core.random());
        let key = OperatorKey {
            id: OperatorKeyId::from_uuid(self.core.uuid()),
            name,
            digest: secret.digest(),
            created_at: self.core.now(),
            revoked_at: None,
        };
        let mut tx = self.core.store.begin().await?;
        storage::operator_keys::insert(&mut tx, &key).await?;
        let entry = AuditEntry {
            account_id: None,
            action: AuditAction::OperatorKeyCreated,
            target: key.id.to_string(),
            before: Value::Null,
            after: json!({ "name": key.name }),
        };
        self.core.record(&mut tx, caller, entry).await?;
        tx.commit().await?;
        Ok(NewOperatorKey { key, secret })
    }

    /// Lists all keys, revoked ones too.
    pub async fn list_operator_keys(&self, caller: &Caller) -> Result<Vec<OperatorKey>> {
        caller.authorize_operator()?;
        let mut tx = self.core.store.read().await?;
        Ok(storage::operator_keys::list(&mut tx).await?)
    }

    /// Revokes a key: it stops working at once. One that was revoked before stays so.
    pub async fn revoke_operator_key(&self, caller: &Caller, id: OperatorKeyId) -> Result<()> {
        caller.authorize_operator()?;
        let mut tx = self.core.store.begin().await?;
        if !storage::operator_keys::list(&mut tx).await?.iter().any(|key| key.id == id) {
            return Err(Error::new(Code::NotFound));
        }
        let now = self.core.now();
        if storage::operator_keys::revoke(&mut tx, id, now).await? {
            let entry = AuditEntry {
                account_id: None,
                action: AuditAction::OperatorKeyRevoked,
                target: id.to_string(),
                before: Value::Null,
                after: json!({ "revoked_at": now }),
            };
            self.core.record(&mut tx, caller, entry).await?;
        }
        Ok(tx.commit().await?)
    }
}
