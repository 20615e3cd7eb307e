//! The service provider's own key: signs requests and metadata, decrypts assertions.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::certificate::{self, MIN_RSA_BITS};
use crate::decrypt::DecryptingKey;
use crate::public_key;

/// An RSA private key with its certificate. Cheap to clone; parsed once. The library that holds the key wipes it.
#[derive(Clone)]
pub struct SpKey {
    inner: Arc<Inner>,
}

struct Inner {
    signing: KeyPair,
    decrypting: DecryptingKey,
    certificate_der: Vec<u8>,
}

impl fmt::Debug for SpKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SpKey(..)")
    }
}

impl SpKey {
    /// Takes an RSA key of at least 2048 bits (PKCS#8 DER) and the certificate of its public half (DER).
    ///
    /// The caller keeps the duty to wipe `key`.
    pub fn from_pkcs8_der(key: &[u8], certificate_der: &[u8]) -> Result<Self, SpKeyError> {
        let signing = KeyPair::from_pkcs8(key).map_err(|_| SpKeyError::Key)?;
        let decrypting = DecryptingKey::from_pkcs8(key).ok_or(SpKeyError::Key)?;
        let public = signing.public_key().as_ref();
        if public_key::modulus_bits(public).is_none_or(|bits| bits < MIN_RSA_BITS) {
            return Err(SpKeyError::Key);
        }
        let certificate = Certificate::from_der(certificate_der).map_err(|_| SpKeyError::Certificate)?;
        let spki = certificate.tbs_certificate().subject_public_key_info();
        if spki.subject_public_key.raw_bytes() != public {
            return Err(SpKeyError::Mismatch);
        }
        Ok(Self { inner: Arc::new(Inner { signing, decrypting, certificate_der: certificate_der.to_vec() }) })
    }

    /// The certificate, for the administrator to download.
    pub fn certificate_pem(&self) -> String {
        certificate::pem(&self.inner.certificate_der)
    }

    /// The certificate's DER bytes.
    pub fn certificate_der(&self) -> &[u8] {
        &self.inner.certificate_der
    }

    /// The certificate as one line of base64, as `ds:X509Certificate` has it.
    pub(crate) fn certificate_base64(&self) -> String {
        STANDARD.encode(&self.inner.certificate_der)
    }

    /// An RSASSA-PKCS1-v1_5 signature with SHA-256 over `message`.
    pub fn sign_rsa_sha256(&self, message: &[u8]) -> Result<Vec<u8>, SpKeyError> {
        let mut signature = vec![0; self.inner.signing.public_modulus_len()];
        // The padding is deterministic: the random source is only the signature of the call, and blinding.
        self.inner
            .signing
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| SpKeyError::Signing)?;
        Ok(signature)
    }

    pub(crate) fn decrypting(&self) -> &DecryptingKey {
        &self.inner.decrypting
    }
}

/// Reason that a service provider key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpKeyError {
    /// The private key is not usable.
    #[error("not an RSA private key of at least 2048 bits in PKCS#8")]
    Key,
    /// The certificate cannot be read.
    #[error("not an X.509 certificate")]
    Certificate,
    /// The two do not belong together.
    #[error("the certificate is of another key")]
    Mismatch,
    /// The signature could not be made.
    #[error("signing failed")]
    Signing,
}
