//! Algorithms, keys and `KeyInfo`.

use mock_idp::message::{
    Canonicalization, DigestAlgorithm, KeyInfo, ShownCertificate, SignatureAlgorithm, SignedParts,
};

use crate::fixture::{P256, P384, RSA, spec};
use crate::xmlsec::verifies;

/// Proves C5's algorithms: RSA with each digest, and SHA-1 for the connections that opt in.
#[test]
fn rsa_signatures_verify_with_every_digest() {
    let algorithms = [
        (SignatureAlgorithm::RsaSha1, DigestAlgorithm::Sha1),
        (SignatureAlgorithm::RsaSha256, DigestAlgorithm::Sha256),
        (SignatureAlgorithm::RsaSha384, DigestAlgorithm::Sha384),
        (SignatureAlgorithm::RsaSha512, DigestAlgorithm::Sha512),
    ];
    for (algorithm, digest) in algorithms {
        let mut spec = spec();
        spec.signing.algorithm = Some(algorithm);
        spec.signing.digest = digest;
        let xml = spec.build(&RSA).expect("a response");
        assert!(verifies(&xml, "Assertion", &RSA), "{algorithm:?}");
    }
}

/// Proves C5's algorithms: elliptic curves.
#[test]
fn ecdsa_signatures_verify_on_both_curves() {
    for identity in [&P256, &P384] {
        let xml = spec().signed(SignedParts::Both).build(identity).expect("a response");
        assert!(verifies(&xml, "Assertion", identity));
        assert!(verifies(&xml, "Response", identity));
    }
}

/// Proves that an algorithm which the key cannot make is an error, not a wrong signature.
#[test]
fn a_key_refuses_the_algorithms_of_another_kind() {
    let mut spec = spec();
    spec.signing.algorithm = Some(SignatureAlgorithm::RsaSha256);
    assert!(spec.build(&P256).is_err());
    spec.signing.algorithm = Some(SignatureAlgorithm::EcdsaSha384);
    assert!(spec.build(&P256).is_err());
}

/// Proves that a prefix list with a prefix that nothing declares, and with one that is unused, stays verifiable.
#[test]
fn prefix_lists_may_name_unused_and_unknown_prefixes() {
    let mut spec = spec();
    spec.signing.canonicalization =
        Canonicalization::Exclusive { prefix_list: vec!["samlp".to_owned(), "unknown".to_owned()] };
    let xml = spec.build(&RSA).expect("a response");
    assert!(verifies(&xml, "Assertion", &RSA), "{xml}");
}

/// Proves that `KeyInfo` may be missing, stale or complete while the signature stays the same.
#[test]
fn key_info_does_not_change_what_is_signed() {
    let stale = KeyInfo { certificate: ShownCertificate::Other(P256.certificate().base64()), ..KeyInfo::NONE };
    let complete = KeyInfo { key_name: true, key_value: true, subject_name: true, certificate: ShownCertificate::Own };
    for key_info in [KeyInfo::NONE, stale, complete] {
        let mut spec = spec();
        spec.signing.key_info = key_info;
        let xml = spec.build(&RSA).expect("a response");
        assert!(verifies(&xml, "Assertion", &RSA), "{xml}");
    }
}

/// Proves the key-confusion attack's ingredient: an HMAC never verifies as the certificate's signature.
#[test]
fn an_hmac_is_not_a_signature_of_the_certificate() {
    let mut spec = spec();
    spec.signing.algorithm = Some(SignatureAlgorithm::HmacSha256WithCertificate);
    let xml = spec.build(&RSA).expect("a response");
    assert!(xml.contains("hmac-sha256"));
    assert!(!verifies(&xml, "Assertion", &RSA));
}
