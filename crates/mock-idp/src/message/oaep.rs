//! RSA-OAEP with a digest and a mask of its own (RFC 8017 7.1.1): aws-lc-rs encrypts with one hash for both.

use num_bigint::BigUint;

use super::DigestAlgorithm;
use crate::identity::rsa_public_numbers;

/// Hashes of RSA-OAEP: the digest, and the one in MGF1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Oaep {
    pub(super) digest: DigestAlgorithm,
    pub(super) mask: DigestAlgorithm,
}

impl Oaep {
    /// Encrypts a short message for an `RSAPublicKey`, without a label. The input of the random seed is given.
    pub(super) fn encrypt(
        self,
        public_key: &[u8],
        message: &[u8],
        secret: &[u8],
    ) -> Result<Vec<u8>, x509_cert::der::Error> {
        let (modulus, exponent) = rsa_public_numbers(public_key)?;
        let label = self.digest.digest(b"");
        let label = label.as_ref();
        let seed = self.digest.digest(secret);
        let length = modulus.len().saturating_sub(label.len() + 1);
        let mut data = label.to_vec();
        data.resize(length.saturating_sub(message.len() + 1), 0);
        data.push(1);
        data.extend(message);
        let data = masked(&data, &self.mask(seed.as_ref(), data.len()));
        let seed = masked(seed.as_ref(), &self.mask(&data, seed.as_ref().len()));
        let block = [seed, data].concat();
        let (modulus, exponent, length) =
            (BigUint::from_bytes_be(&modulus), BigUint::from_bytes_be(&exponent), modulus.len());
        let encrypted = BigUint::from_bytes_be(&block).modpow(&exponent, &modulus).to_bytes_be();
        Ok([vec![0; length.saturating_sub(encrypted.len())], encrypted].concat())
    }

    /// MGF1 (RFC 8017 B.2.1).
    fn mask(self, seed: &[u8], length: usize) -> Vec<u8> {
        let block = |counter: u32| self.mask.digest(&[seed, &counter.to_be_bytes()].concat()).as_ref().to_vec();
        (0..).flat_map(block).take(length).collect()
    }
}

fn masked(data: &[u8], mask: &[u8]) -> Vec<u8> {
    data.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
}
