//! Messages that we send: requests by both bindings, and our metadata. Signatures are checked by other
//! implementations.

use std::collections::HashMap;

use crate::support::*;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use saml::engine::libxmlsec_verifies_own;
use saml::{AuthnRequest, IdpCertificate, SpKey, SpMetadata, decode_post_binding, decode_redirect_binding, request_id};
use url::Url;
use x509_cert::der::Decode as _;

fn request() -> AuthnRequest<'static> {
    AuthnRequest {
        id: "_0123",
        issue_instant: now(),
        destination: "https://idp.example/sso?tenant=a&x=1#top",
        issuer: "https://sp.example/saml/x1?a&b",
        acs_url: ACS,
        name_id_format: Some("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"),
        force_authn: true,
        requested_authn_context: Some("urn:oasis:names:tc:SAML:2.0:ac:classes:Password"),
    }
}

fn key() -> &'static SpKey {
    &SP_KEYS[0]
}

/// Whether both libraries accept every signature of the document with our certificate.
fn verifies(xml: &str, id: &str) -> bool {
    let mut keys = bergshamra::KeysManager::new();
    keys.add_key(bergshamra::keys::loader::load_x509_cert_der(key().certificate_der()).unwrap());
    let context = bergshamra::DsigContext::new(keys);
    bergshamra::verify_all(&context, xml).unwrap().iter().all(bergshamra::VerifyResult::is_valid)
        && libxmlsec_verifies_own(xml, id, &IdpCertificate::from_der(key().certificate_der()).unwrap())
}

/// Proves C6 and C7: the query is signed as bindings 3.4.4.1 says, and what the destination had in it stays.
#[test]
fn a_redirect_carries_a_signed_request() {
    let url = request().redirect_url("handle", Some(key())).unwrap();
    let query = url.strip_prefix("https://idp.example/sso?tenant=a&x=1&").expect("the destination with its query");
    let (signed, signature) = query.split_once("&Signature=").unwrap();
    let signature = url::form_urlencoded::parse(format!("s={signature}").as_bytes()).next().unwrap().1.into_owned();
    let certificate = x509_cert::Certificate::from_der(key().certificate_der()).unwrap();
    let public = certificate.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes().to_vec();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
        .verify(signed.as_bytes(), &STANDARD.decode(signature).unwrap())
        .unwrap();
    let names: Vec<_> = signed.split('&').map(|pair| pair.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["SAMLRequest", "RelayState", "SigAlg"]);
}

/// Proves C7: the request says what it must, escaped, and survives its encoding.
#[test]
fn a_request_survives_its_encoding() {
    let url = Url::parse(&request().redirect_url("handle", None).unwrap()).unwrap();
    let pairs: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(pairs["RelayState"], "handle");
    let xml = decode_redirect_binding(&pairs["SAMLRequest"]).unwrap();
    let form = request().post_form("handle", None).unwrap();
    assert_eq!(decode_post_binding(&form.saml_request).unwrap(), xml);
    for part in [
        "ID=\"_0123\"",
        "IssueInstant=\"2026-12-01T12:00:00Z\"",
        "Destination=\"https://idp.example/sso?tenant=a&amp;x=1#top\"",
        "ForceAuthn=\"true\"",
        ">https://sp.example/saml/x1?a&amp;b</saml:Issuer>",
        "AssertionConsumerServiceURL=\"https://sp.example/saml/x1\"",
        "<samlp:NameIDPolicy AllowCreate=\"true\"",
        "<samlp:RequestedAuthnContext Comparison=\"exact\">",
    ] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
}

/// Proves C6: the posted form's enveloped signature verifies, and nothing else in its place.
#[test]
fn a_posted_request_is_signed() {
    let form = request().post_form("handle", Some(key())).unwrap();
    let xml = decode_post_binding(&form.saml_request).unwrap();
    assert!(verifies(&xml, "_0123"));
    let changed = xml.replace("_0123\" Iss", "_0123\" X=\"\" Iss");
    assert!(!verifies(&changed, "_0123"));
}

/// Proves C7: a destination that is no web address is refused, and so is a long RelayState.
#[test]
fn unusable_requests_are_refused() {
    for destination in ["javascript:alert(1)", "/sso", "ftp://idp.example/", ""] {
        let request = AuthnRequest { destination, ..request() };
        assert!(request.redirect_url("", None).is_err());
        assert!(request.post_form("", None).is_err());
    }
    assert!(request().redirect_url(&"x".repeat(81), None).is_err());
}

/// Proves C10: ids have 160 bits and the form of an `xs:ID`.
#[test]
fn request_ids_are_long_names() {
    assert_eq!(request_id(&[0x0f; 20]), format!("_{}", "0f".repeat(20)));
}

/// Proves C1 and C6: metadata names one URL twice, has the certificates in their uses, and verifies when signed.
#[test]
fn metadata_says_who_we_are() {
    let keys = [key().clone()];
    let metadata = SpMetadata {
        entity_id: ACS,
        acs_url: ACS,
        slo_url: Some("https://sp.example/saml/x1/slo"),
        keys: &keys,
        authn_requests_signed: true,
        name_id_format: Some("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"),
        valid_until: Some(now()),
    };
    let xml = metadata.to_xml(Some(key()), "_m1").unwrap();
    assert!(verifies(&xml, "_m1"));
    for part in [
        "entityID=\"https://sp.example/saml/x1\"",
        "validUntil=\"2026-12-01T12:00:00Z\"",
        "AuthnRequestsSigned=\"true\" WantAssertionsSigned=\"true\"",
        "<md:KeyDescriptor use=\"signing\">",
        "<md:KeyDescriptor use=\"encryption\">",
        "<md:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\">",
        "Location=\"https://sp.example/saml/x1\" index=\"0\" isDefault=\"true\"",
    ] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
    assert!(!metadata.to_xml(None, "_m1").unwrap().contains("Signature"));
}
