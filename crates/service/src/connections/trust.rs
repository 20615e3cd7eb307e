//! Certificates and keys that verify and decrypt a connection's responses, prepared once and kept while the
//! connection stays the same.

use std::sync::Arc;
use std::time::Duration;

use domain::ConnectionId;
use domain::sso::connection::SamlConnection;
use jiff::Timestamp;
use saml::{IdpCertificate, SpKey, parse_pem_certificates};

use crate::connections::Connections;
use crate::core::error::{Error, Result};

/// A version of a connection.
pub(crate) type TrustKey = (ConnectionId, Timestamp);

/// A connection's certificates and keys, parsed and opened.
pub(crate) struct PreparedTrust {
    /// The identity provider's certificates.
    pub certificates: Vec<IdpCertificate>,
    /// Our keys, the current one first.
    pub keys: Vec<SpKey>,
}

/// Time for which a connection stays prepared, so that a retired key of ours is forgotten in time.
pub(super) const TRUST_CACHE: Duration = Duration::from_mins(10);

impl Connections {
    pub(crate) async fn prepared_trust(&self, connection: &SamlConnection) -> Result<Arc<PreparedTrust>> {
        let key = (connection.id, connection.updated_at);
        if let Some(prepared) = self.trust.get(&key).await {
            return Ok(prepared);
        }
        let mut tx = self.core.store.read().await?;
        let records = self.usable_sp_keys(&mut tx, connection.account_id, connection.id).await?;
        drop(tx);
        let keys = records.iter().map(|record| self.open_sp_key(record)).collect::<Result<Vec<_>>>()?;
        let mut certificates = vec![];
        for pinned in &connection.settings.certificates {
            certificates.extend(parse_pem_certificates(&pinned.pem).map_err(Error::internal)?);
        }
        let prepared = Arc::new(PreparedTrust { certificates, keys });
        self.trust.insert(key, Arc::clone(&prepared)).await;
        Ok(prepared)
    }
}
