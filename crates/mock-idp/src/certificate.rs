//! Reads X.509 certificates: a service provider's, to check its requests and to encrypt for it, and our own.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode as _, DecodePem as _, Encode as _};

use crate::message::SignatureAlgorithm;

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const PRIME256V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// A certificate could not be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The text is not one X.509 certificate in PEM, or the bytes are not one in DER.
    #[error("this is not an X.509 certificate")]
    Malformed(#[from] x509_cert::der::Error),
    /// Key of a kind other than RSA, P-256 and P-384.
    #[error("the certificate's key is neither RSA nor P-256 nor P-384")]
    UnknownKey,
}

/// Kind of key that a certificate or a signing identity holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    Rsa,
    P256,
    P384,
}

/// A parsed certificate. It is trusted because the caller handed it over: neither dates nor issuers are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    subject: String,
    kind: KeyKind,
    /// `SubjectPublicKeyInfo`, in DER.
    public_key_info: Vec<u8>,
    /// The key alone: `RSAPublicKey` in DER, or an uncompressed point.
    public_key: Vec<u8>,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        Self::new(&x509_cert::Certificate::from_pem(pem)?)
    }

    /// Reads a certificate in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        Self::new(&x509_cert::Certificate::from_der(der)?)
    }

    fn new(parsed: &x509_cert::Certificate) -> Result<Self, CertificateError> {
        let info = parsed.tbs_certificate().subject_public_key_info();
        let curve = || info.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok();
        let kind = if info.algorithm.oid == RSA_ENCRYPTION {
            KeyKind::Rsa
        } else {
            match curve() {
                Some(PRIME256V1) => KeyKind::P256,
                Some(SECP384R1) => KeyKind::P384,
                _ => return Err(CertificateError::UnknownKey),
            }
        };
        Ok(Self {
            der: parsed.to_der()?,
            subject: parsed.tbs_certificate().subject().to_string(),
            kind,
            public_key_info: info.to_der()?,
            public_key: info.subject_public_key.raw_bytes().to_vec(),
        })
    }

    /// The DER bytes in base64 without line breaks, as `ds:X509Certificate` carries them.
    pub fn base64(&self) -> String {
        BASE64.encode(&self.der)
    }

    /// The subject's distinguished name (RFC 4514).
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Kind of key that it certifies.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// `SubjectPublicKeyInfo`, in DER.
    pub fn public_key_info(&self) -> &[u8] {
        &self.public_key_info
    }

    /// The key alone: `RSAPublicKey` in DER, or an uncompressed point.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// Whether `signature` over `message` was made with this certificate's key. HMAC never is.
    pub fn verifies(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match (algorithm, self.kind) {
            (SignatureAlgorithm::RsaSha1, KeyKind::Rsa) => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            (SignatureAlgorithm::RsaSha256, KeyKind::Rsa) => &signature::RSA_PKCS1_2048_8192_SHA256,
            (SignatureAlgorithm::RsaSha384, KeyKind::Rsa) => &signature::RSA_PKCS1_2048_8192_SHA384,
            (SignatureAlgorithm::RsaSha512, KeyKind::Rsa) => &signature::RSA_PKCS1_2048_8192_SHA512,
            (SignatureAlgorithm::EcdsaSha256, KeyKind::P256) => &signature::ECDSA_P256_SHA256_FIXED,
            (SignatureAlgorithm::EcdsaSha384, KeyKind::P384) => &signature::ECDSA_P384_SHA384_FIXED,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, &self.public_key).verify(message, signature).is_ok()
    }
}
