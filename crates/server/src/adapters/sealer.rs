//! Secrets at rest: AES-256-GCM under a key of their own for each place, derived from the operator's master key.
//!
//! A sealed secret is one version byte, twelve bytes of nonce, the ciphertext and its tag. The place (`context`)
//! goes into the key's derivation and into the authenticated data, so that nothing opens where it does not belong.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use service::ports::{Sealer, Unsealable};
use zeroize::Zeroizing;

/// Bytes of the master key: as strong as the cipher.
pub const MASTER_KEY_BYTES: usize = 32;
/// The form described above. Another algorithm gets another byte, and both stay readable.
const VERSION: u8 = 1;
/// Separates these keys from whatever else may ever be derived from the master key.
const SALT: &[u8] = b"vestibule sealed secret 1";

/// Seals with keys derived from the master key.
pub struct AesGcmSealer {
    extracted: Prk,
}

impl AesGcmSealer {
    /// A sealer with this master key.
    pub fn new(master_key: &[u8; MASTER_KEY_BYTES]) -> Self {
        Self { extracted: Salt::new(HKDF_SHA256, SALT).extract(master_key) }
    }

    fn key(&self, context: &str) -> Result<LessSafeKey, Unspecified> {
        let info = [context.as_bytes()];
        let key: UnboundKey = self.extracted.expand(&info, &AES_256_GCM)?.into();
        Ok(LessSafeKey::new(key))
    }

    /// A random nonce is safe here: each place has a key of its own, and few secrets are ever sealed for one place.
    fn try_seal(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce)?;
        let mut text = Zeroizing::new(secret.to_vec());
        let tag = self.key(context)?.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(context),
            &mut text,
        )?;
        Ok([&[VERSION], &nonce[..], &text[..], tag.as_ref()].concat())
    }

    fn try_open(&self, context: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (&version, rest) = sealed.split_first()?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>()?;
        if version != VERSION {
            return None;
        }
        let mut text = Zeroizing::new(text.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.key(context).ok()?.open_in_place(nonce, Aad::from(context), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

impl Sealer for AesGcmSealer {
    fn seal(&self, context: &str, secret: &[u8]) -> Vec<u8> {
        self.try_seal(context, secret).unwrap_or_else(|Unspecified| {
            // Only a broken random generator or a secret of gigabytes gets here; storing it in clear is no way out.
            tracing::error!(context, "a secret cannot be sealed; stopping");
            std::process::abort()
        })
    }

    fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        self.try_open(context, sealed).ok_or(Unsealable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(byte: u8) -> AesGcmSealer {
        AesGcmSealer::new(&[byte; MASTER_KEY_BYTES])
    }

    /// Proves that a sealed secret opens with its key and in its place alone.
    #[test]
    fn a_secret_opens_with_its_own_key_and_place_alone() {
        let sealed = sealer(1).seal("sp_key/spk_1", b"secret");
        assert_eq!(sealer(1).open("sp_key/spk_1", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(sealer(2).open("sp_key/spk_1", &sealed), Err(Unsealable));
        assert_eq!(sealer(1).open("sp_key/spk_2", &sealed), Err(Unsealable));
    }

    /// Proves that no bit of a sealed secret can be changed, nor any of it cut off.
    #[test]
    fn an_altered_secret_does_not_open() {
        let sealed = sealer(1).seal("place", b"secret");
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert_eq!(sealer(1).open("place", &altered), Err(Unsealable), "byte {index}");
            assert_eq!(sealer(1).open("place", &sealed[..index]), Err(Unsealable), "cut at {index}");
        }
    }

    /// Proves that two seals of one secret do not show that they are equal, and that the secret is not in them.
    #[test]
    fn two_seals_of_one_secret_differ() {
        let (first, second) = (sealer(1).seal("place", b"secret"), sealer(1).seal("place", b"secret"));
        assert_ne!(first, second);
        assert!(!first.windows(6).any(|window| window == b"secret"));
        assert_eq!(sealer(1).open("place", &sealer(1).seal("place", b"")).unwrap().as_slice(), b"");
    }
}
