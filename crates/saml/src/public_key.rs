//! The kind of key in a certificate's `SubjectPublicKeyInfo` (RFC 5280, RFC 3279, RFC 5480).

use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Reader, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use crate::certificate::{CertificateError, KeyKind, MAX_RSA_BITS, MIN_RSA_BITS};

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// The kind of the key, refusing those outside the accepted kinds and sizes.
pub(crate) fn kind(spki: &SubjectPublicKeyInfoOwned) -> Result<KeyKind, CertificateError> {
    if spki.algorithm.oid == RSA_ENCRYPTION {
        return rsa(spki);
    }
    if spki.algorithm.oid != EC_PUBLIC_KEY {
        return Err(CertificateError::UnsupportedKey);
    }
    let curve =
        spki.algorithm.parameters.as_ref().and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok());
    match curve {
        Some(P256) => Ok(KeyKind::EcP256),
        Some(P384) => Ok(KeyKind::EcP384),
        Some(P521) => Ok(KeyKind::EcP521),
        _ => Err(CertificateError::UnsupportedKey),
    }
}

fn rsa(spki: &SubjectPublicKeyInfoOwned) -> Result<KeyKind, CertificateError> {
    let bits = modulus_bits(spki.subject_public_key.raw_bytes()).ok_or(CertificateError::UnsupportedKey)?;
    if bits < MIN_RSA_BITS {
        return Err(CertificateError::WeakRsa { bits });
    }
    if bits > MAX_RSA_BITS {
        return Err(CertificateError::HugeRsa { bits });
    }
    Ok(KeyKind::Rsa { bits })
}

/// Bits of the modulus of an `RSAPublicKey` (RFC 8017 A.1.1).
pub(crate) fn modulus_bits(rsa_public_key: &[u8]) -> Option<u32> {
    let mut reader = SliceReader::new(rsa_public_key).ok()?;
    let modulus = reader
        .sequence(|fields| {
            let modulus = UintRef::decode(fields)?;
            UintRef::decode(fields)?;
            Ok::<_, x509_cert::der::Error>(modulus)
        })
        .ok()?;
    let first = *modulus.as_bytes().first()?;
    let bits = modulus.as_bytes().len().checked_mul(8)?;
    u32::try_from(bits).ok()?.checked_sub(first.leading_zeros())
}
