//! Work that a refused message makes, counted in steps: time cannot be tested.

use mock_idp::message::{
    Canonicalization, ContentAlgorithm, KeyTransport, ResponseSpec, Shape, SignedParts, form_value,
};
use saml::certificate::MAX_CERTIFICATES;
use saml::work::{Work, counted};
use saml::{IdpCertificate, Rejection};

use crate::scene::{ATTACKER, P256, P384, RSA, encryption, expected, spec, trust};

const SIGNED: [SignedParts; 3] = [SignedParts::Assertion, SignedParts::Response, SignedParts::Both];
/// The most that a `PrefixList` may name.
const PREFIXES: usize = 16;

/// Repeats one key's certificate: as many as a connection may have.
fn six(certificates: &[IdpCertificate]) -> Vec<IdpCertificate> {
    vec![certificates[0].clone(); MAX_CERTIFICATES]
}

#[track_caller]
fn refused(xml: &str, certificates: &[IdpCertificate]) -> (Rejection, Work) {
    let value = form_value(xml);
    let judged = || {
        let xml = saml::decode_post_binding(&value)?;
        saml::verify_response(&xml, &expected(), &trust(certificates))
    };
    let (result, work) = counted(judged);
    (result.expect_err("the message should be refused"), work)
}

fn with_prefixes(mut spec: ResponseSpec, count: usize) -> ResponseSpec {
    let prefix_list = (0..count).map(|one| format!("p{one}")).collect();
    spec.signing.canonicalization = Canonicalization::Exclusive { prefix_list };
    spec
}

/// A body that is costly to canonicalize: many empty elements.
fn with_elements(xml: &str) -> String {
    let value = xml.find("AttributeValue").unwrap();
    let inside = value + xml[value..].find('>').unwrap() + 1;
    format!("{}{}{}", &xml[..inside], "<a/>".repeat(1_000), &xml[inside..])
}

/// Proves C10: for a stranger's message every pinned key is used once, and no engine canonicalizes or digests anything,
/// whatever the shape, the signed parts, the canonicalization and the number of certificates.
#[test]
fn a_stranger_makes_no_engine_work() {
    let certificates = six(&RSA.certificates);
    for shape in Shape::ALL {
        for parts in SIGNED {
            let plain = spec(shape).signed(parts);
            let mut inclusive = plain.clone();
            inclusive.signing.canonicalization = Canonicalization::Inclusive;
            for spec in [with_prefixes(plain.clone(), PREFIXES), inclusive, plain] {
                let xml = with_elements(&spec.build(&ATTACKER.identity).unwrap());
                let (rejection, work) = refused(&xml, &certificates);
                assert_eq!(rejection.reason.as_str(), "signature_invalid", "{shape:?}");
                let wanted = Work { public_key: MAX_CERTIFICATES, private_key: 0, engine: 0 };
                assert_eq!(work, wanted, "{shape:?} {parts:?}");
            }
        }
    }
}

/// Proves C10 for curves: a value that is not a signature at all costs not even the use of a key.
#[test]
fn a_stranger_makes_no_engine_work_with_curves() {
    for (provider, other) in [(&*P256, &*P384), (&*P384, &*P256)] {
        let xml = spec(Shape::Okta).signed(SignedParts::Both).build(&provider.identity).unwrap();
        let (rejection, work) = refused(&xml, &six(&other.certificates));
        assert_eq!(rejection.reason.as_str(), "signature_invalid");
        assert_eq!((work.engine, work.private_key), (0, 0));
        assert!(work.public_key <= MAX_CERTIFICATES, "{work:?}");
    }
}

/// Proves C10: a long `PrefixList` is refused before any key is used.
#[test]
fn a_long_prefix_list_uses_no_key() {
    for shape in Shape::ALL {
        let spec = with_prefixes(spec(shape), PREFIXES + 1);
        let (rejection, work) = refused(&spec.build(&RSA.identity).unwrap(), &RSA.certificates);
        assert_eq!((rejection.reason.as_str(), work), ("canonicalization_refused", Work::default()), "{shape:?}");
        assert_eq!(rejection.got.as_deref(), Some("17 prefixes"));
    }
}

/// Proves C10: a genuine `SignedInfo` with its value, moved onto another body, makes each engine work once,
/// whatever the number of certificates with its key.
#[test]
fn a_genuine_signature_on_another_body_makes_each_engine_work_once() {
    let certificates = six(&RSA.certificates);
    for shape in Shape::ALL {
        for parts in SIGNED {
            let xml = with_elements(&spec(shape).signed(parts).build(&RSA.identity).unwrap());
            let (rejection, work) = refused(&xml, &certificates);
            assert_eq!(rejection.reason.as_str(), "signature_invalid", "{shape:?}");
            let signatures = if parts == SignedParts::Both { 2 } else { 1 };
            assert_eq!(work, Work { public_key: signatures, private_key: 0, engine: 2 }, "{shape:?} {parts:?}");
        }
    }
}

/// Proves C10: of two signatures, a genuine one does not make the engines work on the other, a stranger's.
#[test]
fn every_signature_must_pass_the_gate() {
    for shape in Shape::ALL {
        let both = spec(shape).signed(SignedParts::Both);
        let [genuine, strange] = [&RSA, &ATTACKER].map(|provider| both.build(&provider.identity).unwrap());
        let value = |xml: &str, name: &str| {
            let start = xml.rfind(&format!("{name}>")).map(|end| xml[..end].rfind('>').unwrap() + 1).unwrap();
            let end = start + xml[start..].find('<').unwrap();
            xml[start..end].to_owned()
        };
        let mixed = genuine.replace(&value(&genuine, "SignatureValue"), &value(&strange, "SignatureValue"));
        assert_ne!(mixed, genuine, "{shape:?}");
        let (rejection, work) = refused(&mixed, &RSA.certificates);
        assert_eq!((rejection.reason.as_str(), work.engine), ("signature_invalid", 0), "{shape:?}");
    }
}

/// Proves C10: what a stranger encrypts for us costs few operations with our key, and no engine's work.
#[test]
fn an_encrypted_forgery_makes_no_engine_work() {
    for shape in Shape::ALL {
        let encryption = encryption(ContentAlgorithm::Aes256Gcm, KeyTransport::OaepSha1);
        let forged = spec(shape).signed(SignedParts::Assertion).encrypted(encryption);
        let (rejection, work) = refused(&forged.build(&ATTACKER.identity).unwrap(), &six(&RSA.certificates));
        assert_eq!(rejection.reason.as_str(), "decryption_failed", "{shape:?}");
        assert_eq!(work, Work { public_key: MAX_CERTIFICATES, private_key: 1, engine: 0 }, "{shape:?}");
    }
}

/// Proves that the counting counts: an honest message makes each engine work once, with the key that fits.
#[test]
fn an_honest_message_makes_each_engine_work_once() {
    let certificates = [ATTACKER.certificates.clone(), RSA.certificates.clone()].concat();
    let xml = spec(Shape::Okta).signed(SignedParts::Both).build(&RSA.identity).unwrap();
    let trust = trust(&certificates);
    let (read, work) = counted(|| saml::verify_response(&xml, &expected(), &trust));
    assert!(read.is_ok());
    assert_eq!(work, Work { public_key: 3, private_key: 0, engine: 2 });
}
