//! The algorithms that a signature may use, by their URIs. Whatever is not listed is refused before any key is touched.

use aws_lc_rs::digest;

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
    /// The hash of a `ds:DigestMethod` (XML Signature 6.2, RFC 6931 2.1).
    pub(crate) fn from_digest_uri(uri: &str) -> Option<Self> {
        match uri {
            "http://www.w3.org/2000/09/xmldsig#sha1" => Some(Self::Sha1),
            "http://www.w3.org/2001/04/xmlenc#sha256" => Some(Self::Sha256),
            "http://www.w3.org/2001/04/xmldsig-more#sha384" => Some(Self::Sha384),
            "http://www.w3.org/2001/04/xmlenc#sha512" => Some(Self::Sha512),
            _ => None,
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
    pub(crate) fn from_uri(uri: &str) -> Option<Self> {
        let (family, hash) = match uri {
            "http://www.w3.org/2000/09/xmldsig#rsa-sha1" => (Family::RsaPkcs1, Hash::Sha1),
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" => (Family::RsaPkcs1, Hash::Sha256),
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384" => (Family::RsaPkcs1, Hash::Sha384),
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512" => (Family::RsaPkcs1, Hash::Sha512),
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" => (Family::Ecdsa, Hash::Sha256),
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384" => (Family::Ecdsa, Hash::Sha384),
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512" => (Family::Ecdsa, Hash::Sha512),
            _ => return None,
        };
        Some(Self { family, hash })
    }

    /// Whether a key of that kind may be used with this algorithm.
    pub(crate) fn fits(self, key: KeyKind) -> bool {
        match key {
            KeyKind::Rsa { .. } => self.family == Family::RsaPkcs1,
            KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => self.family == Family::Ecdsa,
        }
    }
}

/// Canonicalization 1.0 without comments, inclusive or exclusive: the two that SAML uses (core 5.4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Canonicalization {
    Inclusive,
    Exclusive,
}

impl Canonicalization {
    pub(crate) const INCLUSIVE_URI: &'static str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
    pub(crate) const EXCLUSIVE_URI: &'static str = "http://www.w3.org/2001/10/xml-exc-c14n#";

    pub(crate) fn from_uri(uri: &str) -> Option<Self> {
        match uri {
            Self::INCLUSIVE_URI => Some(Self::Inclusive),
            Self::EXCLUSIVE_URI => Some(Self::Exclusive),
            _ => None,
        }
    }
}

/// The transform that leaves out the signature itself (XML Signature 6.6.4).
pub(crate) const ENVELOPED_SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
