//! Every hostile document of `mock-idp`, made from several shapes.

use mock_idp::message::{ContentAlgorithm, KeyTransport, NAME_ID_EMAIL, Shape, SignedParts, form_value};
use mock_idp::tamper::{FORGED_IDENTITY, HostileCase, all, form_values};
use saml::{Check, Rejection, VerifiedResponse};

use crate::scene::{ATTACKER, EMAIL_CLAIM, RSA, encryption, spec, values, verify};

/// Length beyond which a document is refused before any engine sees it, unless [`LINEAR`] says otherwise.
const ORDINARY: usize = 100_000;
/// The length of these is in one value, which costs every stage no more than copying it.
const LINEAR: [&str; 1] = ["long_attribute_value"];
/// Diagnostics keep no more than this of anything, in bytes.
const MOST_SHOWN: usize = 2000;

fn cases(shape: Shape) -> Vec<HostileCase> {
    all(&spec(shape), &RSA.identity, &ATTACKER.identity).unwrap()
}

/// Decodes and verifies a form value, as the ACS would.
fn outcome(form_value: &str) -> Result<VerifiedResponse, Rejection> {
    verify(&saml::decode_post_binding(form_value)?)
}

/// Checks that each case is refused, or read as the stranger that the trusted provider signed; and that one that
/// costs more to verify than to make is refused by its bounds or its structure, before any engine.
fn refused_or_read_whole(shapes: &[Shape]) {
    for shape in shapes {
        for case in cases(*shape) {
            match (outcome(&case.form_value()), &case.may_be_accepted_as) {
                (Err(rejection), _) => check_refusal(&case, &rejection),
                (Ok(read), Some(stranger)) => assert_names(&read, stranger, case.name),
                (Ok(read), None) => panic!("{shape:?} {} ({}) is accepted: {read:?}", case.name, case.attack),
            }
        }
    }
}

fn check_refusal(case: &HostileCase, rejection: &Rejection) {
    assert_ne!(rejection.reason.as_str(), "engines_disagree", "{}", case.name);
    if case.xml.len() > ORDINARY && !LINEAR.contains(&case.name) {
        let early = matches!(rejection.check, Check::Bounds | Check::Encoding | Check::Guard);
        assert!(early, "{}: {rejection:?}", case.name);
    }
    let shown = [&rejection.wanted, &rejection.got].into_iter().flatten();
    shown.for_each(|fact| assert!(fact.len() < MOST_SHOWN, "{}", case.name));
}

/// Proves C10 for messages with prefixes.
#[test]
fn hostile_documents_with_prefixes_are_refused_or_read_whole() {
    refused_or_read_whole(&[Shape::Plain, Shape::Okta]);
}

/// Proves C10 for messages with default namespaces, one of them without `NameID`.
#[test]
fn hostile_documents_with_default_namespaces_are_refused_or_read_whole() {
    refused_or_read_whole(&[Shape::EntraId, Shape::AdFs]);
}

/// Proves C10 for other layouts.
#[test]
fn hostile_documents_with_layouts_are_refused_or_read_whole() {
    refused_or_read_whole(&[Shape::Shibboleth, Shape::JumpCloud]);
}

/// Checks that nothing in what was read names another person.
#[track_caller]
fn assert_names(read: &VerifiedResponse, stranger: &str, case: &str) {
    assert_eq!(values(read, EMAIL_CLAIM), Some([stranger.to_owned()].as_slice()), "{case}");
    let name_id = read.name_id.as_ref().filter(|name_id| name_id.format.as_deref() == Some(NAME_ID_EMAIL));
    assert!(name_id.is_none_or(|name_id| name_id.value == stranger), "{case}");
}

/// Proves C10: broken form values are refused before they are XML.
#[test]
fn broken_form_values_are_refused() {
    for shape in Shape::ALL {
        for case in form_values(&spec(shape).build(&RSA.identity).unwrap()) {
            let rejection = outcome(&case.value).unwrap_err();
            let early = matches!(rejection.check, Check::Bounds | Check::Encoding | Check::Guard);
            assert!(early, "{}: {rejection:?}", case.name);
        }
    }
}

/// Proves C10: any sender can encrypt for us, so that says nothing about which one did.
#[test]
fn encrypting_a_forgery_does_not_help() {
    for shape in Shape::ALL {
        for parts in [SignedParts::None, SignedParts::Assertion, SignedParts::Response, SignedParts::Both] {
            let mut forged = spec(shape).signed(parts);
            forged.attributes[0].values = vec![FORGED_IDENTITY.to_owned()];
            let forged = forged.encrypted(encryption(ContentAlgorithm::Aes256Gcm, KeyTransport::OaepSha256));
            let rejection = outcome(&form_value(forged.build(&ATTACKER.identity).unwrap())).unwrap_err();
            let late = matches!(rejection.reason.as_str(), "signature_invalid" | "decryption_failed");
            assert!(late, "{shape:?} {parts:?}: {rejection:?}");
        }
    }
}

/// Proves C10: two providers who trust the same service provider cannot speak for each other.
#[test]
fn a_response_of_another_provider_is_refused() {
    for shape in Shape::ALL {
        let xml = spec(shape).signed(SignedParts::Both).build(&ATTACKER.identity).unwrap();
        assert_eq!(verify(&xml).unwrap_err().reason.as_str(), "signature_invalid", "{shape:?}");
    }
}
