//! Encrypted assertions, which `xmlsec1` decrypts.

use mock_idp::message::{Canonicalization, ContentAlgorithm, Encryption, KeyTransport, Shape, SignedParts};

use crate::fixture::{P256, RSA, spec};
use crate::xmlsec::{assert_well_formed, decrypt, verifies};

fn encryption() -> Encryption {
    Encryption::new(RSA.certificate().clone(), std::array::from_fn(|index| u8::try_from(index).expect("48 bytes")))
}

/// Proves C6's encryption: every content algorithm decrypts elsewhere, and the signature inside verifies.
#[test]
fn every_content_algorithm_decrypts_to_a_signed_assertion() {
    let algorithms = [
        ContentAlgorithm::Aes128Cbc,
        ContentAlgorithm::Aes256Cbc,
        ContentAlgorithm::Aes128Gcm,
        ContentAlgorithm::Aes256Gcm,
    ];
    for content in algorithms {
        let encryption = Encryption { content, ..encryption() };
        let xml = spec().encrypted(encryption).build(&P256).expect("a response");
        assert!(!xml.contains("alice@example.test"));
        let plain = decrypt(&xml, &RSA);
        assert!(plain.contains("alice@example.test"), "{content:?}");
        assert!(verifies(&plain, "Assertion", &P256), "{content:?}");
    }
}

/// Proves that the encrypted text stands alone in every shape, also under inclusive canonicalization.
#[test]
fn every_shape_decrypts_and_verifies() {
    for shape in Shape::ALL {
        for canonicalization in [Canonicalization::EXCLUSIVE, Canonicalization::Inclusive] {
            let mut spec = spec().as_sent_by(shape, "77").signed(SignedParts::Both);
            spec.signing.canonicalization = canonicalization;
            let xml = spec.encrypted(encryption()).build(&P256).expect("a response");
            assert_well_formed(&xml);
            assert!(verifies(&xml, "Response", &P256), "{shape:?}");
            assert!(verifies(&decrypt(&xml, &RSA), "Assertion", &P256), "{shape:?}");
        }
    }
}

/// Proves that OAEP with SHA-256 is named as XML Encryption 1.1 names it (this `xmlsec1` cannot decrypt it).
#[test]
fn oaep_with_sha256_names_its_digest_and_mask() {
    let encryption = Encryption { key_transport: KeyTransport::OaepSha256, ..encryption() };
    let xml = spec().encrypted(encryption).build(&P256).expect("a response");
    assert!(xml.contains("http://www.w3.org/2009/xmlenc11#rsa-oaep"));
    assert!(xml.contains("http://www.w3.org/2009/xmlenc11#mgf1sha256"));
}

/// Proves that a recipient without an RSA key is an error.
#[test]
fn nothing_is_encrypted_for_an_elliptic_curve() {
    let encryption = Encryption::new(P256.certificate().clone(), [7; 48]);
    assert!(spec().encrypted(encryption).build(&RSA).is_err());
}
