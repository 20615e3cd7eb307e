//! The key pair and self-signed certificate with which an identity provider signs.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, RsaEncoding, RsaKeyPair};
use num_bigint::BigUint;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, RsaKeySize};
use x509_cert::der::asn1::{AnyRef, OctetStringRef, UintRef};
use x509_cert::der::{Decode as _, Reader as _, SliceReader};

use crate::certificate::{Certificate, CertificateError, KeyKind};
use crate::message::{DigestAlgorithm, SignatureAlgorithm};

/// The ASN.1 prefix of a SHA-1 `DigestInfo` (RFC 8017, section 9.2, note 1).
const SHA1_DIGEST_INFO: [u8; 15] =
    [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];

/// A signing identity could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Key generation or certificate signing failed.
    #[error("no key pair could be generated")]
    Generation(#[from] rcgen::Error),
    /// The certificate is unusable.
    #[error("the certificate is unusable")]
    Certificate(#[from] CertificateError),
    /// The key is not PKCS#8 in PEM, or not of the certificate's kind.
    #[error("the private key is not a PKCS#8 key of the certificate's kind")]
    PrivateKey,
    /// The algorithm needs another kind of key.
    #[error("{algorithm:?} cannot be made with a {kind:?} key")]
    WrongAlgorithm { algorithm: SignatureAlgorithm, kind: KeyKind },
}

enum PrivateKey {
    Rsa(Box<RsaKeyPair>),
    Ecdsa(Box<EcdsaKeyPair>),
}

/// A private key with its certificate. Not a secret worth keeping: it stands for a mock identity provider.
pub struct SigningIdentity {
    private_key: PrivateKey,
    private_key_pem: String,
    private_key_der: Vec<u8>,
    certificate: Certificate,
    certificate_pem: String,
}

/// First and last day of a certificate, each as year, month and day.
#[derive(Clone, Copy, Debug)]
pub struct Validity {
    pub from: (i32, u8, u8),
    pub to: (i32, u8, u8),
}

impl Validity {
    /// Long enough that no test has to think of it.
    pub const LONG: Self = Self { from: (2020, 1, 1), to: (2049, 12, 31) };

    /// Period that is over before any test runs: for the warnings about expired certificates.
    pub const EXPIRED: Self = Self { from: (2018, 1, 1), to: (2019, 12, 31) };
}

impl SigningIdentity {
    /// A new RSA key of 2048 bits; takes about a tenth of a second.
    pub fn generate_rsa(common_name: &str) -> Result<Self, IdentityError> {
        Self::generate(common_name, KeyKind::Rsa, Validity::LONG)
    }

    /// A new P-256 key.
    pub fn generate_p256(common_name: &str) -> Result<Self, IdentityError> {
        Self::generate(common_name, KeyKind::P256, Validity::LONG)
    }

    /// A new key of any kind, with a self-signed certificate of any validity.
    pub fn generate(common_name: &str, kind: KeyKind, validity: Validity) -> Result<Self, IdentityError> {
        let key = match kind {
            KeyKind::Rsa => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048)?,
            KeyKind::P256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?,
            KeyKind::P384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384)?,
        };
        let mut subject = DistinguishedName::new();
        subject.push(DnType::CommonName, common_name);
        let mut parameters = CertificateParams::new(Vec::new())?;
        parameters.distinguished_name = subject;
        parameters.not_before = rcgen::date_time_ymd(validity.from.0, validity.from.1, validity.from.2);
        parameters.not_after = rcgen::date_time_ymd(validity.to.0, validity.to.1, validity.to.2);
        let certificate = parameters.self_signed(&key)?;
        Self::from_pem(&key.serialize_pem(), &certificate.pem())
    }

    /// An identity from a PKCS#8 private key and a certificate, both in PEM.
    pub fn from_pem(private_key_pem: &str, certificate_pem: &str) -> Result<Self, IdentityError> {
        let certificate = Certificate::from_pem(certificate_pem)?;
        let (label, document) =
            x509_cert::der::pem::decode_vec(private_key_pem.as_bytes()).map_err(|_| IdentityError::PrivateKey)?;
        if label != "PRIVATE KEY" {
            return Err(IdentityError::PrivateKey);
        }
        Ok(Self {
            private_key: read_private_key(certificate.kind(), &document)?,
            private_key_pem: private_key_pem.to_owned(),
            private_key_der: document,
            certificate,
            certificate_pem: certificate_pem.to_owned(),
        })
    }

    /// The certificate in PEM: what an administrator pastes at the service provider.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The private key, PKCS#8 in PEM.
    pub fn private_key_pem(&self) -> &str {
        &self.private_key_pem
    }

    /// The certificate, parsed from its PEM text.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The SHA-256 algorithm of this key's kind (SHA-384 for P-384).
    pub fn default_algorithm(&self) -> SignatureAlgorithm {
        match self.certificate.kind() {
            KeyKind::Rsa => SignatureAlgorithm::RsaSha256,
            KeyKind::P256 => SignatureAlgorithm::EcdsaSha256,
            KeyKind::P384 => SignatureAlgorithm::EcdsaSha384,
        }
    }

    /// Signs `message`. RSA signatures (PKCS#1 v1.5) are deterministic, ECDSA ones (r and s joined) are not.
    pub fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, IdentityError> {
        use SignatureAlgorithm as A;
        match (algorithm, &self.private_key, self.certificate.kind()) {
            (A::RsaSha1, PrivateKey::Rsa(_), _) => sign_rsa_sha1(&self.private_key_der, message),
            (A::RsaSha256, PrivateKey::Rsa(key), _) => sign_rsa(key, &signature::RSA_PKCS1_SHA256, message),
            (A::RsaSha384, PrivateKey::Rsa(key), _) => sign_rsa(key, &signature::RSA_PKCS1_SHA384, message),
            (A::RsaSha512, PrivateKey::Rsa(key), _) => sign_rsa(key, &signature::RSA_PKCS1_SHA512, message),
            (A::EcdsaSha256, PrivateKey::Ecdsa(key), KeyKind::P256)
            | (A::EcdsaSha384, PrivateKey::Ecdsa(key), KeyKind::P384) => key
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| IdentityError::PrivateKey),
            (A::HmacSha256WithCertificate, _, _) => Ok(self.hmac_with_certificate(message)),
            (algorithm, _, kind) => Err(IdentityError::WrongAlgorithm { algorithm, kind }),
        }
    }

    fn hmac_with_certificate(&self, message: &[u8]) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.certificate_pem.as_bytes());
        hmac::sign(&key, message).as_ref().to_vec()
    }
}

fn read_private_key(kind: KeyKind, der: &[u8]) -> Result<PrivateKey, IdentityError> {
    let ecdsa = |algorithm| {
        EcdsaKeyPair::from_pkcs8(algorithm, der)
            .map(|key| PrivateKey::Ecdsa(Box::new(key)))
            .map_err(|_| IdentityError::PrivateKey)
    };
    match kind {
        KeyKind::Rsa => {
            RsaKeyPair::from_pkcs8(der).map(|key| PrivateKey::Rsa(Box::new(key))).map_err(|_| IdentityError::PrivateKey)
        }
        KeyKind::P256 => ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        KeyKind::P384 => ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
    }
}

fn sign_rsa(key: &RsaKeyPair, padding: &'static dyn RsaEncoding, message: &[u8]) -> Result<Vec<u8>, IdentityError> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(padding, &SystemRandom::new(), message, &mut signature).map_err(|_| IdentityError::PrivateKey)?;
    Ok(signature)
}

/// PKCS#1 v1.5 with SHA-1, by hand since the crypto library no longer makes it. Not constant in time; nothing here
/// is secret.
fn sign_rsa_sha1(pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>, IdentityError> {
    let (modulus, exponent) = rsa_numbers(pkcs8).map_err(|_| IdentityError::PrivateKey)?;
    let length = modulus.to_bytes_be().len();
    let digest = DigestAlgorithm::Sha1.digest(message);
    let padding = length.saturating_sub(SHA1_DIGEST_INFO.len() + digest.as_ref().len() + 3);
    let mut block = vec![0x00, 0x01];
    block.extend(std::iter::repeat_n(0xff, padding));
    block.push(0x00);
    block.extend(SHA1_DIGEST_INFO);
    block.extend(digest.as_ref());
    let signature = BigUint::from_bytes_be(&block).modpow(&exponent, &modulus).to_bytes_be();
    let mut padded = vec![0; length - signature.len()];
    padded.extend(signature);
    Ok(padded)
}

/// Modulus and private exponent of a PKCS#8 RSA key (RFC 5208, RFC 8017 appendix A.1.2).
fn rsa_numbers(pkcs8: &[u8]) -> Result<(BigUint, BigUint), x509_cert::der::Error> {
    let number = |value: UintRef<'_>| BigUint::from_bytes_be(value.as_bytes());
    let wrapped = AnyRef::from_der(pkcs8)?;
    let mut fields = SliceReader::new(wrapped.value())?;
    let _version: UintRef<'_> = fields.decode()?;
    let _algorithm: AnyRef<'_> = fields.decode()?;
    let key: &OctetStringRef = fields.decode()?;
    let key = AnyRef::from_der(key.as_bytes())?;
    let mut numbers = SliceReader::new(key.value())?;
    let _version: UintRef<'_> = numbers.decode()?;
    let modulus: UintRef<'_> = numbers.decode()?;
    let _public_exponent: UintRef<'_> = numbers.decode()?;
    let private_exponent: UintRef<'_> = numbers.decode()?;
    Ok((number(modulus), number(private_exponent)))
}

/// Modulus and public exponent of an `RSAPublicKey` (RFC 8017, appendix A.1.1), big-endian without leading zeros.
pub(crate) fn rsa_public_numbers(public_key: &[u8]) -> Result<(Vec<u8>, Vec<u8>), x509_cert::der::Error> {
    let sequence = AnyRef::from_der(public_key)?;
    let mut numbers = SliceReader::new(sequence.value())?;
    let modulus: UintRef<'_> = numbers.decode()?;
    let exponent: UintRef<'_> = numbers.decode()?;
    Ok((modulus.as_bytes().to_vec(), exponent.as_bytes().to_vec()))
}
