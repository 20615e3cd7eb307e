//! bergshamra: parser, canonicalization and signature check in Rust.

use std::fmt;
use std::sync::Arc;

use bergshamra::keys::loader;
use bergshamra::{DsigContext, KeysManager};

/// A certificate's public key, prepared once for this engine.
#[derive(Clone)]
pub(crate) struct VerificationKey {
    context: Arc<DsigContext>,
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("VerificationKey(..)")
    }
}

impl VerificationKey {
    /// Prepares a DER `SubjectPublicKeyInfo`; `None` if this engine cannot use the key.
    pub(crate) fn from_spki(spki: &[u8]) -> Option<Self> {
        let key = loader::load_spki_der(spki).ok()?;
        key.to_signing_key().ok()??;
        let mut manager = KeysManager::new();
        manager.add_key(key);
        Some(Self {
            // Its defaults are the strict ones: trusted keys only, strict reference positions.
            context: Arc::new(DsigContext::new(manager)),
        })
    }
}
