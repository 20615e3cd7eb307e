//! Key pairs of the service provider: RSA 2048, which every identity provider can use, in a self-signed certificate.

use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};
use service::ports::{GeneratedSpKey, SignerError, SpKeyFactory};
use zeroize::Zeroizing;

/// Makes key pairs with aws-lc and certificates with rcgen.
pub struct RcgenSpKeys;

impl SpKeyFactory for RcgenSpKeys {
    fn generate(
        &self,
        common_name: &str,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Result<GeneratedSpKey, SignerError> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(refused)?;
        let certificate = parameters(common_name, not_before, not_after)?.self_signed(&key).map_err(refused)?;
        Ok(GeneratedSpKey {
            private_key: Zeroizing::new(key.serialize_der()),
            certificate_der: certificate.der().to_vec(),
        })
    }
}

/// Identity providers use the key to verify our requests and to encrypt for us: both usages are named.
fn parameters(
    common_name: &str,
    not_before: Timestamp,
    not_after: Timestamp,
) -> Result<CertificateParams, SignerError> {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = name;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    parameters.not_before = date_time_ymd(1970, 1, 1) + since_epoch(not_before)?;
    parameters.not_after = date_time_ymd(1970, 1, 1) + since_epoch(not_after)?;
    Ok(parameters)
}

fn since_epoch(time: Timestamp) -> Result<Duration, SignerError> {
    u64::try_from(time.as_second())
        .map(Duration::from_secs)
        .map_err(|_| SignerError(String::from("a certificate cannot begin or end before 1970")))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn refused(error: rcgen::Error) -> SignerError {
    SignerError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    /// Proves C6: the certificate holds the public half of the key that came with it, its name and its times.
    #[test]
    fn a_certificate_carries_its_key_its_name_and_its_times() {
        let from = Timestamp::from_second(1_800_000_000).unwrap();
        let to = Timestamp::from_second(1_900_000_000).unwrap();
        let made = RcgenSpKeys.generate("acme admin", from, to).unwrap();
        let key = RsaKeyPair::from_pkcs8(&made.private_key).unwrap();
        let holds = |wanted: &[u8]| made.certificate_der.windows(wanted.len()).any(|window| window == wanted);
        assert!(holds(key.public_key().as_ref()));
        assert!(holds(b"acme admin"));
        assert!(holds(b"270115080000Z"), "15 January 2027, 08:00 UTC");
        assert!(holds(b"300317174640Z"), "17 March 2030, 17:46:40 UTC");
        let mut signature = vec![0; key.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        key.sign(&aws_lc_rs::signature::RSA_PKCS1_SHA256, &random, b"message", &mut signature).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
        public.verify(b"message", &signature).unwrap();
    }

    /// Proves that two key pairs are never the same.
    #[test]
    fn every_key_is_new() {
        let day = |n: i64| Timestamp::from_second(1_800_000_000 + 86_400 * n).unwrap();
        let first = RcgenSpKeys.generate("sp", day(0), day(1)).unwrap();
        let second = RcgenSpKeys.generate("sp", day(0), day(1)).unwrap();
        assert_ne!(first.private_key, second.private_key);
        assert!(RcgenSpKeys.generate("sp", Timestamp::from_second(-1).unwrap(), day(1)).is_err());
    }
}
