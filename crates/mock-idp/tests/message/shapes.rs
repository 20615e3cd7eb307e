//! Every shape, signed every way.

use mock_idp::message::{Canonicalization, Shape, SignedParts};

use crate::fixture::{RSA, spec};
use crate::xmlsec::{assert_well_formed, verifies};

/// Proves the builder for C10: what each provider signs by default verifies elsewhere.
#[test]
fn every_shape_is_well_formed_and_verifies_with_its_own_defaults() {
    for shape in Shape::ALL {
        let spec = spec().as_sent_by(shape, "9f86d081");
        let xml = spec.build(&RSA).expect("a response");
        assert_well_formed(&xml);
        if spec.signing.parts != SignedParts::Response {
            assert!(verifies(&xml, "Assertion", &RSA), "{shape:?} assertion\n{xml}");
        }
        if spec.signing.parts != SignedParts::Assertion {
            assert!(verifies(&xml, "Response", &RSA), "{shape:?} response\n{xml}");
        }
    }
}

/// Proves the canonical form of every shape, which inclusive canonicalization makes hardest.
#[test]
fn every_shape_verifies_when_both_parts_are_signed_with_inclusive_canonicalization() {
    for shape in Shape::ALL {
        let mut spec = spec().as_sent_by(shape, "9f86d081").signed(SignedParts::Both);
        spec.signing.canonicalization = Canonicalization::Inclusive;
        let xml = spec.build(&RSA).expect("a response");
        assert!(verifies(&xml, "Assertion", &RSA), "{shape:?} assertion\n{xml}");
        assert!(verifies(&xml, "Response", &RSA), "{shape:?} response\n{xml}");
    }
}

/// Proves that the verification above can fail.
#[test]
fn a_changed_value_no_longer_verifies() {
    let xml = spec().signed(SignedParts::Both).build(&RSA).expect("a response");
    let changed = xml.replace("alice@example.test", "mallory@example.test");
    assert!(!verifies(&changed, "Assertion", &RSA));
    assert!(!verifies(&changed, "Response", &RSA));
}

/// Proves that equal input gives equal bytes: nothing reads a clock or draws randomness.
#[test]
fn the_same_specification_builds_the_same_bytes() {
    let first = spec().build(&RSA).expect("a response");
    assert_eq!(first, spec().build(&RSA).expect("a response"));
}

/// Proves the habits which the table of honest providers names.
#[test]
fn shapes_show_their_provider_s_habits() {
    let built = |shape| spec().as_sent_by(shape, "9f86d081").build(&RSA).expect("a response");
    assert!(built(Shape::EntraId).contains("<Assertion ID=\"_assertion9f86d081\""));
    assert!(built(Shape::EntraId).contains("NotBefore=\"2026-11-22T04:55:00.123Z\""));
    assert!(built(Shape::AdFs).contains("Consent=\""));
    assert!(!built(Shape::AdFs).contains("NameID"));
    assert!(built(Shape::Okta).contains("PrefixList=\"xs\""));
    assert!(built(Shape::GoogleWorkspace).contains("&#13;"));
    assert!(built(Shape::PingFederate).contains("RSAKeyValue"));
    assert!(built(Shape::Shibboleth).contains("<saml2:AttributeValue><saml2:NameID"));
    assert!(built(Shape::Keycloak).contains("OneTimeUse"));
    assert!(built(Shape::Duo).contains("05:00:00.123456789Z"));
    assert!(!built(Shape::Duo).contains("KeyInfo"));
    assert!(built(Shape::JumpCloud).contains("\n    <saml2:Assertion"));
}
