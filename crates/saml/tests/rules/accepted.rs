//! Messages that honest identity providers send are accepted, and read as they stand.

use crate::support::*;
use saml::{Engines, SignedElement, Trust, Warning};

/// Proves C10: a signed assertion is read.
#[test]
fn a_signed_assertion_is_accepted() {
    let verified = verify(&Message::default().assertion_signed()).unwrap();
    assert_eq!(verified.signed, SignedElement::Assertion);
    assert_eq!(verified.in_response_to.as_deref(), Some("_req1"));
    assert_eq!(verified.assertion_id, "_a1");
    assert_eq!(verified.name_id.unwrap().value, "anna@example.com");
    assert_eq!(verified.session_index.as_deref(), Some("_s1"));
    assert_eq!(verified.not_on_or_after.to_string(), "2026-12-01T12:05:00Z");
    assert_eq!(verified.certificate_sha256, IDP_CERTIFICATES[0].sha256_fingerprint);
    assert_eq!(verified.warnings, []);
}

/// Proves C10: a signed response covers its assertion.
#[test]
fn a_signed_response_is_accepted() {
    let verified = verify(&Message::default().response_signed()).unwrap();
    assert_eq!(verified.signed, SignedElement::Response);
    assert_eq!(verified.attributes[0].values, ["anna@example.com"]);
}

/// Proves C10: where both are signed, both verify and the response's bytes are read.
#[test]
fn a_response_with_both_signed_is_accepted() {
    assert_eq!(verify(&Message::default().both_signed()).unwrap().signed, SignedElement::Response);
}

/// Proves C10: each engine alone reads what both read together.
#[test]
fn each_engine_reads_the_same() {
    for xml in
        [Message::default().assertion_signed(), Message::default().response_signed(), Message::default().both_signed()]
    {
        let both = verify(&xml).unwrap();
        for engines in [Engines::Libxmlsec, Engines::Bergshamra] {
            let alone = saml::verify_response(&xml, &expected(), &Trust { engines, ..trust() }).unwrap();
            assert_eq!(alone, both);
        }
    }
}

/// Proves C10: every algorithm on the list works in both engines, on signatures that the xmlsec1 tool made.
#[test]
fn every_accepted_algorithm_verifies() {
    let cases = [
        (fixture!("signed-rsa-sha256.xml"), fixture!("idp.crt")),
        (fixture!("signed-rsa-sha384.xml"), fixture!("idp.crt")),
        (fixture!("signed-rsa-sha512.xml"), fixture!("idp.crt")),
        (fixture!("signed-ecdsa-sha256.xml"), fixture!("ec.crt")),
        (fixture!("signed-ecdsa-sha384.xml"), fixture!("ec384.crt")),
        (fixture!("signed-ecdsa-sha512.xml"), fixture!("ec521.crt")),
        (fixture!("signed-inclusive.xml"), fixture!("idp.crt")),
    ];
    for (index, (xml, pem)) in cases.into_iter().enumerate() {
        let trust = Trust { certificates: &certificates(pem), ..trust() };
        let verified = saml::verify_response(xml, &expected(), &trust);
        assert!(verified.is_ok(), "case {index}: {verified:?}");
    }
}

/// Proves C5: the certificates of a rollover are tried one by one, whatever their order and kind of key.
#[test]
fn any_certificate_of_the_connection_may_verify() {
    let mut all = certificates(fixture!("ec.crt"));
    all.extend(OTHER_CERTIFICATES.clone());
    all.extend(IDP_CERTIFICATES.clone());
    let trust = Trust { certificates: &all, ..trust() };
    let verified = saml::verify_response(&Message::default().both_signed(), &expected(), &trust).unwrap();
    assert_eq!(verified.certificate_sha256, IDP_CERTIFICATES[0].sha256_fingerprint);
}

/// Proves C10: SHA-1 needs the connection's consent, and warns.
#[test]
fn sha1_is_accepted_only_by_consent() {
    let xml = fixture!("signed-rsa-sha1.xml");
    assert_eq!(refusal(xml), "sha1_not_allowed");
    let trust = Trust { allow_sha1: true, ..trust() };
    let verified = saml::verify_response(xml, &expected(), &trust).unwrap();
    assert_eq!(verified.warnings, [Warning::Sha1]);
}

/// Proves C5: an expired certificate verifies with a warning, unless the connection refuses it.
#[test]
fn an_expired_certificate_warns_or_is_refused() {
    let message = Message::default();
    let later = |text: String| text.replace("2026-12-01", "2040-12-01");
    let assertion = sign(&later(message.assertion_template()), "_a1", &IDP_KEY);
    let xml = unsigned(&later(message.response_template(&assertion)));
    let expected = saml::Expected { now: "2040-12-01T12:00:00Z".parse().unwrap(), ..expected() };
    let verified = saml::verify_response(&xml, &expected, &trust()).unwrap();
    let not_after = IDP_CERTIFICATES[0].not_after;
    assert_eq!(verified.warnings, [Warning::CertificateExpired { not_after }]);
    let refusing = Trust { refuse_expired_certificates: true, ..trust() };
    assert_eq!(saml::verify_response(&xml, &expected, &refusing).unwrap_err().reason.as_str(), "certificate_expired");
}

/// Proves C10: documents that xmlsec1 encrypted, with every accepted cipher, are decrypted and verified.
#[test]
fn encrypted_assertions_are_accepted() {
    let cases = [
        fixture!("encrypted-aes128-gcm.xml"),
        fixture!("encrypted-aes192-gcm.xml"),
        fixture!("encrypted-aes256-gcm.xml"),
        fixture!("encrypted-aes128-cbc.xml"),
        fixture!("encrypted-aes192-cbc.xml"),
        fixture!("encrypted-aes256-cbc.xml"),
    ];
    for (index, xml) in cases.into_iter().enumerate() {
        let verified = verify(xml);
        let verified = verified.unwrap_or_else(|rejection| panic!("case {index}: {rejection:?}"));
        assert!(verified.encrypted);
        assert_eq!(verified.signed, SignedElement::Assertion);
        assert_eq!(verified.name_id.unwrap().value, "anna@example.com");
    }
    let verified = verify(fixture!("encrypted-in-signed-response.xml")).unwrap();
    assert!(verified.encrypted);
    assert_eq!(verified.signed, SignedElement::Response);
}

/// Proves C10: the shapes of well-known products are accepted: default namespaces (Entra ID), both signed with a
/// `PrefixList` (Okta), odd ids beside a stale `KeyInfo` (`PingFederate`).
#[test]
fn shapes_of_well_known_products_are_accepted() {
    let cases = [
        (fixture!("shape-default-namespaces.xml"), SignedElement::Assertion, "_a1"),
        (fixture!("shape-both-signed-prefix-list.xml"), SignedElement::Response, "_a1"),
        (fixture!("shape-odd-ids-stale-key-info.xml"), SignedElement::Assertion, "a.b-C_1"),
    ];
    for (index, (xml, signed, id)) in cases.into_iter().enumerate() {
        let verified = verify(xml).unwrap_or_else(|rejection| panic!("case {index}: {rejection:?}"));
        assert_eq!((verified.signed, verified.assertion_id.as_str()), (signed, id), "case {index}");
        assert_eq!(verified.attributes[0].values, ["anna@example.com"], "case {index}");
    }
}
