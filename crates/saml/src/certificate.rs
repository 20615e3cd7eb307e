//! Certificates of identity providers, as administrators paste them and as metadata carries them.
//!
//! A pinned certificate is a container for a public key: no chain is checked, because in SAML the trust is the
//! pinning itself (metadata interoperability profile, 2.6.1).

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use crate::engine::VerificationKeys;
use crate::hexadecimal::hexadecimal;
use crate::instant;
use crate::public_key;

/// Shortest RSA modulus trusted (NIST SP 800-131A).
pub const MIN_RSA_BITS: u32 = 2048;

/// Longest RSA modulus accepted: beyond it a verification takes milliseconds, before anyone is authenticated.
pub const MAX_RSA_BITS: u32 = 8192;

/// Most certificates of a connection. A rollover needs two; each one is tried on every failing signature.
pub const MAX_CERTIFICATES: usize = 6;

/// Longest pasted text in bytes: six large certificates with their comments.
const MAX_PEM_TEXT: usize = 128 * 1024;

const LINE: usize = 64;

/// The kinds of key which verify an identity provider's signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA, used with PKCS#1 v1.5 signatures.
    Rsa {
        /// Length of the modulus.
        bits: u32,
    },
    /// ECDSA on the curve P-256.
    EcP256,
    /// ECDSA on the curve P-384.
    EcP384,
    /// ECDSA on the curve P-521.
    EcP521,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(formatter, "RSA {bits}"),
            Self::EcP256 => formatter.write_str("EC P-256"),
            Self::EcP384 => formatter.write_str("EC P-384"),
            Self::EcP521 => formatter.write_str("EC P-521"),
        }
    }
}

/// A certificate whose key may verify a connection's signatures; parsed once, with the engines' keys ready.
#[derive(Debug, Clone)]
pub struct IdpCertificate {
    /// The certificate, encoded in DER.
    pub der: Vec<u8>,
    /// SHA-256 over `der`, 64 lower-case hexadecimal digits.
    pub sha256_fingerprint: String,
    /// Subject in the form of RFC 4514, for people.
    pub subject: String,
    /// Issuer in the form of RFC 4514, for people.
    pub issuer: String,
    /// Start of the validity period.
    pub not_before: Timestamp,
    /// End of the validity period.
    pub not_after: Timestamp,
    /// The kind of public key.
    pub key: KeyKind,
    pub(crate) verification_keys: VerificationKeys,
}

impl PartialEq for IdpCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for IdpCertificate {}

impl IdpCertificate {
    /// Reads one DER certificate, refusing keys that are weak or that no engine here can use.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let certificate = Certificate::from_der(der).map_err(|_| CertificateError::NotX509)?;
        let tbs = certificate.tbs_certificate();
        let spki = tbs.subject_public_key_info().to_der().map_err(|_| CertificateError::NotX509)?;
        let key = public_key::kind(tbs.subject_public_key_info())?;
        Ok(Self {
            sha256_fingerprint: fingerprint(der),
            subject: tbs.subject().to_string(),
            issuer: tbs.issuer().to_string(),
            not_before: timestamp(tbs.validity().not_before),
            not_after: timestamp(tbs.validity().not_after),
            key,
            verification_keys: VerificationKeys::from_spki(&spki, key).ok_or(CertificateError::UnsupportedKey)?,
            der: der.to_vec(),
        })
    }

    /// Whether `now` is within the validity period.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// The certificate as PEM with a final newline.
    pub fn to_pem(&self) -> String {
        pem(&self.der)
    }
}

/// A DER certificate as PEM.
pub(crate) fn pem(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = String::with_capacity(encoded.len() + encoded.len() / LINE + 64);
    text.push_str("-----BEGIN CERTIFICATE-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

fn fingerprint(der: &[u8]) -> String {
    hexadecimal(digest::digest(&digest::SHA256, der).as_ref())
}

/// A time of validity. `99991231235959Z` says that there is no end (RFC 5280, 4.1.2.5).
fn timestamp(time: x509_cert::time::Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok();
    let kept = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    kept.map_or(instant::FAR_AHEAD, |time| time.min(instant::FAR_AHEAD))
}

/// Certificates from pasted text: one or several PEM blocks, or one bare base64 body as metadata shows it.
///
/// Text around PEM blocks is ignored, repeated certificates count once, and expired ones are accepted: whether to use
/// them is the connection's setting.
pub fn parse_pem_certificates(text: &str) -> Result<Vec<IdpCertificate>, CertificateError> {
    if text.len() > MAX_PEM_TEXT {
        return Err(CertificateError::TooLong);
    }
    let bodies = if text.contains("-----BEGIN") { pem_bodies(text)? } else { vec![text] };
    let mut certificates: Vec<IdpCertificate> = Vec::new();
    for body in bodies {
        let certificate = parse_base64_certificate(body)?;
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
        if certificates.len() > MAX_CERTIFICATES {
            return Err(CertificateError::TooMany);
        }
    }
    Ok(certificates)
}

/// One certificate from base64 with any white space, as in `ds:X509Certificate`.
pub(crate) fn parse_base64_certificate(body: &str) -> Result<IdpCertificate, CertificateError> {
    let compact: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if compact.is_empty() {
        return Err(CertificateError::Missing);
    }
    let der = STANDARD.decode(compact).map_err(|_| CertificateError::NotBase64)?;
    IdpCertificate::from_der(&der)
}

fn pem_bodies(text: &str) -> Result<Vec<&str>, CertificateError> {
    let mut bodies = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----").ok_or(CertificateError::NotBase64)?;
        if label.contains("PRIVATE KEY") {
            return Err(CertificateError::PrivateKey);
        }
        let (body, after) = after.split_once("-----END ").ok_or(CertificateError::Truncated)?;
        if label.ends_with("CERTIFICATE") {
            bodies.push(body);
        }
        rest = after;
    }
    if bodies.is_empty() {
        return Err(CertificateError::Missing);
    }
    Ok(bodies)
}

/// Reason that text is not a usable certificate; each message says what is wrong and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The text contains no certificate.
    #[error("no certificate found: paste the identity provider's signing certificate, in PEM form")]
    Missing,
    /// More text than any honest list has.
    #[error("the text is too long: paste only the signing certificates")]
    TooLong,
    /// More certificates than [`MAX_CERTIFICATES`].
    #[error("too many certificates: keep the current signing certificate and the next one")]
    TooMany,
    /// The text is not base64.
    #[error("this is not base64: paste the whole certificate, from BEGIN CERTIFICATE to END CERTIFICATE")]
    NotBase64,
    /// A `BEGIN` without its `END`.
    #[error("the certificate is cut off: copy it again, to the END CERTIFICATE line")]
    Truncated,
    /// Base64 of something else.
    #[error("this is not an X.509 certificate: download the signing certificate again, as PEM or Base64")]
    NotX509,
    /// A secret in the wrong place.
    #[error("this is a private key: remove it here, replace it at the identity provider, and paste the certificate")]
    PrivateKey,
    /// An RSA key below [`MIN_RSA_BITS`].
    #[error("the RSA key has {bits} bits: create a signing certificate of at least 2048 bits at the identity provider")]
    WeakRsa {
        /// Length of the modulus.
        bits: u32,
    },
    /// An RSA key above [`MAX_RSA_BITS`].
    #[error("the RSA key has {bits} bits: use one of at most 8192 bits")]
    HugeRsa {
        /// Length of the modulus.
        bits: u32,
    },
    /// A key which cannot verify an accepted algorithm.
    #[error("this kind of key is not supported: use RSA, or EC on P-256, P-384 or P-521")]
    UnsupportedKey,
}
