//! The service provider's own keys, of each connection (C6).

use std::sync::Arc;

use domain::audit::AuditAction;
use domain::role::Permission;
use domain::sso::connection::SamlConnection;
use domain::sso::sp_key::{SP_CERTIFICATE_VALIDITY, SP_KEY_OVERLAP, SpKeyRecord};
use domain::{AccountId, ConnectionId, SpKeyId};
use jiff::Timestamp;
use saml::SpKey;
use serde_json::{Value, json};
use storage::Tx;

use crate::connections::Connections;
use crate::connections::connection;
use crate::core::audit::AuditEntry;
use crate::core::caller::Caller;
use crate::core::error::{Error, Result};

impl Connections {
    /// The keys of a connection that still decrypt, the current one first.
    pub async fn list_sp_keys(
        &self,
        caller: &Caller,
        account_id: AccountId,
        id: ConnectionId,
    ) -> Result<Vec<SpKeyRecord>> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        connection(&mut tx, account_id, id).await?;
        self.usable_sp_keys(&mut tx, account_id, id).await
    }

    /// Makes a new key. The earlier ones still decrypt for a while (`SP_KEY_OVERLAP`).
    pub async fn rotate_sp_key(&self, caller: &Caller, account_id: AccountId, id: ConnectionId) -> Result<SpKeyRecord> {
        caller.authorize(account_id, Permission::Administer)?;
        let mut tx = self.core.store.read().await?;
        let found = connection(&mut tx, account_id, id).await?;
        drop(tx);
        let made = self.make_sp_key(&found).await?;
        let retires_at = self.core.now().saturating_add(SP_KEY_OVERLAP).unwrap_or(Timestamp::MAX);
        let mut tx = self.core.store.begin().await?;
        let found = connection(&mut tx, account_id, id).await?;
        for key in storage::sp_keys::list(&mut tx, account_id, id).await? {
            if key.retires_at.is_none() {
                storage::sp_keys::retire(&mut tx, account_id, id, key.id, retires_at).await?;
            }
        }
        storage::sp_keys::insert(&mut tx, &made).await?;
        // A new version of the connection, so that no replica goes on with keys it prepared before.
        let newer = SamlConnection { updated_at: self.core.next_version(found.updated_at), ..found.clone() };
        storage::connections::update(&mut tx, &newer, found.updated_at).await?;
        self.core.record(&mut tx, caller, entry(&made)).await?;
        tx.commit().await?;
        Ok(made)
    }

    pub(crate) async fn usable_sp_keys(
        &self,
        tx: &mut Tx,
        account_id: AccountId,
        id: ConnectionId,
    ) -> Result<Vec<SpKeyRecord>> {
        let now = self.core.now();
        let keys = storage::sp_keys::list(tx, account_id, id).await?;
        Ok(keys.into_iter().filter(|key| key.is_usable(now)).collect())
    }

    /// Makes a key pair for a connection; on a thread of its own, because finding primes takes a while.
    pub(crate) async fn make_sp_key(&self, connection: &SamlConnection) -> Result<SpKeyRecord> {
        let id = SpKeyId::from_uuid(self.core.uuid());
        let now = self.core.now();
        let not_after = now.saturating_add(SP_CERTIFICATE_VALIDITY).unwrap_or(Timestamp::MAX);
        let factory = Arc::clone(&self.core.ports.sp_keys);
        let common_name = format!("Vestibule SP {}", connection.sp_hash);
        let generated = tokio::task::spawn_blocking(move || factory.generate(&common_name, now, not_after))
            .await
            .map_err(Error::internal)?
            .map_err(Error::internal)?;
        Ok(SpKeyRecord {
            id,
            account_id: connection.account_id,
            connection_id: connection.id,
            certificate_der: generated.certificate_der,
            sealed_private_key: self.core.ports.sealer.seal(&seal_context(id), &generated.private_key),
            created_at: now,
            retires_at: None,
        })
    }

    pub(crate) fn open_sp_key(&self, key: &SpKeyRecord) -> Result<SpKey> {
        let private_key =
            self.core.ports.sealer.open(&seal_context(key.id), &key.sealed_private_key).map_err(Error::internal)?;
        SpKey::from_pkcs8_der(&private_key, &key.certificate_der).map_err(Error::internal)
    }
}

fn seal_context(id: SpKeyId) -> String {
    format!("sp_key/{id}")
}

fn entry(key: &SpKeyRecord) -> AuditEntry {
    AuditEntry {
        account_id: Some(key.account_id),
        action: AuditAction::SamlConnectionSpKeyRotated,
        target: key.connection_id.to_string(),
        before: Value::Null,
        after: json!({ "sp_key_id": key.id }),
    }
}
