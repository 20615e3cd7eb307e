//! Operators' API keys: made on the command line, shown once, kept as a digest.

use domain::OperatorKeyId;
use domain::operator_key::OperatorKey;
use domain::secret::{Secret, SecretKind};
use domain::text::Label;
use serde_json::{Value, json};

use crate::Service;
use crate::audit::Deed;
use crate::caller::Caller;
use crate::error::Result;

/// A key that was just made.
#[derive(Debug)]
pub struct NewOperatorKey {
    /// What is kept of it.
    pub key: OperatorKey,
    /// The key itself; this is the only time it is seen.
    pub secret: Secret,
}

impl Service {
    /// Makes a key with this name.
    pub async fn create_operator_key(&self, caller: &Caller, name: Label) -> Result<NewOperatorKey> {
        caller.authorize_operator()?;
        let secret = Secret::from_random(SecretKind::OperatorKey, self.random());
        let key = OperatorKey {
            id: OperatorKeyId::from_uuid(self.uuid()),
            name,
            digest: secret.digest(),
            created_at: self.now(),
            revoked_at: None,
        };
        let mut tx = self.store.begin().await?;
        storage::operator_keys::insert(&mut tx, &key).await?;
        let deed = Deed {
            account_id: None,
            action: "operator_key.created",
            target: key.id.to_string(),
            before: Value::Null,
            after: json!({ "name": key.name }),
        };
        self.record(&mut tx, caller, deed).await?;
        tx.commit().await?;
        Ok(NewOperatorKey { key, secret })
    }
}
