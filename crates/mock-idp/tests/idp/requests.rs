//! Requests that the identity provider answers, and those that it refuses.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mock_idp::identity::SigningIdentity;
use mock_idp::idp::Options;
use mock_idp::message::SignatureAlgorithm;
use mock_idp::message::canonical::{Canonicalization, canonicalize};
use mock_idp::message::parse::parse;

use crate::client::{get, post_form};
use crate::scene::{ACS, REQUEST_ID, builder, deflated, redirect, request, start};

/// Proves that requests which no service provider should send are refused with the reason.
#[tokio::test]
async fn malformed_requests_are_refused_with_the_reason() {
    let idp = start().await;
    let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
    let cases = [
        (request("Destination=\"http://127.0.0.1:1/sso\""), "Destination"),
        (request("ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:PAOS\""), "ProtocolBinding"),
        (request("").replace("2.0\" Iss", "1.1\" Iss"), "version 2.0"),
        (request("").replace(REQUEST_ID, ""), "no ID"),
        (request("").replace("SAML:2.0:protocol", "SAML:1.0:protocol"), "AuthnRequest"),
        (request("").replace(ACS, "https://foreign.example.test/acs"), "loopback"),
        (format!("<!DOCTYPE x>{}", request("")), "document type"),
        (deep, "nested deeper"),
        ("<unfinished".to_owned(), "well-formed"),
    ];
    for (xml, reason) in cases {
        let page = get(&redirect(&idp, &xml, "")).await;
        assert_eq!(page.status, 400, "{reason}");
        assert!(page.body.contains(reason), "{reason}: {}", page.body);
    }
}

/// Proves that decompression is bounded.
#[tokio::test]
async fn a_compression_bomb_is_refused() {
    let idp = start().await;
    let page = get(&redirect(&idp, &" ".repeat(10_000_000), "")).await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("DEFLATE"));
}

/// Proves that values which are no messages at all are refused.
#[tokio::test]
async fn values_that_are_no_messages_are_refused() {
    let idp = start().await;
    for value in ["", "!!!", "AAAA", "/////w=="] {
        assert_eq!(post_form(&idp.sso_url(), &[("SAMLRequest", value)]).await.status, 400, "{value}");
    }
    assert_eq!(get(&idp.sso_url()).await.status, 400);
}

/// Proves C6 from the identity provider's side: a signed redirect is checked over the query as it was sent.
#[tokio::test]
async fn a_redirect_must_be_signed_once_a_certificate_is_registered() {
    let sp = SigningIdentity::generate_p256("sp.example.test").expect("a key pair");
    let idp = builder().options(registered(&sp)).start().await.expect("a running identity provider");
    assert_eq!(get(&redirect(&idp, &request(""), "r")).await.status, 400);
    let unsigned = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("SAMLRequest", &deflated(&request("")))
        .append_pair("RelayState", "r")
        .append_pair("SigAlg", SignatureAlgorithm::EcdsaSha256.uri())
        .finish();
    let signature = sp.sign(SignatureAlgorithm::EcdsaSha256, unsigned.as_bytes()).expect("a signature");
    let signature = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("Signature", &BASE64.encode(signature))
        .finish();
    let signed = format!("{}?{unsigned}&{signature}", idp.sso_url());
    assert_eq!(get(&signed).await.status, 200);
    assert_eq!(get(&signed.replace("RelayState=r", "RelayState=s")).await.status, 400);
}

/// Proves C6 from the identity provider's side: a posted request is checked by its enveloped signature.
#[tokio::test]
async fn a_posted_request_must_be_signed_once_a_certificate_is_registered() {
    let sp = SigningIdentity::generate_p256("sp.example.test").expect("a key pair");
    let idp = builder().options(registered(&sp)).start().await.expect("a running identity provider");
    let signed = enveloped(&request(""), &sp);
    let post = async |xml: &str| {
        let value = BASE64.encode(xml);
        post_form(&idp.sso_url(), &[("SAMLRequest", &value)]).await.status
    };
    assert_eq!(post(&signed).await, 200);
    assert_eq!(post(&request("")).await, 400);
    assert_eq!(post(&signed.replace("05:00:00Z", "05:00:01Z")).await, 400);
    let stranger = SigningIdentity::generate_p256("stranger.example.test").expect("a key pair");
    assert_eq!(post(&enveloped(&request(""), &stranger)).await, 400);
}

fn registered(sp: &SigningIdentity) -> Options {
    Options { request_certificate_pem: Some(sp.certificate_pem().to_owned()), ..Options::default() }
}

fn enveloped(xml: &str, sp: &SigningIdentity) -> String {
    let tree = parse(xml).expect("XML");
    let canonical = canonicalize(&tree, &[], &Canonicalization::EXCLUSIVE);
    let digest = BASE64.encode(digest(&SHA256, canonical.as_bytes()));
    let exclusive = Canonicalization::EXCLUSIVE.uri();
    let signed_info = format!(
        "<SignedInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><CanonicalizationMethod Algorithm=\"{exclusive}\"/>\
         <SignatureMethod Algorithm=\"{}\"/><Reference URI=\"#{REQUEST_ID}\"><Transforms>\
         <Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
         <Transform Algorithm=\"{exclusive}\"/></Transforms>\
         <DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><DigestValue>{digest}</DigestValue>\
         </Reference></SignedInfo>",
        SignatureAlgorithm::EcdsaSha256.uri(),
    );
    let tree = parse(&signed_info).expect("XML");
    let canonical = canonicalize(&tree, &[], &Canonicalization::EXCLUSIVE);
    let value = sp.sign(SignatureAlgorithm::EcdsaSha256, canonical.as_bytes()).expect("a signature");
    let signature = format!(
        "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\">{signed_info}<SignatureValue>{}</SignatureValue></Signature>",
        BASE64.encode(value),
    );
    xml.replace("</saml:Issuer>", &format!("</saml:Issuer>{signature}"))
}
