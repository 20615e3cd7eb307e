//! Attacks on what a signature covers: an honest, signed message, rearranged to say something else.

use crate::support::*;

const HONEST: &str = "anna@example.com";
const EVIL: &str = "admin@example.com";

fn evil_assertion(id: &str) -> String {
    unsigned(&Message::default().assertion_template())
        .replace(HONEST, EVIL)
        .replace("ID=\"_a1\"", &format!("ID=\"{id}\""))
}

/// Takes the assertion and its signature out of a message: what is before, the signed assertion, and what is after.
fn parts(xml: &str) -> (&str, &str, &str) {
    let start = xml.find("<saml:Assertion").unwrap();
    let end = xml.find("</saml:Assertion>").unwrap() + "</saml:Assertion>".len();
    (&xml[..start], &xml[start..end], &xml[end..])
}

/// Takes the first signature out: the rest, and the signature.
fn without_signature(xml: &str) -> (String, String) {
    let start = xml.find("<ds:Signature ").unwrap();
    let end = xml.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    (format!("{}{}", &xml[..start], &xml[end..]), xml[start..end].to_owned())
}

/// Proves C10: the eight published forms of signature wrapping (Somorovsky and others, 2012) are all refused.
#[test]
fn signature_wrapping_is_refused() {
    let response = Message::default().response_signed();
    let (response_alone, response_signature) = without_signature(&response);
    let evil_response = response_alone.replace(HONEST, EVIL).replace("ID=\"_r1\"", "ID=\"_evil\"");
    let insert = |outer: &str, inner: &str| outer.replacen("<samlp:Status>", &format!("{inner}<samlp:Status>"), 1);
    let in_signature = |inner: &str| {
        response_signature.replacen("</ds:Signature>", &format!("<ds:Object>{inner}</ds:Object></ds:Signature>"), 1)
    };

    let signed = Message::default().assertion_signed();
    let (before, assertion, after) = parts(&signed);
    let (assertion_alone, signature) = without_signature(assertion);
    let evil = evil_assertion("_evil");
    let evil_around = |inner: &str| evil.replacen("</saml:Assertion>", &format!("{inner}</saml:Assertion>"), 1);
    let evil_signed_with = |signature: &str| evil.replacen("<saml:Subject>", &format!("{signature}<saml:Subject>"), 1);
    let object = |inner: &str| format!("<ds:Object>{inner}</ds:Object></ds:Signature>");

    let cases = [
        insert(&evil_response, &in_signature(&response_alone)),
        insert(&evil_response, &format!("{response_alone}{response_signature}")),
        format!("{before}{evil}{assertion}{after}"),
        format!("{before}{}{after}", evil_around(assertion)),
        format!("{before}{}{assertion_alone}{after}", evil_signed_with(&signature)),
        format!(
            "{before}{}{after}",
            evil_signed_with(&signature.replace("</ds:Signature>", &object(&assertion_alone)))
        ),
        format!("{before}<samlp:Extensions>{assertion}</samlp:Extensions>{evil}{after}"),
        format!("{before}{}{after}", assertion.replace("</ds:Signature>", &object(&evil))),
    ];
    for (index, xml) in cases.iter().enumerate() {
        let result = verify(xml);
        assert!(result.is_err(), "XSW{}: {result:?}", index + 1);
    }
}

/// Proves C10: the same id on a second element, whatever the order, is refused before any engine looks for it.
#[test]
fn two_elements_with_one_id_are_refused() {
    let signed = Message::default().assertion_signed();
    let twin = format!("<samlp:Extensions><x ID=\"_a1\">{EVIL}</x></samlp:Extensions><samlp:Status>");
    assert_eq!(refusal(&signed.replacen("<samlp:Status>", &twin, 1)), "duplicate_id");
}

/// Proves C10: a message without its signatures is refused.
#[test]
fn a_stripped_signature_is_refused() {
    assert_eq!(refusal(&Message::default().unsigned()), "signature_missing");
    let (stripped, _) = without_signature(&Message::default().assertion_signed());
    assert_eq!(refusal(&stripped), "signature_missing");
}

/// Proves C10: where both are signed, both signatures must verify.
#[test]
fn every_signature_present_must_verify() {
    let message = Message::default();
    let forged_inner = sign(&message.assertion_template(), "_a1", &OTHER_KEY);
    assert_eq!(refusal(&sign(&message.response_template(&forged_inner), "_r1", &IDP_KEY)), "signature_invalid");
    let honest_inner = sign(&message.assertion_template(), "_a1", &IDP_KEY);
    assert_eq!(refusal(&sign(&message.response_template(&honest_inner), "_r1", &OTHER_KEY)), "signature_invalid");
}

/// Proves C5: a key inside the message proves nothing.
#[test]
fn a_key_in_the_message_is_not_trusted() {
    let forged = sign(&Message::default().assertion_template(), "_a1", &OTHER_KEY);
    let body: String = fixture!("other.crt").lines().filter(|line| !line.starts_with('-')).collect();
    let key_info = format!(
        "</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
    );
    let xml = unsigned(&Message::default().response_template(&forged.replace("</ds:SignatureValue>", &key_info)));
    assert_eq!(refusal(&xml), "signature_invalid");
}

/// Proves C10: a public key is never taken for an HMAC secret.
#[test]
fn algorithm_confusion_is_refused() {
    assert_eq!(refusal(fixture!("signed-hmac-sha256.xml")), "signature_algorithm_refused");
    let ecdsa = Message::default().assertion_signed().replace("#rsa-sha256", "#ecdsa-sha256");
    assert_eq!(refusal(&ecdsa), "key_type_mismatch");
}

/// Proves C10: a comment does not cut an identity short, in the text, signed or not.
#[test]
fn comments_do_not_truncate_identities() {
    let commented = "anna@example.com<!-- -->.evil.example</saml:NameID>";
    let honest = Message::default().assertion_signed();
    assert_eq!(refusal(&honest.replacen("anna@example.com</saml:NameID>", commented, 1)), "signature_invalid");
    // The canonical form has no comments, so an attacker may put one into a signed name.
    let whole = Message {
        subject: Message::default().subject.replace(HONEST, "anna@example.com.evil.example"),
        ..Message::default()
    };
    let xml = whole.assertion_signed().replacen("anna@example.com.evil.example</saml:NameID>", commented, 1);
    assert_eq!(verify(&xml).unwrap().name_id.unwrap().value, "anna@example.com.evil.example");
}

/// Proves C10: what an unsigned response says may refuse, never accept.
#[test]
fn unsigned_response_values_only_refuse() {
    let signed = Message::default().assertion_signed();
    let cases = [
        (signed.replacen(ACS, "https://other.example/acs", 1), "destination_mismatch"),
        (signed.replacen("_req1", "_req2", 1), "in_response_to_mismatch"),
        (signed.replacen("InResponseTo=\"_req1\" ", "", 1), "in_response_to_mismatch"),
        (signed.replacen(IDP, "https://other.example", 1), "response_issuer_mismatch"),
        (signed.replacen("status:Success", "status:Responder", 1), "status_not_success"),
    ];
    for (xml, code) in cases {
        assert_eq!(refusal(&xml), code);
    }
    let failed = Message { status: status("urn:oasis:names:tc:SAML:2.0:status:Responder"), ..Message::default() };
    let made_success = failed.response_signed().replacen("status:Responder", "status:Success", 1);
    assert_eq!(refusal(&made_success), "signature_invalid");
}
