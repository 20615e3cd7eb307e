//! The hostile documents: each is different from the honest one, and the wrapped ones are real attacks.

use std::collections::HashSet;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mock_idp::identity::SigningIdentity;
use mock_idp::message::{NAME_ID_EMAIL, Parties, ResponseSpec, Shape, SignedParts, form_value};
use mock_idp::tamper::{FORGED_IDENTITY, HostileCase, all, form_values};

use crate::fixture::RSA;
use crate::xmlsec::verifies;

static ATTACKER: LazyLock<SigningIdentity> =
    LazyLock::new(|| SigningIdentity::generate_rsa("attacker").expect("a key"));

static PLAIN: LazyLock<Vec<HostileCase>> = LazyLock::new(|| cases(Shape::Plain));

fn spec(shape: Shape) -> ResponseSpec {
    let parties = Parties {
        issuer: "https://idp.example.test/metadata",
        audience: "https://sp.example.test/saml/0a1b",
        acs: "https://sp.example.test/saml/0a1b",
    };
    let now = "2026-11-22T05:00:00Z".parse().expect("a timestamp");
    ResponseSpec::new(parties, now, "9f86d081")
        .to_request("_request-1")
        .named("alice@example.test", NAME_ID_EMAIL)
        .attribute("mail", ["alice@example.test"])
        .as_sent_by(shape, "9f86d081")
}

fn cases(shape: Shape) -> Vec<HostileCase> {
    all(&spec(shape), &RSA, &ATTACKER).expect("the cases")
}

fn case(name: &str) -> &'static str {
    let case = PLAIN.iter().find(|case| case.name == name).expect("the case");
    std::str::from_utf8(&case.xml).expect("UTF-8")
}

/// Proves that a suite which loops over the cases proves something: none is the honest document, whatever its
/// signed parts.
#[test]
fn no_case_is_an_honest_document() {
    for shape in [Shape::Plain, Shape::EntraId, Shape::Okta, Shape::JumpCloud] {
        let honest = [SignedParts::Assertion, SignedParts::Response, SignedParts::Both]
            .map(|parts| spec(shape).signed(parts).build(&RSA).expect("a response").into_bytes());
        for case in cases(shape) {
            assert!(!honest.contains(&case.xml), "{shape:?} {}", case.name);
        }
    }
}

/// Proves that cases can be named in reports.
#[test]
fn names_are_unique_and_cases_differ() {
    let cases = &*PLAIN;
    let names: HashSet<_> = cases.iter().map(|case| case.name).collect();
    let documents: HashSet<_> = cases.iter().map(|case| &case.xml).collect();
    assert_eq!((names.len(), documents.len()), (cases.len(), cases.len()));
    assert!(cases.len() > 100, "{}", cases.len());
}

/// Proves that the wrapped documents are attacks: a verifier which looks for the reference anywhere accepts them.
/// (Where the original is inside the Signature, that takes a verifier whose enveloped-signature transform is
/// careless too.)
#[test]
fn wrapped_documents_deceive_a_verifier_that_follows_the_reference_anywhere() {
    let wrapped = [
        ("xsw2_response_before_signature", "Response"),
        ("xsw3_forged_assertion_first", "Assertion"),
        ("xsw4_signed_assertion_inside_forged", "Assertion"),
        ("xsw5_signature_moves_to_forged", "Assertion"),
        ("xsw7_forged_in_extensions", "Assertion"),
        ("wrapped_in_advice", "Assertion"),
        ("response_inside_response", "Response"),
    ];
    for (name, parent) in wrapped {
        let xml = case(name);
        assert!(xml.contains(FORGED_IDENTITY), "{name}");
        assert!(verifies(xml, parent, &RSA), "{name}\n{xml}");
    }
}

/// Proves that these are signed by the trusted key: only the structure can refuse them.
#[test]
fn excessive_signatures_are_valid_ones() {
    for (name, parent) in [
        ("reference_uri_empty", "Response"),
        ("two_references", "Assertion"),
        ("instruction_in_signed_info", "Assertion"),
        ("comment_in_signed_info", "Assertion"),
        ("object_in_signature", "Assertion"),
        ("rsa_sha1", "Assertion"),
        ("signed_element_in_name_id", "Assertion"),
        ("identity_split_by_comment", "Assertion"),
        ("identity_split_by_cdata", "Assertion"),
        ("same_id_in_lower_case", "Assertion"),
    ] {
        let xml = case(name);
        assert!(verifies(xml, parent, &RSA), "{name}\n{xml}");
    }
}

/// Proves that these are not signed by the trusted key at all.
#[test]
fn forgeries_do_not_verify() {
    for name in [
        "signed_by_attacker",
        "signed_by_attacker_showing_trusted",
        "hmac_with_certificate",
        "altered_identity",
        "comment_in_digest_value",
        "second_signed_info",
        "identity_split_by_instruction",
    ] {
        let xml = case(name);
        assert!(!verifies(xml, "Assertion", &RSA), "{name}\n{xml}");
    }
}

/// Proves that only split identities may be accepted, as the stranger that the trusted provider named.
#[test]
fn split_identities_are_read_whole_or_refused() {
    for case in &*PLAIN {
        let expected = case.name.starts_with("identity_split") && !case.name.ends_with("instruction");
        let stranger = expected.then_some("alice@example.test.attacker.test");
        assert_eq!(case.may_be_accepted_as.as_deref(), stranger, "{}", case.name);
    }
}

/// Proves that no broken form value decodes to the honest document.
#[test]
fn broken_form_values_are_not_the_honest_one() {
    let xml = spec(Shape::Plain).build(&RSA).expect("a response");
    for case in form_values(&xml) {
        assert_ne!(case.value, form_value(&xml), "{}", case.name);
        let decoded = BASE64.decode(&case.value).unwrap_or_default();
        assert_ne!(decoded, xml.as_bytes(), "{}", case.name);
    }
}
