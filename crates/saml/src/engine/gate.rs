//! The gate before the engines: a pinned key must verify the signature value of every `SignedInfo` in a message before
//! anything else of it is canonicalized or digested.
//!
//! It can only refuse. What passes is judged by the engines from the beginning, signature values included. It must
//! refuse nothing that they accept, so it canonicalizes with an engine's own means, and reads base64 with less
//! care than they do.

use std::sync::Arc;

use aws_lc_rs::digest::Digest;
use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use kryptering::EcCurve;
use kryptering::digest::ecdsa_raw_to_der;

use super::{SignedText, bergshamra};
use crate::algorithm::SignatureAlgorithm;
use crate::certificate::{IdpCertificate, KeyKind};
use crate::guard::SignatureFacts;
use crate::work::{self, Step};

const LENIENT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A certificate's public key, prepared once for every algorithm that it fits.
#[derive(Clone)]
pub(super) struct VerificationKey {
    keys: Arc<[(SignatureAlgorithm, ParsedPublicKey)]>,
    /// The curve, if signatures are ECDSA's: XML Signature writes them as two numbers of that curve's length (6.4.3).
    curve: Option<EcCurve>,
}

impl VerificationKey {
    pub(super) fn from_spki(spki: &[u8], kind: KeyKind) -> Option<Self> {
        let parsed = |algorithm: SignatureAlgorithm| {
            let key = ParsedPublicKey::new(algorithm.verification(kind)?, spki).ok()?;
            Some((algorithm, key))
        };
        let keys = SignatureAlgorithm::fitting(kind).filter(|one| one.uri().is_some()).map(parsed);
        let curve = match kind {
            KeyKind::Rsa { .. } => None,
            KeyKind::EcP256 => Some(EcCurve::P256),
            KeyKind::EcP384 => Some(EcCurve::P384),
            KeyKind::EcP521 => Some(EcCurve::P521),
        };
        Some(Self { keys: keys.collect::<Option<Arc<[_]>>>()?, curve })
    }

    fn verifies(&self, claim: &Claim) -> bool {
        let Some((_, key)) = self.keys.iter().find(|(algorithm, _)| *algorithm == claim.algorithm) else {
            return false;
        };
        let verified = |value: &[u8]| {
            work::done(Step::PublicKey);
            key.verify_digest_sig(&claim.digest, value).is_ok()
        };
        match self.curve {
            None => verified(&claim.value),
            Some(curve) => ecdsa_raw_to_der(curve, &claim.value).is_ok_and(|value| verified(&value)),
        }
    }
}

/// Claim of one signature: that its value is over this digest.
struct Claim {
    algorithm: SignatureAlgorithm,
    digest: Digest,
    value: Vec<u8>,
}

impl Claim {
    fn new(facts: &SignatureFacts) -> Option<Self> {
        let value: Vec<u8> = facts.value.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let canonical = bergshamra::canonical_signed_info(&facts.signed_info)?;
        Some(Self {
            algorithm: facts.algorithm,
            digest: facts.algorithm.hash.digest(&canonical),
            value: LENIENT_BASE64.decode(value).ok()?,
        })
    }
}

/// The first certificate whose key verifies the signature value of every signature in the text. Another
/// certificate could only take its place with the same key, so a second signature is looked at with that one
/// alone.
pub(super) fn signer<'c>(text: &SignedText<'_>, certificates: &[&'c IdpCertificate]) -> Option<&'c IdpCertificate> {
    let (first, others) = text.signatures.split_first()?;
    let claim = Claim::new(first)?;
    let verified = |certificate: &IdpCertificate, claim: &Claim| certificate.verification_keys.gate.verifies(claim);
    let certificate = certificates.iter().copied().find(|certificate| verified(certificate, &claim))?;
    let other_verified = |facts| Claim::new(facts).is_some_and(|claim| verified(certificate, &claim));
    others.iter().all(other_verified).then_some(certificate)
}
