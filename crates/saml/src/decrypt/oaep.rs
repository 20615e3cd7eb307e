//! RSA-OAEP with every digest and mask that XML Encryption 1.1 names, each chosen for itself (5.5.2).
//!
//! aws-lc-rs offers only those variants that use one hash for both, so its library is called here directly: its private
//! key operation and its check of the padding take the same time whatever is in the ciphertext, which a padding
//! check of our own would have to be proven to do.
#![expect(unsafe_code, reason = "aws-lc-rs has no variant of OAEP with two hashes")]

use std::ptr::{NonNull, null_mut};

use aws_lc_sys::{
    CBS, CBS_init, CBS_len, EVP_MD, EVP_PKEY, EVP_PKEY_CTX, EVP_PKEY_CTX_free, EVP_PKEY_CTX_new,
    EVP_PKEY_CTX_set_rsa_mgf1_md, EVP_PKEY_CTX_set_rsa_oaep_md, EVP_PKEY_CTX_set_rsa_padding,
    EVP_PKEY_CTX_set0_rsa_oaep_label, EVP_PKEY_RSA, EVP_PKEY_decrypt, EVP_PKEY_decrypt_init, EVP_PKEY_free,
    EVP_PKEY_id, EVP_PKEY_size, EVP_parse_private_key, EVP_ripemd160, EVP_sha1, EVP_sha224, EVP_sha256, EVP_sha384,
    EVP_sha512, OPENSSL_free, OPENSSL_memdup, RSA_PKCS1_OAEP_PADDING,
};
use zeroize::Zeroizing;

use crate::work::{self, Step};
use crate::xml::namespace;

/// A hash function of RSA-OAEP, as digest or in the mask generation function MGF1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OaepHash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Ripemd160,
}

impl OaepHash {
    /// The hash of a `ds:DigestMethod`. SHA-384 has two names: that of XML Encryption 1.1 (5.7.3) and that of RFC 6931.
    pub(super) fn from_digest_uri(uri: &str) -> Option<Self> {
        Some(match uri {
            "http://www.w3.org/2000/09/xmldsig#sha1" => Self::Sha1,
            "http://www.w3.org/2001/04/xmldsig-more#sha224" => Self::Sha224,
            "http://www.w3.org/2001/04/xmlenc#sha256" => Self::Sha256,
            "http://www.w3.org/2001/04/xmlenc#sha384" | "http://www.w3.org/2001/04/xmldsig-more#sha384" => Self::Sha384,
            "http://www.w3.org/2001/04/xmlenc#sha512" => Self::Sha512,
            "http://www.w3.org/2001/04/xmlenc#ripemd160" => Self::Ripemd160,
            _ => return None,
        })
    }

    /// The hash of an `xenc11:MGF`.
    pub(super) fn from_mask_uri(uri: &str) -> Option<Self> {
        Some(match uri.strip_prefix(namespace::ENCRYPTION_11)? {
            "mgf1sha1" => Self::Sha1,
            "mgf1sha224" => Self::Sha224,
            "mgf1sha256" => Self::Sha256,
            "mgf1sha384" => Self::Sha384,
            "mgf1sha512" => Self::Sha512,
            _ => return None,
        })
    }

    fn function(self) -> *const EVP_MD {
        // SAFETY: these take nothing, and return constants of the library.
        unsafe {
            match self {
                Self::Sha1 => EVP_sha1(),
                Self::Sha224 => EVP_sha224(),
                Self::Sha256 => EVP_sha256(),
                Self::Sha384 => EVP_sha384(),
                Self::Sha512 => EVP_sha512(),
                Self::Ripemd160 => EVP_ripemd160(),
            }
        }
    }
}

/// Parameters of RSA-OAEP (RFC 8017 7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Oaep {
    pub(super) digest: OaepHash,
    pub(super) mask: OaepHash,
    pub(super) label: Vec<u8>,
}

/// An RSA private key for decrypting.
pub(crate) struct DecryptingKey(NonNull<EVP_PKEY>);

// SAFETY: aws-lc counts a key's references atomically, and lets threads use one key at once as long as none changes it
// (openssl/evp.h); nothing here does.
unsafe impl Send for DecryptingKey {}
// SAFETY: as above.
unsafe impl Sync for DecryptingKey {}

impl DecryptingKey {
    /// Reads an RSA key from PKCS#8 DER.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let mut input = CBS { data: std::ptr::null(), len: 0 };
        // SAFETY: the bytes outlive both calls, which read no further than their length.
        let key = unsafe {
            CBS_init(&raw mut input, der.as_ptr(), der.len());
            EVP_parse_private_key(&raw mut input)
        };
        let key = Self(NonNull::new(key)?);
        // SAFETY: key and input are alive.
        let is_rsa = unsafe { EVP_PKEY_id(key.0.as_ptr()) == EVP_PKEY_RSA && CBS_len(&raw const input) == 0 };
        is_rsa.then_some(key)
    }

    /// Length of the modulus in bytes, which is that of every ciphertext.
    pub(super) fn modulus_length(&self) -> usize {
        // SAFETY: the key is alive.
        usize::try_from(unsafe { EVP_PKEY_size(self.0.as_ptr()) }).unwrap_or_default()
    }

    /// Decrypts the ciphertext; `None` unless it was encrypted for this key with these parameters.
    pub(super) fn decrypt(&self, parameters: &Oaep, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        work::done(Step::PrivateKey);
        let context = Context::new(self)?;
        context.set(parameters)?;
        let mut plain = Zeroizing::new(vec![0; self.modulus_length()]);
        let mut length = plain.len();
        // SAFETY: context and buffers are alive; at most `length` bytes are written, of which the modulus has as many.
        let done = unsafe {
            let (input, output) = (ciphertext.as_ptr(), plain.as_mut_ptr());
            EVP_PKEY_decrypt(context.0.as_ptr(), output, &raw mut length, input, ciphertext.len())
        };
        plain.truncate(length);
        (done == 1).then_some(plain)
    }
}

impl Drop for DecryptingKey {
    fn drop(&mut self) {
        // SAFETY: the reference is this one's own. The library wipes what it frees.
        unsafe { EVP_PKEY_free(self.0.as_ptr()) };
    }
}

/// Library context of one decryption, freed after it.
struct Context(NonNull<EVP_PKEY_CTX>);

impl Context {
    fn new(key: &DecryptingKey) -> Option<Self> {
        // SAFETY: the key is alive, and the context takes a reference of its own.
        let context = unsafe { EVP_PKEY_CTX_new(key.0.as_ptr(), null_mut()) };
        let context = Self(NonNull::new(context)?);
        // SAFETY: the context is alive.
        (unsafe { EVP_PKEY_decrypt_init(context.0.as_ptr()) } == 1).then_some(context)
    }

    fn set(&self, parameters: &Oaep) -> Option<()> {
        let context = self.0.as_ptr();
        // SAFETY: the context is alive and prepared for decryption; hash functions are constants.
        let done = unsafe {
            EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_oaep_md(context, parameters.digest.function()) == 1
                && EVP_PKEY_CTX_set_rsa_mgf1_md(context, parameters.mask.function()) == 1
        };
        if !done || parameters.label.is_empty() {
            return done.then_some(());
        }
        // SAFETY: the bytes are copied; the context owns the copy if it takes it, and else it is freed here.
        unsafe {
            let label = OPENSSL_memdup(parameters.label.as_ptr().cast(), parameters.label.len());
            if label.is_null() {
                return None;
            }
            if EVP_PKEY_CTX_set0_rsa_oaep_label(context, label.cast(), parameters.label.len()) != 1 {
                OPENSSL_free(label);
                return None;
            }
        }
        Some(())
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context is this one's own.
        unsafe { EVP_PKEY_CTX_free(self.0.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// Keys that OpenSSL wrapped: digest, mask, label in hexadecimal or a dash, ciphertext.
    const WRAPPED: &str = include_str!("../../tests/fixtures/oaep.txt");
    const KEY: &str = include_str!("../../tests/fixtures/sp.key");
    const PLAIN: &[u8] = b"a content key of 32 bytes, as is";

    fn key() -> DecryptingKey {
        let body: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
        DecryptingKey::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap()
    }

    fn digest(name: &str) -> OaepHash {
        let uris = ["http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/04/xmlenc#"];
        let more = "http://www.w3.org/2001/04/xmldsig-more#";
        let found = uris.into_iter().chain([more]).find_map(|uri| OaepHash::from_digest_uri(&format!("{uri}{name}")));
        found.unwrap()
    }

    fn wrapped() -> impl Iterator<Item = (Oaep, Vec<u8>)> {
        WRAPPED.lines().map(|line| {
            let [name, mask, label, ciphertext] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let mask = OaepHash::from_mask_uri(&format!("{}mgf1{mask}", namespace::ENCRYPTION_11)).unwrap();
            let label = if label == "-" { Vec::new() } else { b"label".to_vec() };
            (Oaep { digest: digest(name), mask, label }, STANDARD.decode(ciphertext).unwrap())
        })
    }

    /// Proves C10: every digest with every mask, and a label, opens what another implementation closed.
    #[test]
    fn every_parameter_set_opens_what_openssl_wrapped() {
        let key = key();
        for (parameters, ciphertext) in wrapped() {
            let plain = key.decrypt(&parameters, &ciphertext);
            assert_eq!(plain.as_deref().map(Vec::as_slice), Some(PLAIN), "{parameters:?}");
        }
        assert_eq!(wrapped().count(), 60);
    }

    /// Proves C10: what was closed with other parameters, or was changed, stays closed.
    #[test]
    fn other_parameters_open_nothing() {
        let key = key();
        let (parameters, ciphertext) = wrapped().next().unwrap();
        let others = [
            Oaep { digest: OaepHash::Sha256, ..parameters.clone() },
            Oaep { mask: OaepHash::Sha256, ..parameters.clone() },
            Oaep { label: b"label".to_vec(), ..parameters.clone() },
        ];
        for other in others {
            assert!(key.decrypt(&other, &ciphertext).is_none(), "{other:?}");
        }
        let changed: Vec<u8> = ciphertext.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == 200)).collect();
        for wrong in [changed.as_slice(), &ciphertext[1..], &[], &[0xff; 256], &[0; 256], &[0; 1024]] {
            assert!(key.decrypt(&parameters, wrong).is_none(), "{wrong:?}");
        }
    }

    /// Proves that keys in another form are refused, and so is anything after a key.
    #[test]
    fn only_one_rsa_key_is_read() {
        let body: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(body).unwrap();
        let ec: String =
            include_str!("../../tests/fixtures/ec.key").lines().filter(|line| !line.starts_with('-')).collect();
        assert!(DecryptingKey::from_pkcs8(&STANDARD.decode(ec).unwrap()).is_none());
        assert!(DecryptingKey::from_pkcs8(&[der.as_slice(), &[0]].concat()).is_none());
        assert!(DecryptingKey::from_pkcs8(&der[..der.len() - 1]).is_none());
        assert!(DecryptingKey::from_pkcs8(&[]).is_none());
    }
}
