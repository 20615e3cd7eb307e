//! The algorithms that a signature may use, by their URIs. Whatever is not listed is refused before any key is touched.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, VerificationAlgorithm};

use crate::certificate::KeyKind;

/// Hash functions for signatures and references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The hash of a `ds:DigestMethod` (XML Signature 6.2, RFC 6931 2.1).
    pub(crate) fn from_digest_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.digest_uri() == uri)
    }

    /// Name of the hash as a `ds:DigestMethod`.
    pub(crate) const fn digest_uri(self) -> &'static str {
        match self {
            Self::Sha1 => "http://www.w3.org/2000/09/xmldsig#sha1",
            Self::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
            Self::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
            Self::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
        }
    }

    /// The hash of `message`.
    pub(crate) fn digest(self, message: &[u8]) -> digest::Digest {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, message)
    }
}

/// Families of signature algorithms, each bound to one kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    RsaPkcs1,
    Ecdsa,
}

/// An accepted `ds:SignatureMethod` (RFC 6931 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SignatureAlgorithm {
    family: Family,
    pub(crate) hash: Hash,
}

impl SignatureAlgorithm {
    /// RSA with SHA-256, which this service signs with, and nearly every identity provider.
    pub(crate) const RSA_SHA256: Self = Self { family: Family::RsaPkcs1, hash: Hash::Sha256 };
    pub(crate) const RSA_SHA256_URI: &'static str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    const FAMILIES: [Family; 2] = [Family::RsaPkcs1, Family::Ecdsa];

    pub(crate) fn from_uri(uri: &str) -> Option<Self> {
        Self::all().find(|algorithm| algorithm.uri() == Some(uri))
    }

    fn all() -> impl Iterator<Item = Self> {
        let of_family = |family| Hash::ALL.into_iter().map(move |hash| Self { family, hash });
        Self::FAMILIES.into_iter().flat_map(of_family)
    }

    /// Name of the algorithm as a `ds:SignatureMethod`; ECDSA with SHA-1 has none here.
    pub(crate) const fn uri(self) -> Option<&'static str> {
        match (self.family, self.hash) {
            (Family::RsaPkcs1, Hash::Sha1) => Some("http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
            (Family::RsaPkcs1, Hash::Sha256) => Some(Self::RSA_SHA256_URI),
            (Family::RsaPkcs1, Hash::Sha384) => Some("http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"),
            (Family::RsaPkcs1, Hash::Sha512) => Some("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"),
            (Family::Ecdsa, Hash::Sha1) => None,
            (Family::Ecdsa, Hash::Sha256) => Some("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"),
            (Family::Ecdsa, Hash::Sha384) => Some("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"),
            (Family::Ecdsa, Hash::Sha512) => Some("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"),
        }
    }

    /// All algorithms that a key of that kind may be used with.
    pub(crate) fn fitting(key: KeyKind) -> impl Iterator<Item = Self> {
        Self::all().filter(move |algorithm| algorithm.fits(key))
    }

    /// Implementation that verifies it with a key of that kind; signatures of ECDSA in ASN.1.
    pub(crate) fn verification(self, key: KeyKind) -> Option<&'static dyn VerificationAlgorithm> {
        Some(match (key, self.family, self.hash) {
            (KeyKind::Rsa { .. }, Family::RsaPkcs1, Hash::Sha1) => {
                &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY
            }
            (KeyKind::Rsa { .. }, Family::RsaPkcs1, Hash::Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
            (KeyKind::Rsa { .. }, Family::RsaPkcs1, Hash::Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
            (KeyKind::Rsa { .. }, Family::RsaPkcs1, Hash::Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
            (KeyKind::EcP256, Family::Ecdsa, Hash::Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
            (KeyKind::EcP256, Family::Ecdsa, Hash::Sha384) => &signature::ECDSA_P256_SHA384_ASN1,
            (KeyKind::EcP256, Family::Ecdsa, Hash::Sha512) => &signature::ECDSA_P256_SHA512_ASN1,
            (KeyKind::EcP384, Family::Ecdsa, Hash::Sha256) => &signature::ECDSA_P384_SHA256_ASN1,
            (KeyKind::EcP384, Family::Ecdsa, Hash::Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
            (KeyKind::EcP384, Family::Ecdsa, Hash::Sha512) => &signature::ECDSA_P384_SHA512_ASN1,
            (KeyKind::EcP521, Family::Ecdsa, Hash::Sha256) => &signature::ECDSA_P521_SHA256_ASN1,
            (KeyKind::EcP521, Family::Ecdsa, Hash::Sha384) => &signature::ECDSA_P521_SHA384_ASN1,
            (KeyKind::EcP521, Family::Ecdsa, Hash::Sha512) => &signature::ECDSA_P521_SHA512_ASN1,
            _ => return None,
        })
    }

    /// Whether a key of that kind may be used with this algorithm.
    pub(crate) fn fits(self, key: KeyKind) -> bool {
        match key {
            KeyKind::Rsa { .. } => self.family == Family::RsaPkcs1,
            KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => self.family == Family::Ecdsa,
        }
    }
}

/// Canonicalization 1.0, inclusive or exclusive, which SAML uses (core 5.4.3). The exclusive one also under its
/// name that keeps comments: `SignedInfo` has none, and a reference by `#` and an ID leaves them out (XML
/// Signature 4.4.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Canonicalization {
    Inclusive,
    Exclusive,
    ExclusiveWithComments,
}

impl Canonicalization {
    pub(crate) const INCLUSIVE_URI: &'static str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
    pub(crate) const EXCLUSIVE_URI: &'static str = "http://www.w3.org/2001/10/xml-exc-c14n#";
    pub(crate) const EXCLUSIVE_WITH_COMMENTS_URI: &'static str = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments";
    pub(crate) const ALL: [Self; 3] = [Self::Inclusive, Self::Exclusive, Self::ExclusiveWithComments];

    pub(crate) fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.uri() == uri)
    }

    /// Whether it may have an `InclusiveNamespaces`.
    pub(crate) const fn is_exclusive(self) -> bool {
        matches!(self, Self::Exclusive | Self::ExclusiveWithComments)
    }

    pub(crate) const fn uri(self) -> &'static str {
        match self {
            Self::Inclusive => Self::INCLUSIVE_URI,
            Self::Exclusive => Self::EXCLUSIVE_URI,
            Self::ExclusiveWithComments => Self::EXCLUSIVE_WITH_COMMENTS_URI,
        }
    }
}

/// The transform that leaves out the signature itself (XML Signature 6.6.4).
pub(crate) const ENVELOPED_SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
