//! The world around Vestibule, as a test wants it: reachable or not, with these documents at these URLs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use server::adapters::{AesGcmSealer, JwtSigner, OsEntropy};
use service::Ports;
use service::ports::{
    FetchError, GeneratedSpKey, IdpProbe, MetadataBytes, MetadataSource, ProbeResult, SignerError, SpKeyFactory,
};
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};
use url::Url;
use zeroize::Zeroizing;

use crate::clock::ManualClock;
use crate::mailbox::MailServer;
use crate::passwords::CountingHasher;

/// World around a running Vestibule, which a test can change.
#[derive(Clone)]
pub struct World {
    /// Clock that moves by hand alone.
    pub clock: ManualClock,
    probe: Arc<Mutex<ProbeResult>>,
    documents: Arc<Mutex<HashMap<Url, Vec<u8>>>>,
    mail_server: MailServer,
    passwords_compared: Arc<AtomicUsize>,
    password_gate: Arc<RwLock<()>>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            clock: ManualClock::default(),
            probe: Arc::new(Mutex::new(ProbeResult::Reachable)),
            documents: Arc::default(),
            mail_server: MailServer::default(),
            passwords_compared: Arc::default(),
            password_gate: Arc::default(),
        }
    }
}

impl World {
    /// Sets the result of every probe of a login URL from now on.
    pub fn set_probe(&self, result: ProbeResult) {
        *self.probe.lock().unwrap() = result;
    }

    /// Number of passwords that have been compared with a hash, or a decoy.
    pub fn passwords_compared(&self) -> usize {
        self.passwords_compared.load(Ordering::SeqCst)
    }

    /// Lets no password be compared until what this gives is dropped.
    pub async fn hold_passwords(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.password_gate).write_owned().await
    }

    /// Publishes a document under this URL.
    pub fn publish(&self, url: &str, document: impl Into<Vec<u8>>) {
        self.documents.lock().unwrap().insert(url.parse().unwrap(), document.into());
    }

    /// Mail server that takes the mails.
    pub fn mail_server(&self) -> &MailServer {
        &self.mail_server
    }

    /// The ports: real cryptography, and a world that does as it is told. So many passwords are looked at, at once.
    pub fn ports(&self, passwords_at_once: usize) -> Ports {
        Ports {
            clock: Box::new(self.clock.clone()),
            entropy: Box::new(OsEntropy),
            sealer: Box::new(AesGcmSealer::new(&[7; 32])),
            token_signer: Box::new(JwtSigner),
            password_hasher: Box::new(CountingHasher::new(
                Arc::clone(&self.passwords_compared),
                Arc::clone(&self.password_gate),
                passwords_at_once,
            )),
            sp_keys: Arc::new(FixedSpKey),
            metadata_source: Box::new(self.clone()),
            idp_probe: Box::new(self.clone()),
            mailer: Box::new(self.mail_server.clone()),
            mailbox: None,
        }
    }
}

#[async_trait]
impl IdpProbe for World {
    async fn probe(&self, _url: &Url) -> ProbeResult {
        *self.probe.lock().unwrap()
    }
}

#[async_trait]
impl MetadataSource for World {
    async fn fetch(&self, url: &Url) -> Result<MetadataBytes, FetchError> {
        let found = self.documents.lock().unwrap().get(url).cloned();
        let found = found.map(|bytes| MetadataBytes { bytes, charset: None });
        found.ok_or_else(|| FetchError("nothing answers at this URL".into()))
    }
}

/// The same key pair each time: making one takes longer than most tests.
struct FixedSpKey;

impl SpKeyFactory for FixedSpKey {
    fn generate(&self, _: &str, _: Timestamp, _: Timestamp) -> Result<GeneratedSpKey, SignerError> {
        Ok(GeneratedSpKey {
            private_key: Zeroizing::new(include_bytes!("../fixtures/sp.key.der").to_vec()),
            certificate_der: include_bytes!("../fixtures/sp.crt.der").to_vec(),
        })
    }
}
